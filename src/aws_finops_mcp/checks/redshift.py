"""Redshift clusters that nobody connects to, or with more nodes than their peaks need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import NO_REFERRERS, Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.peaks import PeaksParams, judge_peaks, measured
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict
from aws_finops_mcp.prices.databases import redshift_node

CLUSTERS = read("redshift", "DescribeClusters", "Clusters", {"MaxRecords": 100}, token=("Marker", "Marker"))
FEWEST_TO_HALVE = 4
"""Nodes from which on half of them is still a cluster that fails over."""


def _query(cluster: Any, metric: str) -> MetricQuery:
    return MetricQuery("AWS/Redshift", metric, (("ClusterIdentifier", cluster["ClusterIdentifier"]),), "Maximum", DAY)


def read_usage(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Two series a cluster."""
    for cluster in facts.items(CLUSTERS):
        yield from (_query(cluster, metric) for metric in ("DatabaseConnections", "CPUUtilization"))


def judge_usage(facts: Facts, params: PeaksParams) -> Iterator[Judgement]:
    """Idle without a connection; underused where half of the nodes would not be busy either."""
    for cluster in facts.items(CLUSTERS):
        connections, cpu = (facts.series[_query(cluster, m)] for m in ("DatabaseConnections", "CPUUtilization"))
        peaks = measured([connections], [cpu], [])
        kind, nodes = cluster["NodeType"], cluster["NumberOfNodes"]
        age = facts.age_days(cluster["ClusterCreateTime"])
        # Only RA3's nodes come without storage: fewer of them hold the same data.
        fewer = nodes // 2 if kind.startswith("ra3.") and nodes >= FEWEST_TO_HALVE else None
        smaller = f"{fewer} nodes" if fewer else None
        paused = cluster["ClusterStatus"] == "paused"
        verdict, reason = (
            (Verdict.OK, "paused: only its storage is billed")
            if paused
            else judge_peaks(peaks, params, age, smaller, "connection")
        )
        hours, unit = nodes * HOURS_PER_MONTH, redshift_node(kind)
        parts: list[Part] = []
        if verdict is Verdict.IDLE:
            parts = [Part(f"{nodes} x {kind}", unit, hours)]
        elif verdict is Verdict.UNDERUSED and fewer:
            instead = Part(f"{fewer} x {kind} in their place", unit, -fewer * HOURS_PER_MONTH)
            parts = [Part(f"{nodes} x {kind}", unit, hours), instead]
        evidence: dict[str, Scalar] = {
            "nodes": f"{nodes} x {kind}",
            "status": cluster["ClusterStatus"],
            "connections_max": peaks.activity,
            "cpu_max_percent": peaks.cpu,
            "datapoints": f"{peaks.days}/{peaks.expected}",
            "age_days": age,
            "change_to": smaller if verdict is Verdict.UNDERUSED else None,
        }
        account = cluster["ClusterNamespaceArn"].split(":")
        yield Judgement(
            resource_id=":".join((*account[:5], f"cluster:{cluster['ClusterIdentifier']}")),
            name=cluster["ClusterIdentifier"],
            verdict=verdict,
            reason=reason,
            evidence={key: value for key, value in evidence.items() if value is not None},
            tags=tags_of(cluster),
            parts=parts,
            unpriced=["managed storage (its size is not read)"] if verdict is Verdict.IDLE and "ra3" in kind else [],
        )


UNDERUTILIZED_REDSHIFT_CLUSTERS = Check(
    name="find_underutilized_redshift_clusters",
    title="Redshift clusters that are idle or too large",
    noun="Redshift clusters",
    category=Category.DATABASE,
    description=(
        "Redshift clusters without a connection for `period` days, and RA3 clusters whose highest CPU half of the "
        "nodes would hold, with what that saves. Costs $0.01 per 500 clusters to ask (GetMetricData)."
    ),
    resource_type="AWS::Redshift::Cluster",
    params=PeaksParams,
    inventory=(CLUSTERS,),
    metrics=read_usage,
    judge=judge_usage,
    referrers=NO_REFERRERS,
    evidence={
        "nodes": "redshift:DescribeClusters, NumberOfNodes and NodeType",
        "status": "ClusterStatus",
        "connections_max": "AWS/Redshift DatabaseConnections, highest of the window",
        "cpu_max_percent": "AWS/Redshift CPUUtilization, highest of the window; absent: no data",
        "datapoints": "daily datapoints of CPU seen / expected",
        "age_days": "days since ClusterCreateTime",
        "change_to": "half of the nodes",
    },
    verdicts={
        Verdict.IDLE: "no connection on any day of the window",
        Verdict.UNDERUSED: "RA3 of four nodes or more, highest CPU of every day at or below cpu_percent",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "metrics not read, or days without datapoints",
    },
    remediation=(
        "Idle: take a last snapshot and delete it, or pause it: then storage alone is billed. Underused: elastic "
        "resize to fewer nodes takes minutes. Seldom used: Redshift Serverless bills by the second."
    ),
    references=(
        "https://docs.aws.amazon.com/redshift/latest/mgmt/metrics-listing.html",
        "https://aws.amazon.com/redshift/pricing/",
    ),
    prices=("redshift.*",),
    limits=(
        "CPU decides; storage of RA3 and Serverless workgroups are not counted. DC2 and DS2 are judged as idle or "
        "not: their nodes hold the data."
    ),
)

CHECKS = (UNDERUTILIZED_REDSHIFT_CLUSTERS,)
