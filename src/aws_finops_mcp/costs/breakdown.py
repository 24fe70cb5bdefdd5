"""Costs by one or two of service, region, account, tag, cost category, usage type and record type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from aws_finops_mcp.chart import Chart, Mark, PictureParams, parts
from aws_finops_mcp.costs.answers import (
    BilledAnswer,
    CostRow,
    billed,
    billed_summary,
    cost_fields,
    dollars,
    ended,
    filters_text,
    page_of,
    picture_notes,
)
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.by_service import GET_COST_AND_USAGE
from aws_finops_mcp.costs.cost_explorer import (
    DIMENSIONS,
    UNTAGGED,
    Costs,
    Filters,
    Granularity,
    Question,
    checked_filters,
    expression,
    group_named,
    read_costs,
)
from aws_finops_mcp.costs.names import near_services
from aws_finops_mcp.costs.period import DAYS_MONTHS, CostPeriodParams, months_before
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import from_text
from aws_finops_mcp.findings import FailedRead

TAGS_HAVE_COSTS = (
    ", and a tag has costs from the day on which it is activated for cost allocation; generate_cost_allocation_report "
    "lists those that do"
)
_LABELS = {"TAG": "tag", "COST_CATEGORY": "cost category"}

MOST_GROUPS = 2
"""Cost Explorer's own limit."""

HOURLY_DAYS = 14
"""Cost Explorer keeps hours for this long: https://docs.aws.amazon.com/cost-management/latest/userguide/ce-hourly.html"""


class CostRowsParams(PictureParams, CostPeriodParams):
    """Arguments of a tool that lists costs of a period."""

    max_results: MaxResults = 50
    cursor: Cursor = ""


