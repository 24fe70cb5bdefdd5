"""Cost Explorer's comparisons of two months, and what drives the difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Company, Operations, usd
from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.double.cost_explorer import METRICS, next_month, read_dates, read_metrics
from aws_finops_mcp.demo.double.cost_filters import dimension, grouping, predicate
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

# How AWS classes what changed, by record type.
_TYPES: Final = {
    "Credit": "CREDIT",
    "DiscountedUsage": "RESERVATION_USAGE",
    "RIFee": "RECURRING_RESERVATION_FEE",
    "Refund": "REFUND",
    "SavingsPlanCoveredUsage": "SAVINGS_PLAN_USAGE",
    "SavingsPlanNegation": "SAVINGS_PLAN_USAGE",
    "SavingsPlanRecurringFee": "SAVINGS_PLAN_RECURRING_FEE",
    "SavingsPlanUpfrontFee": "COMMITMENT",
    "Tax": "TAX",
    "Usage": "USAGE_CHANGE",
}
Read = Callable[[BillLine], str]
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
        group = self._group(call)
        sums = _sums(baseline, compared, metric, grouping(*group, self._company.bills.categories))
        rows = [
            {"CostAndUsageSelector": _selector(group, value), "Metrics": {metric: _difference(*amounts)}}
            for value, amounts in _by_difference(sums)
        ]
        whole = (_total(baseline, metric), _total(compared, metric))
        return {"CostAndUsageComparisons": rows, "TotalCostAndUsage": {metric: _difference(*whole)}}

    def drivers(self, call: Call) -> dict[str, Any]:
        """For each service and usage type, what changed: usage, commitments, credits, tax."""
        metric, baseline, compared = self._asked(call)
        service, usage, kind = (dimension(key) for key in ("SERVICE", "USAGE_TYPE", "RECORD_TYPE"))
        lines: dict[str, tuple[list[BillLine], list[BillLine]]] = {}
        for which, some in enumerate((baseline, compared)):
            for line in some:
                lines.setdefault(f"{service(line)}\n{usage(line)}", ([], []))[which].append(line)
        totals = {both: (_total(before, metric), _total(after, metric)) for both, (before, after) in lines.items()}
        rows = []
        for both, amounts in _by_difference(totals):
            changes = _by_difference(_sums(*lines[both], metric, kind))
            names = both.split("\n")
            keys = ("SERVICE", "USAGE_TYPE")
            rows.append(
                {
                    "CostSelector": {
                        "And": [_selector(("DIMENSION", key), name) for key, name in zip(keys, names, strict=True)]
                    },
                    "Metrics": {metric: _difference(*amounts)},
                    "CostDrivers": [
                        {"Type": _TYPES[record], "Name": record, "Metrics": {metric: _difference(*changed)}}
                        for record, changed in changes
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

    def _group(self, call: Call) -> tuple[str, str]:
        groups = call.parameters.get("GroupBy") or [{"Type": "DIMENSION", "Key": "SERVICE"}]
        if len(groups) > 1:
            raise AwsError("ValidationException", "The simulated account compares by one group.")
        return str(groups[0].get("Type")), str(groups[0].get("Key"))

    def _lines(self, call: Call, start: date, end: date, keep: Any) -> list[BillLine]:
        lines = self._company.bills.between(start, end) if self._company.is_here(call) else []
        return [line for line in lines if keep is None or keep(line)]


def _total(lines: list[BillLine], metric: str) -> Decimal:
    return sum(map(METRICS[metric], lines), Decimal(0))


def _sums(baseline: list[BillLine], compared: list[BillLine], metric: str, read: Read) -> Sums:
    amount = METRICS[metric]
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


def _selector(group: tuple[str, str], value: str) -> dict[str, Any]:
    kind, key = group
    if kind == "DIMENSION":
        return {"Dimensions": {"Key": key, "Values": [value], "MatchOptions": ["EQUALS"]}}
    own = value.removeprefix(f"{key}$")
    root = "Tags" if kind == "TAG" else "CostCategories"
    return {root: {"Key": key, "Values": [own], "MatchOptions": ["EQUALS" if own else "ABSENT"]}}


def _difference(before: Decimal, after: Decimal) -> dict[str, str]:
    return {
        "BaselineTimePeriodAmount": usd(before),
        "ComparisonTimePeriodAmount": usd(after),
        "Difference": usd(after - before),
        "Unit": "USD",
    }
