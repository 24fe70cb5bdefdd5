"""The truth about Route 53's health checks: a hundred a page, as Route 53 gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import NO_PRICE, Case, Family, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, US
from aws_finops_mcp.findings import Verdict

_PAGE: Final = 100
IDLE, IN_USE = Verdict.IDLE, Verdict.IN_USE
_OLD_SITE: Final = {"Type": "HTTP", "FullyQualifiedDomainName": "old.nb-shop.example", "RequestInterval": 30}
_OLD_BUCKET: Final = {
    "Type": "HTTPS_STR_MATCH",
    "FullyQualifiedDomainName": "nb-site.s3-website-us-east-1.amazonaws.com",
    "SearchString": "ok",
    "RequestInterval": 10,
}
_API: Final = {"Type": "HTTPS", "FullyQualifiedDomainName": "api.nb-rare.example", "RequestInterval": 30}


def health_check_id(number: int) -> str:
    """The id of one of them."""
    return f"0c0de000-0000-4000-8000-{number:012d}"


OF_A_RECORD: Final = health_check_id(1)
_ALL: Final[tuple[tuple[dict[str, Any], Verdict, str, float | None], ...]] = (
    ({}, IN_USE, "", None),  # so that numbers begin with 1
    (_API, IN_USE, "a record goes by it", None),
    (_OLD_SITE, IDLE, "nothing goes by it; whether its endpoint is AWS's is not told", NO_PRICE),
    (_API, IN_USE, "part of a calculated one", None),
    ({"Type": "CALCULATED", "ChildHealthChecks": [health_check_id(3)], "HealthThreshold": 1}, IN_USE, "alarmed", None),
    (_OLD_SITE, Verdict.EXEMPT, "tagged so", None),
    *((_API, IN_USE, "of Cloud Map", None) for _ in range(_PAGE - 4)),
    (_OLD_BUCKET, IDLE, "of an AWS endpoint, with three options, on the second page", 0.50 + 3 * 1.00),
)
CHECKS: Final = _ALL[1:]
_OF_CLOUD_MAP: Final = range(6, 6 + _PAGE - 4)
TAGS: Final[Mapping[str, Mapping[str, str]]] = {
    **{health_check_id(number): {} for number in range(1, len(_ALL))},
    health_check_id(5): {"finops:exempt": "until the move"},
    health_check_id(2): {"Name": "nb-old-site"},
}


def family(now: datetime) -> Family:
    """Health checks, and the alarm on one; moto is not asked for the former."""
    return Family(
        rows=(Rows("cloudwatch", "DescribeAlarms", "MetricAlarms", {US: [_alarm(now)]}),),
        operations={("route53", "ListHealthChecks"): _list},
        # Of AWS's own endpoints; what others cost the Price List here does not tell.
        charges=[
            Charge(US, f"arn:aws:route53:::healthcheck/{health_check_id(len(CHECKS))}", unit, month)
            for unit, month in (("route53.health_check.aws", 1), ("route53.health_check.aws.option", 3))
        ],
        cases={
            "find_unused_route53_health_checks": [
                Case(health_check_id(number), US, verdict, why, usd)
                for number, (_, verdict, why, usd) in enumerate(CHECKS, 1)
            ]
        },
    )


def _row(number: int, config: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "Id": health_check_id(number),
        "CallerReference": f"made-{number}",
        "HealthCheckConfig": config,
        "HealthCheckVersion": 1,
    }
    if number in _OF_CLOUD_MAP:
        row["LinkedService"] = {"ServicePrincipal": "servicediscovery.amazonaws.com", "Description": "made by it"}
    return row


def _list(call: Call) -> dict[str, Any]:
    rows = [_row(number, config) for number, (config, *_) in enumerate(CHECKS, 1)]
    rows = rows if call.account == ACCOUNT_ID else []
    marker = call.parameters.get("Marker")
    first = next(n for n, row in enumerate(rows) if row["Id"] == marker) if marker else 0
    page = rows[first : first + _PAGE]
    more = first + len(page) < len(rows)
    answer = {"HealthChecks": page, "IsTruncated": more, "MaxItems": f"{_PAGE}", "Marker": marker or ""}
    return answer | ({"NextMarker": rows[first + len(page)]["Id"]} if more else {})


def _alarm(now: datetime) -> dict[str, Any]:
    return {
        "AlarmName": "nb-api-health",
        "AlarmArn": f"arn:aws:cloudwatch:{US}:{ACCOUNT_ID}:alarm:nb-api-health",
        "StateValue": "OK",
        "StateUpdatedTimestamp": now - timedelta(days=40),
        "Namespace": "AWS/Route53",
        "MetricName": "HealthCheckStatus",
        "Dimensions": [{"Name": "HealthCheckId", "Value": health_check_id(4)}],
    }