class CostsParams(CostRowsParams):
    """Arguments of `get_costs`."""

    group_by: Annotated[
        tuple[str, ...],
        BeforeValidator(from_text),
        WithJsonSchema({"type": "array", "items": {"type": "string"}, "maxItems": 2, "default": ["service"]}),
    ] = Field(
        ("service",),
        description=f"one or two of {', '.join(DIMENSIONS)}, tag:<key>, cost_category:<name>",
    )
    granularity: Granularity = Field(
        "MONTHLY", description="DAILY and HOURLY give a row for each period; HOURLY: the last 14 days, if switched on"
    )
    by_period: bool = Field(False, description="MONTHLY too gives a row for each month, instead of one for all")
    filters: Filters = Field(
        default_factory=dict, description='only these values, e.g. {"service": ["AWS Lambda"], "tag:Team": ["data"]}'
    )
    exclude: Filters = Field(default_factory=dict, description="not these values, as filters")

    @field_validator("group_by")
    @classmethod
    def _groups(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not 1 <= len(names) <= MOST_GROUPS:
            raise ValueError(f"must be one or two dimensions, Cost Explorer's limit; got {len(names)}")
        if len(set(names)) < len(names):
            raise ValueError("names the same dimension twice")
        return tuple(group_named(name).name for name in names)

    @field_validator("filters", "exclude")
    @classmethod
    def _values(cls, filters: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return checked_filters(filters)

    @model_validator(mode="after")
    def _reach(self) -> CostsParams:
        oldest = datetime.now(UTC).date() - timedelta(days=HOURLY_DAYS)
        if self.granularity == "HOURLY" and (not self.start_date or date.fromisoformat(self.start_date) < oldest):
            raise ValueError(f"start_date: got {self.start_date!r}; HOURLY needs one of {oldest} or later")
        whole = months_before(datetime.now(UTC).date(), DAYS_MONTHS)
        if self.granularity == "DAILY" and self.start_date and date.fromisoformat(self.start_date) < whole:
            raise ValueError(f"start_date: got {self.start_date!r}; DAILY needs one of {whole} or later; take MONTHLY")
        return self


class CostsAnswer(BilledAnswer):
    """Costs by what they are grouped by, most expensive first, or by period."""

    group_by: tuple[str, ...]
    granularity: str
    rows: tuple[CostRow, ...]
    omitted: int = Field(description="rows that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def costs_answer(
    billing: Billing, tool: str, question: Question, params: CostRowsParams, *, by_period: bool = False
) -> CostsAnswer:
    """Ask, and make rows of what was told."""
    read = read_costs(billing, question)
    rows = [] if isinstance(read, FailedRead) else _rows(read, question, by_period=by_period)
    page, omitted, cursor = page_of(rows, params.cursor, params.max_results)
    summary = billed_summary(question, read)
    if not isinstance(read, FailedRead):
        most = max(rows, key=lambda row: row.cost_usd, default=None)
        names = " and ".join(group.name for group in question.groups)
        summary = (
            summary.removesuffix(".")
            + (
                f"; {len(rows)} rows by {names}, most in {', '.join(most.keys.values())}: {dollars(most.cost_usd)}."
                if most
                else f"; nothing was billed by {names}{' that the filters keep' if question.filter else ''}"
                f"{_meant(params)}."
            )
            + _absent(question, read, params)
        )
    return CostsAnswer(
        **ended(billing, tool, summary),
        **billed(question, read),
        group_by=tuple(group.name for group in question.groups),
        granularity=question.granularity,
        rows=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _meant(params: CostRowsParams) -> str:
    """What services may have been meant, by their names."""
    near = near_services(params.filters.get("service", ())) if isinstance(params, CostsParams) else []
    return f"; did you mean the service {' or '.join(map(repr, near))}?" if near else ""


def _absent(question: Question, costs: Costs, params: CostRowsParams) -> str:
    """What is told of tags and cost categories that no cost has: AWS takes any name, which tells nothing about it."""
    values = "" if costs.rows else " with these values"
    if costs.rows:
        places = enumerate(question.groups)
        named = [group for place, group in places if {keys[place] for _, keys in costs.rows} == {UNTAGGED}]
    else:
        named = [group_named(name) for name in params.filters] if isinstance(params, CostsParams) else []
    return "".join(
        f" Nothing that was asked for has the {_LABELS[group.kind]} {group.key}{values}: names and values are told "
        f"apart by case{TAGS_HAVE_COSTS if group.kind == 'TAG' else ''}."
        for group in named
        if group.kind in _LABELS
    )


def _rows(costs: Costs, question: Question, *, by_period: bool) -> list[CostRow]:
    whole = costs.total
    names = [group.name for group in question.groups]

    def keys_of(keys: tuple[str, ...]) -> dict[str, str]:
        found = dict(zip(names, keys, strict=True))
        name = costs.account_names.get(found.get("account", ""))
        return {**found, "account_name": name} if name else found

    if by_period:
        rows = [
            CostRow(keys=keys_of(keys), period=period, **cost_fields(one, whole))
            for (period, keys), one in costs.rows.items()
        ]
    else:
        rows = [CostRow(keys=keys_of(keys), **cost_fields(one, whole)) for keys, one in costs.by_keys().items()]
    return sorted(rows, key=lambda row: (row.period, -row.usage_usd - row.tax_usd, tuple(row.keys.values())))


def costs(billing: Billing, params: CostsParams) -> CostsAnswer:
    """The general question."""
    groups = tuple(group_named(name) for name in params.group_by)
    keep = expression(params.filters, params.exclude)
    question = Question(*params.days(billing.today), params.metric, groups, params.granularity, keep)
    by_period = params.by_period or params.granularity != "MONTHLY"
    return costs_answer(billing, "get_costs", question, params, by_period=by_period)


def _grouped(tool: str, *names: str) -> Callable[[Billing, CostRowsParams], CostsAnswer]:
    """A tool whose groups are given."""
    groups = tuple(group_named(name) for name in names)

    def answer(billing: Billing, params: CostRowsParams) -> CostsAnswer:
        return costs_answer(billing, tool, Question(*params.days(billing.today), params.metric, groups), params)

    return answer


def _chart(answer: CostsAnswer, params: CostRowsParams) -> Chart | None:
    """By period where rows have one, else by what they are grouped by."""
    if answer.total_usd is None or not answer.rows:
        return None
    kept = filters_text(params.filters, params.exclude) if isinstance(params, CostsParams) else ""
    title = f"{dollars(answer.total_usd)} by {' and '.join(answer.group_by)}"
    if not answer.rows[0].period:
        marks = parts([Mark(", ".join(row.keys.values()), row.cost_usd) for row in answer.rows], answer.total_usd)
        return Chart("bars", f"Costs: {title}", picture_notes(answer, kept), marks, answer.currency)
    periods: dict[str, Decimal] = defaultdict(Decimal)
    for row in answer.rows:
        periods[row.period] += row.cost_usd
    monthly = answer.granularity == "MONTHLY"
    cut = f"without {answer.omitted} rows of other pages" if answer.omitted else ""
    return Chart(
        "periods" if monthly else "days",
        f"Costs over time: {dollars(sum(periods.values()))}",
        picture_notes(answer, kept, cut),
        tuple(Mark(_period_label(period, answer.granularity), usd) for period, usd in sorted(periods.items())),
        answer.currency,
    )


def _period_label(period: str, granularity: str) -> str:
    """As much of Cost Explorer's start of a period as ten of them have room for: 2026-11, 2026-11-23, 11-23 14:00."""
    return {"MONTHLY": period[:7], "DAILY": period, "HOURLY": period[5:16].replace("T", " ")}[granularity]


_PARTS = {"ce:GetCostAndUsage": 2}
"""Of two dimensions, tax and reductions are asked apart, where there are any."""

COSTS = CostTool(
    name="get_costs",
    title="Costs by any two dimensions",
    description=(
        "What was billed by one or two of service, region, account, usage type, record type, tag, cost category; by "
        "month, day or hour; filtered. Credits, refunds, discounts and tax are kept apart. Costs $0.01 a page to ask "
        "(Cost Explorer), two to four requests for two dimensions; the same question is free for an hour."
    ),
    iam_actions=("ce:GetCostAndUsage",),
    params=CostsParams,
    answer_type=CostsAnswer,
    answer=costs,
    more=lambda params: _PARTS if len(params.group_by) == MOST_GROUPS and "record_type" not in params.group_by else {},
    references=(GET_COST_AND_USAGE,),
    chart=_chart,
)

COST_BY_REGION = CostTool(
    name="get_cost_by_region",
    title="Cost by region",
    description=(
        "What each AWS region cost over a period (last month when none is given); NoRegion is tax and what has no "
        "region. Credits, refunds, discounts and tax are kept apart. Costs $0.01 a page to ask (Cost Explorer)."
    ),
    iam_actions=("ce:GetCostAndUsage",),
    params=CostRowsParams,
    answer_type=CostsAnswer,
    answer=_grouped("get_cost_by_region", "region"),
    references=(GET_COST_AND_USAGE,),
    chart=_chart,
)

COST_BY_REGION_AND_SERVICE = CostTool(
    name="get_cost_by_region_and_service",
    title="Cost by region and service",
    description=(
        "What each service cost in each region over a period (last month when none is given). Credits, refunds, "
        "discounts and tax are kept apart. Costs $0.02 to $0.04 to ask (Cost Explorer, $0.01 a page)."
    ),
    iam_actions=("ce:GetCostAndUsage",),
    params=CostRowsParams,
    answer_type=CostsAnswer,
    answer=_grouped("get_cost_by_region_and_service", "region", "service"),
    more=lambda _: _PARTS,
    references=(GET_COST_AND_USAGE,),
    chart=_chart,
)

TOOLS = (COSTS, COST_BY_REGION, COST_BY_REGION_AND_SERVICE)
