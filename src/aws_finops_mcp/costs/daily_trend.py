"""Costs day by day: how much, whether they grow, and which days stand out."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from pydantic import Field

from aws_finops_mcp.chart import Chart, Mark, PictureParams
from aws_finops_mcp.costs.answers import BilledAnswer, Model, billed, billed_summary, dollars, ended, picture_notes
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.by_service import GET_COST_AND_USAGE
from aws_finops_mcp.costs.cost_explorer import RECORD_TYPE, Amounts, Costs, Question, added, read_costs
from aws_finops_mcp.costs.period import METRIC, CostMetric
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import FailedRead, Usd

WEEK = 7
SATURDAY = 5

OUTLIER_SCORE = Decimal("3.5")
"""A day stands out above this modified z-score, 0.6745 x distance from the median / median absolute deviation:
https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm"""

OUTLIER_SHARE = Decimal("0.1")
"""And if it is this part of the median away: where costs hardly vary, small change is no news."""

_NORMAL = Decimal("0.6745")

FEWEST_DAYS = 7
"""Below this, a median says nothing of what is usual."""


class DailyTrendParams(PictureParams, AskParams):
    """Arguments of `get_daily_cost_trend`."""

    days: int = Field(30, ge=1, le=365, description="whole days to look back; today, which is not over, is apart")
    metric: CostMetric = Field("UnblendedCost", description=METRIC)


class DayCost(Model):
    """What one day cost; `usage_usd + tax_usd + reductions_usd = cost_usd`."""

    day: str
    cost_usd: Usd
    usage_usd: Usd
    tax_usd: Usd
    reductions_usd: Usd
    stands_out: str = Field("", description="high or low: far from the usual", exclude_if=lambda given: not given)


class TrendStatistics(Model):
    """Of the days' usage and fees, without tax, credits, refunds and discounts, which fall on single days."""

    mean_usd: Usd
    median_usd: Usd
    lowest_usd: Usd
    highest_usd: Usd
    deviation_usd: Usd = Field(description="sample standard deviation")
    slope_usd_per_day: float | None = Field(description="least squares; null below 7 days")
    last_week_usd: Usd | None = Field(description="mean of the last 7 days; null below 14 days")
    week_before_usd: Usd | None = Field(description="mean of the 7 days before; null below 14 days")
    weekly_change: float | None = Field(description="last week against the week before, 0.1: 10 % more")


class DailyTrendAnswer(BilledAnswer):
    """Costs by day, oldest first."""

    statistics: TrendStatistics | None = Field(description="null when nothing was read")
    days: tuple[DayCost, ...]
    today: DayCost | None = Field(description="so far; in no total and no statistic")


def daily_trend(billing: Billing, params: DailyTrendParams) -> DailyTrendAnswer:
    """Ask by day, today included, and leave today out of everything."""
    today = billing.today
    asked = Question(today - timedelta(days=params.days), today, params.metric, (RECORD_TYPE,), "DAILY")
    told = Question(asked.first, today - timedelta(days=1), params.metric, (RECORD_TYPE,), "DAILY")
    read = read_costs(billing, asked)
    summary = billed_summary(told, read)
    days: list[DayCost] = []
    so_far: DayCost | None = None
    figures: TrendStatistics | None = None
    if not isinstance(read, FailedRead):
        by_day = _by_day(read)
        so_far = _day(today, by_day.get(today, Amounts()), "")
        read = _before(read, today)
        wanted = [told.first + timedelta(days=number) for number in range(params.days)]
        usage = [by_day.get(day, Amounts()).usage for day in wanted]
        marks = outliers(usage, [day.weekday() >= SATURDAY for day in wanted])
        days = [_day(day, by_day.get(day, Amounts()), mark) for day, mark in zip(wanted, marks, strict=True)]
        figures = statistics_of(usage)
        summary = _summary(told, read, figures, marks)
    return DailyTrendAnswer(
        **ended(billing, "get_daily_cost_trend", summary),
        **billed(told, read),
        statistics=figures,
        days=tuple(days),
        today=so_far,
    )


def _before(costs: Costs, day: date) -> Costs:
    """The answer by record type, without what came at a day or later."""
    rows = {key: amounts for key, amounts in costs.rows.items() if key[0][:10] < day.isoformat()}
    types: dict[str, Decimal] = defaultdict(Decimal)
    for (_, (kind,)), amounts in rows.items():
        types[kind] += amounts.cost
    return replace(costs, rows=rows, record_types=types)


