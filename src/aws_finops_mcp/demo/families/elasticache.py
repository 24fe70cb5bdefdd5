"""Cache clusters of the fictional company, and the truth about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import HOURS, Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.support_dates import clock_case, surcharge_of, surcharges
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.databases import elasticache_extended_support
from aws_finops_mcp.prices.instances import elasticache_node

GIB: Final = 2**30
_MONTH: Final = 730
Gauge = float | Callable[[int], float | None]


@dataclass(frozen=True)
class Cache:
    """One cluster; of a replication group, one node. ``commands`` None: nothing was ever measured of it."""

    name: str
    node: str
    engine: str = "valkey"
    version: str = "8.0.1"
    region: str = US
    nodes: int = 1
    group: str = ""
    commands: float | None = 90_000
    cpu: Gauge = 35.0
    memory: float = 55.0
    evictions: float = 0.0
    days: int = 400
    tags: Mapping[str, str] = field(default_factory=lambda: {"Team": "checkout"})

    @property
    def arn(self) -> str:
        return f"arn:aws:elasticache:{self.region}:{ACCOUNT_ID}:cluster:{self.name}"

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeCacheClusters has it."""
        row: dict[str, Any] = {
            "CacheClusterId": self.name,
            "ARN": self.arn,
            "CacheNodeType": self.node,
            "Engine": self.engine,
            "EngineVersion": self.version,
            "CacheClusterStatus": "available",
            "NumCacheNodes": self.nodes,
            "CacheClusterCreateTime": now - timedelta(days=self.days, hours=4),
            "AtRestEncryptionEnabled": True,
        }
        if self.group:
            row["ReplicationGroupId"] = self.group
        return row

    def metrics(self) -> Iterator[Metric]:
        """What CloudWatch has of it; AWS itself is always connected."""
        if self.commands is None:
            return
        own = {"CacheClusterId": self.name}
        hours = min(HOURS, self.days * 24)
        counters = {"CurrConnections": 240.0, "Evictions": self.evictions}
        gauges: dict[str, tuple[Gauge, str]] = {"CPUUtilization": (self.cpu, "Percent")}
        if self.engine == "memcached":
            counters |= {"CmdGet": self.commands, "CmdSet": self.commands / 9}
            gauges["BytesUsedForCacheItems"] = (6 * GIB * self.memory / 100, "Bytes")
            gauges["UnusedMemory"] = (6 * GIB * (100 - self.memory) / 100, "Bytes")
        else:
            counters |= {"GetTypeCmds": self.commands, "SetTypeCmds": self.commands / 9}
            gauges["EngineCPUUtilization"] = (self.cpu, "Percent")
            gauges["DatabaseMemoryUsagePercentage"] = (self.memory, "Percent")
        for name, value in counters.items():
            yield Metric(self.region, "AWS/ElastiCache", name, own, value, samples=None, hours=hours)
        for name, (gauge, unit) in gauges.items():
            yield Metric(self.region, "AWS/ElastiCache", name, own, _hourly(gauge), unit, hours=hours)


def _hourly(gauge: Gauge) -> Gauge:
    if not callable(gauge):
        return gauge * 60
    measured = gauge

    def each(ago: int) -> float | None:
        value = measured(ago)
        return None if value is None else value * 60

    return each


def _evenings(ago: int) -> float | None:
    return 92.0 if ago % 24 < 5 else 15.0


def _weekly(ago: int) -> float | None:
    return 88.0 if ago % 168 == 80 else 6.0


FLEET: Final = tuple(Cache(f"nw-tenant-{number:03}", "cache.t4g.micro") for number in range(1, 98))
"""Nothing is wrong with these: they fill the first page."""

