"""CloudWatch metrics: what a series is, and the fewest GetMetricData requests that ask for many."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_finops_mcp.aws.reader import Reader, chunks
from aws_finops_mcp.findings import FailedRead, Window

MAX_QUERIES = 500
"""Metrics in one GetMetricData request."""
MAX_DATAPOINTS = 100_800
"""Datapoints in one GetMetricData answer."""
GET_METRIC_DATA = "cloudwatch:GetMetricData"
HOUR = 3600
DAY = 86_400


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One series: a metric of one resource. `period` is in seconds."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int


Batch = tuple[MetricQuery, ...]
"""What one request asks for."""


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """The datapoints of one query, oldest first; `failed` instead when they could not be read."""

    values: Sequence[float]
    expected: int
    failed: FailedRead | None = None
    latest: datetime | None = None
    """When the last datapoint's period began."""
    times: Sequence[datetime] = ()
    """When the period of each value began; kept for periods of an hour or less."""

    @property
    def seen(self) -> int:
        return len(self.values)

    @property
    def coverage(self) -> str:
        """Datapoints seen of those that a resource reporting all the time would have."""
        return f"{self.seen}/{self.expected}"


def window(days: int, now: datetime) -> Window:
    """The last `days` days up to `now`, from midnight UTC: daily datapoints then begin where AWS's do."""
    now = now.astimezone(UTC).replace(second=0, microsecond=0)
    start = (now - timedelta(days=days)).replace(hour=0, minute=0)
    return Window(start=start, end=now, days=days)


def batches(queries: Iterable[MetricQuery], over: Window) -> list[Batch]:
    """The fewest requests that ask for all of some queries, each once, within GetMetricData's limits."""
    sizes: defaultdict[int, list[MetricQuery]] = defaultdict(list)
    for query in dict.fromkeys(queries):
        sizes[query.period].append(query)
    made: list[list[MetricQuery]] = []
    room: list[int] = []
    # The longest series first: what is left of a request then takes many short ones.
    for period in sorted(sizes):
        waiting, own = sizes[period], expected_datapoints(over, period)
        for number in range(len(made)):
            fitting = max(0, min(MAX_QUERIES - len(made[number]), room[number] // own))
            made[number] += waiting[:fitting]
            room[number] -= own * len(waiting[:fitting])
            del waiting[:fitting]
        # A series that is longer than an answer may be comes in pages.
        fitting = max(1, min(MAX_QUERIES, MAX_DATAPOINTS // own))
        for some in chunks(waiting, fitting):
            made.append(list(some))
            room.append(MAX_DATAPOINTS - own * len(some))
    return [tuple(batch) for batch in made]


def full_batches(queries: Iterable[MetricQuery], over: Window) -> list[Batch]:
    """Those of the fewest requests that could take no further query like these."""
    queries = list(queries)
    least = min((expected_datapoints(over, query.period) for query in queries), default=0)

    def full(batch: Batch) -> bool:
        datapoints = sum(expected_datapoints(over, query.period) for query in batch)
        return len(batch) == MAX_QUERIES or datapoints + least > MAX_DATAPOINTS

    return [batch for batch in batches(queries, over) if full(batch)]


def expected_datapoints(over: Window, period: int) -> int:
    """Datapoints that a series of `period` seconds has over a window, when none is missing."""
    return max(1, math.ceil((over.end - over.start).total_seconds() / period))


def read_batch(reader: Reader, queries: Batch, over: Window) -> dict[MetricQuery, MetricSeries]:
    """Make one request. A series that CloudWatch did not give whole says so itself; it is not in the ledger.

    Raises:
        ReadFailedError: the request failed.
    """
    request: dict[str, Any] = {
        "StartTime": over.start,
        "EndTime": over.end,
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            {
                "Id": f"q{index}",
                "ReturnData": True,
                "MetricStat": {
                    "Metric": {
                        "Namespace": query.namespace,
                        "MetricName": query.metric,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in query.dimensions],
                    },
                    "Period": query.period,
                    "Stat": query.statistic,
                },
            }
            for index, query in enumerate(queries)
        ],
    }
    values: dict[str, array[float]] = defaultdict(lambda: array("d"))
    latest: dict[str, datetime] = {}
    times: dict[str, list[datetime]] = defaultdict(list)
    status: dict[str, str] = {}
    for result in reader.pages("cloudwatch", "GetMetricData", "MetricDataResults", **request):
        values[result["Id"]].extend(result["Values"])
        if queries[int(result["Id"][1:])].period <= HOUR:
            times[result["Id"]] += result["Timestamps"]
        if result["Timestamps"]:
            latest[result["Id"]] = result["Timestamps"][-1]
        status[result["Id"]] = result.get("StatusCode", "Complete")

    shared: dict[tuple[datetime, ...], tuple[datetime, ...]] = {}
    series: dict[MetricQuery, MetricSeries] = {}
    for index, query in enumerate(queries):
        key = f"q{index}"
        failed = None
        if status.get(key) != "Complete":
            failed = FailedRead(
                call=GET_METRIC_DATA,
                account=reader.account,
                region=reader.region,
                kind="error",
                error=f"{query.namespace} {query.metric}: status {status.get(key, 'missing')}",
                remedy="ask again; CloudWatch did not give this series whole",
                resource=", ".join(value for _, value in query.dimensions),
            )
        began = tuple(times[key])
        series[query] = MetricSeries(
            values[key],
            expected_datapoints(over, query.period),
            failed,
            latest.get(key),
            shared.setdefault(began, began),
        )
    return series
