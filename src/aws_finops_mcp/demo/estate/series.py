"""Metrics of places. Resources share a few series between them, so that any number of resources costs no memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, sin
from random import Random
from threading import Lock
from typing import Final

from aws_finops_mcp.demo.double.metrics import NO_DATAPOINT, Key, Series
from aws_finops_mcp.demo.estate.place import Fate, Place

HOUR: Final = 3600
DAYS: Final = 130
VARIANTS: Final = 8
INSIGHTS: Final = "LambdaInsights"
# What ran once and then no more, ran last so long ago.
SILENT_DAYS: Final = 100
_YOUNG_DAYS: Final = 3


@dataclass(frozen=True)
class Metric:
    """``mean`` is an hour's total while in use; ``idle`` None means that AWS publishes nothing without activity."""

    kind: str
    namespace: str
    name: str
    dimension: str
    unit: str
    mean: float
    samples: int | None = 60
    idle: float | None = None
    # Seconds from one datapoint to the next.
    step: int = HOUR


_BY_FIVE_MINUTES: Final = frozenset({"VolumeReadOps", "VolumeWriteOps", "VolumeReadBytes", "VolumeWriteBytes"})


def _metrics(kind: str, namespace: str, dimension: str, *rows: tuple[str, str, float, int | None]) -> Iterator[Metric]:
    for name, unit, mean, samples in rows:
        # What volumes are sized by is asked for by five minutes.
        step = HOUR // 12 if name in _BY_FIVE_MINUTES else HOUR
        yield Metric(kind, namespace, name, dimension, unit, mean, samples, step=step)


METRICS: Final = (
    *_metrics(
        "functions", "AWS/Lambda", "FunctionName",
        ("Invocations", "Count", 400, None), ("Errors", "Count", 2, None), ("Throttles", "Count", 0, None),
        ("Duration", "Milliseconds", 92_000, 400), ("ConcurrentExecutions", "Count", 120, 60),
    ),
    *_metrics(
        "functions", INSIGHTS, "function_name",
        ("init_duration", "Milliseconds", 1050, 3), ("cpu_total_time", "Milliseconds", 20_000, 400),
        ("used_memory_max", "Megabytes", 8000, 400),
    ),
    *_metrics(
        "volumes", "AWS/EBS", "VolumeId",
        ("VolumeReadOps", "Count", 9e3, 12), ("VolumeWriteOps", "Count", 2.6e4, 12),
        ("VolumeReadBytes", "Bytes", 1.4e8, 12), ("VolumeWriteBytes", "Bytes", 5e8, 12),
        ("VolumeQueueLength", "Count", 1.2, 12),
    ),
    Metric("volumes", "AWS/EBS", "VolumeIdleTime", "VolumeId", "Seconds", 1200, 12, idle=3600),
    *(
        Metric("nat_gateways", "AWS/NATGateway", name, "NatGatewayId", unit, mean, idle=0.0)
        for name, unit, mean in (
            ("BytesOutToDestination", "Bytes", 1.1e9), ("BytesInFromSource", "Bytes", 1.1e9),
            ("BytesInFromDestination", "Bytes", 7e9), ("BytesOutToSource", "Bytes", 7e9),
            ("PacketsOutToDestination", "Count", 1.2e6), ("PacketsInFromSource", "Count", 1.2e6),
            ("PacketsInFromDestination", "Count", 5.8e6), ("PacketsOutToSource", "Count", 5.8e6),
            ("ActiveConnectionCount", "Count", 2100), ("ConnectionAttemptCount", "Count", 5200),
            ("ConnectionEstablishedCount", "Count", 5150), ("ErrorPortAllocation", "Count", 0),
            ("PacketsDropCount", "Count", 0),
        )
    ),
    # Gauges: the hour's total is twelve times the average.
    Metric("instances", "AWS/EC2", "CPUUtilization", "InstanceId", "Percent", 12 * 38, 12, idle=12 * 0.6),
    Metric("instances", "AWS/EC2", "NetworkIn", "InstanceId", "Bytes", 9e8, 12, idle=4e5),
    Metric("instances", "AWS/EC2", "NetworkOut", "InstanceId", "Bytes", 6e8, 12, idle=3e5),
    *_metrics(
        "log_groups", "AWS/Logs", "LogGroupName",
        ("IncomingLogEvents", "Count", 5200, None), ("IncomingBytes", "Bytes", 1.3e6, 60),
    ),
    *_metrics(
        "queues", "AWS/SQS", "QueueName",
        ("NumberOfMessagesSent", "Count", 900, 60), ("NumberOfMessagesReceived", "Count", 900, 60),
        ("NumberOfMessagesDeleted", "Count", 900, 60), ("NumberOfEmptyReceives", "Count", 2000, 60),
        ("ApproximateNumberOfMessagesVisible", "Count", 300, 60), ("SentMessageSize", "Bytes", 4e5, 60),
    ),
)  # fmt: skip

