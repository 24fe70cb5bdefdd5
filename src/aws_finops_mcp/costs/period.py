"""The days that a question is about, checked before AWS bills for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pydantic import Field, model_validator

from aws_finops_mcp.declaration import AskParams

CostMetric = Literal["UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost"]

METRIC = (
    "UnblendedCost is what is billed (FOCUS BilledCost); AmortizedCost spreads upfront and recurring commitment fees "
    "over the usage they cover; Net: after discounts (NetAmortizedCost is FOCUS EffectiveCost)"
)

MOST_MONTHS = 38
"""How far back Cost Explorer reaches, with its multi-year option; 13 months without:
https://docs.aws.amazon.com/cost-management/latest/userguide/ce-multi-year.html"""

DAYS_MONTHS = 14
"""How far back it tells days; beyond, whole months."""


class CostPeriodParams(AskParams):
    """Arguments of a tool that tells costs of a period."""

    start_date: str = Field("", description="first day, YYYY-MM-DD; empty: the first of last month")
    end_date: str = Field("", description="last day, included, YYYY-MM-DD; empty: the end of start_date's month")
    metric: CostMetric = Field("UnblendedCost", description=METRIC)

    @model_validator(mode="after")
    def _in_order(self) -> CostPeriodParams:
        first, last = (parsed_day(name, getattr(self, name)) for name in ("start_date", "end_date"))
        today = datetime.now(UTC).date()
        if first and last and last < first:
            raise ValueError(f"end_date {last} is before start_date {first}")
        if first and first > today:
            raise ValueError(f"start_date {first} is in the future")
        if last and not first:
            raise ValueError("start_date: missing; an end_date needs one")
        if first:
            check_reach("start_date", first, today)
        return self

    def days(self, today: date) -> tuple[date, date]:
        """First and last day, both included; days to come are left out."""
        first = parsed_day("start_date", self.start_date) or months_before(today, 1)
        last = parsed_day("end_date", self.end_date) or end_of_month(first)
        return first, min(last, max(first, today))


def check_reach(name: str, first: date, today: date) -> None:
    """Refuse a first day that Cost Explorer does not take.

    Raises:
        ValueError: it is too long ago, or so long that only whole months are kept and it is within one.
    """
    oldest, whole = months_before(today, MOST_MONTHS), months_before(today, DAYS_MONTHS)
    if first < oldest:
        raise ValueError(
            f"{name} {first} is too long ago; Cost Explorer reaches back to {oldest} at most, and 13 months "
            "unless the account keeps more"
        )
    if first < whole and first.day != 1:
        raise ValueError(f"{name} {first}: before {whole} Cost Explorer takes the first day of a month only")


def parsed_day(name: str, text: str) -> date | None:
    """The day that an argument names; None when empty.

    Raises:
        ValueError: there is no such day.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{name}: got {text!r}; must be a day as YYYY-MM-DD") from None


def months_before(day: date, months: int) -> date:
    """The first of the month, some months back."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def end_of_month(day: date) -> date:
    """The last day of the day's month."""
    return months_before(day, -1) - timedelta(days=1)
