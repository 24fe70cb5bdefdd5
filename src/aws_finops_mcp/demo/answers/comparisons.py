"""Cost Explorer's comparisons of two months, and what drives the difference."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Company, Operations, usd
from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.double.cost_explorer import METRICS, next_month, read_dates, read_metrics
from aws_finops_mcp.demo.double.cost_filters import dimension, predicate
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

_MOST_DRIVERS: Final = 10
Sums = dict[str, tuple[Decimal, Decimal]]


def operations(company: Company) -> Operations:
    comparisons = _Comparisons(company)
    return {
        ("ce", "GetCostAndUsageComparisons"): comparisons.comparisons,
        ("ce", "GetCostComparisonDrivers"): comparisons.drivers,
    }


class _Comparisons:
    def __init__(self, company: Company) -> None:
        self._company = company

    def comparisons(self, call: Call) -> dict[str, Any]:
        metric, baseline, compared = self._asked(call)
        key = self._group(call)
        sums = _sums(baseline, compared, metric, key)
        whole = (_total(baseline, metric), _total(compared, metric))
        return {
            "CostAndUsageComparisons": [
                {"CostAndUsageSelector": _selector(key, value), "Metrics": {metric: _difference(*amounts)}}
                for value, amounts in _by_difference(sums)
            ],
            "TotalCostAndUsage": {metric: _difference(*whole)},
        }

    def drivers(self, call: Call) -> dict[str, Any]:
        """For each service, the usage types that changed most."""
        metric, baseline, compared = self._asked(call)
        key = self._group(call)
        read = dimension(key)
        rows = []
        for value, amounts in _by_difference(_sums(baseline, compared, metric, key)):
            parts = [[line for line in lines if read(line) == value] for lines in (baseline, compared)]
            usages = _by_difference(_sums(parts[0], parts[1], metric, "USAGE_TYPE"))[:_MOST_DRIVERS]
            rows.append(
                {
                    "CostSelector": _selector(key, value),
                    "Metrics": {metric: _difference(*amounts)},
                    "CostDrivers": [
                        {"Type": "USAGE_CHANGE", "Name": usage, "Metrics": {metric: _difference(*changed)}}
                        for usage, changed in usages
                    ],
                }
            )
        return {"CostComparisonDrivers": rows}

    def _asked(self, call: Call) -> tuple[str, list[BillLine], list[BillLine]]:
        asked = call.parameters
        (metric,) = read_metrics([str(asked["MetricForComparison"])])
        wanted = asked.get("Filter")
        keep = predicate(wanted, self._company.bills.categories) if wanted else None
        found = []
        for period in ("BaselineTimePeriod", "ComparisonTimePeriod"):
            start, end = read_dates(asked[period], self._company.today)
            if start.day != 1 or end != next_month(start) or end > self._company.today.replace(day=1):
                raise AwsError("ValidationException", f"{period} must be one whole month that is over.")
            found.append(self._lines(call, start, end, keep))
        return metric, found[0], found[1]

    def _group(self, call: Call) -> str:
        groups = call.parameters.get("GroupBy") or [{"Type": "DIMENSION", "Key": "SERVICE"}]
        if len(groups) > 1 or groups[0].get("Type") != "DIMENSION":
            raise AwsError("ValidationException", "The simulated account compares by one DIMENSION.")
        return str(groups[0]["Key"])

    def _lines(self, call: Call, start: date, end: date, keep: Any) -> list[BillLine]:
        lines = self._company.bills.lines if self._company.is_here(call) else []
        return [line for line in lines if start <= line.day < end and (keep is None or keep(line))]


def _total(lines: list[BillLine], metric: str) -> Decimal:
    return sum(map(METRICS[metric], lines), Decimal(0))


def _sums(baseline: list[BillLine], compared: list[BillLine], metric: str, key: str) -> Sums:
    read, amount = dimension(key), METRICS[metric]
    sums: Sums = {}
    for line in baseline:
        before, after = sums.get(read(line), (Decimal(0), Decimal(0)))
        sums[read(line)] = before + amount(line), after
    for line in compared:
        before, after = sums.get(read(line), (Decimal(0), Decimal(0)))
        sums[read(line)] = before, after + amount(line)
    return sums


def _by_difference(sums: Sums) -> list[tuple[str, tuple[Decimal, Decimal]]]:
    return sorted(sums.items(), key=lambda item: (-abs(item[1][1] - item[1][0]), item[0]))


def _selector(key: str, value: str) -> dict[str, Any]:
    return {"Dimensions": {"Key": key, "Values": [value], "MatchOptions": ["EQUALS"]}}


def _difference(before: Decimal, after: Decimal) -> dict[str, str]:
    return {
        "BaselineTimePeriodAmount": usd(before),
        "ComparisonTimePeriodAmount": usd(after),
        "Difference": usd(after - before),
        "Unit": "USD",
    }
