"""Cost Explorer's GetCostAndUsage with its date rules, filters, groups and pages; moto only replays canned answers."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo.double.bills import BillLine, Bills
from aws_finops_mcp.demo.double.cost_filters import grouping, predicate
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

# How far back an account sees without the multi-year option.
MOST_MONTHS: Final = 14
MOST_GROUPINGS: Final = 2
RESOURCE_DAYS: Final = 14
HOURLY_DAYS: Final = 14

_ZERO: Final = Decimal(0)
METRICS: Final[dict[str, Callable[[BillLine], Decimal]]] = {
    "AmortizedCost": lambda line: line.amortized,
    "BlendedCost": lambda line: line.unblended,
    "NetAmortizedCost": lambda line: line.net_amortized,
    "NetUnblendedCost": lambda line: line.net_unblended,
    "NormalizedUsageAmount": lambda line: _ZERO,
    "UnblendedCost": lambda line: line.unblended,
    "UsageQuantity": lambda line: line.quantity,
}
_NOT_MONEY: Final = frozenset({"NormalizedUsageAmount", "UsageQuantity"})

Period = tuple[date, date]


class CostExplorer:
    """``page_groups`` is how many groups a page holds; tests make it small. ``hourly``: the owner switched hours on."""

    def __init__(
        self, bills: Bills, clock: Callable[[], datetime] = lambda: datetime.now(UTC), page_groups: int = 5000
    ) -> None:
        self._bills = bills
        self._clock = clock
        self.page_groups = page_groups
        self.hourly = False

    def get_cost_and_usage(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        today = self._clock().date()
        if asked.get("Granularity") == "HOURLY":
            if not self.hourly:
                raise AwsError("AccessDeniedException", "Hourly data granularity is an opt-in only feature.")
            start, end = read_dates(_days_of_hours(asked.get("TimePeriod") or {}), today)
            if start < today - timedelta(days=HOURLY_DAYS):
                raise AwsError("ValidationException", f"Hourly data reaches {HOURLY_DAYS} days back.")
        else:
            start, end = read_dates(asked.get("TimePeriod") or {}, today)
        return self._costs(asked, today, start, end)

    def get_cost_and_usage_with_resources(self, call: Call) -> dict[str, Any]:
        """For bills of single resources: the last fourteen days, filtered or grouped by resource."""
        asked = call.parameters
        today = self._clock().date()
        start, end = read_dates(asked.get("TimePeriod") or {}, today)
        if start < today - timedelta(days=RESOURCE_DAYS):
            raise AwsError("ValidationException", "start date is too old. How about getting last 14 days?")
        by_resource = any(one.get("Key") == "RESOURCE_ID" for one in asked.get("GroupBy") or [])
        if not by_resource and "RESOURCE_ID" not in json.dumps(asked.get("Filter"), default=str):
            raise AwsError("ValidationException", "Group by or filter by RESOURCE_ID is required.")
        if "SERVICE" not in json.dumps(asked.get("Filter"), default=str):
            raise AwsError("ValidationException", "A filter by SERVICE is required.")
        return self._costs({"Metrics": ["UnblendedCost"], **asked}, today, start, end)

    def _costs(self, asked: dict[str, Any], today: date, start: date, end: date) -> dict[str, Any]:
        granularity = str(asked.get("Granularity"))
        metrics = read_metrics(asked.get("Metrics") or [])
        groupings = asked.get("GroupBy") or []
        readers = _readers(groupings, self._bills.categories)
        keep = predicate(asked["Filter"], self._bills.categories) if asked.get("Filter") else None
        periods = list(periods_of(start, end, granularity))
        sums = self._sums(periods, keep, readers)
        results = [
            _result(period, sums.get(period, {}), metrics, bool(readers), today.replace(day=1)) for period in periods
        ]
        if granularity == "HOURLY":
            results = [hour for day in results for hour in _hours(day)]
        page, token = self._page(results, asked, _question(asked))
        answer: dict[str, Any] = {"ResultsByTime": page, "DimensionValueAttributes": self._accounts(groupings)}
        if groupings:
            answer["GroupDefinitions"] = groupings
        if token:
            answer["NextPageToken"] = token
        return answer

    def _sums(
        self, periods: list[Period], keep: Callable[[BillLine], bool] | None, readers: list[Callable[[BillLine], str]]
    ) -> dict[Period, dict[tuple[str, ...], list[BillLine]]]:
        by_day = {
            start + timedelta(days=offset): (start, end)
            for start, end in periods
            for offset in range((end - start).days)
        }
        sums: dict[Period, dict[tuple[str, ...], list[BillLine]]] = {}
        for line in self._bills.between(periods[0][0], periods[-1][1]):
            if keep is None or keep(line):
                keys = tuple(read(line) for read in readers)
                sums.setdefault(by_day[line.day], {}).setdefault(keys, []).append(line)
        return sums

    def _page(
        self, results: list[dict[str, Any]], asked: dict[str, Any], question: str
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Whole periods up to about the page's number of groups, at least one."""
        first = _resume(asked.get("NextPageToken"), question)
        groups = 0
        last = first
        while last < len(results) and (last == first or groups + _weight(results[last]) <= self.page_groups):
            groups += _weight(results[last])
            last += 1
        token = _token(last, question) if last < len(results) else None
        return results[first:last], token

    def _accounts(self, groupings: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not any(grouping.get("Key") == "LINKED_ACCOUNT" for grouping in groupings):
            return []
        return [
            {"Value": account, "Attributes": {"description": name}}
            for account, name in self._bills.account_names.items()
        ]


def read_dates(period: dict[str, Any], today: date) -> Period:
    try:
        start, end = date.fromisoformat(str(period.get("Start"))), date.fromisoformat(str(period.get("End")))
    except ValueError:
        raise AwsError("ValidationException", "Start and end date must have the form YYYY-MM-DD.") from None
    if start >= end:
        raise AwsError("ValidationException", "Start date (and hour) should be before end date (and hour)")
    if end > next_month(today):
        raise AwsError("ValidationException", "end date past the beginning of next month")
    if start < months_back(today.replace(day=1), MOST_MONTHS):
        raise AwsError("ValidationException", f"You haven't enabled historical data beyond {MOST_MONTHS} months")
    return start, end


def read_metrics(names: list[str]) -> list[str]:
    if not names:
        raise AwsError("ValidationException", "Metrics is required.")
    known = {name.casefold(): name for name in METRICS}
    canonical = []
    for name in names:
        # The API takes both spellings, UnblendedCost and UNBLENDED_COST.
        found = known.get(name.replace("_", "").casefold())
        if found is None:
            raise AwsError("ValidationException", f"Unknown metric {name}.")
        canonical.append(found)
    return canonical


def _readers(
    groupings: list[dict[str, Any]], categories: dict[str, Callable[[BillLine], str]]
) -> list[Callable[[BillLine], str]]:
    if len(groupings) > MOST_GROUPINGS:
        raise AwsError("ValidationException", f"GroupBy takes at most {MOST_GROUPINGS} groups.")
    return [grouping(str(one.get("Type")), str(one.get("Key")), categories) for one in groupings]


def periods_of(start: date, end: date, granularity: str) -> Iterator[Period]:
    """Days (of hours too), or months clipped to the asked range."""
    while start < end:
        step = next_month(start) if granularity == "MONTHLY" else start + timedelta(days=1)
        yield start, min(step, end)
        start = step


def _result(
    period: Period, sums: dict[tuple[str, ...], list[BillLine]], metrics: list[str], grouped: bool, month: date
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "TimePeriod": {"Start": period[0].isoformat(), "End": period[1].isoformat()},
        "Total": {},
        "Groups": [],
        # Bills of the running month are estimates.
        "Estimated": period[1] > month,
    }
    if grouped:
        result["Groups"] = [
            {"Keys": list(keys), "Metrics": _amounts(lines, metrics)} for keys, lines in sorted(sums.items())
        ]
    else:
        result["Total"] = _amounts(sums.get((), []), metrics)
    return result


def _amounts(lines: list[BillLine], metrics: list[str]) -> dict[str, Any]:
    return {
        metric: {
            "Amount": format(sum(map(METRICS[metric], lines), _ZERO), "f"),
            "Unit": "N/A" if metric in _NOT_MONEY else "USD",
        }
        for metric in metrics
    }


def _days_of_hours(period: dict[str, Any]) -> dict[str, str]:
    """Hours are asked for by the second; ours are of whole days."""
    days = {}
    for name in ("Start", "End"):
        day, _, hour = str(period.get(name)).partition("T")
        if not hour:
            raise AwsError("ValidationException", f"{name} must have the form yyyy-MM-ddTHH:mm:ssZ for hours.")
        if hour != "00:00:00Z":
            raise NotImplementedError(f"{name}: the double has hours of whole days, got {hour}")
        days[name] = day
    return days


def _hours(day: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A day's costs in 24 equal parts; the last hour has what the others leave, so that they add up to the day."""
    first = datetime.fromisoformat(day["TimePeriod"]["Start"])
    for hour in range(24):
        start, end = first + timedelta(hours=hour), first + timedelta(hours=hour + 1)
        yield {
            **day,
            "TimePeriod": {"Start": f"{start.isoformat()}Z", "End": f"{end.isoformat()}Z"},
            "Total": _part(day["Total"], last=hour == 23),
            "Groups": [{**group, "Metrics": _part(group["Metrics"], last=hour == 23)} for group in day["Groups"]],
        }


def _part(metrics: dict[str, Any], *, last: bool) -> dict[str, Any]:
    found = {}
    for name, metric in metrics.items():
        whole = Decimal(metric["Amount"])
        part = (whole / 24).quantize(Decimal("1E-10"))
        found[name] = {**metric, "Amount": format(whole - 23 * part if last else part, "f")}
    return found


def _weight(result: dict[str, Any]) -> int:
    return max(1, len(result["Groups"]))


def _question(asked: dict[str, Any]) -> str:
    rest = {key: value for key, value in asked.items() if key != "NextPageToken"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _token(position: int, question: str) -> str:
    return base64.urlsafe_b64encode(f"{question}:{position}".encode()).decode()


def _resume(token: str | None, question: str) -> int:
    if not token:
        return 0
    try:
        asked, position = base64.urlsafe_b64decode(token.encode()).decode().split(":")
        offset = int(position)
    except ValueError:
        raise AwsError("InvalidNextTokenException", "The pagination token is invalid.") from None
    if asked != question:
        raise AwsError("RequestChangedException", "Your request parameters changed between pages.")
    return offset


def next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def months_back(first: date, months: int) -> date:
    index = first.year * 12 + first.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
