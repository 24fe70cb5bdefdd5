"""How often AWS lets a service be called: a token bucket for each account, region and service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """Requests at once, and requests a second after that."""

    burst: float
    per_second: float


RATES: Mapping[str, Rate] = {
    # https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: non-mutating, filtered or paged
    "ec2": Rate(100, 20),
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: all but GetFunction, GetPolicy, Invoke
    "lambda": Rate(15, 15),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html: GetMetricData
    "cloudwatch": Rate(50, 50),
    # Cost Explorer publishes no rate; this one is a guess on the safe side, and its throttling is retried.
    "ce": Rate(10, 5),
}
OTHERS = Rate(10, 10)
"""For services that publish no rate."""

SHARE = 0.5
"""Our part of a limit: the account's owners and their other tools call too."""


class Bucket:
    """A token bucket, safe to use from several threads."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = rate.burst
        self._at = clock()

    def take(self) -> float:
        """Take a token; gives back the seconds to wait before it may be used."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._rate.burst, self._tokens + (now - self._at) * self._rate.per_second)
            self._at = now
            self._tokens -= 1
            return max(0.0, -self._tokens / self._rate.per_second)


class Limiter:
    """The buckets of this process.

    Args:
        processes: how many share the limits.
    """

    def __init__(self, processes: int = 1) -> None:
        self._share = SHARE / processes
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def wait_seconds(self, account: str, region: str, service: str) -> float:
        """Seconds to wait before the next request may be sent."""
        key = (account, region, service)
        with self._lock:
            if key not in self._buckets:
                full = RATES.get(service, OTHERS)
                rate = Rate(max(1.0, full.burst * self._share), full.per_second * self._share)
                self._buckets[key] = Bucket(rate)
            bucket = self._buckets[key]
        return bucket.take()
