"""ElastiCache clusters that are idle, larger than their peaks, or at their limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, HOUR, MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.rds_cost import smaller_class
from aws_finops_mcp.checks.surcharges import cache_billed_now
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict
from aws_finops_mcp.prices.instances import elasticache_node

CACHE_CLUSTERS = read(
    "elasticache", "DescribeCacheClusters", "CacheClusters", {"MaxRecords": 100}, token=("Marker", "Marker")
)
TAGS = tags_read("elasticache:cluster")

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "memcached": ("CmdGet", "CmdSet"),
    "redis": ("GetTypeCmds", "SetTypeCmds", "EvalBasedCmds", "PubSubBasedCmds"),
    "valkey": ("GetTypeCmds", "SetTypeCmds", "EvalBasedCmds", "PubSubBasedCmds"),
}
"""What clients send, by engine. Connections say nothing: AWS itself keeps some to every node."""
DATA_TIERING = "r6gd"
"""Nodes that keep a part of the data on disk: their memory is full by design."""


class UnderutilizedElasticacheClustersParams(PeriodParams):
    """Arguments of `find_underutilized_elasticache_clusters`."""

    period: int = Field(30, ge=1, le=455, description="days to look back")
    cpu_percent: float = Field(20, gt=0, le=40, description="highest CPU at which half the size would do")
    memory_percent: float = Field(35, gt=0, le=45, description="highest use of memory at which half the size would do")


class OverutilizedElasticacheClustersParams(PeriodParams):
    """Arguments of `find_overutilized_elasticache_clusters`."""

    period: int = Field(30, ge=1, le=60, description="days to look back")
    cpu_percent: float = Field(80, gt=0, le=100, description="average CPU of an hour that counts as busy")
    busy_hours: int = Field(24, ge=1, description="busy hours in the period that make a cluster overused")
    memory_percent: float = Field(80, gt=0, le=100, description="use of memory that counts as full")
    full_days: int = Field(3, ge=1, description="days with full memory that make a cluster overused")


def _query(cluster: Any, metric: str, statistic: str, period: int = DAY) -> MetricQuery:
    dimensions = (("CacheClusterId", cluster["CacheClusterId"]),)
    return MetricQuery("AWS/ElastiCache", metric, dimensions, statistic, period)


def _cpu_metrics(cluster: Any) -> tuple[str, ...]:
    """Redis OSS and Valkey run commands on one core: with several, the engine's own use is what counts."""
    return ("CPUUtilization",) if cluster["Engine"] == "memcached" else ("CPUUtilization", "EngineCPUUtilization")


def _memory_queries(cluster: Any) -> tuple[MetricQuery, ...]:
    """Memcached has no percentage: what it uses and what is left."""
    if cluster["Engine"] == "memcached":
        return (_query(cluster, "BytesUsedForCacheItems", "Maximum"), _query(cluster, "UnusedMemory", "Minimum"))
    return (_query(cluster, "DatabaseMemoryUsagePercentage", "Maximum"),)


def memory_percent(cluster: Any, series: Sequence[MetricSeries]) -> Sequence[float]:
    """Use of memory each day, in per cent, whatever the engine measures it in."""
    if cluster["Engine"] != "memcached":
        return series[0].values
    used, left = series
    return tuple(100 * u / (u + f) if u + f else 0.0 for u, f in zip(used.values, left.values, strict=False))


def known_engine(cluster: Any) -> bool:
    """Whether its metrics are known here."""
    return cluster["Engine"] in COMMANDS


# --- Too large --------------------------------------------------------------------------------------------------


