"""Month against month: AWS's own comparison with its drivers where it gives them, worked out from costs otherwise."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field, field_validator, model_validator

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.chart import Chart, Mark, PictureParams, steps
from aws_finops_mcp.costs.answers import (
    MAX_CHARACTERS,
    BillingAnswer,
    Model,
    dollars,
    doubts,
    ended,
    filters_text,
    page_of,
)
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.by_service import GET_COST_AND_USAGE
from aws_finops_mcp.costs.cost_explorer import (
    DIMENSIONS,
    UNTAGGED,
    Costs,
    Filters,
    Group,
    Question,
    checked_filters,
    expression,
    group_named,
    read_costs,
)
from aws_finops_mcp.costs.period import METRIC, MOST_MONTHS, CostMetric, end_of_month, months_before
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import FailedRead, Usd, cents

_TOOL = "compare_costs"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_ROOTS = {"Dimensions": "DIMENSION", "Tags": "TAG", "CostCategories": "COST_CATEGORY"}

ROWS_PER_PAGE, DRIVERS_PER_PAGE = 2000, 10
"""MaxResults at most of the two operations, by botocore's model."""

OWN_DRIVERS = "GetCostAndUsage"


class ComparisonParams(PictureParams, AskParams):
    """Arguments of `compare_costs`."""

    baseline_month: str = Field("", description="YYYY-MM; empty: the month before comparison_month")
    comparison_month: str = Field("", description="YYYY-MM, over; empty: last month")
    group_by: str = Field(
        "service",
        description=f"{', '.join(DIMENSIONS)}, tag:<key> or cost_category:<name>",
    )
    metric: CostMetric = Field("UnblendedCost", description=METRIC)
    filters: Filters = Field(default_factory=dict, description='only these values, e.g. {"region": ["eu-west-1"]}')
    exclude: Filters = Field(default_factory=dict, description="not these values, as filters")
    drivers: bool = Field(True, description="what drives the difference: $0.01 for each ten of AWS's drivers")
    max_results: MaxResults = 20
    cursor: Cursor = ""

    @field_validator("group_by")
    @classmethod
    def _group(cls, name: str) -> str:
        return group_named(name).name

    @field_validator("filters", "exclude")
    @classmethod
    def _values(cls, filters: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return checked_filters(filters)

    @model_validator(mode="after")
    def _over(self) -> ComparisonParams:
        today = datetime.now(UTC).date()
        for name in ("baseline_month", "comparison_month"):
            text = getattr(self, name)
            if text and not _MONTH.fullmatch(text):
                raise ValueError(f"{name}: got {text!r}; must be a month as YYYY-MM")
        baseline, comparison = self.months(today)
        for name, month in (("baseline_month", baseline), ("comparison_month", comparison)):
            if month >= today.replace(day=1):
                raise ValueError(f"{name}: got {month:%Y-%m}, which is not over; explain_cost_change compares any days")
            if month < months_before(today, MOST_MONTHS):
                raise ValueError(f"{name}: got {month:%Y-%m}; Cost Explorer reaches back {MOST_MONTHS} months at most")
        if baseline == comparison:
            raise ValueError(f"baseline_month: got {baseline:%Y-%m}, which is comparison_month too")
        return self

    def months(self, today: date) -> tuple[date, date]:
        """The first days of both months."""
        comparison = _first(self.comparison_month) or months_before(today, 1)
        return _first(self.baseline_month) or months_before(comparison, 1), comparison


class Driver(Model):
    """What made costs differ, and by how much."""

    of: str = Field(description="where: service and usage type")
    type: str = Field(description="AWS's class of it, such as USAGE_CHANGE, CREDIT, TAX; USAGE_TYPE: worked out here")
    name: str
    baseline_usd: Usd
    comparison_usd: Usd
    difference_usd: Usd


class ComparisonRow(Model):
    """One value of what costs are grouped by, in both months."""

    keys: dict[str, str]
    baseline_usd: Usd
    comparison_usd: Usd
    difference_usd: Usd = Field(description="comparison less baseline; the rows' exact differences add up to the total")
    change: float | None = Field(description="0.1: 10 % more; null where the baseline is zero or below")


class MonthParts(Model):
    """A month's total, with what is no usage apart."""

    month: str
    total_usd: Usd
    usage_usd: Usd = Field(description="usage and fees")
    tax_usd: Usd
    reductions_usd: Usd = Field(description="credits, refunds and discounts, zero or negative")
    record_types: dict[str, float]


class ComparisonAnswer(BillingAnswer):
    """Two months side by side, by what changed most."""

    baseline_month: str
    comparison_month: str
    metric: str
    currency: str
    group_by: str
    baseline_usd: Usd | None
    comparison_usd: Usd | None
    difference_usd: Usd | None
    source: str = Field(description="the operation that rows are from: AWS's comparison, or GetCostAndUsage")
    drivers_source: str = Field(description="the operation that drivers are from; empty: not asked")
    months: tuple[MonthParts, ...] = Field(description="both months, with credits, refunds and tax apart")
    rows: tuple[ComparisonRow, ...]
    drivers: tuple[Driver, ...] = Field(description="largest first, at most max_results")
    omitted: int = Field(description="rows that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


@dataclass(frozen=True)
class Both:
    """An amount before and after."""

    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before

    def fields(self) -> dict[str, Decimal]:
        return {"baseline_usd": self.before, "comparison_usd": self.after, "difference_usd": self.difference}


def compare(billing: Billing, params: ComparisonParams) -> ComparisonAnswer:
    """Ask for both months' record types and for AWS's comparison; what AWS does not compare is worked out."""
    months = params.months(billing.today)
    group = group_named(params.group_by)
    keep = expression(params.filters, params.exclude)
    own = read_months(billing, months, params.metric, (group,), keep)
    fields: dict[str, Any] = {
        "baseline_month": f"{months[0]:%Y-%m}",
        "comparison_month": f"{months[1]:%Y-%m}",
        "metric": params.metric,
        "group_by": group.name,
    }
    if isinstance(own, FailedRead):
        return _unread(billing, fields, own)
    theirs = billing.ask(_compared("GetCostAndUsageComparisons", ROWS_PER_PAGE, months, params, group))[0]
    rows, source = _rows_of(own, group, theirs, params.metric)
    drivers: list[Driver] = []
    drivers_source = ""
    if params.drivers:
        found = billing.ask(_compared("GetCostComparisonDrivers", DRIVERS_PER_PAGE, months, params, group))[0]
        drivers, drivers_source = _drivers(billing, months, params, keep, found)
    rows.sort(key=lambda row: (-abs(row.difference_usd), tuple(row.keys.values())))
    page, omitted, cursor = page_of(rows, params.cursor, params.max_results, MAX_CHARACTERS // 2)
    total = Both(own[0].total.cost, own[1].total.cost)
    return ComparisonAnswer(
        **ended(billing, _TOOL, _summary(fields, total, rows, drivers, source, drivers_source)),
        **fields,
        **total.fields(),
        currency=", ".join(sorted(own[0].currencies | own[1].currencies)) or "USD",
        source=source,
        drivers_source=drivers_source,
        months=tuple(_parts(month, costs) for month, costs in zip(months, own, strict=True)),
        rows=page,
        drivers=page_of(drivers, "", params.max_results, MAX_CHARACTERS // 2)[0],
        omitted=omitted,
        next_cursor=cursor,
    )


def read_months(
    billing: Billing, months: Sequence[date], metric: str, groups: tuple[Group, ...], keep: dict[str, Any] | None
) -> tuple[Costs, Costs] | FailedRead:
    """The costs of two months."""
    found = []
    for month in months:
        costs = read_costs(billing, Question(month, end_of_month(month), metric, groups, filter=keep))
        if isinstance(costs, FailedRead):
            return costs
        found.append(costs)
    if len(found[0].currencies | found[1].currencies) > 1:
        question = Question(months[0], end_of_month(months[1]), metric)
        return billing.fail(
            question.read((), None), "not_available", "the months are in two currencies", "ask for each with get_costs"
        )
    return found[0], found[1]


def _compared(operation: str, most: int, months: Sequence[date], params: ComparisonParams, group: Group) -> Read:
    baseline, comparison = (
        {"Start": month.isoformat(), "End": months_before(month, -1).isoformat()} for month in months
    )
    request: dict[str, Any] = {
        "BaselineTimePeriod": baseline,
        "ComparisonTimePeriod": comparison,
        "MetricForComparison": params.metric,
        "MaxResults": most,
    }
    if operation == "GetCostAndUsageComparisons":
        request["GroupBy"] = [{"Type": group.kind, "Key": group.key}]
    if keep := expression(params.filters, params.exclude):
        request["Filter"] = keep
    token = ("NextPageToken", "NextPageToken")
    return read("ce", operation, "", request, token=token, region=GLOBAL_REGION)


def _rows_of(
    own: tuple[Costs, Costs], group: Group, theirs: list[Any] | FailedRead, metric: str
) -> tuple[list[ComparisonRow], str]:
    """The rows and who worked them out: AWS, where its amounts add up to what was billed."""
    before, after = ({keys[0]: one.cost for keys, one in costs.by_keys().items()} for costs in own)
    amounts = {
        name: Both(before.get(name, Decimal(0)), after.get(name, Decimal(0))) for name in before.keys() | after.keys()
    }
    source = "GetCostAndUsage"
    if not isinstance(theirs, FailedRead):
        compared = {
            value: _both(row["Metrics"][metric])
            for page in theirs
            for row in page.get("CostAndUsageComparisons", ())
            for _, _, value in _selected(row.get("CostAndUsageSelector", {}))
        }
        whole = [cents(one.total.cost) for one in own]
        sums = [sum((getattr(one, when) for one in compared.values()), Decimal(0)) for when in ("before", "after")]
        if [cents(amount) for amount in sums] == whole:
            amounts, source = compared, "GetCostAndUsageComparisons"
    return [
        ComparisonRow(
            keys={group.name: name},
            **one.fields(),
            change=round(float(one.difference / one.before), 4) if one.before > 0 else None,
        )
        for name, one in amounts.items()
    ], source


def _drivers(
    billing: Billing,
    months: Sequence[date],
    params: ComparisonParams,
    keep: dict[str, Any] | None,
    found: list[Any] | FailedRead,
) -> tuple[list[Driver], str]:
    """AWS's drivers; without them, the usage types, by service."""
    drivers: list[Driver] = []
    source = "GetCostComparisonDrivers"
    if not isinstance(found, FailedRead):
        for page in found:
            for row in page.get("CostComparisonDrivers", ()):
                of = ", ".join(value for _, _, value in _selected(row.get("CostSelector", {})))
                drivers += (
                    Driver(of=of, type=one["Type"], name=one["Name"], **_both(one["Metrics"][params.metric]).fields())
                    for one in row.get("CostDrivers", ())
                    if params.metric in one.get("Metrics", {})
                )
    else:
        groups = (group_named("service"), group_named("usage_type"))
        own = read_months(billing, months, params.metric, groups, keep)
        source = "" if isinstance(own, FailedRead) else OWN_DRIVERS
        if not isinstance(own, FailedRead):
            sums: dict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
            for which, costs in enumerate(own):
                for keys, amounts in costs.by_keys().items():
                    sums[keys][which] += amounts.cost
            drivers = [
                Driver(of=", ".join(keys), type="USAGE_TYPE", name=keys[1], **Both(*two).fields())
                for keys, two in sums.items()
            ]
    changed = [driver for driver in drivers if driver.difference_usd]
    return sorted(changed, key=lambda one: (-abs(one.difference_usd), one.of, one.name)), source


def _both(metric: dict[str, str]) -> Both:
    return Both(Decimal(metric["BaselineTimePeriodAmount"]), Decimal(metric["ComparisonTimePeriodAmount"]))


def _selected(selector: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Kind, key and value of what a selector selects."""
    for part in selector.get("And", ()):
        yield from _selected(part)
    for root, kind in _ROOTS.items():
        if chosen := selector.get(root):
            value = ", ".join(chosen.get("Values", ()))
            yield kind, chosen["Key"], value or ("" if kind == "DIMENSION" else UNTAGGED)


def _parts(month: date, costs: Costs) -> MonthParts:
    total = costs.total
    return MonthParts(
        month=f"{month:%Y-%m}",
        total_usd=total.cost,
        usage_usd=total.usage,
        tax_usd=total.tax,
        reductions_usd=total.reductions,
        record_types={kind: cents(amount) for kind, amount in sorted(costs.record_types.items())},
    )


def _summary(
    fields: dict[str, Any],
    total: Both,
    rows: Sequence[ComparisonRow],
    drivers: Sequence[Driver],
    source: str,
    drivers_source: str,
) -> str:
    text = (
        f"{dollars(total.after)} in {fields['comparison_month']} against {dollars(total.before)} in "
        f"{fields['baseline_month']} ({fields['metric']}): {signed(total.difference)}"
    )
    if rows:
        text += f"; most in {', '.join(rows[0].keys.values())}: {signed(rows[0].difference_usd)}"
    if drivers:
        text += f"; largest driver: {drivers[0].of}, {drivers[0].name}, {signed(drivers[0].difference_usd)}"
    if source == OWN_DRIVERS:
        text += "; AWS's comparison was not to be had or does not add up: worked out from GetCostAndUsage"
    if drivers_source == OWN_DRIVERS:
        text += "; AWS's drivers were not to be had: worked out by usage type"
    return f"{text}."


def _unread(billing: Billing, fields: dict[str, Any], failed: FailedRead) -> ComparisonAnswer:
    nothing = dict.fromkeys(("baseline_usd", "comparison_usd", "difference_usd"))
    return ComparisonAnswer(
        **ended(billing, _TOOL, f"NOT READ: the costs of the months ({failed.call}: {failed.error})."),
        **fields,
        **nothing,
        currency="USD",
        source="",
        drivers_source="",
        months=(),
        rows=(),
        drivers=(),
        omitted=0,
    )


def signed(amount: Decimal) -> str:
    """A difference as text, to the cent."""
    return f"{'-' if cents(amount) < 0 else '+'}{dollars(abs(amount))}"


def _first(month: str) -> date | None:
    return date.fromisoformat(f"{month}-01") if month else None


def _chart(answer: ComparisonAnswer, params: ComparisonParams) -> Chart | None:
    if answer.baseline_usd is None or answer.comparison_usd is None or answer.difference_usd is None:
        return None
    changes = [Mark(", ".join(row.keys.values()), row.difference_usd) for row in answer.rows]
    ends = Mark(answer.baseline_month, answer.baseline_usd), Mark(answer.comparison_month, answer.comparison_usd)
    notes = [answer.metric, f"by {answer.group_by}", filters_text(params.filters, params.exclude), *doubts(answer)]
    title = f"{answer.comparison_month} against {answer.baseline_month}: {signed(answer.difference_usd)}"
    return Chart("steps", title, ", ".join(filter(None, notes)), steps(ends[0], changes, ends[1]), answer.currency)


COMPARE = CostTool(
    name=_TOOL,
    title="Month against month",
    description=(
        "Two whole months side by side (last month against the one before when none is given), by service or another "
        "dimension, largest change first, with AWS's drivers of the difference: usage, commitments, credits, tax. "
        "Where AWS gives no comparison, it is worked out from costs, and said. Costs $0.03 and $0.01 for each ten "
        "drivers to ask (Cost Explorer)."
    ),
    iam_actions=("ce:GetCostAndUsage", "ce:GetCostAndUsageComparisons", "ce:GetCostComparisonDrivers"),
    # Pages of drivers; or, where AWS has none, two months by service and usage type.
    more=lambda params: {"ce:GetCostComparisonDrivers": None, "ce:GetCostAndUsage": 8} if params.drivers else {},
    params=ComparisonParams,
    answer_type=ComparisonAnswer,
    answer=compare,
    chart=_chart,
    references=(
        GET_COST_AND_USAGE,
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsageComparisons.html",
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostComparisonDrivers.html",
    ),
)

TOOLS = (COMPARE,)
