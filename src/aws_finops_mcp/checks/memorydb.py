"""MemoryDB clusters without commands, or larger than their peaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import NO_REFERRERS, Check, Facts, Judgement, Part
from aws_finops_mcp.checks.peaks import PeaksParams, judge_peaks, measured, smaller_type
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict
from aws_finops_mcp.prices.databases import memorydb_node

CLUSTERS = read("memorydb", "DescribeClusters", "Clusters", {"ShowShardDetails": True, "MaxResults": 100})
TAGS = tags_read("memorydb:cluster")
COMMANDS = ("GetTypeCmds", "SetTypeCmds", "EvalBasedCmds", "PubSubBasedCmds")
CPU, MEMORY = "EngineCPUUtilization", "DatabaseMemoryUsagePercentage"


def nodes_of(cluster: Any) -> list[Any]:
    """The nodes of all shards."""
    return [node for shard in cluster.get("Shards", ()) for node in shard.get("Nodes", ())]


def _query(cluster: Any, node: Any, metric: str) -> MetricQuery:
    dimensions = (("ClusterName", cluster["Name"]), ("NodeName", node["Name"]))
    return MetricQuery("AWS/MemoryDB", metric, dimensions, "Sum" if metric in COMMANDS else "Maximum", DAY)


def read_usage(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Six series a node."""
    for cluster in facts.items(CLUSTERS):
        for node in nodes_of(cluster):
            yield from (_query(cluster, node, metric) for metric in (*COMMANDS, CPU, MEMORY))


def judge_usage(facts: Facts, params: PeaksParams) -> Iterator[Judgement]:
    """Idle without a command to any node; underused by the highest CPU and memory of all nodes."""
    return with_listed_tags(facts, TAGS, _judge_usage(facts, params))


def _judge_usage(facts: Facts, params: PeaksParams) -> Iterator[Judgement]:
    for cluster in facts.items(CLUSTERS):
        nodes, kind = nodes_of(cluster), cluster["NodeType"]
        peaks = measured(
            [facts.series[_query(cluster, node, metric)] for node in nodes for metric in COMMANDS],
            [facts.series[_query(cluster, node, CPU)] for node in nodes],
            [facts.series[_query(cluster, node, MEMORY)] for node in nodes],
        )
        age = max((facts.age_days(node["CreateTime"]) for node in nodes), default=0)
        target = None if "r6gd" in kind else smaller_type(kind)
        verdict, reason = judge_peaks(peaks, params, age, target, "command")
        engine, hours = cluster.get("Engine", "redis"), len(nodes) * HOURS_PER_MONTH
        own = Part(f"{len(nodes)} x {kind}", memorydb_node(kind, engine), hours)
        parts: list[Part] = []
        if verdict is Verdict.IDLE:
            parts = [own]
        elif verdict is Verdict.UNDERUSED and target:
            parts = [own, Part(f"{len(nodes)} x {target} in their place", memorydb_node(target, engine), -hours)]
        evidence: dict[str, Scalar] = {
            "engine": f"{engine} {cluster.get('EngineVersion', '')}".strip(),
            "node_type": kind,
            "nodes": len(nodes),
            "shards": len(cluster.get("Shards", ())),
            "commands_max": peaks.activity,
            "cpu_max_percent": peaks.cpu,
            "memory_max_percent": peaks.memory,
            "datapoints": f"{peaks.days}/{peaks.expected}",
            "age_days": age,
            "change_to": target if verdict is Verdict.UNDERUSED else None,
        }
        yield Judgement(
            resource_id=cluster["ARN"],
            name=cluster["Name"],
            verdict=verdict,
            reason=reason,
            evidence={key: value for key, value in evidence.items() if value is not None},
            parts=parts,
        )


UNDERUTILIZED_MEMORYDB_CLUSTERS = Check(
    name="find_underutilized_memorydb_clusters",
    title="MemoryDB clusters that are idle or too large",
    noun="MemoryDB clusters",
    category=Category.DATABASE,
    description=(
        "MemoryDB clusters without a command for `period` days, and those whose highest CPU and memory use one size "
        "down would hold, with what that saves. Costs $0.01 per 166 nodes to ask (GetMetricData)."
    ),
    resource_type="AWS::MemoryDB::Cluster",
    params=PeaksParams,
    inventory=(CLUSTERS, TAGS),
    metrics=read_usage,
    judge=judge_usage,
    referrers=NO_REFERRERS,
    evidence={
        "engine": "memorydb:DescribeClusters, Engine and EngineVersion",
        "node_type": "NodeType",
        "nodes": "nodes of all shards",
        "shards": "Shards",
        "commands_max": "AWS/MemoryDB Get-, SetTypeCmds, Eval-, PubSubBasedCmds, the busiest day of one node",
        "cpu_max_percent": "AWS/MemoryDB EngineCPUUtilization, highest of all nodes and days",
        "memory_max_percent": "AWS/MemoryDB DatabaseMemoryUsagePercentage, highest of all nodes and days",
        "datapoints": "daily datapoints seen / expected, of the series with the fewest",
        "age_days": "days since the first node was made",
        "change_to": "the same family, one size down",
    },
    verdicts={
        Verdict.IDLE: "no command to any node on any day of the window",
        Verdict.UNDERUSED: "highest CPU and memory of all nodes and days at or below the thresholds",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "metrics or tags not read, or days without datapoints",
    },
    remediation=(
        "Idle: make a last snapshot, then delete the cluster. Underused: scale it down online; where its data can be "
        "made anew, ElastiCache costs less than a durable database."
    ),
    references=(
        "https://docs.aws.amazon.com/memorydb/latest/devguide/metrics.memorydb.html",
        "https://aws.amazon.com/memorydb/pricing/",
    ),
    prices=("memorydb.*",),
    limits=(
        "Highest values of a day decide; network is not looked at. Reserved nodes, written data and snapshots are not "
        "counted."
    ),
)

CHECKS = (UNDERUTILIZED_MEMORYDB_CLUSTERS,)
