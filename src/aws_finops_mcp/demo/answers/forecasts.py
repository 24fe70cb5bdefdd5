"""Cost Explorer's forecasts: the last month's days go on, weekends included."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo import bills
from aws_finops_mcp.demo.answers.company import Company, Operations, usd
from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.double.cost_explorer import METRICS, periods_of, read_metrics
from aws_finops_mcp.demo.double.cost_filters import predicate
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

_LOOKBACK: Final = 28
_HORIZON: Final = {"DAILY": 93, "MONTHLY": 366}
# How far the bounds of the interval are from the mean, for each percent of certainty.
_SPREAD: Final = Decimal("0.0012")
# Regular usage; credits, refunds and yearly fees do not repeat.
_REGULAR: Final = frozenset(
    {"DiscountedUsage", "SavingsPlanCoveredUsage", "SavingsPlanNegation", "SavingsPlanRecurringFee", "Usage"}
)


def operations(company: Company) -> Operations:
    forecasts = _Forecasts(company)
    return {("ce", "GetCostForecast"): forecasts.cost, ("ce", "GetUsageForecast"): forecasts.usage}


class _Forecasts:
    def __init__(self, company: Company) -> None:
        self._company = company

    def cost(self, call: Call) -> dict[str, Any]:
        (metric,) = read_metrics([str(call.parameters["Metric"])])
        if metric in {"UsageQuantity", "NormalizedUsageAmount"}:
            raise AwsError("ValidationException", f"{metric} is no cost metric.")
        return self._forecast(call, metric, "USD")

    def usage(self, call: Call) -> dict[str, Any]:
        (metric,) = read_metrics([str(call.parameters["Metric"])])
        if metric not in {"UsageQuantity", "NormalizedUsageAmount"}:
            raise AwsError("ValidationException", f"{metric} is no usage metric.")
        return self._forecast(call, metric, "N/A")

    def _forecast(self, call: Call, metric: str, unit: str) -> dict[str, Any]:
        asked = call.parameters
        start, end = self._dates(asked)
        level = int(asked.get("PredictionIntervalLevel") or 80)
        if not 51 <= level <= 99:
            raise AwsError("ValidationException", "PredictionIntervalLevel must be between 51 and 99.")
        keep = predicate(asked["Filter"], self._company.bills.categories) if asked.get("Filter") else None
        by_weekday = self._by_weekday(call, metric, keep)
        spread = _SPREAD * level
        rows, total = [], Decimal(0)
        for first, last in periods_of(start, end, str(asked["Granularity"])):
            days = [first + timedelta(days=number) for number in range((last - first).days)]
            mean = sum((by_weekday[day.weekday()] * self._growth(day) for day in days), Decimal(0))
            total += mean
            rows.append(
                {
                    "TimePeriod": {"Start": first.isoformat(), "End": last.isoformat()},
                    "MeanValue": usd(mean),
                    "PredictionIntervalLowerBound": usd(mean * (1 - spread)),
                    "PredictionIntervalUpperBound": usd(mean * (1 + spread)),
                }
            )
        return {"Total": {"Amount": usd(total), "Unit": unit}, "ForecastResultsByTime": rows}

    def _dates(self, asked: dict[str, Any]) -> tuple[date, date]:
        period, today = asked["TimePeriod"], self._company.today
        try:
            start, end = date.fromisoformat(str(period["Start"])), date.fromisoformat(str(period["End"]))
        except ValueError:
            raise AwsError("ValidationException", "Start and end date must have the form YYYY-MM-DD.") from None
        if start >= end:
            raise AwsError("ValidationException", "Start date (and hour) should be before end date (and hour)")
        if start < today:
            raise AwsError("ValidationException", "A forecast cannot start in the past.")
        granularity = str(asked["Granularity"])
        if granularity not in _HORIZON:
            raise AwsError("ValidationException", "Forecasts are DAILY or MONTHLY.")
        if (end - today).days > _HORIZON[granularity]:
            raise AwsError("ValidationException", f"A {granularity} forecast reaches {_HORIZON[granularity]} days.")
        return start, end

    def _by_weekday(self, call: Call, metric: str, keep: Any) -> dict[int, Decimal]:
        """Four weeks of whole days: each weekday's mean."""
        today = self._company.today
        first = today - timedelta(days=_LOOKBACK)
        known = self._company.bills.between(first, today) if self._company.is_here(call) else []
        lines = [line for line in known if _regular(line) and (not keep or keep(line))]
        if not lines:
            raise AwsError("DataUnavailableException", "Insufficient amount of historical data to generate forecast.")
        sums = dict.fromkeys(range(7), Decimal(0))
        for line in lines:
            sums[line.day.weekday()] += METRICS[metric](line)
        return {weekday: amount / (_LOOKBACK // 7) for weekday, amount in sums.items()}

    def _growth(self, day: date) -> Decimal:
        ahead = (day - self._company.today).days + _LOOKBACK // 2
        return Decimal(repr((1 + bills.GROWTH_PER_DAY) ** ahead))


def _regular(line: BillLine) -> bool:
    return line.record_type in _REGULAR
