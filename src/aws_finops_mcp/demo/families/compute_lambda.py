"""The truth about Lambda functions that are used: their runtimes, their sizes and their starts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from aws_finops_mcp.demo import inventory
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.family import Case, Family
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import US
from aws_finops_mcp.demo.prices import provisioned_concurrency_month
from aws_finops_mcp.findings import Verdict

_ENDED: Final = ("python3.8", "python3.9", "nodejs14.x", "nodejs16.x", "nodejs20.x")


def _arn(function: inventory.Function) -> str:
    return f"arn:aws:lambda:{function.region}:{inventory.ACCOUNT_ID}:function:{function.name}"


def _tags(function: inventory.Function) -> dict[str, str]:
    return {key: value for key, value in function.tags.items() if key != "Name"}


def _aliases(call: Call) -> dict[str, Any]:
    here = call.account == inventory.ACCOUNT_ID and call.region == US
    name = str(call.parameters["FunctionName"])
    alias = {"AliasArn": f"arn:aws:lambda:{US}:{inventory.ACCOUNT_ID}:function:{name}:live", "Name": "live"}
    return {"Aliases": [{**alias, "FunctionVersion": "3"}] if here and name == "northwind-ftp-import" else []}


def _runtimes() -> Iterator[Case]:
    for function in inventory.FUNCTIONS:
        if function.runtime in _ENDED:
            why = f"AWS's support of {function.runtime} has ended"
            yield Case(function.name, function.region, Verdict.OUTDATED, why)
        elif function.runtime in ("python3.13", "java21"):
            yield Case(function.name, function.region, Verdict.OK, f"{function.runtime} is supported")


def _sizes() -> Iterator[Case]:
    yield Case("northwind-thumbnails", US, Verdict.UNDERUSED, "a sixth of its memory in use")
    yield Case("northwind-transcode", US, Verdict.OK, "little memory, but all of the CPU that comes with it")
    spare = provisioned_concurrency_month(US, "x86_64", 1024, 15)
    yield Case("northwind-search-rank", US, Verdict.UNDERUSED, "15 of 20 environments too many", spare)
    yield Case("northwind-cart-merge", US, Verdict.OK, "all of its environments in use")
    yield Case("northwind-invoice-pdf", US, Verdict.OK, "memory in use")
    yield Case("northwind-label-archive", US, Verdict.TOO_NEW, "changed three days ago")
    yield Case("northwind-product-view", US, Verdict.UNKNOWN, "nothing measures its memory")
    yield Case("northwind-gift-cards", US, Verdict.TOO_NEW, "changed two days ago")
    yield Case("northwind-flash-sale-2024", US, Verdict.OK, "not invoked at all: another check's finding")


def _starts() -> Iterator[Case]:
    yield Case("northwind-invoice-pdf", US, Verdict.DEGRADED, "starts of six seconds")
    yield Case("northwind-cart-merge", US, Verdict.DEGRADED, "more load than its provisioned concurrency")
    yield Case("northwind-transcode", US, Verdict.OK, "long runs, short starts")
    yield Case("northwind-thumbnails", US, Verdict.OK, "short starts")
    yield Case("northwind-product-view", US, Verdict.UNKNOWN, "how long it runs tells nothing of its starts")
    yield Case("northwind-flash-sale-2024", US, Verdict.OK, "not invoked")


def family(now: datetime) -> Family:
    """The truth, and the functions' tags: the functions themselves are in moto."""
    return Family(
        rows=(tag_rows((one.region, _arn(one), _tags(one)) for one in inventory.FUNCTIONS),),
        operations={("lambda", "ListAliases"): _aliases},
        cases={
            "find_outdated_lambda_runtimes": tuple(_runtimes()),
            "find_underutilized_lambda_functions": tuple(_sizes()),
            "analyze_lambda_cold_starts": tuple(_starts()),
        },
    )
