"""How often AWS lets a service be called: a token bucket for each account, region and service, or action."""

from __future__ import annotations

import mmap
import multiprocessing
import time
import zlib
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
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html: a limit of each operation
    "cloudwatch:DescribeAlarms": Rate(9, 9),
    "cloudwatch:GetDashboard": Rate(10, 10),
    "cloudwatch:GetMetricData": Rate(50, 50),
    "cloudwatch:ListDashboards": Rate(10, 10),
    "cloudwatch:ListMetrics": Rate(25, 25),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html: a limit of each operation
    "logs:DescribeLogGroups": Rate(10, 10),
    "logs:ListLogGroups": Rate(10, 10),  # not published; that of its elder sister
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html: reads of clusters and services
    "ecs": Rate(100, 20),
    # https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html: of the whole account
    "route53": Rate(5, 5),
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html: management requests of the account
    "apigateway": Rate(40, 10),
    # https://docs.aws.amazon.com/general/latest/gr/arg.html: GetResources
    "tag": Rate(15, 15),
    # https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html: a limit of each operation
    "kinesis:DescribeStreamSummary": Rate(20, 20),
    "kinesis:ListStreams": Rate(5, 5),
    # https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html: hundreds a second of each;
    # that of GetKeyLastUsage is not published
    "kms": Rate(50, 50),
    # https://docs.aws.amazon.com/general/latest/gr/compute-optimizer.html: of all its operations together
    "compute-optimizer": Rate(50, 5),
    # SQS publishes none for its reads: it refuses what "exceeds the permitted request rate for the queue",
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html, and we ask each
    # queue once. At OTHERS' rate a region with hundreds of silent queues would not be answered within the deadline.
    "sqs:GetQueueAttributes": Rate(100, 100),
    "sqs:ListDeadLetterSourceQueues": Rate(100, 100),
    # Cost Explorer publishes no rate; this one is a guess on the safe side, and its throttling is retried.
    "ce": Rate(10, 5),
}
OTHERS = Rate(10, 10)
"""For services that publish no rate."""


def bucket_of(action: str) -> tuple[str, Rate]:
    """The bucket that an IAM action takes its tokens from, and its rate: the action's own, or its service's."""
    service = action.partition(":")[0]
    name = action if action in RATES else service
    return name, RATES.get(name, OTHERS)


SHARE = 0.8
"""Our part of what a bucket is refilled with: the account's owners and their other tools call too."""

SLOTS = 4093
"""Places for buckets. Two keys that fall into one place share a bucket: slower, never too fast."""


class Limiter:
    """A token bucket for each account, region and service, shared by the threads and forked workers of a host.

    A bucket is one number, the time at which all its tokens would be back if no more were taken (the generic cell rate
    algorithm); the numbers are in memory that a fork shares.
    """

    def __init__(self, share: float = SHARE, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._lock = multiprocessing.get_context("fork").Lock()
        self._full_at = memoryview(mmap.mmap(-1, 8 * SLOTS)).cast("d")

    def wait_seconds(self, account: str, region: str, action: str) -> float:
        """Take a token; gives back the seconds to wait before it may be used."""
        name, rate = bucket_of(action)
        burst, interval = max(1.0, rate.burst), 1 / (rate.per_second * self._share)
        slot = zlib.crc32(f"{account} {region} {name}".encode()) % SLOTS
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at[slot], now)
            self._full_at[slot] = full_at + interval
        return max(0.0, full_at - (burst - 1) * interval - now)
