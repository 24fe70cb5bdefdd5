"""Request rates: token buckets, and the rates that AWS publishes for its APIs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock
from typing import Final


@dataclass(frozen=True)
class Rate:
    """So many requests a second after a burst, for each account in each region by itself."""

    action: str
    per_second: float
    burst: float
    region: str | None = None
    account: str | None = None
    # One bucket for all that the pattern names, or one for each action as EC2 has.
    shared: bool = True
    # Counts only requests without filters, ids and page size.
    unbounded: bool = False

    def concerns(self, action: str, region: str, account: str) -> bool:
        return fnmatchcase(action, self.action) and self.region in {None, region} and self.account in {None, account}

    @property
    def weight(self) -> tuple[bool, int]:
        """The greater one is the more exact."""
        return "*" not in self.action, len(self.action)


# Sources: the services' quota pages and EC2's "Request throttling", as of October 2026. Where a service publishes
# no rate (Cost Explorer, RDS, SQS), none is made up.
AWS_RATES: Final = (
    Rate("ec2:Describe*", 20, 100, shared=False),
    Rate("ec2:Get*", 20, 100, shared=False),
    Rate("ec2:Describe*", 10, 50, shared=False, unbounded=True),
    Rate("lambda:*", 15, 15),
    Rate("lambda:GetFunction", 100, 100),
    Rate("lambda:GetPolicy", 15, 15),
    Rate("cloudwatch:GetMetricData", 50, 50),
    Rate("cloudwatch:GetMetricStatistics", 400, 400),
    Rate("cloudwatch:ListMetrics", 25, 25),
    Rate("cloudwatch:DescribeAlarms", 9, 9),
    Rate("cloudwatch:GetDashboard", 10, 10),
    Rate("cloudwatch:ListDashboards", 10, 10),
    Rate("logs:DescribeLogGroups", 10, 10),
    Rate("logs:DescribeLogStreams", 25, 25),
    Rate("logs:FilterLogEvents", 5, 5),
    Rate("logs:GetLogEvents", 25, 25),
    Rate("sts:*", 600, 600),
    Rate("organizations:List*", 5, 10, shared=False),
    Rate("organizations:Describe*", 20, 30, shared=False),
    Rate("tag:GetResources", 15, 15),
    Rate("apigateway:GET", 10, 40),
    Rate("ecs:Describe*", 20, 100),
    Rate("ecs:List*", 20, 100),
    Rate("dynamodb:DescribeTable", 10, 2500),
    Rate("route53:*", 5, 5),
    Rate("pricing:GetProducts", 10, 10),
    Rate("compute-optimizer:*", 5, 50),
    Rate("kinesis:DescribeStreamSummary", 20, 20),
    Rate("kinesis:ListStreams", 5, 5),
    Rate("servicequotas:*", 10, 10),
)  # fmt: skip


class Buckets:
    """The most exact rate that concerns a request decides; a refused request takes no token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._rates: list[Rate] = []
        # Tokens left and when that was, by rate and place.
        self._buckets: dict[tuple[Rate, str, str, str], tuple[float, float]] = {}

    def add(self, *rates: Rate) -> None:
        with self._lock:
            self._rates.extend(rates)
            self._rates.sort(key=lambda rate: (rate.unbounded, rate.weight), reverse=True)

    def clear(self) -> None:
        with self._lock:
            self._rates.clear()
            self._buckets.clear()

    def take(self, action: str, region: str, account: str, unbounded: Callable[[], bool]) -> bool:
        """Take a token; False when there is none."""
        with self._lock:
            for rate in self._rates:
                if rate.concerns(action, region, account) and (not rate.unbounded or unbounded()):
                    return self._take(rate, (rate, region, account, "" if rate.shared else action))
        return True

    def _take(self, rate: Rate, bucket: tuple[Rate, str, str, str]) -> bool:
        now = self._clock()
        left, then = self._buckets.get(bucket, (rate.burst, now))
        left = min(rate.burst, left + (now - then) * rate.per_second)
        allowed = left >= 1
        self._buckets[bucket] = (left - 1 if allowed else left, now)
        return allowed
