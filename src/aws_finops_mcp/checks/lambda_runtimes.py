"""Lambda functions whose runtime AWS no longer supports, or soon will not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from pydantic import Field

from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.lambda_runtimes_facts import AS_OF, RUNTIMES, SOURCE, Runtime
from aws_finops_mcp.checks.reads import FUNCTIONS
from aws_finops_mcp.checks.tagging import FUNCTION_TAGS, with_listed_tags
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict


class OutdatedRuntimesParams(RegionParams):
    """Arguments of `find_outdated_lambda_runtimes`."""

    days_ahead: int = Field(90, ge=0, le=1095, description="also runtimes whose support ends within N days")


def judge_runtimes(facts: Facts, params: OutdatedRuntimesParams) -> Iterator[Judgement]:
    """By the date on which AWS's support ends. What AWS made for another name is not guessed at."""
    today = facts.now.date()
    judged = (_judge(function, today, params.days_ahead) for function in facts.items(FUNCTIONS))
    return with_listed_tags(facts, FUNCTION_TAGS, judged)


def _judge(function: Any, today: date, days_ahead: int) -> Judgement:
    name = function.get("Runtime", "")
    known = RUNTIMES.get(name)
    evidence: dict[str, Scalar] = {
        "runtime": name or None,
        "package": function.get("PackageType", "Zip"),
        "last_modified": function["LastModified"][:10],
    }
    if not name:
        verdict, reason = Verdict.OK, "a container image: its runtime is in the image"
    elif known is None:
        verdict, reason = Verdict.OK, f"{name} is not in the table of {AS_OF}: newer, or of another's making"
    else:
        verdict, reason = _by_date(name, known, today, days_ahead)
        evidence |= {
            "support_ends": known.deprecated.isoformat(),
            "days_left": (known.deprecated - today).days,
            "create_block": known.create_block.isoformat() if known.create_block else None,
            "update_block": known.update_block.isoformat() if known.update_block else None,
            "newest": known.newest,
        }
    return Judgement(
        resource_id=function["FunctionArn"],
        name=function["FunctionName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
    )


def _by_date(name: str, known: Runtime, today: date, days_ahead: int) -> tuple[Verdict, str]:
    if known.deprecated <= today:
        blocked = ""
        if known.update_block:
            tense = "can no longer be changed since" if known.update_block <= today else "can't be changed from"
            blocked = f"; functions {tense} {known.update_block}"
        return Verdict.OUTDATED, f"{name}: AWS's support ended on {known.deprecated}{blocked}"
    if known.deprecated <= today + timedelta(days=days_ahead):
        return Verdict.OUTDATED, f"{name}: AWS's support ends on {known.deprecated}"
    return Verdict.OK, f"{name}: supported until {known.deprecated}"


OUTDATED_RUNTIMES = Check(
    name="find_outdated_lambda_runtimes",
    title="Lambda functions on runtimes without support",
    noun="Lambda functions",
    category=Category.UPGRADE,
    description=(
        "Lambda functions whose runtime AWS supports no more, or not for long, with the dates on which support ends "
        f"and changes are blocked (table of {AS_OF}). Container images bring their own runtime. Free to ask."
    ),
    resource_type="AWS::Lambda::Function",
    params=OutdatedRuntimesParams,
    inventory=(FUNCTIONS, FUNCTION_TAGS),
    judge=judge_runtimes,
    saves=False,
    evidence={
        "runtime": "lambda:ListFunctions, Runtime of the unpublished version; empty: a container image",
        "package": "PackageType",
        "last_modified": "LastModified",
        "support_ends": f"from when on AWS neither patches nor supports it, {SOURCE}",
        "days_left": "days until then; below 0: since then",
        "create_block": "from when on no function can be made with it",
        "update_block": "from when on no function with it can be changed",
        "newest": "the newest runtime of the language in the table",
    },
    verdicts={
        Verdict.OUTDATED: "AWS's support has ended, or ends within days_ahead",
        Verdict.OK: "supported, a container image, or not in the table",
        Verdict.UNKNOWN: "without support, but its tags, which may exempt it, could not be read",
    },
    remediation=(
        "Change Runtime and test: minor versions of Python and Node.js drop library functions. Published versions keep "
        "the runtime that they were published with; an alias may still point at one."
    ),
    references=(SOURCE, "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html"),
    limits=(
        "The unpublished version alone; dates are those of this release's table; what a container image brings is not "
        "seen."
    ),
)

CHECKS = (OUTDATED_RUNTIMES,)
