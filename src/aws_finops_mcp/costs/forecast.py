"""What the running month, and months to come, will cost: Cost Explorer's forecast with its interval."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, field_validator

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.chart import Chart, Mark, PictureParams
from aws_finops_mcp.costs.answers import BillingAnswer, Model, dollars, doubts, ended, filters_text
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.by_service import GET_COST_AND_USAGE
from aws_finops_mcp.costs.cost_explorer import Filters, Question, checked_filters, expression, read_costs
from aws_finops_mcp.costs.period import METRIC, CostMetric, months_before
from aws_finops_mcp.costs.purchases import money
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import FailedRead, Usd

METRICS = {
    "UnblendedCost": "UNBLENDED_COST",
    "AmortizedCost": "AMORTIZED_COST",
    "NetUnblendedCost": "NET_UNBLENDED_COST",
    "NetAmortizedCost": "NET_AMORTIZED_COST",
}
"""The forecast's own names."""

DAILY_MONTHS = 3
"""Days are forecast three months ahead, months twelve."""


class ForecastParams(PictureParams, AskParams):
    """Arguments of `get_cost_forecast`."""

    months: int = Field(1, ge=1, le=12, description="months to forecast, the running one included")
    granularity: Literal["MONTHLY", "DAILY"] = Field("MONTHLY", description="DAILY: for up to 3 months")
    interval: int = Field(80, ge=51, le=99, description="percent of certainty that lower and upper bound stand for")
    metric: CostMetric = Field("UnblendedCost", description=METRIC)
    filters: Filters = Field(default_factory=dict, description="only these values, as filters of get_costs")

    @field_validator("filters")
    @classmethod
    def _values(cls, filters: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return checked_filters(filters)

    @field_validator("granularity")
    @classmethod
    def _reach(cls, granularity: str, info: Any) -> str:
        if granularity == "DAILY" and info.data.get("months", 1) > DAILY_MONTHS:
            raise ValueError(f"DAILY reaches {DAILY_MONTHS} months at most; take MONTHLY, or fewer months")
        return granularity


class ForecastRow(Model):
    """The forecast of one period."""

    start: str
    end: str = Field(description="included")
    mean_usd: Usd
    lower_usd: Usd
    upper_usd: Usd


class ForecastAnswer(BillingAnswer):
    """What is billed of the running month already, and what is forecast from today on."""

    metric: str
    interval: int
    last_month_usd: Usd | None = Field(description="billed of the whole month before; null when not read")
    actual_usd: Usd | None = Field(description="billed of this month until yesterday; null when not read")
    forecast_usd: Usd | None = Field(description="mean, from today to the end; null when there is no forecast")
    this_month_usd: Usd | None = Field(description="actual, and the mean forecast of the rest of the month")
    this_month_lower_usd: Usd | None = Field(description="null where days are forecast: bounds do not add up")
    this_month_upper_usd: Usd | None
    rows: tuple[ForecastRow, ...] = Field(description="the first begins today")


_NO_FORECAST = "leave filters out; a forecast needs some weeks of costs"


def forecast(billing: Billing, params: ForecastParams) -> ForecastAnswer:
    """Ask for the forecast from today, and for what is billed of the month before."""
    today = billing.today
    following = months_before(today, -1)
    keep = expression(params.filters, {})
    question = _question(params, today.isoformat(), months_before(today, -params.months).isoformat(), keep)
    (pages,) = billing.ask(question)
    if not isinstance(pages, FailedRead) and not any(page.get("ForecastResultsByTime") for page in pages):
        pages = billing.fail(question, "not_available", "AWS forecasts nothing for this period", _NO_FORECAST)
    before, actual = _billed(
        billing, Question(months_before(today, 1), today - timedelta(days=1), params.metric, filter=keep)
    )
    told = [] if isinstance(pages, FailedRead) else pages
    rows = [_row(one) for page in told for one in page["ForecastResultsByTime"]]
    rest = [row for row in rows if row.start < following.isoformat()]
    mean = sum((row.mean_usd for row in rest), Decimal(0)) if rest else None
    single = rest[0] if len(rest) == 1 else None
    this_month = actual + mean if actual is not None and mean is not None else None
    lower = actual + single.lower_usd if actual is not None and single else None
    upper = actual + single.upper_usd if actual is not None and single else None
    if isinstance(pages, FailedRead):
        summary = f"NOT READ: the forecast ({pages.error})."
    else:
        summary = (
            f"{dollars(this_month)} expected for {today:%Y-%m}" if this_month is not None else "No total of the month"
        )
        if lower is not None:
            summary += f", between {dollars(lower)} and {dollars(upper)} at {params.interval} %"
        summary += f"; {dollars(actual)} until yesterday, {dollars(mean)} forecast for the rest ({params.metric}); "
        summary += f"{dollars(before)} last month."
    return ForecastAnswer(
        **ended(billing, "get_cost_forecast", summary),
        metric=params.metric,
        last_month_usd=before,
        interval=params.interval,
        actual_usd=actual,
        forecast_usd=sum((row.mean_usd for row in rows), Decimal(0)) if rows else None,
        this_month_usd=this_month,
        this_month_lower_usd=lower,
        this_month_upper_usd=upper,
        rows=tuple(rows),
    )


def _billed(billing: Billing, question: Question) -> tuple[Decimal | None, Decimal | None]:
    """What is billed of the month before, and of the running one; on its first day nothing is yet."""
    read = read_costs(billing, question)
    if isinstance(read, FailedRead):
        return None, None
    months = {period[:7]: Decimal(0) for period in (question.first.isoformat(), billing.today.isoformat())}
    for (period, _), amounts in read.rows.items():
        months[period[:7]] += amounts.cost
    before, running = months.values()
    return before, running


def _question(params: ForecastParams, start: str, end: str, keep: dict[str, Any] | None) -> Read:
    request: dict[str, Any] = {
        "TimePeriod": {"Start": start, "End": end},
        "Metric": METRICS[params.metric],
        "Granularity": params.granularity,
        "PredictionIntervalLevel": params.interval,
    }
    if keep:
        request["Filter"] = keep
    return read("ce", "GetCostForecast", "", request, region=GLOBAL_REGION)


def _row(one: dict[str, Any]) -> ForecastRow:
    period = one["TimePeriod"]
    return ForecastRow(
        start=period["Start"],
        end=_day_before(period["End"]),
        mean_usd=money(one.get("MeanValue")),
        lower_usd=money(one.get("PredictionIntervalLowerBound")),
        upper_usd=money(one.get("PredictionIntervalUpperBound")),
    )


def _day_before(day: str) -> str:
    return (date.fromisoformat(day[:10]) - timedelta(days=1)).isoformat()


def _chart(answer: ForecastAnswer, params: ForecastParams) -> Chart | None:
    """The month before, this month, and those to come; or days to come."""
    if not answer.rows:
        return None
    running = answer.rows[0].start[:7]
    notes = ", ".join(
        note
        for note in (
            answer.metric,
            f"{'band' if params.granularity == 'DAILY' else 'whiskers'}: {answer.interval} % interval",
            f"{running} with what is billed until yesterday" if params.granularity == "MONTHLY" else "",
            filters_text(params.filters, {}),
            *doubts(answer),
        )
        if note
    )
    if params.granularity == "DAILY":
        days = tuple(Mark(row.start, row.mean_usd, row.lower_usd, row.upper_usd, emphasis=True) for row in answer.rows)
        return Chart(
            "days", f"Forecast: {dollars(answer.forecast_usd)} from today on", notes, days, emphasis="forecast"
        )
    so_far = answer.actual_usd or Decimal(0)
    marks = []
    if answer.last_month_usd is not None:
        first = date.fromisoformat(answer.rows[0].start)
        marks.append(Mark(months_before(first, 1).isoformat()[:7], answer.last_month_usd))
    for row in answer.rows:
        billed = so_far if row.start[:7] == running else Decimal(0)
        low, high = row.lower_usd + billed, row.upper_usd + billed
        marks.append(Mark(row.start[:7], row.mean_usd + billed, low, high, emphasis=True))
    title = f"Forecast: {dollars(answer.this_month_usd)} for {running}"
    return Chart("periods", title, notes, tuple(marks), emphasis="forecast")


FORECAST = CostTool(
    name="get_cost_forecast",
    title="Cost forecast",
    description=(
        "What the running month will cost, billed and forecast, and the months after, each with a lower and an upper "
        "bound. Costs $0.02 to ask (Cost Explorer)."
    ),
    iam_actions=("ce:GetCostForecast", "ce:GetCostAndUsage"),
    params=ForecastParams,
    answer_type=ForecastAnswer,
    answer=forecast,
    chart=_chart,
    references=(
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostForecast.html",
        GET_COST_AND_USAGE,
    ),
)

TOOLS = (FORECAST,)
