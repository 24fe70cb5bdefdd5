"""Metrics of the company: hourly series, made when first asked for."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import pi, sin
from random import Random
from typing import Final

from aws_finops_mcp.demo import inventory, traffic_functions, traffic_instances
from aws_finops_mcp.demo.double.metrics import NO_DATAPOINT, Key, MetricStore, Series
from aws_finops_mcp.demo.seeding import Ids

HOUR: Final = 3600
DAYS: Final = 130
_GIB: Final = 2**30

# Name, unit, and what one gigabyte an hour makes of it.
_NAT_METRICS: Final = (
    ("BytesOutToDestination", "Bytes", _GIB),
    ("BytesInFromDestination", "Bytes", 6.5 * _GIB),
    ("BytesOutToSource", "Bytes", 6.5 * _GIB),
    ("BytesInFromSource", "Bytes", _GIB),
    ("PacketsOutToDestination", "Count", _GIB / 900),
    ("PacketsInFromSource", "Count", _GIB / 900),
    ("PacketsInFromDestination", "Count", 6.5 * _GIB / 1200),
    ("PacketsOutToSource", "Count", 6.5 * _GIB / 1200),
    ("ActiveConnectionCount", "Count", 60 * 35.0),
    ("ConnectionAttemptCount", "Count", 5200.0),
    ("ConnectionEstablishedCount", "Count", 5150.0),
    ("ErrorPortAllocation", "Count", 0.0),
    ("PacketsDropCount", "Count", 0.0),
)


def record(seed: int, now: datetime, metrics: MetricStore, ids: Ids) -> None:
    """Define the series of every NAT gateway and of every function that ran at least once."""
    end = int(now.timestamp()) // HOUR * HOUR
    traffic_instances.record(seed, end, metrics, ids)
    traffic_functions.record(end, metrics)
    for gateway in inventory.NAT_GATEWAYS:
        dimensions = frozenset({("NatGatewayId", ids[gateway.name])})
        for name, unit, per_gib in _NAT_METRICS:
            key = Key(inventory.ACCOUNT_ID, gateway.region, "AWS/NATGateway", name, dimensions)
            metrics.define(key, _nat_series(seed, end, gateway, name, unit, per_gib))
    for function in inventory.FUNCTIONS:
        if function.insights is not None:
            continue
        if function.last_invoked_days is None:
            # AWS knows no metric of a function that never ran.
            continue
        dimensions = frozenset({("FunctionName", function.name)})
        for name, unit, factor in (("Invocations", "Count", 1.0), ("Errors", "Count", 0.002)):
            key = Key(inventory.ACCOUNT_ID, function.region, "AWS/Lambda", name, dimensions)
            metrics.define(key, _invocations(seed, end, function, name, unit, factor))
        key = Key(inventory.ACCOUNT_ID, function.region, "AWS/Lambda", "Duration", dimensions)
        metrics.define(key, _durations(seed, end, function))
    shop = frozenset({("DistributionId", ids["cloudfront"]), ("Region", "Global")})
    key = Key(inventory.ACCOUNT_ID, inventory.US, "AWS/CloudFront", "Requests", shop)
    metrics.define(key, lambda: Series(end - DAYS * 24 * HOUR, HOUR, array("d", [9000.0] * (DAYS * 24)), "None"))
    for function in inventory.FUNCTIONS:
        if function.edge:
            # Replicas report where they run, under the name of where they come from.
            name = f"{function.region}.{function.name}"
            replica = replace(function, name=name, region=inventory.EU, per_day=34_000, last_invoked_days=0)
            key = Key(
                inventory.ACCOUNT_ID, replica.region, "AWS/Lambda", "Invocations", frozenset({("FunctionName", name)})
            )
            metrics.define(key, _invocations(seed, end, replica, "Invocations", "Count", 1.0))


def _nat_series(
    seed: int, end: int, gateway: inventory.NatGateway, name: str, unit: str, per_gib: float
) -> Callable[[], Series]:
    def make() -> Series:
        hours = min(DAYS * 24, int(gateway.age_days * 24))
        random = Random(f"{seed}/{gateway.name}/{name}")
        start = end - hours * HOUR
        values = array(
            "d",
            (
                float(int(gateway.traffic * per_gib * _shape(start + hour * HOUR) * random.uniform(0.8, 1.2)))
                for hour in range(hours)
            ),
        )
        # Published each minute, zeros included.
        return Series(start, HOUR, values, unit, samples=60, peak=1.8)

    return make


def _invocations(
    seed: int, end: int, function: inventory.Function, name: str, unit: str, factor: float
) -> Callable[[], Series]:
    def make() -> Series:
        random = Random(f"{seed}/{function.name}/Invocations")
        hours = DAYS * 24
        start = end - hours * HOUR
        values = array("d", [NO_DATAPOINT] * hours)
        silent = (function.last_invoked_days or 0) * 24
        hour = 0
        while hour < hours - silent:
            # Nothing is published for an hour without invocations.
            expected = function.per_day / 24 * _shape(start + hour * HOUR)
            count = _count(random, expected)
            if count:
                values[hour] = count if factor == 1.0 else float(int(count * factor))
            hour += 1
        _keep_last(values, hours - silent - 1, factor)
        return Series(start, HOUR, values, unit)

    return make


def _keep_last(values: array[float], last: int, factor: float) -> None:
    """The declared last invocation did take place, also for a function that runs once a day."""
    if values[last] != values[last]:
        values[last] = 1.0 if factor == 1.0 else 0.0


def _durations(seed: int, end: int, function: inventory.Function) -> Callable[[], Series]:
    def make() -> Series:
        counts = _invocations(seed, end, function, "Invocations", "Count", 1.0)()
        mean = Random(f"{seed}/{function.name}/Duration").uniform(12, 900)
        return Series(
            counts.start,
            HOUR,
            array("d", (mean if value == value else NO_DATAPOINT for value in counts.values)),
            "Milliseconds",
            samples=1,
            peak=2.5,
        )

    return make


def _count(random: Random, expected: float) -> float:
    if expected >= 1:
        return float(round(expected * random.uniform(0.7, 1.3)))
    return 1.0 if random.random() < expected else 0.0


def _shape(when: int) -> float:
    """Shoppers sleep at night and shop less on weekdays' mornings; the mean over a day is 1."""
    hour = when // HOUR % 24
    weekend = when // 86_400 % 7 in {2, 3}
    return (1 + 0.6 * sin((hour - 9) / 24 * 2 * pi)) * (1.15 if weekend else 0.94)
