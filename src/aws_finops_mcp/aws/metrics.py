"""CloudWatch metrics: any number of series from the fewest GetMetricData calls, side by side."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.findings import FailedRead, Window

MAX_QUERIES = 500
"""Metrics in one GetMetricData request."""
MAX_DATAPOINTS = 100_800
"""Datapoints in one GetMetricData answer."""
GET_METRIC_DATA = "cloudwatch:GetMetricData"
HOUR = 3600
DAY = 86_400


@dataclass(frozen=True)
class MetricQuery:
    """One series: a metric of one resource. `period` is in seconds."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int


@dataclass(frozen=True)
class MetricSeries:
    """The datapoints of one query, oldest first; `failed` instead when they could not be read."""

    values: tuple[float, ...]
    expected: int
    failed: FailedRead | None = None
    latest: datetime | None = None
    """When the last datapoint's period began."""
    times: tuple[datetime, ...] = ()
    """When the period of each value began; kept for series of an hour or less."""

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


def read_metrics(reader: Reader, queries: Iterable[MetricQuery], over: Window) -> Mapping[MetricQuery, MetricSeries]:
    """Read every query over one window.

    A batch that fails leaves `failed` in its queries' series (and in the ledger); the others stand.
    """
    batched = batches(queries, over)
    series: dict[MetricQuery, MetricSeries] = {}
    for batch, outcome in zip(
        batched,
        reader.side_by_side(lambda queries: _read_batch(reader, queries, over), batched, lambda _: GET_METRIC_DATA),
        strict=True,
    ):
        for query in batch:
            expected = expected_datapoints(over, query.period)
            if isinstance(outcome, FailedRead):
                series[query] = MetricSeries((), expected, outcome)
            else:
                series[query] = outcome[query]
    return series


def batches(queries: Iterable[MetricQuery], over: Window) -> list[tuple[MetricQuery, ...]]:
    """The fewest requests that ask for all of some queries, each once, within GetMetricData's limits."""
    made: list[list[MetricQuery]] = []
    datapoints = 0
    # The longest series first: what is left of a request then takes many short ones.
    for query in sorted(dict.fromkeys(queries), key=lambda query: query.period):
        own = expected_datapoints(over, query.period)
        if not made or len(made[-1]) == MAX_QUERIES or datapoints + own > MAX_DATAPOINTS:
            made.append([])
            datapoints = 0
        made[-1].append(query)
        datapoints += own
    return [tuple(batch) for batch in made]


def expected_datapoints(over: Window, period: int) -> int:
    """Datapoints that a series of `period` seconds has over a window, when none is missing."""
    return max(1, math.ceil((over.end - over.start).total_seconds() / period))


def _read_batch(reader: Reader, queries: tuple[MetricQuery, ...], over: Window) -> dict[MetricQuery, MetricSeries]:
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
    values: dict[str, list[float]] = defaultdict(list)
    latest: dict[str, datetime] = {}
    times: dict[str, list[datetime]] = defaultdict(list)
    status: dict[str, str] = {}
    for result in reader.pages("cloudwatch", "GetMetricData", "MetricDataResults", **request):
        values[result["Id"]] += result["Values"]
        if queries[int(result["Id"][1:])].period <= HOUR:
            times[result["Id"]] += result["Timestamps"]
        if result["Timestamps"]:
            latest[result["Id"]] = result["Timestamps"][-1]
        status[result["Id"]] = result.get("StatusCode", "Complete")

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
            reader.ledger.fail(failed)
        series[query] = MetricSeries(
            tuple(values[key]), expected_datapoints(over, query.period), failed, latest.get(key), tuple(times[key])
        )
    return series
