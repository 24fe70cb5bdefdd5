"""The truth about EC2 instances: the company's, and those that are beside them as traps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_finops_mcp.demo.families.family import NO_PRICE, Case
from aws_finops_mcp.demo.inventory import EU, US
from aws_finops_mcp.demo.prices import HOURS_PER_MONTH
from aws_finops_mcp.findings import Verdict

_OK, _USED = Verdict.OK, Verdict.IN_USE

# Dollars an hour on Linux in us-east-1, AWS's public list; Ireland's are a tenth more here.
_HOUR: Final = {
    "t2.medium": 0.0464, "t3a.medium": 0.0376, "t3.small": 0.0208, "t3.micro": 0.0104, "t3.medium": 0.0416,
    "t3.large": 0.0832, "t4g.micro": 0.0084, "t4g.small": 0.0168, "t4g.medium": 0.0336, "t4g.large": 0.0672,
    "m4.large": 0.10, "m5.large": 0.096, "m5.xlarge": 0.192, "m5.2xlarge": 0.384, "m5.4xlarge": 0.768,
    "m6a.large": 0.0864, "m6a.xlarge": 0.1728, "m6a.2xlarge": 0.3456, "m6a.4xlarge": 0.6912, "m6i.large": 0.096,
    "m6g.large": 0.077, "m6g.xlarge": 0.154, "m6g.2xlarge": 0.308, "m6g.4xlarge": 0.616,
    "c5.xlarge": 0.17, "c6a.xlarge": 0.153, "c6i.xlarge": 0.17, "c6g.xlarge": 0.136,
    "r5.large": 0.126, "r5.xlarge": 0.252, "r5.2xlarge": 0.504, "r6a.large": 0.1134, "r6a.xlarge": 0.2268,
    "r6i.xlarge": 0.252, "r6g.large": 0.1008, "r6g.xlarge": 0.2016,
}  # fmt: skip


def _month(kind: str, region: str = US, share: float = 1.0) -> float:
    return _HOUR[kind] * (1.1 if region == EU else 1) * HOURS_PER_MONTH * share


def _change(kind: str, to: str, region: str = US) -> float:
    return _month(kind, region) - _month(to, region)


def _use() -> Iterator[Case]:
    idle, small, unknown = Verdict.IDLE, Verdict.UNDERUSED, Verdict.UNKNOWN
    yield Case("bastion", US, idle, "nobody logs in", _month("t3.micro"))
    yield Case("etl-worker", US, small, "a fifth of CPU, a third of memory", _change("m5.2xlarge", "m5.xlarge"))
    keep = "its memory is not measured, so another family with as much"
    yield Case("cmp-keep-memory", US, small, keep, _change("m5.4xlarge", "r5.2xlarge"))
    yield Case("cmp-cache", US, _USED, "memory, under dimensions that only ListMetrics tells")
    yield Case("cmp-no-data", US, unknown, "no datapoint is not idle")
    yield Case("cmp-new", US, Verdict.TOO_NEW, "idle, but made five days ago")
    yield Case("cmp-restarted", US, idle, "LaunchTime is of yesterday, the instance is not", _month("m5.large"))
    yield Case("cmp-month-end", US, _USED, "busy on one day of the window")
    yield Case("cmp-exempt", US, Verdict.EXEMPT, "idle, and tagged to be left alone")
    changed = "its memory is in use under the dimensions of its new type"
    yield Case("cmp-type-changed", US, small, changed, _change("m5.xlarge", "r5.large"))
    yield Case("cmp-unmeasured", US, unknown, "a smaller burstable type has less memory, which is not measured")
    yield Case("cmp-gpu", US, unknown, "the GPU is not measured")
    yield Case("cmp-spot", US, idle, "idle, at a price that no list has", NO_PRICE)
    yield Case("cmp-twin", US, _USED, "busy here")
    yield Case("cmp-twin", EU, idle, "of the same id and name, idle here", _month("m5.large", EU))
    yield Case("cmp-office", US, _USED, "busy by day")
    yield Case("cmp-scheduled", US, _USED, "runs by day, on weekdays")
    for name, region in (("web-1", US), ("search-2", US), ("warehouse-sync", US), ("staging-web", EU)):
        yield Case(name, region, _USED, "busy")


def _peaks() -> Iterator[Case]:
    over = Verdict.OVERUSED
    yield Case("cmp-hot", US, over, "CPU on ten days")
    yield Case("cmp-memory-hot", US, over, "memory every day")
    yield Case("cmp-credits", US, over, "CPU at its baseline: no credits left")
    yield Case("cmp-network-hot", US, over, "95 % of the network's baseline on ten days")
    yield Case("cmp-network", US, _OK, "half of the network's baseline")
    yield Case("cmp-spike", US, _OK, "CPU on two days")
    yield Case("cmp-cache", US, _OK, "memory below the limit")
    yield Case("cmp-no-data", US, Verdict.UNKNOWN, "no datapoint")
    yield Case("web-1", US, _OK, "busy, not at its limit")


def _stopped() -> Iterator[Case]:
    yield Case("loadtest-2024", US, Verdict.IDLE, "two volumes and an Elastic IP address", 4.0 + 30.0 + 3.65)
    yield Case("legacy-cms", EU, Verdict.IDLE, "two volumes", 40 * 0.088 + 400 * 0.11)
    yield Case("cmp-stopped-lately", US, Verdict.TOO_NEW, "stopped six days ago")
    yield Case("cmp-warm", US, _USED, "in a warm pool")
    yield Case("cmp-shut-down", US, Verdict.IDLE, "shut down by itself, without a date, long without CPU", 0.0)
    yield Case("cmp-shut-down-lately", US, Verdict.TOO_NEW, "without a date, but it ran ten days ago")
    yield Case("cmp-shut-down", EU, Verdict.TOO_NEW, "without a date, made nine days ago")


def _off_hours() -> Iterator[Case]:
    quiet = Verdict.COSTLY
    # Weekdays from 8 to 18 are 50 hours of 168, from 9 to 17 they are 40.
    yield Case("staging-web", EU, quiet, "busy from 8 to 18", _month("t3.large", EU, 118 / 168))
    yield Case("cmp-office", US, quiet, "busy from 9 to 17", _month("m5.large", US, 128 / 168))
    yield Case("cmp-busy-week", US, _OK, "busy at night in one week of four")
    yield Case("cmp-month-end", US, _OK, "busy on one day, which comes back on another day of the week")
    yield Case("cmp-scheduled", US, _OK, "stopped at night already")
    yield Case("bastion", US, _OK, "quiet at every hour: idle, which another check says")
    yield Case("cmp-no-data", US, Verdict.UNKNOWN, "no datapoint")
    yield Case("cmp-new", US, Verdict.TOO_NEW, "made five days ago")
    yield Case("cmp-spot", US, _OK, "quiet at every hour, at the market's price")


_MACHINES: Final = (
    # Name, region, type, the cheapest later type of the same architecture that costs less, the cheapest Arm type.
    *((name, US, "m5.large", "m6a.large", "m6g.large") for name in (
        "cmp-no-data", "cmp-new", "cmp-restarted", "cmp-month-end", "cmp-twin", "cmp-office", "cmp-busy-week",
        "cmp-scheduled",
    )),
    ("cmp-twin", EU, "m5.large", "m6a.large", "m6g.large"),
    ("web-1", US, "m6i.large", "", "m6g.large"),
    ("web-2", US, "m6i.large", "", "m6g.large"),
    ("eu-web-1", EU, "m6i.large", "", "m6g.large"),
    ("search-1", US, "r6i.xlarge", "", "r6g.xlarge"),
    ("search-2", US, "r6i.xlarge", "", "r6g.xlarge"),
    ("etl-worker", US, "m5.2xlarge", "m6a.2xlarge", "m6g.2xlarge"),
    ("cmp-keep-memory", US, "m5.4xlarge", "m6a.4xlarge", "m6g.4xlarge"),
    ("cmp-type-changed", US, "m5.xlarge", "m6a.xlarge", "m6g.xlarge"),
    ("cmp-cache", US, "r5.xlarge", "r6a.xlarge", "r6g.xlarge"),
    ("cmp-memory-hot", US, "r5.large", "r6a.large", "r6g.large"),
    ("cmp-hot", US, "c5.xlarge", "c6a.xlarge", "c6g.xlarge"),
    ("cmp-spike", US, "c5.xlarge", "c6a.xlarge", "c6g.xlarge"),
    ("cmp-m4", US, "m4.large", "m6a.large", "m6g.large"),
)  # fmt: skip
_CURRENT: Final = (
    ("api-1", US, "c6i.xlarge", "c6g.xlarge"),
    ("api-2", US, "c6i.xlarge", "c6g.xlarge"),
    ("warehouse-sync", US, "t3.medium", "t4g.medium"),
    ("bastion", US, "t3.micro", "t4g.micro"),
    ("staging-web", EU, "t3.large", "t4g.large"),
    ("cmp-unmeasured", US, "t3.large", "t4g.large"),
    ("cmp-credits", US, "t3.small", "t4g.small"),
)


def _generations() -> Iterator[Case]:
    for name, region, kind, later, _arm in _MACHINES:
        saved = _change(kind, later, region) if later else None
        yield Case(name, region, Verdict.OUTDATED, f"{kind} is of a previous generation", saved)
    yield Case("cmp-spot", US, Verdict.OUTDATED, "a previous generation, at the market's price")
    yield Case("loadtest-2024", US, Verdict.OUTDATED, "a previous generation, though stopped")
    yield Case("legacy-cms", EU, Verdict.OUTDATED, "a previous generation, though stopped")
    for name in ("cmp-stopped-lately", "cmp-warm"):
        yield Case(name, US, Verdict.OUTDATED, "a previous generation, though stopped")
    yield Case("cmp-exempt", US, Verdict.EXEMPT, "a previous generation, and tagged to be left alone")
    yield Case("cmp-t2", US, Verdict.COSTLY, "current, but t3a costs less", _change("t2.medium", "t3a.medium"))
    for name, region, kind, _arm in _CURRENT:
        yield Case(name, region, _OK, f"{kind} is current, and nothing later costs less")
    yield Case("cmp-windows", US, _OK, "current")
    yield Case("cmp-arm", US, _OK, "current")


def _graviton() -> Iterator[Case]:
    for name, region, kind, _later, arm in _MACHINES:
        yield Case(name, region, Verdict.COSTLY, f"{arm} costs less", _change(kind, arm, region))
    for name, region, kind, arm in _CURRENT:
        yield Case(name, region, Verdict.COSTLY, f"{arm} costs less", _change(kind, arm, region))
    yield Case("cmp-t2", US, Verdict.COSTLY, "t4g costs less", _change("t2.medium", "t4g.medium"))
    yield Case("cmp-exempt", US, Verdict.EXEMPT, "tagged to be left alone")
    yield Case("cmp-spot", US, _OK, "the market's price")
    yield Case("cmp-windows", US, _OK, "Windows has no build for Arm")
    yield Case("cmp-arm", US, _OK, "is one already")
    yield Case("cmp-gpu", US, _OK, "no Arm type with such a GPU is told")


def cases() -> dict[str, tuple[Case, ...]]:
    """By check."""
    return {
        "find_underutilized_ec2_instances": tuple(_use()),
        "find_overutilized_ec2_instances": tuple(_peaks()),
        "find_stopped_ec2_instances": tuple(_stopped()),
        "find_off_hours_ec2_instances": tuple(_off_hours()),
        "find_ec2_instances_with_old_generations": tuple(_generations()),
        "find_graviton_candidates": tuple(_graviton()),
    }
