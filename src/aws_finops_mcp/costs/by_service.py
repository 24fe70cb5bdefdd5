"""What each service cost: Cost Explorer's GetCostAndUsage, credits and refunds kept apart."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import Answer, Usd

CostMetric = Literal["UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost"]

REDUCTIONS = frozenset({"Credit", "Refund", "Discount", "BundledDiscount", "EDP Discount", "Private Rate Discount"})
"""Record types that take away from what usage cost."""


class CostByServiceParams(AskParams):
    """Arguments of `get_cost_by_service`."""

    start_date: str = Field("", description="first day, YYYY-MM-DD; empty: the first of last month")
    end_date: str = Field("", description="last day, included, YYYY-MM-DD; empty: the end of start_date's month")
    metric: CostMetric = Field(
        "UnblendedCost",
        description="UnblendedCost is what is billed (FOCUS BilledCost); AmortizedCost spreads upfront and recurring "
        "commitment fees over the usage they cover (FOCUS EffectiveCost, when Net)",
    )
    max_results: int = Field(50, ge=1, le=500, description="services to list; totals always cover all")

    @model_validator(mode="after")
    def _in_order(self) -> CostByServiceParams:
        first, last = (_day(name, getattr(self, name)) for name in ("start_date", "end_date"))
        if first and last and last < first:
            raise ValueError(f"end_date {last} is before start_date {first}")
        if first and first > datetime.now(UTC).date():
            raise ValueError(f"start_date {first} is in the future")
        if last and not first:
            raise ValueError("start_date: missing; an end_date needs one")
        return self

    def days(self, today: date) -> tuple[date, date]:
        """First and last day, both included."""
        first = _day("start_date", self.start_date) or (today.replace(day=1) - timedelta(days=1)).replace(day=1)
        last = _day("end_date", self.end_date) or min(_end_of_month(first), max(first, today))
        return first, last


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{name}: got {text!r}; must be a day as YYYY-MM-DD") from None


def _end_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


class ServiceCost(BaseModel):
    """What one service cost over the period."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    cost_usd: Usd = Field(description="with credits, refunds and discounts taken off")
    usage_usd: Usd = Field(description="usage, fees and taxes, before credits, refunds and discounts")
    reductions_usd: Usd = Field(description="credits, refunds and discounts, zero or negative")
    share: float = Field(description="part of the usage of all services, 0 to 1")


class CostByServiceAnswer(Answer):
    """The answer of `get_cost_by_service`."""

    start_date: str
    end_date: str = Field(description="included")
    metric: str
    estimated: bool = Field(description="true while AWS may still change figures of the period")
    currency: str
    total_usd: Usd | None = Field(
        description="all services, with credits, refunds and discounts taken off; null when not read"
    )
    usage_usd: Usd | None
    reductions_usd: Usd | None
    services: tuple[ServiceCost, ...] = Field(description="by usage, highest first")
    omitted: int = Field(description="services left out because of max_results")
    record_types: dict[str, float] = Field(description="total by record type: Usage, Tax, Credit, Refund, ...")


def read_cost_by_service(reader: Reader, params: CostByServiceParams, now: datetime) -> dict[str, Any]:
    """Ask Cost Explorer once a page, and give back the fields of the answer that come from it.

    Raises:
        ReadFailedError: Cost Explorer did not answer.
    """
    first, last = params.days(now.date())
    results = reader.pages(
        "ce",
        "GetCostAndUsage",
        "ResultsByTime",
        token=("NextPageToken", "NextPageToken"),
        region=GLOBAL_REGION,
        TimePeriod={"Start": first.isoformat(), "End": (last + timedelta(days=1)).isoformat()},
        Granularity="MONTHLY",
        Metrics=[params.metric],
        GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}],
    )
    usage: dict[str, Decimal] = defaultdict(Decimal)
    reductions: dict[str, Decimal] = defaultdict(Decimal)
    by_type: dict[str, Decimal] = defaultdict(Decimal)
    currencies: set[str] = set()
    for result in results:
        for group in result["Groups"]:
            service, record_type = group["Keys"]
            amount = Decimal(group["Metrics"][params.metric]["Amount"])
            currencies.add(group["Metrics"][params.metric]["Unit"])
            (reductions if record_type in REDUCTIONS else usage)[service] += amount
            by_type[record_type] += amount
    total = sum(usage.values(), Decimal(0))
    rows = [
        ServiceCost(
            service=service,
            cost_usd=usage[service] + reductions[service],
            usage_usd=usage[service],
            reductions_usd=reductions[service],
            share=round(float(usage[service] / total), 4) if total else 0.0,
        )
        for service in {**usage, **reductions}
    ]
    rows.sort(key=lambda row: (-row.usage_usd, row.service))
    return {
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "metric": params.metric,
        "estimated": any(result.get("Estimated") for result in results),
        "currency": ", ".join(sorted(currencies)) or "USD",
        "total_usd": sum((row.cost_usd for row in rows), Decimal(0)),
        "usage_usd": total,
        "reductions_usd": sum(reductions.values(), Decimal(0)),
        "services": tuple(rows[: params.max_results]),
        "omitted": max(0, len(rows) - params.max_results),
        "record_types": {kind: round(float(amount), 2) for kind, amount in sorted(by_type.items())},
    }
