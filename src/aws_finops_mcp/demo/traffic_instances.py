"""Metrics of the company's instances: what EC2 writes of each that runs, and what the CloudWatch agent on it does."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import pi, sin
from random import Random
from typing import Final

from aws_finops_mcp.demo import inventory
from aws_finops_mcp.demo.double.metrics import Key, MetricStore, Series
from aws_finops_mcp.demo.seeding import IMAGE, Ids

HOUR: Final = 3600
DAYS: Final = 130
_MIB: Final = 2**20
# Measurements an hour, and how much higher than an hour's average the highest of them is.
_SAMPLES: Final = 12
_PEAK: Final = 1.25


def record(seed: int, end: int, metrics: MetricStore, ids: Ids) -> None:
    """Define the series of every instance with a load, up to ``end``."""
    for instance in inventory.INSTANCES:
        load = instance.load
        if load is None:
            continue
        identity = ids[instance.name]
        own = {"InstanceId": identity}
        # The agent's own configuration adds image and type.
        agent = {**own, "ImageId": IMAGE, "InstanceType": instance.kind}
        # The highest hour of a day is 1.6 times its average, and in offices as all others; chance adds a little.
        memory = load.memory / ((1.06 if load.office_hours else 1.7) * _PEAK)
        for namespace, name, unit, dimensions, hourly in (
            ("AWS/EC2", "CPUUtilization", "Percent", own, _SAMPLES * load.cpu),
            ("AWS/EC2", "NetworkIn", "Bytes", own, load.mib_an_hour * _MIB),
            ("AWS/EC2", "NetworkOut", "Bytes", own, load.mib_an_hour * _MIB * 0.8),
            ("CWAgent", "mem_used_percent", "Percent", agent, _SAMPLES * memory),
        ):
            key = Key(inventory.ACCOUNT_ID, instance.region, namespace, name, frozenset(dimensions.items()))
            metrics.define(key, _series(f"{seed}/{instance.name}/{name}", end, instance, unit, hourly))


def _series(seed: str, end: int, instance: inventory.Instance, unit: str, hourly: float) -> Callable[[], Series]:
    def make() -> Series:
        hours = min(DAYS, instance.age_days) * 24
        start = end - hours * HOUR
        random = Random(seed)
        values = array(
            "d", (hourly * _share(start + hour * HOUR, instance) * random.uniform(0.94, 1.06) for hour in range(hours))
        )
        return Series(start, HOUR, values, unit, _SAMPLES, _PEAK)

    return make


def _share(when: int, instance: inventory.Instance) -> float:
    """Of the load: shoppers sleep at night, offices at weekends too; the mean over a busy day is 1."""
    hour, day = when // HOUR % 24, when // 86_400 % 7  # the epoch began on a Thursday: 2 and 3 are the weekend
    if instance.load and instance.load.office_hours:
        return 1.0 if 8 <= hour < 18 and day not in (2, 3) else 0.02
    return 1 + 0.6 * sin((hour - 9) / 24 * 2 * pi)