def _by_day(costs: Costs) -> dict[date, Amounts]:
    found: dict[date, list[Amounts]] = defaultdict(list)
    for (period, _), amounts in costs.rows.items():
        found[date.fromisoformat(period[:10])].append(amounts)
    return {day: added(some) for day, some in found.items()}


def _day(day: date, amounts: Amounts, mark: str) -> DayCost:
    return DayCost(
        day=day.isoformat(),
        cost_usd=amounts.cost,
        usage_usd=amounts.usage,
        tax_usd=amounts.tax,
        reductions_usd=amounts.reductions,
        stands_out=mark,
    )


def statistics_of(usage: Sequence[Decimal]) -> TrendStatistics:
    """The figures of some days, oldest first; at least one."""
    two_weeks = len(usage) >= 2 * WEEK
    last = statistics.mean(usage[-WEEK:]) if two_weeks else None
    before = statistics.mean(usage[-2 * WEEK : -WEEK]) if two_weeks else None
    slope = None
    if len(usage) >= FEWEST_DAYS:
        fit = statistics.linear_regression(range(len(usage)), [float(amount) for amount in usage])
        slope = round(fit.slope, 4)
    return TrendStatistics(
        mean_usd=statistics.mean(usage),
        median_usd=statistics.median(usage),
        lowest_usd=min(usage),
        highest_usd=max(usage),
        deviation_usd=statistics.stdev(usage) if len(usage) > 1 else Decimal(0),
        slope_usd_per_day=slope,
        last_week_usd=last,
        week_before_usd=before,
        weekly_change=round(float(last / before - 1), 4) if last is not None and before else None,
    )


def outliers(usage: Sequence[Decimal], weekend: Sequence[bool]) -> list[str]:
    """For each day high, low, or nothing; weekends are held against weekends, other days against other days."""
    if len(usage) < FEWEST_DAYS:
        return [""] * len(usage)
    days = list(zip(usage, weekend, strict=True))
    middles = {kind: statistics.median(amount for amount, one in days if one == kind) for kind in set(weekend)}
    distances = [amount - middles[kind] for amount, kind in days]
    spread = statistics.median(abs(distance) for distance in distances)
    return [
        ""
        if abs(distance) < OUTLIER_SHARE * middles[kind] or abs(distance) * _NORMAL <= OUTLIER_SCORE * spread
        else "high"
        if distance > 0
        else "low"
        for distance, kind in zip(distances, weekend, strict=True)
    ]


def _summary(question: Question, read: Costs, figures: TrendStatistics, marks: Sequence[str]) -> str:
    text = billed_summary(question, read).removesuffix(".")
    text += f"; {dollars(figures.mean_usd)} of usage a day"
    if figures.weekly_change is not None:
        text += f", the last week {figures.weekly_change:+.1%} against the week before"
    out = sum(1 for mark in marks if mark)
    return f"{text}; {out} days stand out." if out else f"{text}."


def _chart(answer: DailyTrendAnswer, _params: DailyTrendParams) -> Chart | None:
    if not answer.days:
        return None
    marks = tuple(Mark(day.day, day.cost_usd, emphasis=bool(day.stands_out)) for day in answer.days)
    title = f"Daily costs: {dollars(answer.total_usd)} in {len(marks)} days"
    return Chart("days", title, picture_notes(answer), marks, answer.currency, "stands out")


DAILY_TREND = CostTool(
    name="get_daily_cost_trend",
    title="Daily costs and their trend",
    description=(
        "Costs of each of the last days, with mean, deviation, slope, week against week, and days that stand out; "
        "today, which is not over, is apart. Credits, refunds, discounts and tax are kept apart. Monthly fees fall on "
        "one day unless metric is AmortizedCost. Costs $0.01 a page to ask (Cost Explorer)."
    ),
    iam_actions=("ce:GetCostAndUsage",),
    params=DailyTrendParams,
    answer_type=DailyTrendAnswer,
    answer=daily_trend,
    references=(GET_COST_AND_USAGE,),
    chart=_chart,
)

TOOLS = (DAILY_TREND,)
