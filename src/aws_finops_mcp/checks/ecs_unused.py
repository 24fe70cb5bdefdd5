"""ECS clusters and services that run nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.ecs import (
    CLUSTER_ARNS,
    SERVICE_ACTIONS,
    describe_clusters,
    lower_keys_of,
    name_of,
    rules_that_run_on,
    service_descriptions,
    service_lists,
    services,
    some,
    unread_services,
)
from aws_finops_mcp.checks.reads import EVENT_BUSES, SCHEDULES
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

SCHEDULED_SCALING = read(
    "application-autoscaling", "DescribeScheduledActions", "ScheduledActions", {"ServiceNamespace": "ecs"}
)


class UnusedEcsParams(PeriodParams):
    """Arguments of `find_unused_ecs_clusters_and_services`."""

    period: int = Field(90, ge=1, le=455, description="days without a running task that make a service idle")


def read_clusters(facts: Facts, params: UnusedEcsParams) -> Iterator[Read]:
    """The clusters themselves, and the names of their services."""
    yield from map(describe_clusters, some(facts.items(CLUSTER_ARNS), 100))
    yield from service_lists(facts, params)


def _clusters(facts: Facts) -> Iterator[Mapping[str, Any]]:
    for arns in some(facts.items(CLUSTER_ARNS), 100):
        yield from facts.maybe(describe_clusters(arns)) or ()


def _counts(cluster: Mapping[str, Any]) -> dict[str, int]:
    return {
        "services": cluster.get("activeServicesCount", 0),
        "running_tasks": cluster.get("runningTasksCount", 0),
        "pending_tasks": cluster.get("pendingTasksCount", 0),
        "container_instances": cluster.get("registeredContainerInstancesCount", 0),
    }


def _empty(facts: Facts) -> Iterator[Mapping[str, Any]]:
    """The clusters in which there is nothing now."""
    return (one for one in _clusters(facts) if not any(_counts(one).values()))


def read_services(facts: Facts, params: UnusedEcsParams) -> Iterator[Read]:
    """The services, and the rules that start tasks on clusters that are empty now."""
    yield from service_descriptions(facts, params)
    for cluster in _empty(facts):
        for bus in facts.maybe(EVENT_BUSES) or ():
            yield rules_that_run_on(cluster["clusterArn"], bus["Name"])


def _cpu(service: Mapping[str, Any]) -> MetricQuery:
    dimensions = (("ClusterName", name_of(service["clusterArn"])), ("ServiceName", service["serviceName"]))
    return MetricQuery("AWS/ECS", "CPUUtilization", dimensions, "Maximum", DAY)


def _insights(cluster: Mapping[str, Any]) -> bool:
    settings = {setting["name"]: setting["value"] for setting in cluster.get("settings", ())}
    return bool(settings.get("containerInsights", "disabled") != "disabled")


def _tasks(cluster: Mapping[str, Any]) -> MetricQuery:
    """What shows that tasks ran: on instances, or, where somebody pays for it, anywhere."""
    dimensions = (("ClusterName", cluster["clusterName"]),)
    if _insights(cluster):
        return MetricQuery("ECS/ContainerInsights", "TaskCount", dimensions, "Maximum", DAY)
    return MetricQuery("AWS/ECS", "CPUReservation", dimensions, "Maximum", DAY)


def _runs_nothing(service: Mapping[str, Any]) -> bool:
    return not service.get("runningCount") and not service.get("pendingCount")


def read_use(facts: Facts, _params: UnusedEcsParams) -> Iterator[MetricQuery]:
    """A series for each service and cluster that runs nothing now."""
    yield from (_cpu(service) for service in services(facts) if _runs_nothing(service))
    yield from map(_tasks, _empty(facts))


def judge_ecs(facts: Facts, params: UnusedEcsParams) -> Iterator[Judgement]:
    """Of every cluster and service."""
    for arns in some(facts.items(CLUSTER_ARNS), 100):
        if facts.maybe(describe_clusters(arns)) is None:
            yield from (Judgement(arn, Verdict.UNKNOWN, "it could not be described", {}, name_of(arn)) for arn in arns)
    for arn, reason in unread_services(facts):
        if arn not in facts.items(CLUSTER_ARNS):
            yield Judgement(arn, Verdict.UNKNOWN, reason, {}, name_of(arn))
    schedules = facts.maybe(SCHEDULES)
    scaling = facts.maybe(SCHEDULED_SCALING)
    yield from (_judge_cluster(facts, params, cluster, schedules) for cluster in _clusters(facts))
    growing: dict[str, list[str]] = defaultdict(list)
    for action in scaling or ():
        if action.get("ScalableTargetAction", {}).get("MinCapacity"):
            growing[action["ResourceId"]].append(action["ScheduledActionName"])
    for service in services(facts):
        cluster = name_of(service["clusterArn"])
        actions = None if scaling is None else growing[f"service/{cluster}/{service['serviceName']}"]
        yield _judge_service(facts, params, service, actions)


def _judge_cluster(facts: Facts, params: UnusedEcsParams, cluster: Mapping[str, Any], schedules: Any) -> Judgement:
    arn, counts = cluster["clusterArn"], _counts(cluster)
    evidence: dict[str, Scalar] = {"kind": "cluster", **counts}
    referred: list[str] = []
    if cluster.get("status", "ACTIVE") != "ACTIVE":
        verdict, reason = Verdict.IN_USE, f"it is {cluster['status'].lower()}"
    elif any(counts.values()):
        has = (f"{number} {what.replace('_', ' ')}" for what, number in counts.items() if number)
        verdict, reason = Verdict.IN_USE, f"it has {', '.join(has)}"
    else:
        ran = facts.series[_tasks(cluster)]
        evidence["tasks_measured"] = "all" if _insights(cluster) else "on container instances only"
        evidence["datapoints"] = ran.coverage
        starting = [one for one in schedules or () if one.get("Target", {}).get("Arn") == arn]
        enabled = [one["Name"] for one in starting if one.get("State") != "DISABLED"]
        referred = [f"schedule {one['Name']}, disabled" for one in starting if one.get("State") == "DISABLED"]
        buses = facts.maybe(EVENT_BUSES)
        by_bus = [facts.maybe(rules_that_run_on(arn, bus["Name"])) for bus in buses or ()]
        rules = [name for names in by_bus for name in names or ()]
        if any(ran.values):
            verdict, reason = Verdict.IN_USE, f"tasks ran in it within {params.period} days"
        elif enabled or rules:
            what = f"schedule {enabled[0]}" if enabled else f"rule {rules[0]}"
            verdict, reason = Verdict.IN_USE, f"{what} starts tasks in it"
        elif ran.failed or schedules is None or buses is None or any(names is None for names in by_bus):
            verdict, reason = Verdict.UNKNOWN, "it is empty now, but what starts tasks in it could not be read"
        else:
            verdict, reason = Verdict.IDLE, "it has no service, task or container instance, and nothing scheduled"
    return Judgement(
        resource_id=arn,
        name=cluster["clusterName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=lower_keys_of(cluster),
        referred_by=referred,
    )


def _judge_service(
    facts: Facts, params: UnusedEcsParams, service: Mapping[str, Any], actions: list[str] | None
) -> Judgement:
    created = service.get("createdAt")
    age = None if created is None else facts.age_days(created)
    evidence: dict[str, Scalar] = {
        "kind": "service",
        "cluster": name_of(service["clusterArn"]),
        "desired_tasks": service.get("desiredCount", 0),
        "running_tasks": service.get("runningCount", 0),
        "load_balancers": len(service.get("loadBalancers", ())),
        "age_days": age,
    }
    if service["status"] != "ACTIVE":
        verdict, reason = Verdict.IN_USE, f"it is {service['status'].lower()}"
    elif not _runs_nothing(service):
        verdict, reason = Verdict.IN_USE, f"{service['runningCount']} of its tasks run"
    else:
        ran = facts.series[_cpu(service)]
        evidence["datapoints"] = ran.coverage
        if ran.seen:
            verdict, reason = Verdict.IN_USE, f"its tasks ran within {params.period} days"
        elif actions:
            verdict, reason = Verdict.IN_USE, f"scheduled action {actions[0]} starts its tasks"
        elif ran.failed:
            verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
        elif age is not None and age < params.period:
            verdict, reason = Verdict.TOO_NEW, f"no task ran, but it is {age} days old"
        elif actions is None:
            verdict, reason = Verdict.UNKNOWN, "no task ran, but its scheduled actions could not be read"
        elif service.get("launchType") == "EXTERNAL":
            verdict, reason = Verdict.UNKNOWN, "nothing runs now, and instances outside AWS may report no metrics"
        else:
            verdict, reason = Verdict.IDLE, f"no task of it ran in {params.period} days"
            if service.get("desiredCount"):
                reason += f", though {service['desiredCount']} should: its tasks do not start"
    return Judgement(
        resource_id=service["serviceArn"],
        name=service["serviceName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=lower_keys_of(service),
    )


UNUSED_ECS = Check(
    name="find_unused_ecs_clusters_and_services",
    title="ECS clusters and services that run nothing",
    noun="ECS clusters and services",
    category=Category.CONTAINERS,
    description=(
        "ECS services without a running task for `period` days, and clusters without services, tasks, instances or "
        "anything that starts tasks on a schedule. Neither costs anything by itself; load balancers that they hold do. "
        "Costs $0.01 per 1,000 of them that run nothing to ask."
    ),
    resource_type="AWS::ECS::Cluster",
    params=UnusedEcsParams,
    inventory=(CLUSTER_ARNS, SCHEDULES, SCHEDULED_SCALING, EVENT_BUSES),
    follow_ups=(read_clusters, read_services),
    metrics=read_use,
    detail_actions=("ecs:DescribeClusters", *SERVICE_ACTIONS, "events:ListRuleNamesByTarget"),
    judge=judge_ecs,
    saves=False,
    referrers="EventBridge rules and schedules that start tasks in a cluster, scheduled scaling actions of a service",
    evidence={
        "kind": "cluster or service",
        "services": "ecs:DescribeClusters, activeServicesCount",
        "pending_tasks": "pendingTasksCount of the cluster",
        "container_instances": "registeredContainerInstancesCount",
        "tasks_measured": "which tasks the metrics show: all only with Container Insights, else those on instances",
        "cluster": "the service's cluster",
        "desired_tasks": "ecs:DescribeServices, desiredCount",
        "running_tasks": "runningCount of the service, runningTasksCount of the cluster",
        "load_balancers": "loadBalancers: target groups that stay registered with it",
        "age_days": "days since the service's createdAt; empty when ECS does not tell; it never tells a cluster's",
        "datapoints": (
            "cloudwatch:GetMetricData, daily datapoints seen / days in the window, of the service's CPUUtilization, "
            "the cluster's TaskCount or CPUReservation; ECS writes none while nothing runs"
        ),
    },
    verdicts={
        Verdict.IDLE: "no task ran in the window (service); empty, and nothing scheduled (cluster)",
        Verdict.IN_USE: "something runs, ran within the window, or is started on a schedule",
        Verdict.TOO_NEW: "a service younger than the window",
        Verdict.UNKNOWN: "it, its metrics, or what starts its tasks could not be read; or it runs outside AWS",
    },
    remediation=(
        "Ask the owner, then delete the service with its target group and load balancer, then the cluster. Step "
        "Functions, AWS Batch, pipelines and people may start tasks in an empty cluster: without Container Insights "
        "nothing but CloudTrail's RunTask events would show it."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html",
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Cluster.html",
    ),
    limits=(
        "What starts tasks from outside (pipelines, Step Functions, RunTask by hand) is not seen while it does not run."
    ),
)

CHECKS = (UNUSED_ECS,)