CACHES: Final = (
    *FLEET,
    Cache("nw-old-carts", "cache.m6g.large", commands=0.0, cpu=1.0, memory=70.0),
    Cache("nw-old-queue", "cache.m5.large", "redis", "5.0.6", commands=0.0, cpu=1.0, memory=2.0),
    Cache("nw-sessions-001", "cache.r6g.xlarge", "redis", "7.1.0", group="nw-sessions", cpu=8.0, memory=12.0),
    Cache("nw-sessions-002", "cache.r6g.xlarge", "redis", "7.1.0", group="nw-sessions", cpu=4.0, memory=12.0),
    Cache("nw-feed-001", "cache.r6g.xlarge", group="nw-feed", cpu=48.0, memory=14.0),
    Cache("nw-feed-002", "cache.r6g.xlarge", group="nw-feed", commands=0.0, cpu=2.0, memory=14.0),
    Cache("nw-full", "cache.r6g.xlarge", cpu=5.0, memory=91.0, evictions=4000.0),
    Cache("nw-hot", "cache.m6g.large", cpu=_evenings, memory=30.0),
    Cache("nw-weekly", "cache.m6g.xlarge", cpu=_weekly, memory=20.0),
    Cache("nw-pages", "cache.m6g.xlarge", "memcached", "1.6.22", nodes=3, cpu=6.0, memory=0.5),
    Cache("nw-tiny", "cache.t4g.micro", cpu=2.0, memory=3.0),
    Cache("nw-young", "cache.m6g.xlarge", cpu=2.0, memory=3.0, days=9),
    Cache("nw-unmeasured", "cache.m6g.xlarge", commands=None),
    Cache("nw-kept", "cache.m6g.large", commands=0.0, cpu=1.0, tags={"finops:exempt": "yes"}),
    Cache("nw-legacy", "cache.m5.large", "redis", "5.0.6", nodes=1),
    Cache("nw-six", "cache.m6g.large", "redis", "6.2.6"),
    Cache("nw-three", "cache.t3.micro", "redis", "3.2.10"),
    # The name that nobody uses in us-east-1 is in use here.
    Cache("nw-old-carts", "cache.m6g.large", region=EU),
    Cache("nw-legacy", "cache.m5.large", "redis", "5.0.6", EU, nodes=1),
)


def family(now: datetime) -> Family:
    """Cache clusters, for the checks of ElastiCache."""
    rows = {region: [each.row(now) for each in CACHES if each.region == region] for region in (US, EU)}
    return Family(
        rows=(
            Rows("elasticache", "DescribeCacheClusters", "CacheClusters", rows, beside_moto=False),
            tag_rows((each.region, each.arn, each.tags) for each in CACHES),
        ),
        metrics=[metric for each in CACHES for metric in each.metrics()],
        charges=list(_charges(now)),
        cases={
            **_CASES,
            "find_underutilized_elasticache_clusters": (*_USAGE, _idle_and_old(now)),
            "find_outdated_elasticache_engine_versions": _versions(now),
        },
    )


def _charges(now: datetime) -> Iterator[Charge]:
    for one in CACHES:
        hours = one.nodes * _MONTH
        yield Charge(one.region, one.arn, elasticache_node(one.node, one.engine), hours, one.days, one.tags)
        # Redis OSS 3 has none.
        ends = {"5": ("2026-01-31", "2029-01-31"), "6": ("2027-01-31", "2030-01-31")}.get(one.version[0])
        if one.engine == "redis" and ends:
            usual, dearer = (elasticache_extended_support(one.node, third_year=late) for late in (False, True))
            yield from surcharges(now, one.region, one.arn, (usual, hours), (dearer, hours), ends, tags=one.tags)


