"""Metric series kept as plain numbers: moto's own store takes seconds where CloudWatch takes milliseconds."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final, NamedTuple

Dimensions = frozenset[tuple[str, str]]

NO_DATAPOINT: Final = math.nan


class Key(NamedTuple):
    account: str
    region: str
    namespace: str
    name: str
    dimensions: Dimensions


class StatisticSet(NamedTuple):
    count: float
    sum: float
    minimum: float
    maximum: float

    def plus(self, other: StatisticSet) -> StatisticSet:
        return StatisticSet(
            self.count + other.count,
            self.sum + other.sum,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )


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

    def points(self, start: int, end: int) -> Iterator[tuple[int, StatisticSet]]:
        first = max(0, -(-(start - self.start) // self.step))
        last = min(len(self.values), -(-(end - self.start) // self.step))
        for index in range(first, last):
            value = self.values[index]
            if value == value:
                yield self.start + index * self.step, self._statistics(value)

    def _statistics(self, value: float) -> StatisticSet:
        if self.samples is None:
            return StatisticSet(value, value, 1.0, 1.0)
        mean = value / self.samples
        return StatisticSet(self.samples, value, mean / self.peak, mean * self.peak)

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

    def points(self, start: int, end: int) -> Iterator[tuple[int, StatisticSet]]:
        return iter(sorted((when, point) for when, point in self._points.items() if start <= when < end))

    @property
    def latest(self) -> int | None:
        return max(self._points, default=None)


class MetricStore:
    """Series by exact identity. A series may be given as a function and is then made when first asked for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._series: dict[Key, Series | Published | Callable[[], Series]] = {}

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
            return found

    def keys(self, account: str, region: str) -> Iterable[Key]:
        with self._lock:
            return [key for key in self._series if key.account == account and key.region == region]

    def clear(self) -> None:
        with self._lock:
            self._series.clear()
