"""CloudWatch's metric operations, with the limits, the retention and the exact dimensions of the real one."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.metrics import Key, MetricStore, Published, Series, StatisticSet
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.double.wire import Answer

MOST_QUERIES: Final = 500
MOST_DATAPOINTS: Final = 100_800
MOST_STATISTICS_DATAPOINTS: Final = 1440
_DAY: Final = 86_400
# How long CloudWatch keeps datapoints of at least this period.
RETENTION: Final = ((3600, 455 * _DAY), (300, 63 * _DAY), (60, 15 * _DAY), (1, 3 * 3600))
_QUERY_ID: Final = re.compile(r"^[a-z][a-zA-Z0-9_]*$")
_EXTENDED: Final = re.compile(r"^(p|tm|tc|ts|wm)(\d{1,2}(\.\d+)?|100)$|^IQM$")

Found = tuple[list[int], list[float]]
_NOTHING: Final[Found] = ([], [])
_REQUEST_ID: Final = ("x-amzn-RequestId", "simulated")

_STATISTICS: Final[dict[str, Callable[[StatisticSet], float]]] = {
    "Average": lambda found: found.total / found.samples if found.samples else 0.0,
    "Maximum": lambda found: found.maximum,
    "Minimum": lambda found: found.minimum,
    "SampleCount": lambda found: found.samples,
    "Sum": lambda found: found.total,
}
# Those that running totals answer.
_ADDITIVE: Final = frozenset({"Average", "SampleCount", "Sum"})


def read_statistic(name: str) -> Callable[[StatisticSet], float]:
    """How a statistic, plain or extended, is taken from a statistic set."""
    simple = _STATISTICS.get(name)
    if simple is not None:
        return simple
    if not _EXTENDED.match(name):
        raise AwsError("ValidationError", f"The value {name} for parameter Stat is not supported.")
    # The store keeps statistic sets, not distributions: a percentile is drawn between the extremes.
    share = float(name[1:]) / 100 if name.startswith("p") else 0.5
    return lambda found: found.minimum + (found.maximum - found.minimum) * share


def collect(series: Series | Published, start: int, end: int, period: int, now: int, stat: str) -> Found:
    """Datapoints by period, oldest first; periods without data are absent, as in AWS."""
    oldest = now - next(age for least, age in RETENTION if period >= least)
    if start < oldest:
        # Whole periods are forgotten, so that the rest keep their timestamps.
        start += -(-(oldest - start) // period) * period
    read = read_statistic(stat)
    buckets = list(series.buckets(start, min(end, now), period, stat not in _ADDITIVE))
    return [when for when, _ in buckets], [read(found) for _, found in buckets]


class Metrics:
    """The operations; each returns what goes on the wire."""

    def __init__(self, store: MetricStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def get_metric_data(self, call: Call) -> Answer:
        asked = call.parameters
        now = int(self._clock())
        start, end = _times(asked)
        queries = asked.get("MetricDataQueries") or []
        if not queries:
            raise AwsError("MissingParameter", "The parameter MetricDataQueries is required.")
        if len(queries) > MOST_QUERIES:
            raise AwsError(
                "ValidationError",
                f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.",
            )
        most = int(asked.get("MaxDatapoints") or MOST_DATAPOINTS)
        if not 0 < most <= MOST_DATAPOINTS:
            raise AwsError("ValidationError", f"MaxDatapoints must be between 1 and {MOST_DATAPOINTS}.")
        _check_ids(queries)
        start = _round_start(start, now)
        descending = asked.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        results = []
        # Estates share series between resources: what was once collected or written is not again.
        collected: dict[tuple[int, int, str], Found] = {}
        for query in queries:
            found = self._answer(call, query, start, end, now, collected, descending)
            if query.get("ReturnData", True) is not False:
                results.append((query, found))
        return _data_answer(call, *_cut(results, _offset(asked.get("NextToken")), most))

    def get_metric_statistics(self, call: Call) -> dict[str, Any] | Answer:
        asked = call.parameters
        now = int(self._clock())
        start, end = _times(asked)
        period = int(asked["Period"])
        _check_period(period)
        wanted = [*(asked.get("Statistics") or []), *(asked.get("ExtendedStatistics") or [])]
        if not wanted:
            raise AwsError("InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics")
        requested = math.ceil((end - start) / period)
        if requested > MOST_STATISTICS_DATAPOINTS:
            raise AwsError(
                "InvalidParameterCombination",
                f"You have requested up to {requested} datapoints, which exceeds the limit of "
                f"{MOST_STATISTICS_DATAPOINTS}. You may reduce the datapoints requested by increasing Period, "
                "or decreasing the time range.",
            )
        start = _round_start(start, now)
        series = self._store.get(_key(call, asked))
        if series is None:
            return {"Label": asked["MetricName"], "Datapoints": []}
        points: dict[int, dict[str, Any]] = {}
        for stat in wanted:
            for when, value in zip(*collect(series, start, end, period, now, stat), strict=True):
                point = points.setdefault(when, {"Timestamp": _utc(when), "Unit": series.unit})
                if stat in _STATISTICS:
                    point[stat] = value
                else:
                    point.setdefault("ExtendedStatistics", {})[stat] = value
        answer = {"Label": asked["MetricName"], "Datapoints": list(points.values())}
        if call.protocol != "json":
            return answer
        body = json.dumps(answer, default=datetime.timestamp).encode()
        return Answer(200, body, [("Content-Type", "application/x-amz-json-1.0"), _REQUEST_ID])

    def list_metrics(self, call: Call) -> dict[str, Any]:
        """All that match; the pager cuts. Dimensions filter here as a subset, unlike in GetMetricData."""
        asked = call.parameters
        wanted = [(item["Name"], item.get("Value")) for item in asked.get("Dimensions") or []]
        # A metric without a datapoint for two weeks is not listed.
        recent = int(self._clock()) - (3 * 3600 if asked.get("RecentlyActive") == "PT3H" else 14 * _DAY)
        found = []
        for key in sorted(self._store.keys(call.account, call.region), key=_listing_order):
            if asked.get("Namespace") not in {None, key.namespace} or asked.get("MetricName") not in {None, key.name}:
                continue
            own = dict(key.dimensions)
            if any(name not in own or value not in {None, own[name]} for name, value in wanted):
                continue
            series = self._store.get(key)
            latest = series.latest if series is not None else None
            if latest is None or latest < recent:
                continue
            dimensions = [{"Name": name, "Value": value} for name, value in sorted(key.dimensions)]
            found.append({"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions})
        return {"Metrics": found}

    def put_metric_data(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        now = int(self._clock())
        for datum in asked.get("MetricData") or []:
            when = int(datum["Timestamp"].timestamp()) if datum.get("Timestamp") else now
            key = _key(call, {**datum, "Namespace": asked["Namespace"]})
            for statistics in _published(datum):
                self._store.publish(key, when - when % 60, statistics, datum.get("Unit", "None"))
        return {}

    def _answer(
        self,
        call: Call,
        query: dict[str, Any],
        start: int,
        end: int,
        now: int,
        collected: dict[tuple[int, int, str], Found],
        descending: bool,
    ) -> Found:
        metric = query.get("MetricStat")
        if (metric is None) == (query.get("Expression") is None):
            raise AwsError(
                "ValidationError",
                "Either Expression or MetricStat must be specified, but not both, "
                f"for the query with id {query['Id']}.",
            )
        if metric is None:
            # An empty answer would look like an idle resource.
            raise AwsError("ValidationError", "The simulated account does not evaluate metric math or queries.")
        period, stat = int(metric["Period"]), str(metric["Stat"])
        _check_period(period)
        read_statistic(stat)
        series = self._store.get(_key(call, metric["Metric"]))
        if series is None or metric.get("Unit") not in {None, series.unit}:
            return _NOTHING
        found = collected.get((id(series), period, stat))
        if found is None:
            found = collect(series, start, end, period, now, stat)
            if descending:
                found[0].reverse()
                found[1].reverse()
            collected[id(series), period, stat] = found
        return found


def _key(call: Call, metric: dict[str, Any]) -> Key:
    dimensions = frozenset((item["Name"], item["Value"]) for item in metric.get("Dimensions") or [])
    return Key(call.account, call.region, metric["Namespace"], metric["MetricName"], dimensions)


def _listing_order(key: Key) -> tuple[str, str, list[tuple[str, str]]]:
    return key.namespace, key.name, sorted(key.dimensions)


def _times(asked: dict[str, Any]) -> tuple[int, int]:
    start, end = int(asked["StartTime"].timestamp()), int(asked["EndTime"].timestamp())
    if start >= end:
        raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def _round_start(start: int, now: int) -> int:
    """CloudWatch rounds the start down: to a minute, beyond 15 days to 5 minutes, beyond 63 days to an hour."""
    age = now - start
    grain = 3600 if age > 63 * _DAY else 300 if age > 15 * _DAY else 60
    return start - start % grain


def _check_period(period: int) -> None:
    if period <= 0 or (period % 60 and period not in {1, 5, 10, 20, 30}):
        raise AwsError("ValidationError", "Period must be 1, 5, 10, 20, 30 or a multiple of 60.")


def _check_ids(queries: list[dict[str, Any]]) -> None:
    names = [str(query.get("Id", "")) for query in queries]
    for name in names:
        if not _QUERY_ID.match(name):
            raise AwsError("ValidationError", f"The value {name} for Id must match {_QUERY_ID.pattern}.")
    for one, other in pairwise(sorted(names)):
        if one == other:
            raise AwsError("ValidationError", f"The values for parameter id in MetricDataQueries are not unique: {one}")


def _published(datum: dict[str, Any]) -> list[StatisticSet]:
    if "StatisticValues" in datum:
        given = datum["StatisticValues"]
        return [StatisticSet(given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"])]
    values = datum.get("Values") or [datum["Value"]]
    counts = datum.get("Counts") or [1.0] * len(values)
    return [StatisticSet(n, value * n, value, value) for value, n in zip(values, counts, strict=True)]


Result = tuple[dict[str, Any], Found]


class Cut(NamedTuple):
    """The part of a result that a page carries."""

    query: dict[str, Any]
    found: Found
    first: int
    last: int
    complete: bool


def _offset(token: str | None) -> int:
    """The token says how many datapoints were handed out; the question itself is repeated by the caller."""
    if not token:
        return 0
    if not re.fullmatch(r"sim-[0-9a-f]{1,8}", token):
        raise AwsError("InvalidNextToken", "The next token specified is invalid.")
    return int(token[4:], 16)


def _cut(results: list[Result], offset: int, most: int) -> tuple[list[Cut], str | None]:
    """The slice of the datapoints that this page carries, and the token of the next one."""
    page: list[Cut] = []
    position, end = 0, offset + most
    for query, found in results:
        count = len(found[0])
        first, last = max(0, offset - position), min(count, end - position)
        # Metrics without datapoints are all told on the first page.
        if last > first or (not count and offset == 0):
            page.append(Cut(query, found, first, last, not count or position + count <= end))
        position += count
    return page, (f"sim-{end:x}" if position > end else None)


def _data_answer(call: Call, page: list[Cut], token: str | None) -> Answer:
    """Written by hand: the general serializers are too slow for a hundred thousand datapoints."""
    if call.protocol == "json":
        return Answer(200, _json(page, token).encode(), [("Content-Type", "application/x-amz-json-1.0"), _REQUEST_ID])
    return Answer(200, _xml(page, token).encode(), [("Content-Type", "text/xml"), _REQUEST_ID])


def _json(page: list[Cut], token: str | None) -> str:
    written: dict[tuple[int, int, int], str] = {}
    results = []
    for cut in page:
        found, first, last = cut.found, cut.first, cut.last
        datapoints = written.get((id(found), first, last))
        if datapoints is None:
            times, values = json.dumps(found[0][first:last]), json.dumps(found[1][first:last])
            datapoints = written[id(found), first, last] = f'"Timestamps":{times},"Values":{values}'
        label = json.dumps(_label(cut.query))
        results.append(f'{{"Id":"{cut.query["Id"]}","Label":{label},{datapoints},"StatusCode":"{_status(cut)}"}}')
    following = f',"NextToken":"{token}"' if token else ""
    return f'{{"MetricDataResults":[{",".join(results)}],"Messages":[]{following}}}'


def _xml(page: list[Cut], token: str | None) -> str:
    written: dict[tuple[int, int, int], str] = {}
    parts = ['<GetMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><GetMetricDataResult>']
    parts.append("<MetricDataResults>")
    for cut in page:
        found, first, last = cut.found, cut.first, cut.last
        datapoints = written.get((id(found), first, last))
        if datapoints is None:
            times = "".join(f"<member>{_utc(when):%Y-%m-%dT%H:%M:%SZ}</member>" for when in found[0][first:last])
            values = "".join(f"<member>{value!r}</member>" for value in found[1][first:last])
            datapoints = f"<Timestamps>{times}</Timestamps><Values>{values}</Values>"
            written[id(found), first, last] = datapoints
        label = escape(_label(cut.query))
        parts.append(f"<member><Id>{cut.query['Id']}</Id><Label>{label}</Label>")
        parts.append(f"<StatusCode>{_status(cut)}</StatusCode>{datapoints}</member>")
    parts.append("</MetricDataResults><Messages/>")
    if token:
        parts.append(f"<NextToken>{token}</NextToken>")
    parts.append("</GetMetricDataResult><ResponseMetadata><RequestId>simulated</RequestId></ResponseMetadata>")
    parts.append("</GetMetricDataResponse>")
    return "".join(parts)


def _status(cut: Cut) -> str:
    return "Complete" if cut.complete else "PartialData"


def _label(query: dict[str, Any]) -> str:
    return str(query.get("Label") or query["MetricStat"]["Metric"]["MetricName"])


def _utc(when: int) -> datetime:
    return datetime.fromtimestamp(when, UTC)
