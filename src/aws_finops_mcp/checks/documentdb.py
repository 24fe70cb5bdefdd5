"""DocumentDB instances that nobody connects to, or that are larger than their load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.peaks import Peaks, PeaksParams, judge_peaks, measured
from aws_finops_mcp.checks.rds_cost import smaller_class
from aws_finops_mcp.checks.rds_usage import tags_of_database
from aws_finops_mcp.checks.reads import DB_CLUSTERS, DB_INSTANCES
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict
from aws_finops_mcp.prices.databases import docdb_instance

METRICS = ("DatabaseConnections", "CPUUtilization")


def _instances(facts: Facts) -> list[Any]:
    """RDS's API lists them too."""
    return [each for each in facts.items(DB_INSTANCES) if each["Engine"] == "docdb"]


def _query(instance: Any, metric: str) -> MetricQuery:
    dimensions = (("DBInstanceIdentifier", instance["DBInstanceIdentifier"]),)
    return MetricQuery("AWS/DocDB", metric, dimensions, "Maximum", DAY)


def read_usage(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Two series an instance."""
    return (_query(instance, metric) for instance in _instances(facts) for metric in METRICS)


def _peaks(facts: Facts, instance: Any) -> Peaks:
    connections, cpu = (facts.series[_query(instance, metric)] for metric in METRICS)
    return measured([connections], [cpu], [])


def judge_usage(facts: Facts, params: PeaksParams) -> Iterator[Judgement]:
    """Idle without a connection, unless it writes for readers that have some."""
    clusters = facts.maybe(DB_CLUSTERS)
    writers = {
        member["DBInstanceIdentifier"]
        for cluster in clusters or ()
        for member in cluster.get("DBClusterMembers", ())
        if member.get("IsClusterWriter")
    }
    busy = {each.get("DBClusterIdentifier") for each in _instances(facts) if not _peaks(facts, each).idle}
    for instance in _instances(facts):
        peaks, klass = _peaks(facts, instance), instance["DBInstanceClass"]
        cluster, age = instance.get("DBClusterIdentifier"), facts.age_days(instance["InstanceCreateTime"])
        # Of burstable classes there is the medium only.
        target = None if ".t" in klass else smaller_class(klass)
        verdict, reason = judge_peaks(peaks, params, age, target, "connection")
        if verdict is Verdict.IDLE and clusters is None:
            verdict, reason = Verdict.UNKNOWN, f"{reason}, but what it is in cluster {cluster} could not be read"
        elif verdict is Verdict.IDLE and instance["DBInstanceIdentifier"] in writers and cluster in busy:
            verdict, reason = Verdict.IN_USE, f"{reason}, but it writes for the readers of cluster {cluster}"
        optimized = instance.get("StorageType") == "iopt1"
        own = Part(klass, docdb_instance(klass, io_optimized=optimized), HOURS_PER_MONTH)
        parts: list[Part] = []
        if verdict is Verdict.IDLE:
            parts = [own]
        elif verdict is Verdict.UNDERUSED and target:
            instead = docdb_instance(target, io_optimized=optimized)
            parts = [own, Part(f"{target} in its place", instead, -HOURS_PER_MONTH)]
        evidence: dict[str, Scalar] = {
            "class": klass,
            "cluster": cluster,
            "connections_max": peaks.activity,
            "cpu_max_percent": peaks.cpu,
            "datapoints": f"{peaks.days}/{peaks.expected}",
            "age_days": age,
            "change_to": target if verdict is Verdict.UNDERUSED else None,
        }
        yield Judgement(
            resource_id=instance["DBInstanceArn"],
            name=instance["DBInstanceIdentifier"],
            verdict=verdict,
            reason=reason,
            evidence={key: value for key, value in evidence.items() if value is not None},
            tags=tags_of_database(instance),
            parts=parts,
            unpriced=["storage of its cluster, if it is the last"] if verdict is Verdict.IDLE else [],
            referred_by=(f"cluster {cluster}",) if cluster and verdict.actionable else (),
        )


UNDERUTILIZED_DOCDB_INSTANCES = Check(
    name="find_underutilized_docdb_instances",
    title="DocumentDB instances that are idle or too large",
    noun="DocumentDB instances",
    category=Category.DATABASE,
    description=(
        "DocumentDB instances without a connection for `period` days, and those whose highest CPU one size down would "
        "hold, with what that saves. Costs $0.01 per 500 instances to ask (GetMetricData)."
    ),
    resource_type="AWS::DocDB::DBInstance",
    params=PeaksParams,
    inventory=(DB_INSTANCES, DB_CLUSTERS),
    metrics=read_usage,
    judge=judge_usage,
    evidence={
        "class": "rds:DescribeDBInstances, DBInstanceClass",
        "cluster": "DBClusterIdentifier",
        "connections_max": "AWS/DocDB DatabaseConnections, highest of the window",
        "cpu_max_percent": "AWS/DocDB CPUUtilization, highest of the window; absent: no data",
        "datapoints": "daily datapoints of CPU seen / expected",
        "age_days": "days since InstanceCreateTime",
        "change_to": "the same family, one size down",
    },
    verdicts={
        Verdict.IDLE: "no connection on any day of the window; of a writer, to no instance of its cluster",
        Verdict.UNDERUSED: "connections, but the highest CPU of every day is at or below cpu_percent",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "metrics not read, days without datapoints, or its cluster not read",
    },
    remediation=(
        "Idle: make a last snapshot, then delete; a cluster may be stopped for seven days. Underused: change the "
        "class, but look at BufferCacheHitRatio first: less memory means more reads from storage."
    ),
    references=(
        "https://docs.aws.amazon.com/documentdb/latest/developerguide/cloud_watch.html",
        "https://aws.amazon.com/documentdb/pricing/",
    ),
    prices=("docdb.*",),
    limits=(
        "CPU decides the smaller size; memory and cache hits are not looked at. Elastic clusters and the cluster's "
        "storage are not counted."
    ),
    referrers="DocumentDB clusters",
)

CHECKS = (UNDERUTILIZED_DOCDB_INSTANCES,)
