"""The truth about what ``inventory`` declares: volumes, addresses, NAT gateways, Lambda functions."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from aws_finops_mcp.demo import company
from aws_finops_mcp.demo.families.family import Case, Family
from aws_finops_mcp.findings import Verdict

_KINDS: Final = {
    "find_unused_volumes": "volumes",
    "find_unused_elastic_ips": "addresses",
    "find_unused_nat_gateways": "nat_gateways",
    "find_unused_lambda_functions": "functions",
}


_REFERRED: Final = {
    "northwind-ftp-import": ("EventBridge rule nw-nightly-sync of bus default, disabled", "alias live"),
    "northwind-payment-v1": (),
}


def family(now: datetime) -> Family:
    """Nothing but the truth: the resources are in moto."""
    return Family(cases={check: tuple(map(_case, company.EXPECTED[kind])) for check, kind in _KINDS.items()})


def _case(expected: company.Expected) -> Case:
    if expected.idle:
        referred = _REFERRED.get(expected.name)
        return Case(expected.name, expected.region, Verdict.IDLE, expected.reason, expected.monthly_usd, referred)
    verdict = Verdict.IN_USE
    if "old" in expected.reason or "today" in expected.reason or "changed" in expected.reason:
        verdict = Verdict.TOO_NEW
    return Case(expected.name, expected.region, verdict, expected.reason)