_USAGE: Final = (
    Case("nw-old-carts", US, Verdict.IDLE, "full of what nobody asks for", 0.149 * 0.8 * _MONTH),
    Case("nw-sessions-001", US, Verdict.UNDERUSED, "a group of two, both too large", (0.411 - 0.206) * _MONTH),
    Case("nw-sessions-002", US, Verdict.UNDERUSED, "its replica", (0.411 - 0.206) * _MONTH),
    Case("nw-pages", US, Verdict.UNDERUSED, "three nodes of Memcached", 3 * (0.297 - 0.149) * _MONTH),
    Case("nw-feed-002", US, Verdict.IN_USE, "a replica without a command, of a group in use"),
    Case("nw-full", US, Verdict.IN_USE, "hardly any CPU, but its memory is needed"),
    Case("nw-weekly", US, Verdict.IN_USE, "busy for an hour a week: the peak counts"),
    Case("nw-tiny", US, Verdict.IN_USE, "hardly used, but there is no smaller node"),
    Case("nw-young", US, Verdict.TOO_NEW, "nine days old"),
    Case("nw-unmeasured", US, Verdict.UNKNOWN, "nothing was measured"),
    Case("nw-kept", US, Verdict.EXEMPT, "idle, and tagged so"),
    Case("nw-old-carts", EU, Verdict.IN_USE, "the same name is in use here"),
    Case(FLEET[0].name, US, Verdict.IN_USE, "on the first page"),
)

_CASES: Final = {
    "find_elasticache_valkey_savings": (
        Case("nw-sessions-001", US, Verdict.COSTLY, "Redis OSS 7.1", 0.2 * 0.411 * _MONTH),
        Case("nw-sessions-002", US, Verdict.COSTLY, "its replica", 0.2 * 0.411 * _MONTH),
        Case("nw-old-queue", US, Verdict.COSTLY, "Redis OSS 5.0.6, though idle too", 0.2 * 0.156 * _MONTH),
        Case("nw-legacy", US, Verdict.COSTLY, "Redis OSS 5.0.6", 0.2 * 0.156 * _MONTH),
        Case("nw-six", US, Verdict.COSTLY, "Redis OSS 6.2", 0.2 * 0.149 * _MONTH),
        Case("nw-legacy", EU, Verdict.COSTLY, "Redis OSS 5.0.6 in Ireland", 0.2 * 0.156 * 1.1 * _MONTH),
        Case("nw-three", US, Verdict.OK, "Redis OSS 3 can't be upgraded in place"),
        Case("nw-pages", US, Verdict.OK, "Memcached"),
        Case("nw-hot", US, Verdict.OK, "Valkey already"),
    ),
    "find_overutilized_elasticache_clusters": (
        Case("nw-full", US, Verdict.OVERUSED, "memory full every day"),
        Case("nw-hot", US, Verdict.OVERUSED, "five hours every day above 80% of CPU"),
        Case("nw-weekly", US, Verdict.OK, "an hour a week"),
        Case("nw-young", US, Verdict.TOO_NEW, "nine days old, and not busy"),
        Case("nw-unmeasured", US, Verdict.UNKNOWN, "nothing was measured"),
    ),
}


_FIVE: Final = (0.1248 * _MONTH, 0.2496 * _MONTH)


def _idle_and_old(now: datetime) -> Case:
    usd = 0.156 * _MONTH + surcharge_of(now, "2026-01-31", "2029-01-31", _FIVE)
    return Case("nw-old-queue", US, Verdict.IDLE, "idle, and out of standard support: both are saved", usd)


def _versions(now: datetime) -> tuple[Case, ...]:
    """By AWS's published dates."""
    near = (0.1192 * _MONTH, 0.2384 * _MONTH)
    abroad = (_FIVE[0] * 1.1, _FIVE[1] * 1.1)
    return (
        clock_case("nw-legacy", US, "Redis OSS 5", now, "2026-01-31", "2029-01-31", _FIVE),
        clock_case("nw-old-queue", US, "Redis OSS 5, idle too", now, "2026-01-31", "2029-01-31", _FIVE),
        clock_case("nw-legacy", EU, "Redis OSS 5, dearer in Ireland", now, "2026-01-31", "2029-01-31", abroad),
        clock_case("nw-six", US, "Redis OSS 6 from 2027 on", now, "2027-01-31", "2030-01-31", near),
        clock_case("nw-three", US, "Redis OSS 3 has no extended support", now, "2023-07-31"),
        Case("nw-sessions-001", US, Verdict.OK, "no end of Redis OSS 7 is announced"),
        Case("nw-pages", US, Verdict.OK, "Memcached has no extended support"),
    )
