"""Metric series kept as plain numbers: moto's own store takes seconds where CloudWatch takes milliseconds."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Final, NamedTuple

Dimensions = frozenset[tuple[str, str]]

NO_DATAPOINT: Final = math.nan


class Key(NamedTuple):
    """A metric's identity; two sets of dimensions are two metrics, even if one contains the other."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: Dimensions


class StatisticSet(NamedTuple):
    """What CloudWatch keeps of the measurements of a period."""

    samples: float
    total: float
    minimum: float
    maximum: float

    def plus(self, other: StatisticSet) -> StatisticSet:
        return StatisticSet(
            self.samples + other.samples,
            self.total + other.total,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )


# A bucket's start and what was measured in it.
Buckets = Iterator[tuple[int, StatisticSet]]


@dataclass
class Series:
    """Values at a fixed step; ``NO_DATAPOINT`` where nothing was published, which is not the same as zero.

    ``samples`` is how many measurements stand behind a value (60 for a gauge published each minute); None
    means that each unit was one measurement, as with Lambda's Invocations.
    """

    start: int
    step: int
    values: array[float]
    unit: str = "None"
    samples: int | None = None
    peak: float = 1.0

    def buckets(self, start: int, end: int, period: int, extremes: bool) -> Buckets:
        """Sums over each period that has data; the extremes cost more and are only worked out when asked for."""
        totals, counts = self._running
        first, beyond = self._index(start), self._index(end)
        while first < beyond:
            # Skip ahead to the bucket that the next value falls into.
            bucket = start + (self.start + first * self.step - start) // period * period
            # What was measured after the end may fall into the last bucket too.
            last = min(self._index(bucket + period), beyond)
            count = counts[last] - counts[first]
            if count:
                yield bucket, self._statistics(totals[last] - totals[first], count, first, last, extremes)
            first = last

    def _index(self, when: int) -> int:
        return min(len(self.values), max(0, -(-(when - self.start) // self.step)))

    @cached_property
    def _running(self) -> tuple[array[float], array[int]]:
        """Running totals and numbers of datapoints: a sum over any range is then one subtraction."""
        totals, counts = array("d", [0.0]), array("q", [0])
        for value in self.values:
            known = value == value
            totals.append(totals[-1] + (value if known else 0.0))
            counts.append(counts[-1] + known)
        return totals, counts

    def _statistics(self, total: float, count: int, first: int, last: int, extremes: bool) -> StatisticSet:
        if self.samples is None:
            return StatisticSet(total, total, 1.0, 1.0)
        if not extremes:
            return StatisticSet(self.samples * count, total, 0.0, 0.0)
        known = [value / self.samples for value in self.values[first:last] if value == value]
        return StatisticSet(self.samples * count, total, min(known) / self.peak, max(known) * self.peak)

    @property
    def latest(self) -> int | None:
        for index in range(len(self.values) - 1, -1, -1):
            if self.values[index] == self.values[index]:
                return self.start + index * self.step
        return None


class Published:
    """What callers put themselves with PutMetricData."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self._points: dict[int, StatisticSet] = {}

    def add(self, when: int, statistics: StatisticSet) -> None:
        known = self._points.get(when)
        self._points[when] = known.plus(statistics) if known else statistics

    def buckets(self, start: int, end: int, period: int, extremes: bool) -> Buckets:
        found: dict[int, StatisticSet] = {}
        for when, point in sorted(self._points.items()):
            if start <= when < end:
                bucket = start + (when - start) // period * period
                found[bucket] = found[bucket].plus(point) if bucket in found else point
        return iter(found.items())

    @property
    def latest(self) -> int | None:
        return max(self._points, default=None)


class MetricStore:
    """Series by exact identity. A series may be given as a function and is then made when first asked for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._series: dict[Key, Series | Published | Callable[[], Series]] = {}
        # Where to look for what was never defined.
        self.elsewhere: Callable[[Key], Series | None] = lambda key: None

    def define(self, key: Key, series: Series | Callable[[], Series]) -> None:
        with self._lock:
            self._series[key] = series

    def publish(self, key: Key, when: int, statistics: StatisticSet, unit: str) -> None:
        with self._lock:
            published = self._series.get(key)
            if not isinstance(published, Published):
                # What a caller publishes replaces a made-up series of the same name.
                published = self._series[key] = Published(unit)
            published.add(when, statistics)

    def get(self, key: Key) -> Series | Published | None:
        with self._lock:
            found = self._series.get(key)
            if callable(found):
                found = self._series[key] = found()
        return found if found is not None else self.elsewhere(key)

    def keys(self, account: str, region: str) -> list[Key]:
        with self._lock:
            return [key for key in self._series if key.account == account and key.region == region]

    def clear(self) -> None:
        with self._lock:
            self._series.clear()
