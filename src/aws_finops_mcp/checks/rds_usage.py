"""Database instances of RDS and Aurora that nobody connects to, or that are larger than their load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.rds_cost import (
    OTHER_SERVICES,
    SERVERLESS,
    instance_hours,
    is_aurora,
    smaller_class,
    storage_parts,
    vcpus,
)
from aws_finops_mcp.checks.reads import DB_CLUSTERS, DB_INSTANCES
from aws_finops_mcp.checks.surcharges import MAJORS, rds_billed_now, rds_supports
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

GIB = 2**30
STOPPED = frozenset({"stopped", "stopping"})


class UnderutilizedRdsInstancesParams(PeriodParams):
    """Arguments of `find_underutilized_rds_instances`."""

    period: int = Field(30, ge=1, le=455, description="days to look back")
    cpu_percent: float = Field(
        20, gt=0, le=40, description="underused where the highest CPU of the period stays at or below this"
    )


def databases(facts: Facts) -> list[Any]:
    """The instances that RDS itself runs."""
    return [each for each in facts.items(DB_INSTANCES) if each["Engine"] not in OTHER_SERVICES]


def query(database: Any, metric: str, statistic: str, period: int = DAY) -> MetricQuery:
    """A metric of one instance."""
    dimensions = (("DBInstanceIdentifier", database["DBInstanceIdentifier"]),)
    return MetricQuery("AWS/RDS", metric, dimensions, statistic, period)


def _volume(cluster: str) -> MetricQuery:
    return MetricQuery("AWS/RDS", "VolumeBytesUsed", (("DBClusterIdentifier", cluster),), "Average", DAY)


def tags_of_database(database: Any) -> dict[str, str]:
    """RDS calls the list of tags otherwise than most services."""
    return {tag["Key"]: tag.get("Value", "") for tag in database.get("TagList", ())}


def read_usage(facts: Facts, _params: UnderutilizedRdsInstancesParams) -> Iterator[MetricQuery]:
    """Three series an instance, and one an Aurora cluster."""
    for database in databases(facts):
        yield from _queries(database)
        if is_aurora(database) and database.get("DBClusterIdentifier"):
            yield _volume(database["DBClusterIdentifier"])


def _queries(database: Any) -> tuple[MetricQuery, MetricQuery, MetricQuery]:
    return (
        query(database, "DatabaseConnections", "Maximum"),
        query(database, "CPUUtilization", "Maximum"),
        query(database, "FreeableMemory", "Minimum"),
    )


@dataclass(frozen=True)
class _Usage:
    """What was measured of one instance."""

    connections: MetricSeries
    cpu: MetricSeries
    free_memory: MetricSeries

    @property
    def days(self) -> int:
        return min(self.connections.seen, self.cpu.seen)

    @property
    def failed(self) -> bool:
        return bool(self.connections.failed or self.cpu.failed)

    @property
    def unconnected(self) -> bool:
        return not any(value > 0 for value in self.connections.values)


def judge_usage(facts: Facts, params: UnderutilizedRdsInstancesParams) -> Iterator[Judgement]:
    """Idle without a connection; underused where half of it would still not be busy at the highest load."""
    clusters = facts.maybe(DB_CLUSTERS)
    by_name = None if clusters is None else {cluster["DBClusterIdentifier"]: cluster for cluster in clusters}
    usage = {
        each["DBInstanceIdentifier"]: _Usage(*(facts.series[wanted] for wanted in _queries(each)))
        for each in databases(facts)
    }
    busy_clusters = {
        each.get("DBClusterIdentifier")
        for each in databases(facts)
        if not usage[each["DBInstanceIdentifier"]].unconnected
    }
    for database in databases(facts):
        cluster = database.get("DBClusterIdentifier", "")
        role = _Role(cluster, None if by_name is None else by_name.get(cluster), cluster in busy_clusters)
        yield _judge(facts, params, database, usage[database["DBInstanceIdentifier"]], role)


@dataclass(frozen=True)
class _Role:
    """What an instance is in its cluster, if in one; `cluster` None when that was not read."""

    name: str
    cluster: Any | None
    busy: bool

    def member(self, database: Any) -> Any:
        members = (self.cluster or {}).get("DBClusterMembers", ())
        own = [each for each in members if each["DBInstanceIdentifier"] == database["DBInstanceIdentifier"]]
        return own[0] if own else {}

    def writes(self, database: Any) -> bool:
        return bool(self.member(database).get("IsClusterWriter"))


def _judge(
    facts: Facts, params: UnderutilizedRdsInstancesParams, database: Any, usage: _Usage, role: _Role
) -> Judgement:
    verdict, reason = _verdict(facts, params, database, usage, role)
    parts: list[Part] = []
    unpriced: list[str] = []
    target = smaller_class(database["DBInstanceClass"])
    if verdict is Verdict.IDLE:
        parts, unpriced = _idle_cost(facts, database, role)
    elif verdict is Verdict.UNDERUSED and target:
        parts = [instance_hours(database), instance_hours(database, target, -HOURS_PER_MONTH)]
    evidence: dict[str, Scalar] = {
        "class": database["DBInstanceClass"],
        "engine": database["Engine"],
        "vcpus": vcpus(database["DBInstanceClass"]),
        "status": database["DBInstanceStatus"],
        "connections_max": max(usage.connections.values, default=None),
        "cpu_max_percent": _rounded(max(usage.cpu.values, default=None)),
        "free_memory_min_gib": _rounded(min((value / GIB for value in usage.free_memory.values), default=None)),
        "datapoints": f"{usage.days}/{usage.cpu.expected}",
        "multi_az": bool(database.get("MultiAZ")),
        "age_days": facts.age_days(database["InstanceCreateTime"]),
        "change_to": target if verdict is Verdict.UNDERUSED else None,
    }
    return Judgement(
        resource_id=database["DBInstanceArn"],
        name=database["DBInstanceIdentifier"],
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=tags_of_database(database),
        parts=parts,
        unpriced=unpriced,
        referred_by=_referred_by(database, role) if verdict.actionable else (),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _verdict(
    facts: Facts, params: UnderutilizedRdsInstancesParams, database: Any, usage: _Usage, role: _Role
) -> tuple[Verdict, str]:
    age = facts.age_days(database["InstanceCreateTime"])
    stopped = database["DBInstanceStatus"] in STOPPED
    peak = max(usage.cpu.values, default=0.0)
    if not usage.unconnected and peak > params.cpu_percent:
        return Verdict.IN_USE, f"connections, and CPU up to {peak:.0f}%"
    if usage.failed:
        return Verdict.UNKNOWN, "its metrics could not be read"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    if stopped and usage.unconnected:
        return Verdict.IDLE, "stopped, and no connection on the days it ran; AWS starts it again after seven days"
    if usage.days < params.period:
        seen = f"CloudWatch has {usage.days} of {params.period} days"
        return Verdict.UNKNOWN, f"{seen}: too few to judge it by"
    if usage.unconnected:
        return _unconnected(database, role, params.period)
    target = smaller_class(database["DBInstanceClass"])
    if target is None:
        return Verdict.IN_USE, "in use; its class has no smaller size, or scales by itself"
    return Verdict.UNDERUSED, f"CPU never above {peak:.0f}% in {params.period} days; {target} would do"


def _unconnected(database: Any, role: _Role, days: int) -> tuple[Verdict, str]:
    reason = f"no connection in {days} days"
    if role.name and role.cluster is None:
        return Verdict.UNKNOWN, f"{reason}, but what it is in cluster {role.name} could not be read"
    if role.writes(database) and role.busy:
        return Verdict.IN_USE, f"{reason}, but it writes for the readers of cluster {role.name}"
    scaling = (role.cluster or {}).get("ServerlessV2ScalingConfiguration", {})
    if database["DBInstanceClass"] == SERVERLESS and scaling.get("MinCapacity") == 0:
        return Verdict.OK, f"{reason}, but it pauses by itself and costs nothing while it does"
    return Verdict.IDLE, reason


def _idle_cost(facts: Facts, database: Any, role: _Role) -> tuple[list[Part], list[str]]:
    """What is no longer billed without the instance, and with a cluster's last also its volume."""
    parts: list[Part] = []
    unpriced: list[str] = []
    optimized = ".io_optimized" if database.get("StorageType") == "aurora-iopt1" else ""
    if database["DBInstanceClass"] == SERVERLESS:
        capacity = (role.cluster or {}).get("ServerlessV2ScalingConfiguration", {}).get("MinCapacity")
        if capacity is None:
            unpriced.append("Aurora capacity (its minimum is not known)")
        else:
            unit = f"aurora.serverless_v2{optimized}"
            parts.append(Part(f"at least {capacity} ACU", unit, capacity * HOURS_PER_MONTH))
    elif database["DBInstanceStatus"] not in STOPPED:
        parts.append(instance_hours(database))
    if database["DBInstanceStatus"] not in STOPPED:
        surcharge, unknown = rds_billed_now(facts, database, role.cluster, rds_supports(facts))
        parts += surcharge
        unpriced += unknown
    parts += storage_parts(database)
    if is_aurora(database) and role.writes(database):
        # The writer stands for the cluster: nobody connects to any of its instances.
        volume = facts.series[_volume(role.name)]
        if volume.values:
            what, size = f"storage of cluster {role.name}", volume.values[-1] / GIB
            own = (role.cluster or {}).get("DBClusterArn", "")
            parts.append(Part(what, f"aurora.storage{optimized}", round(size, 3), own))
        else:
            unpriced.append(f"storage of cluster {role.name} (its size is not known)")
    return parts, unpriced