def read_usage(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Commands by the day, and the highest CPU and memory of each day."""
    for cluster in filter(known_engine, facts.items(CACHE_CLUSTERS)):
        yield from (_query(cluster, metric, "Sum") for metric in COMMANDS[cluster["Engine"]])
        yield from (_query(cluster, metric, "Maximum") for metric in _cpu_metrics(cluster))
        yield from _memory_queries(cluster)


@dataclass(frozen=True)
class _Usage:
    """What was measured of one cluster."""

    commands: float
    cpu: float | None
    memory: float | None
    days: int
    expected: int
    failed: bool


def _usage(facts: Facts, cluster: Any) -> _Usage:
    commands = [facts.series[_query(cluster, metric, "Sum")] for metric in COMMANDS[cluster["Engine"]]]
    cpu = [facts.series[_query(cluster, metric, "Maximum")] for metric in _cpu_metrics(cluster)]
    memory = [facts.series[query] for query in _memory_queries(cluster)]
    return _Usage(
        sum(sum(series.values) for series in commands),
        max((value for series in cpu for value in series.values), default=None),
        max(memory_percent(cluster, memory), default=None),
        min(series.seen for series in (cpu[0], *memory)),
        cpu[0].expected,
        any(series.failed for series in (*commands, *cpu, *memory)),
    )


def judge_usage(facts: Facts, params: UnderutilizedElasticacheClustersParams) -> Iterator[Judgement]:
    """Idle without a command; underused where half of it would hold the peaks of CPU and memory."""
    return with_listed_tags(facts, TAGS, _judge_usage(facts, params))


def _judge_usage(facts: Facts, params: UnderutilizedElasticacheClustersParams) -> Iterator[Judgement]:
    clusters = [each for each in facts.items(CACHE_CLUSTERS) if known_engine(each)]
    found = {each["CacheClusterId"]: _verdict(facts, params, each, _usage(facts, each)) for each in clusters}
    for cluster in clusters:
        verdict, reason = found[cluster["CacheClusterId"]]
        group = cluster.get("ReplicationGroupId", "")
        others = [each for each in clusters if group and each.get("ReplicationGroupId") == group]
        # All nodes of a group are of one type, and its primary is written to on behalf of all.
        kinds = {found[each["CacheClusterId"]][0] for each in others}
        if verdict.actionable and kinds - {verdict}:
            if kinds <= {Verdict.IDLE, Verdict.UNDERUSED}:
                verdict, reason = Verdict.UNDERUSED, f"a node of replication group {group}, all of which is underused"
            else:
                verdict, reason = Verdict.IN_USE, f"{reason}, but others of replication group {group} are in use"
        yield _judgement(facts, cluster, _usage(facts, cluster), verdict, reason, group)


def _verdict(
    facts: Facts, params: UnderutilizedElasticacheClustersParams, cluster: Any, usage: _Usage
) -> tuple[Verdict, str]:
    age = facts.age_days(cluster["CacheClusterCreateTime"])
    cpu, memory = usage.cpu or 0.0, usage.memory or 0.0
    if usage.commands and (cpu > params.cpu_percent or memory > params.memory_percent):
        return Verdict.IN_USE, f"CPU up to {cpu:.0f}%, memory up to {memory:.0f}%"
    if usage.failed:
        return Verdict.UNKNOWN, "its metrics could not be read"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    if usage.days < params.period:
        return Verdict.UNKNOWN, f"CloudWatch has {usage.days} of {params.period} days: too few to judge it by"
    if not usage.commands:
        return Verdict.IDLE, f"no command in {params.period} days"
    target = smaller_class(cluster["CacheNodeType"])
    if target is None or DATA_TIERING in cluster["CacheNodeType"]:
        return Verdict.IN_USE, "in use; there is no smaller node that would hold the same data"
    return Verdict.UNDERUSED, f"CPU never above {cpu:.0f}%, memory never above {memory:.0f}%; {target} would do"


def _judgement(facts: Facts, cluster: Any, usage: _Usage, verdict: Verdict, reason: str, group: str) -> Judgement:
    target = smaller_class(cluster["CacheNodeType"])
    parts: list[Part] = []
    if verdict is Verdict.IDLE:
        parts = [node_hours(cluster), *cache_billed_now(facts, cluster)]
    elif verdict is Verdict.UNDERUSED and target:
        parts = [node_hours(cluster), node_hours(cluster, target, -1)]
    evidence: dict[str, Scalar] = {
        "engine": f"{cluster['Engine']} {cluster['EngineVersion']}",
        "node_type": cluster["CacheNodeType"],
        "nodes": cluster["NumCacheNodes"],
        "commands": usage.commands,
        "cpu_max_percent": None if usage.cpu is None else round(usage.cpu, 1),
        "memory_max_percent": None if usage.memory is None else round(usage.memory, 1),
        "datapoints": f"{usage.days}/{usage.expected}",
        "age_days": facts.age_days(cluster["CacheClusterCreateTime"]),
        "replication_group": group or None,
        "change_to": target if verdict is Verdict.UNDERUSED else None,
    }
    return Judgement(
        resource_id=cluster["ARN"],
        name=cluster["CacheClusterId"],
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        parts=parts,
        referred_by=(f"replication group {group}",) if group and verdict.actionable else (),
    )


def node_hours(cluster: Any, node_type: str = "", sign: int = 1) -> Part:
    """A month of a cluster's nodes; below 0 what is billed instead."""
    wanted, nodes = node_type or cluster["CacheNodeType"], cluster["NumCacheNodes"]
    what = f"{nodes} x {wanted}" + ("" if sign > 0 else " in their place")
    return Part(what, elasticache_node(wanted, cluster["Engine"]), sign * nodes * HOURS_PER_MONTH)


UNDERUTILIZED_ELASTICACHE_CLUSTERS = Check(
    name="find_underutilized_elasticache_clusters",
    title="ElastiCache clusters that are idle or too large",
    noun="cache clusters",
    category=Category.CAPACITY,
    description=(
        "ElastiCache clusters without a command for `period` days, and those whose highest CPU and memory use one size "
        "down would hold, with what that saves. Costs $0.01 per 140 clusters to ask (GetMetricData)."
    ),
    resource_type="AWS::ElastiCache::CacheCluster",
    params=UnderutilizedElasticacheClustersParams,
    inventory=(CACHE_CLUSTERS, TAGS),
    metrics=read_usage,
    judge=judge_usage,
    evidence={
        "engine": "elasticache:DescribeCacheClusters, Engine and EngineVersion",
        "node_type": "CacheNodeType",
        "nodes": "NumCacheNodes",
        "commands": "AWS/ElastiCache Get-, SetTypeCmds, Eval-, PubSubBasedCmds (Memcached: CmdGet, CmdSet), sum",
        "cpu_max_percent": "AWS/ElastiCache CPUUtilization and EngineCPUUtilization, the highest of both",
        "memory_max_percent": "DatabaseMemoryUsagePercentage (Memcached: BytesUsedForCacheItems of UnusedMemory too)",
        "datapoints": "daily datapoints seen / expected, of the metric with the fewest",
        "age_days": "days since CacheClusterCreateTime",
        "replication_group": "ReplicationGroupId: its nodes are changed together",
        "change_to": "the same family, one size down",
    },
    verdicts={
        Verdict.IDLE: "no command on any day, to no node of its replication group",
        Verdict.UNDERUSED: "highest CPU and memory of all days at or below the thresholds, in all of its group",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "metrics or tags not read, or days without datapoints",
    },
    remediation=(
        "Idle: take a last snapshot, then delete the cluster or its group. Underused: scale the group down online; "
        "look at network bandwidth and connections too, which fall with the size."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html",
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html",
        "https://aws.amazon.com/elasticache/pricing/",
    ),
    prices=("elasticache.*",),
    limits=(
        "Highest values of a day decide; network and connections are not looked at. Serverless caches, data tiering "
        "and reserved nodes are not counted."
    ),
    referrers="replication groups",
)

# --- At its limit -----------------------------------------------------------------------------------------------


def read_load(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """CPU by the hour, memory and evictions by the day."""
    for cluster in filter(known_engine, facts.items(CACHE_CLUSTERS)):
        yield _query(cluster, _cpu_metrics(cluster)[-1], "Average", HOUR)
        yield from _memory_queries(cluster)
        yield _query(cluster, "Evictions", "Sum")


def judge_load(facts: Facts, params: OverutilizedElasticacheClustersParams) -> Iterator[Judgement]:
    """Overused by hours of CPU, or by days of full memory."""
    return with_listed_tags(facts, TAGS, _judge_load(facts, params))


def _judge_load(facts: Facts, params: OverutilizedElasticacheClustersParams) -> Iterator[Judgement]:
    for cluster in filter(known_engine, facts.items(CACHE_CLUSTERS)):
        cpu = facts.series[_query(cluster, _cpu_metrics(cluster)[-1], "Average", HOUR)]
        measured = [facts.series[query] for query in _memory_queries(cluster)]
        evicted = facts.series[_query(cluster, "Evictions", "Sum")]
        memory = memory_percent(cluster, measured)
        busy = sum(value >= params.cpu_percent for value in cpu.values)
        full = sum(value >= params.memory_percent for value in memory)
        age = facts.age_days(cluster["CacheClusterCreateTime"])
        reasons = []
        if busy >= params.busy_hours:
            reasons.append(f"CPU averaged {params.cpu_percent:g}% or more in {busy} of {cpu.seen} hours")
        if full >= params.full_days and DATA_TIERING not in cluster["CacheNodeType"]:
            reasons.append(f"memory {params.memory_percent:g}% full or more on {full} days")
        if reasons:
            verdict = Verdict.OVERUSED
        elif cpu.failed or evicted.failed or any(series.failed for series in measured):
            verdict, reasons = Verdict.UNKNOWN, ["its metrics could not be read"]
        elif age < params.period:
            verdict, reasons = Verdict.TOO_NEW, [f"made {age} days ago; not at its limit so far"]
        elif cpu.seen < cpu.expected // 2:
            verdict, reasons = Verdict.UNKNOWN, [f"CloudWatch has {cpu.seen} of {cpu.expected} hours"]
        else:
            verdict, reasons = Verdict.OK, [f"busy in {busy} of {cpu.seen} hours"]
        evidence: dict[str, Scalar] = {
            "engine": f"{cluster['Engine']} {cluster['EngineVersion']}",
            "node_type": cluster["CacheNodeType"],
            "nodes": cluster["NumCacheNodes"],
            "busy_hours": busy,
            "full_days": full,
            "memory_max_percent": round(max(memory), 1) if memory else None,
            "evictions": sum(evicted.values),
            "datapoints": cpu.coverage,
        }
        yield Judgement(
            resource_id=cluster["ARN"],
            name=cluster["CacheClusterId"],
            verdict=verdict,
            reason="; ".join(reasons),
            evidence={key: value for key, value in evidence.items() if value is not None},
        )


OVERUTILIZED_ELASTICACHE_CLUSTERS = Check(
    name="find_overutilized_elasticache_clusters",
    title="ElastiCache clusters at their limit",
    noun="cache clusters",
    category=Category.CAPACITY,
    description=(
        "ElastiCache clusters whose CPU is high for many hours or whose memory is nearly full for days, with what they "
        "evict. Costs $0.01 per 250 clusters to ask (GetMetricData)."
    ),
    resource_type="AWS::ElastiCache::CacheCluster",
    params=OverutilizedElasticacheClustersParams,
    inventory=(CACHE_CLUSTERS, TAGS),
    metrics=read_load,
    judge=judge_load,
    saves=False,
    evidence={
        "engine": "elasticache:DescribeCacheClusters, Engine and EngineVersion",
        "node_type": "CacheNodeType",
        "nodes": "NumCacheNodes",
        "busy_hours": "hours whose average EngineCPUUtilization (Memcached: CPUUtilization) reached cpu_percent",
        "full_days": "days on which memory was at or above memory_percent",
        "memory_max_percent": "DatabaseMemoryUsagePercentage (Memcached: BytesUsedForCacheItems of UnusedMemory too)",
        "evictions": "AWS/ElastiCache Evictions, sum of the window: keys that were dropped for want of memory",
        "datapoints": "hourly datapoints seen / expected, of CPU",
    },
    verdicts={
        Verdict.OVERUSED: "busy_hours or more above cpu_percent, or full_days or more above memory_percent",
        Verdict.TOO_NEW: "younger than the window, and not at its limit so far",
        Verdict.UNKNOWN: "metrics or tags not read, or half of the hours missing",
    },
    remediation=(
        "Memory: a larger node, more shards, shorter expiry. A cache that evicts what nobody asks for is as it should "
        "be: compare the hit rate. CPU: read replicas for reads, shards for writes."
    ),
    references=("https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html",),
    limits="Network bandwidth is not looked at; serverless caches have no nodes to judge.",
)

CHECKS = (UNDERUTILIZED_ELASTICACHE_CLUSTERS, OVERUTILIZED_ELASTICACHE_CLUSTERS)