_BY_NAME: Final = {(metric.namespace, metric.name): metric for metric in METRICS}


class _Course:
    """How a series goes: busy, idle, busy until long ago, or only begun."""

    BUSY, IDLE, ENDED, BEGUN = range(4)


class SharedSeries:
    """The series of all places of one account; made when first asked for."""

    def __init__(self, end: int) -> None:
        self._end = end // HOUR * HOUR
        self._lock = Lock()
        self._made: dict[tuple[Metric, int, int], Series] = {}

    def find(self, place: Place, key: Key) -> Series | None:
        """The series of exactly these dimensions, if this resource publishes it."""
        metric = _BY_NAME.get((key.namespace, key.name))
        if metric is None or len(key.dimensions) != 1:
            return None
        ((dimension, value),) = key.dimensions
        number = place.number(metric.kind, value) if dimension == metric.dimension else None
        course = None if number is None else _course(place, metric, number)
        if number is None or course is None:
            return None
        return self._series(metric, course, number % VARIANTS)

    def _series(self, metric: Metric, course: int, variant: int) -> Series:
        with self._lock:
            found = self._made.get((metric, course, variant))
            if found is None:
                found = self._made[metric, course, variant] = _make(metric, course, variant, self._end)
            return found


def published(place: Place, metric: Metric, number: int) -> bool:
    """Does this resource have this metric at all?"""
    return _course(place, metric, number) is not None


def _course(place: Place, metric: Metric, number: int) -> int | None:
    fate = place.fate(metric.kind, number)
    if metric.namespace == INSIGHTS and not place.has_insights(number):
        return None
    if metric.kind == "volumes":
        # Unattached ones publish nothing.
        attached = _Course.IDLE if place.is_quiet(number) else _Course.BUSY
        return attached if fate is Fate.USED else None
    if fate is Fate.USED:
        return _Course.BUSY
    if metric.idle is not None:
        return _Course.BEGUN if fate is Fate.YOUNG else _Course.IDLE
    # What never ran publishes nothing; half of the rest did so long ago.
    if fate is Fate.YOUNG or number % 2:
        return None
    return _Course.ENDED


def _make(metric: Metric, course: int, variant: int, end: int) -> Series:
    hours = (_YOUNG_DAYS if course == _Course.BEGUN else DAYS) * 24
    start = end - hours * HOUR
    random = Random(f"{metric.namespace}/{metric.name}/{variant}")
    mean = metric.mean * (0.4 + 0.3 * variant) if course in {_Course.BUSY, _Course.ENDED} else metric.idle or 0.0
    if metric.unit == "Percent":
        mean = min(mean, 12 * 70.0)
    last = hours - SILENT_DAYS * 24 if course == _Course.ENDED else hours
    # Within an hour nothing changes.
    parts = HOUR // metric.step
    values = array("d", [NO_DATAPOINT]) * (hours * parts)
    for hour in range(last):
        day = (start // HOUR + hour) % 24
        value = mean * (1 + 0.5 * sin((day - 9) / 24 * 2 * pi)) * random.uniform(0.85, 1.15) / parts
        value = value if metric.unit in {"Percent", "Milliseconds"} else float(round(value))
        values[hour * parts : (hour + 1) * parts] = array("d", [value] * parts)
    samples = metric.samples and max(1, metric.samples // parts)
    return Series(start, metric.step, values, metric.unit, samples, peak=1.6)