def _referred_by(database: Any, role: _Role) -> tuple[str, ...]:
    found = [f"read replica {name}" for name in database.get("ReadReplicaDBInstanceIdentifiers", ())]
    if database.get("ReadReplicaSourceDBInstanceIdentifier"):
        found.append(f"replicates {database['ReadReplicaSourceDBInstanceIdentifier']}")
    if role.name:
        tier = role.member(database).get("PromotionTier")
        as_what = "writer" if role.writes(database) else f"reader, failover tier {tier}"
        found.append(f"Aurora cluster {role.name}, as {as_what}")
    return tuple(found)


UNDERUTILIZED_RDS_INSTANCES = Check(
    name="find_underutilized_rds_instances",
    title="RDS and Aurora instances that are idle or too large",
    noun="database instances",
    category=Category.CAPACITY,
    description=(
        "RDS and Aurora instances without a connection for `period` days, and those whose highest CPU stays so low "
        "that one size down would do, with what that saves. Costs $0.01 per 333 instances to ask (GetMetricData)."
    ),
    resource_type="AWS::RDS::DBInstance",
    params=UnderutilizedRdsInstancesParams,
    inventory=(DB_INSTANCES, DB_CLUSTERS, MAJORS),
    metrics=read_usage,
    judge=judge_usage,
    evidence={
        "class": "rds:DescribeDBInstances, DBInstanceClass",
        "engine": "Engine",
        "vcpus": "by the class's name",
        "status": "DBInstanceStatus",
        "connections_max": "AWS/RDS DatabaseConnections, highest of the window; absent: no data",
        "cpu_max_percent": "AWS/RDS CPUUtilization, highest of the window, not an average; absent: no data",
        "free_memory_min_gib": "AWS/RDS FreeableMemory, lowest; not judged: engines fill what there is with cache",
        "datapoints": "daily datapoints seen / expected, of the metric with the fewest",
        "multi_az": "MultiAZ; its standby is in the price",
        "age_days": "days since InstanceCreateTime",
        "change_to": "the same family, one size down",
    },
    verdicts={
        Verdict.IDLE: "no connection on any day of the window; of an Aurora writer, to no instance of its cluster",
        Verdict.UNDERUSED: "connections, but the highest CPU of every day is at or below cpu_percent",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "metrics not read, or days without datapoints, of an instance that is not stopped",
    },
    remediation=(
        "Idle: make a last snapshot, then delete; stopping helps for seven days only. Underused: before changing the "
        "class compare memory: a working set that no longer fits the cache shows as read IOPS. A change of class "
        "restarts the instance, with Multi-AZ it fails over."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_StopInstance.html",
        "https://aws.amazon.com/rds/pricing/",
    ),
    prices=("rds.*", "aurora.*"),
    limits=(
        "CPU and connections decide; memory and IOPS are not looked at. Aurora Serverless v2 is judged as idle or "
        "not, by its least capacity. On-demand list prices."
    ),
    referrers="read replicas and what is replicated, Aurora clusters",
)

CHECKS = (UNDERUTILIZED_RDS_INSTANCES,)
