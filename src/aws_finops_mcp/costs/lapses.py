"""When the commitments end that may cover a resource: active Savings Plans and reservations, as their services tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.findings import FailedRead

ACTIVE_PLANS = read(
    "savingsplans", "DescribeSavingsPlans", "savingsPlans", {"states": ["active"]},
    token=("nextToken", "nextToken"), region=GLOBAL_REGION,
)  # fmt: skip

PRODUCTS = {
    "EC2": ("EC2",),
    "Lambda": ("Lambda",),
    "ECS": ("Fargate",),
    "EKS": ("Fargate",),
    "OpenSearchService": ("OpenSearch",),
}
"""What Savings Plans call the products that cover a service, where not by the service's own name."""

_RESERVED: dict[str, tuple[str, str, str, tuple[str, str]]] = {
    "EC2": ("ec2", "DescribeReservedInstances", "ReservedInstances", ("NextToken", "NextToken")),
    "RDS": ("rds", "DescribeReservedDBInstances", "ReservedDBInstances", ("Marker", "Marker")),
    "ElastiCache": ("elasticache", "DescribeReservedCacheNodes", "ReservedCacheNodes", ("Marker", "Marker")),
    "MemoryDB": ("memorydb", "DescribeReservedNodes", "ReservedNodes", ("NextToken", "NextToken")),
    "OpenSearchService": ("opensearch", "DescribeReservedInstances", "ReservedInstances", ("NextToken", "NextToken")),
    "Redshift": ("redshift", "DescribeReservedNodes", "ReservedNodes", ("Marker", "Marker")),
}
"""By service: its call, where reservations are in the answer, and the next page's token. DynamoDB's reserved capacity
can't be asked for."""

IAM_ACTIONS = (
    "savingsplans:DescribeSavingsPlans",
    "ec2:DescribeReservedInstances",
    "rds:DescribeReservedDBInstances",
    "elasticache:DescribeReservedCacheNodes",
    "memorydb:DescribeReservedNodes",
    "es:DescribeReservedInstances",
    "redshift:DescribeReservedNodes",
)


class Lapses:
    """The last days of the commitments in force. Asking is free; each question is asked once."""

    def __init__(self, billing: Billing, covered: Iterable[tuple[str, str, str]]) -> None:
        """Ask for what covers some (kind of commitment, service, region)."""
        wanted = sorted(set(covered))
        questions = {one: question for one in wanted if (question := _question(*one))}
        unique = list(dict.fromkeys(questions.values()))
        answers = dict(zip(unique, billing.ask(*unique), strict=True))
        self._ends = {one: _ends(*one, answers[question]) for one, question in questions.items()}

    def text(self, kind: str, service: str, region: str, arn: str = "") -> str:
        """The last day, or `first to last` where several may cover it; "" when nothing tells.

        Args:
            arn: of the very commitment, where the bill names it: one that is not in the account's lists is another
                account's, whose last day is not told.
        """
        known = self._ends.get((kind, service, region), [])
        days = [day for day, names in known if not arn or _is_of(arn, names)]
        return " to ".join(day.isoformat() for day in sorted({min(days), max(days)})) if days else ""


def _question(kind: str, service: str, region: str) -> Read | None:
    if kind == "Savings Plan":
        return ACTIVE_PLANS
    if service not in _RESERVED:
        return None
    boto, operation, items, token = _RESERVED[service]
    return read(boto, operation, items, token=token, region=region)


_NAMES = (
    "savingsPlanArn", "savingsPlanId", "ReservedInstancesId", "ReservedDBInstanceArn", "ReservedDBInstanceId",
    "ReservationARN", "ReservedCacheNodeId", "ARN", "ReservationId", "ReservedInstanceId", "ReservedNodeId",
)  # fmt: skip
"""How the services name a commitment: by ARN, or by the id that its ARN ends with."""


def _ends(kind: str, service: str, region: str, rows: list[Any] | FailedRead) -> list[tuple[date, frozenset[str]]]:
    """The last day of each commitment, and its names."""
    if isinstance(rows, FailedRead):
        return []
    if kind == "Savings Plan":
        products = PRODUCTS.get(service, (service,))
        return [
            (_day(plan["end"]), _names(plan))
            for plan in rows
            if set(products) & set(plan.get("productTypes", ())) and plan.get("region") in (None, "", region)
        ]
    return [(_reserved_until(row), _names(row)) for row in rows if row.get("State") == "active"]


def _names(row: dict[str, Any]) -> frozenset[str]:
    return frozenset(str(row[name]) for name in _NAMES if row.get(name))


def _is_of(arn: str, names: frozenset[str]) -> bool:
    return arn in names or re.split("[:/]", arn)[-1] in names


def _reserved_until(row: dict[str, Any]) -> date:
    """EC2 tells the end, the others start and seconds."""
    if row.get("End"):
        return _day(row["End"])
    return _day(row["StartTime"], row["Duration"])


def _day(text: str, seconds: int = 0) -> date:
    return (datetime.fromisoformat(text) + timedelta(seconds=seconds)).astimezone(UTC).date()
