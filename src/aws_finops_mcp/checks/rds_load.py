"""Database instances of RDS and Aurora that are at their limit: CPU, storage, database load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, HOUR, MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.rds_cost import is_aurora, vcpus
from aws_finops_mcp.checks.rds_usage import GIB, STOPPED, databases, query, tags_of_database
from aws_finops_mcp.checks.reads import DB_INSTANCES
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

# --- CPU and storage --------------------------------------------------------------------------------------------


class OverutilizedRdsInstancesParams(PeriodParams):
    """Arguments of `find_overutilized_rds_instances`."""

    period: int = Field(30, ge=1, le=60, description="days to look back")
    cpu_percent: float = Field(80, gt=0, le=100, description="average CPU of an hour that counts as busy")
    busy_hours: int = Field(24, ge=1, description="busy hours in the period that make an instance overused")
    free_storage_percent: float = Field(10, ge=0, le=50, description="free storage below which it is overused")


def read_load(facts: Facts, _params: OverutilizedRdsInstancesParams) -> Iterator[MetricQuery]:
    """CPU by the hour, so that a spike is told from a load; free storage by the day where it can run out."""
    for database in databases(facts):
        yield _cpu(database)
        if not is_aurora(database):
            yield _free_storage(database)


def _cpu(database: Any) -> MetricQuery:
    return query(database, "CPUUtilization", "Average", HOUR)


def _free_storage(database: Any) -> MetricQuery:
    return query(database, "FreeStorageSpace", "Minimum", DAY)


def judge_load(facts: Facts, params: OverutilizedRdsInstancesParams) -> Iterator[Judgement]:
    """Busy for many hours, or nearly out of storage that does not grow by itself."""
    for database in databases(facts):
        cpu = facts.series[_cpu(database)]
        storage = None if is_aurora(database) else facts.series[_free_storage(database)]
        busy = sum(value >= params.cpu_percent for value in cpu.values)
        free = storage.values[-1] / GIB if storage and storage.values else None
        size = database.get("AllocatedStorage") or 0
        age = facts.age_days(database["InstanceCreateTime"])
        room = size * params.free_storage_percent / 100
        reasons = []
        if busy >= params.busy_hours:
            reasons.append(f"CPU averaged {params.cpu_percent:g}% or more in {busy} of {cpu.seen} hours")
        if free is not None and free < room and (database.get("MaxAllocatedStorage") or 0) <= size:
            reasons.append(f"{free:.1f} of {size} GiB free, and storage autoscaling has no room left")
        if reasons:
            verdict = Verdict.OVERUSED
        elif cpu.failed or (storage and storage.failed):
            verdict, reasons = Verdict.UNKNOWN, ["its metrics could not be read"]
        elif database["DBInstanceStatus"] in STOPPED:
            verdict, reasons = Verdict.OK, ["stopped"]
        elif age < params.period:
            verdict, reasons = Verdict.TOO_NEW, [f"made {age} days ago; not at its limit so far"]
        elif cpu.seen < cpu.expected // 2:
            verdict, reasons = Verdict.UNKNOWN, [f"CloudWatch has {cpu.seen} of {cpu.expected} hours"]
        else:
            verdict, reasons = Verdict.OK, [f"busy in {busy} of {cpu.seen} hours"]
        evidence: dict[str, Scalar] = {
            "class": database["DBInstanceClass"],
            "engine": database["Engine"],
            "busy_hours": busy,
            "cpu_average_percent": round(sum(cpu.values) / cpu.seen, 1) if cpu.seen else None,
            "cpu_highest_hour_percent": round(max(cpu.values), 1) if cpu.seen else None,
            "datapoints": cpu.coverage,
            "free_storage_gib": None if free is None else round(free, 1),
            "storage_gib": None if is_aurora(database) else size,
            "storage_may_grow_to_gib": database.get("MaxAllocatedStorage"),
        }
        yield Judgement(
            resource_id=database["DBInstanceArn"],
            name=database["DBInstanceIdentifier"],
            verdict=verdict,
            reason="; ".join(reasons),
            evidence={key: value for key, value in evidence.items() if value is not None},
            tags=tags_of_database(database),
        )


OVERUTILIZED_RDS_INSTANCES = Check(
    name="find_overutilized_rds_instances",
    title="RDS and Aurora instances at their limit",
    noun="database instances",
    category=Category.CAPACITY,
    description=(
        "RDS and Aurora instances whose CPU is high for many hours (not for a moment), or whose storage is nearly full "
        "and cannot grow by itself. Costs $0.01 per 500 instances to ask (GetMetricData)."
    ),
    resource_type="AWS::RDS::DBInstance",
    params=OverutilizedRdsInstancesParams,
    inventory=(DB_INSTANCES,),
    metrics=read_load,
    judge=judge_load,
    saves=False,
    evidence={
        "class": "rds:DescribeDBInstances, DBInstanceClass",
        "engine": "Engine",
        "busy_hours": "hours whose average AWS/RDS CPUUtilization was at or above cpu_percent",
        "cpu_average_percent": "AWS/RDS CPUUtilization, average of the window",
        "cpu_highest_hour_percent": "its busiest hour's average",
        "datapoints": "hourly datapoints seen / expected",
        "free_storage_gib": "AWS/RDS FreeStorageSpace, lowest of the last day",
        "storage_gib": "AllocatedStorage",
        "storage_may_grow_to_gib": "MaxAllocatedStorage; absent: storage autoscaling is off",
    },
    verdicts={
        Verdict.OVERUSED: "busy_hours or more above cpu_percent, or less free storage than free_storage_percent",
        Verdict.TOO_NEW: "younger than the window, and not at its limit so far",
        Verdict.UNKNOWN: "its metrics could not be read, or half of the hours are missing",
    },
    remediation=(
        "Look at what it does first (find the statements in Database Insights): an index is cheaper than a class. Then "
        "read replicas for reads, a larger class, storage autoscaling."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html",
    ),
    limits="Memory, IOPS and connections are not judged; CPU is the average of an hour.",
)

# --- Database load ----------------------------------------------------------------------------------------------


class RdsPerformanceInsightsParams(PeriodParams):
    """Arguments of `analyze_rds_performance_insights`."""

    period: int = Field(7, ge=1, le=60, description="days to look back")
    busy_hours: int = Field(8, ge=1, description="hours with more active sessions than vCPUs that make it degraded")


def read_sessions(facts: Facts, _params: RdsPerformanceInsightsParams) -> Iterator[MetricQuery]:
    """Two series an instance that measures its load."""
    return (wanted for each in databases(facts) if each.get("PerformanceInsightsEnabled") for wanted in _sessions(each))


def _sessions(database: Any) -> tuple[MetricQuery, MetricQuery]:
    return query(database, "DBLoad", "Average", HOUR), query(database, "DBLoadCPU", "Average", HOUR)


def judge_sessions(facts: Facts, params: RdsPerformanceInsightsParams) -> Iterator[Judgement]:
    """Degraded where more sessions are active than there are vCPUs: then some of them wait."""
    for database in databases(facts):
        enabled = bool(database.get("PerformanceInsightsEnabled"))
        cores = vcpus(database["DBInstanceClass"])
        evidence: dict[str, Scalar] = {
            "class": database["DBInstanceClass"],
            "engine": database["Engine"],
            "vcpus": cores,
            "performance_insights": enabled,
        }
        if not enabled:
            verdict, reason = Verdict.UNKNOWN, "Performance Insights is off: its load is not measured"
        else:
            load, on_cpu = (facts.series[wanted] for wanted in _sessions(database))
            busy = 0 if cores is None else sum(value > cores for value in load.values)
            waiting = _share_waiting(load.values, on_cpu.values)
            evidence |= {
                "load_average": round(sum(load.values) / load.seen, 2) if load.seen else None,
                "load_highest_hour": round(max(load.values), 2) if load.seen else None,
                "waiting_percent": waiting,
                "hours_above_vcpus": busy,
                "datapoints": load.coverage,
            }
            if load.failed:
                verdict, reason = Verdict.UNKNOWN, "its load could not be read"
            elif cores is None:
                verdict, reason = Verdict.UNKNOWN, f"how many vCPUs {database['DBInstanceClass']} has is not known"
            elif busy >= params.busy_hours:
                verdict = Verdict.DEGRADED
                where = "waiting (locks, I/O)" if waiting is not None and waiting > 50 else "on the CPU"
                reason = f"more sessions active than {cores} vCPUs in {busy} of {load.seen} hours, mostly {where}"
            elif not load.seen:
                verdict, reason = Verdict.UNKNOWN, "CloudWatch has no datapoint of its load"
            else:
                verdict, reason = Verdict.OK, f"more sessions than vCPUs in {busy} of {load.seen} hours"
        yield Judgement(
            resource_id=database["DBInstanceArn"],
            name=database["DBInstanceIdentifier"],
            verdict=verdict,
            reason=reason,
            evidence={key: value for key, value in evidence.items() if value is not None},
            tags=tags_of_database(database),
        )


def _share_waiting(load: Sequence[float], on_cpu: Sequence[float]) -> float | None:
    """The share of the load that was not on the CPU, in per cent; None without load."""
    total = sum(load)
    if not total or len(load) != len(on_cpu):
        return None
    return round(100 * max(0.0, total - sum(on_cpu)) / total, 1)


RDS_PERFORMANCE_INSIGHTS = Check(
    name="analyze_rds_performance_insights",
    title="RDS and Aurora instances with more load than vCPUs",
    noun="database instances",
    category=Category.PERFORMANCE,
    description=(
        "RDS and Aurora instances on which more sessions are active than there are vCPUs, by DBLoad of Performance "
        "Insights, and whether they wait or compute. Costs $0.01 per 500 instances to ask (GetMetricData)."
    ),
    resource_type="AWS::RDS::DBInstance",
    params=RdsPerformanceInsightsParams,
    inventory=(DB_INSTANCES,),
    metrics=read_sessions,
    judge=judge_sessions,
    saves=False,
    evidence={
        "class": "rds:DescribeDBInstances, DBInstanceClass",
        "engine": "Engine",
        "vcpus": "by the class's name; absent: not known (Serverless)",
        "performance_insights": "PerformanceInsightsEnabled",
        "load_average": "AWS/RDS DBLoad (active sessions), average of the window",
        "load_highest_hour": "its busiest hour's average",
        "waiting_percent": "share of DBLoad that is not DBLoadCPU",
        "hours_above_vcpus": "hours whose average DBLoad is above vcpus",
        "datapoints": "hourly datapoints seen / expected",
    },
    verdicts={
        Verdict.DEGRADED: "DBLoad above the vCPUs in busy_hours or more",
        Verdict.UNKNOWN: "Performance Insights is off, its metrics could not be read, or the vCPUs are not known",
    },
    remediation=(
        "Open the instance in Database Insights and look at the top statements and waits. On the CPU: indexes, then "
        "read replicas or a larger class. Waiting: locks, I/O, connections."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PerfInsights.Cloudwatch.html",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PerfInsights.Overview.ActiveSessions.html",
    ),
    limits="Needs Performance Insights, and tells neither queries nor waits by name.",
)

CHECKS = (OVERUTILIZED_RDS_INSTANCES, RDS_PERFORMANCE_INSIGHTS)
