"""What is asked and answered about why costs changed, and its picture."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from pydantic import Field, field_validator, model_validator

from aws_finops_mcp.chart import Chart, Mark, PictureParams, steps
from aws_finops_mcp.costs.answers import BillingAnswer, Model, doubts, filters_text
from aws_finops_mcp.costs.comparison import signed
from aws_finops_mcp.costs.cost_explorer import Filters, checked_filters
from aws_finops_mcp.costs.period import CostPeriodParams, check_reach, end_of_month, months_before, parsed_day
from aws_finops_mcp.costs.tool import Cursor, MaxResults
from aws_finops_mcp.findings import UnitUsd, Usd

Period = tuple[date, date]


class ExplanationParams(PictureParams, CostPeriodParams):
    """Arguments of `explain_cost_change`."""

    baseline_start_date: str = Field("", description="first day to compare with; empty: the month or days before")
    baseline_end_date: str = Field("", description="last day to compare with, included; empty: the same")
    tag_key: str = Field("", description="the tag that names owners; empty: the first of CostCenter, Team, Owner, …")
    filters: Filters = Field(default_factory=dict, description='only these values, e.g. {"service": ["AWS Lambda"]}')
    exclude: Filters = Field(default_factory=dict, description="not these values, as filters")
    max_results: MaxResults = 20
    cursor: Cursor = ""

    @field_validator("filters", "exclude")
    @classmethod
    def _values(cls, filters: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return checked_filters(filters)

    @model_validator(mode="after")
    def _baseline(self) -> ExplanationParams:
        names = ("baseline_start_date", "baseline_end_date")
        first, last = (parsed_day(name, getattr(self, name)) for name in names)
        if (first is None) != (last is None):
            raise ValueError("baseline_start_date, baseline_end_date: give both, or none")
        if first and last and last < first:
            raise ValueError(f"baseline_end_date {last} is before baseline_start_date {first}")
        today = datetime.now(UTC).date()
        if last and last > today:
            raise ValueError(f"baseline_end_date {last} is in the future")
        if first:
            check_reach("baseline_start_date", first, today)
        return self

    def periods(self, today: date) -> tuple[Period, Period]:
        """The days before and after."""
        first, last = self.days(today)
        if self.baseline_start_date:
            return (date.fromisoformat(self.baseline_start_date), date.fromisoformat(self.baseline_end_date)), (
                first,
                last,
            )
        if first.day == 1 and last == end_of_month(first):
            before = months_before(first, 1)
            return (before, end_of_month(before)), (first, last)
        length = (last - first).days + 1
        return (first - timedelta(days=length), first - timedelta(days=1)), (first, last)


class Cause(Model):
    """One usage type of a service, or one record type that is no usage; its effects add up to its difference."""

    service: str
    usage_type: str = Field("", exclude_if=lambda given: not given)
    record_type: str = Field("", description="where it is no usage", exclude_if=lambda given: not given)
    regions: tuple[str, ...] = Field((), exclude_if=lambda given: not given)
    status: str = Field("", description="new or gone", exclude_if=lambda given: not given)
    baseline_usd: Usd
    comparison_usd: Usd
    difference_usd: Usd
    effects_usd: dict[str, Usd] = Field(description="what made the difference; those that are zero are absent")
    unit: str = Field("", description="as AWS names it", exclude_if=lambda given: not given)
    baseline_quantity: float | None = Field(None, exclude_if=lambda given: given is None)
    comparison_quantity: float | None = Field(None, exclude_if=lambda given: given is None)
    baseline_rate_usd: UnitUsd | None = Field(None, description="on demand", exclude_if=lambda given: given is None)
    comparison_rate_usd: UnitUsd | None = Field(None, description="on demand", exclude_if=lambda given: given is None)
    owners_usd: dict[str, Usd] = Field(
        default_factory=dict, description="the difference by the tag's values", exclude_if=lambda given: not given
    )


class ExplanationAnswer(BillingAnswer):
    """The difference between two periods, by effect and by cause; both add up to it, to the cent."""

    baseline_start_date: str
    baseline_end_date: str
    start_date: str
    end_date: str
    metric: str
    currency: str
    estimated: bool = Field(description="true while AWS may still change figures of the periods")
    baseline_usd: Usd | None
    comparison_usd: Usd | None
    difference_usd: Usd | None
    effects_usd: dict[str, Usd] = Field(description="price, volume, mix, days, commitment, and what is no usage")
    tag_key: str
    untagged_share: float | None = Field(description="part of the later period's usage without the tag, 0 to 1")
    causes: tuple[Cause, ...] = Field(description="largest difference first")
    omitted: int = Field(description="causes that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def effects_chart(answer: ExplanationAnswer, params: ExplanationParams) -> Chart | None:
    """From what it was to what it is, by effect."""
    if answer.baseline_usd is None or answer.comparison_usd is None or answer.difference_usd is None:
        return None
    changes = [Mark(name.replace("_", " "), usd) for name, usd in answer.effects_usd.items()]
    before = f"{answer.baseline_start_date} to {answer.baseline_end_date}"
    after = f"{answer.start_date} to {answer.end_date}"
    notes = [answer.metric, filters_text(params.filters, params.exclude), *doubts(answer)]
    marks = steps(Mark(before, answer.baseline_usd), changes, Mark(after, answer.comparison_usd))
    title = f"Why costs changed: {signed(answer.difference_usd)}"
    return Chart("steps", title, ", ".join(filter(None, notes)), marks, answer.currency)
