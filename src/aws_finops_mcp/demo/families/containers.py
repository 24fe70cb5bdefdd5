"""The truth about ECS clusters, services and task definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.containers_images import image_of_task
from aws_finops_mcp.demo.families.containers_rows import (
    CLUSTERS,
    DEFINITIONS,
    ECS_RULE,
    FLEET,
    OLD_TASK,
    SCHEDULES,
    SERVICES,
    SHOP,
    Service,
    arn,
    definition,
    definition_arn,
    schedule_target,
)
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, REGIONS, US
from aws_finops_mcp.findings import Verdict

IDLE, IN_USE, OK, TOO_NEW = Verdict.IDLE, Verdict.IN_USE, Verdict.OK, Verdict.TOO_NEW
EXEMPT, UNKNOWN, UNDERUSED, OUTDATED = Verdict.EXEMPT, Verdict.UNKNOWN, Verdict.UNDERUSED, Verdict.OUTDATED

_BUSY: Final = (55.0, 60.0)
# Average percent of CPU and memory, where it is not that of busy tasks; a peak is 1.2 times it.
_LOADS: Final[Mapping[str, tuple[float, float]]] = {
    "nw-search": (12.5, 12.5),
    "nw-graviton": (25.0, 57.5),
    "nw-smallest": (5.0, 5.0),
    "nw-spot": (10.0, 10.0),
    "nw-fleet-web": (15.0, 25.0),
    "nw-fleet-cache": (10.0, 70.0),
    "nw-redeployed": (10.0, 10.0),
}
_PEAK: Final = 1.2
_DAY: Final = 24
_NO_METRICS: Final = frozenset({"nw-silent", "nw-yearly", "nw-brand-new", "nw-spare", "nw-on-premises"})

_UNUSED: Final[tuple[tuple[str, str, Verdict, str], ...]] = (
    (SHOP, US, IN_USE, "services run in it"),
    (FLEET, US, IN_USE, "services and instances"),
    (arn(US, "cluster/nw-empty"), US, IDLE, "nothing in it, nothing starts anything there"),
    (arn(EU, "cluster/nw-empty"), EU, IN_USE, "the same name in another region, with instances"),
    ("nw-nightly", US, IN_USE, "empty by day: a rule starts its tasks"),
    ("nw-reports", US, IN_USE, "a schedule starts its tasks"),
    ("nw-old-reports", US, IDLE, "its schedule is disabled"),
    ("nw-jobs", US, IN_USE, "empty now, but Container Insights counted tasks"),
    ("nw-jobs-ec2", US, IN_USE, "empty now, but tasks had reserved its instances"),
    ("nw-sandbox", US, EXEMPT, "empty, and tagged so"),
    ("nw-leaving", US, IN_USE, "already being deleted"),
    ("nw-tenant-100", EU, IN_USE, "beyond the first page"),
    ("nw-old-admin", US, IDLE, "scaled to zero for good"),
    ("nw-broken", US, IDLE, "two tasks are wanted, none starts"),
    ("nw-seasonal", US, IN_USE, "nothing now, but it ran two months ago"),
    ("nw-yearly", US, IN_USE, "a scheduled action will start it"),
    ("nw-brand-new", US, TOO_NEW, "nothing ran yet, five days old"),
    ("nw-spare", US, EXEMPT, "a spare one, tagged so"),
    ("nw-on-premises", US, UNKNOWN, "runs outside AWS, where metrics may be missing"),
    ("nw-search", US, IN_USE, "runs"),
    ("nw-many-104", EU, IN_USE, "beyond the first page"),
)

_X86, _ARM, _HOURS = (0.04048, 0.004445), (0.03238, 0.00356), 730
_SIZES: Final[tuple[tuple[str, str, Verdict, str, float | None], ...]] = (
    ("nw-checkout-api", US, OK, "busy", None),
    ("nw-search", US, UNDERUSED, "2 vCPU and 8 GB, a half and 2 would do", (1.5 * _X86[0] + 6 * _X86[1]) * 3 * _HOURS),
    ("nw-search", EU, OK, "the same name in another region, busy", None),
    ("nw-graviton", US, UNDERUSED, "half its CPU would do", (2 * _ARM[0] + 1 * _ARM[1]) * 2 * _HOURS),
    ("nw-spiky", US, OK, "3% on average, but 95% at its busiest", None),
    ("nw-smallest", US, OK, "there is no smaller size", None),
    ("nw-spot", US, UNDERUSED, "half would do, at Spot's price, which changes", None),
    ("nw-fleet-web", US, UNDERUSED, "reserves far too much of its instances", None),
    ("nw-fleet-cache", US, OK, "little CPU, but most of its memory", None),
    ("nw-redeployed", US, TOO_NEW, "three days of this size", None),
    ("nw-resized", US, OK, "it had low figures when it was larger, until ten days ago", None),
    ("nw-calmer", US, UNDERUSED, "it was busy until ten days ago", (1.5 * _X86[0] + 3 * _X86[1]) * _HOURS),
    ("nw-silent", US, UNKNOWN, "runs, and reports nothing", None),
    ("nw-old-admin", US, OK, "nothing of it runs", None),
    ("nw-many-104", EU, OK, "beyond the first page", None),
)

_PLATFORMS: Final[tuple[tuple[str, str, Verdict, str], ...]] = (
    ("nw-pinned", US, OUTDATED, "pinned to 1.3.0"),
    ("nw-old-admin", US, OUTDATED, "pinned to 1.3.0, though nothing runs"),
    ("nw-pinned-kept", US, EXEMPT, "pinned, and tagged so"),
    ("nw-moving", US, OK, "only the deployment before is on 1.3.0"),
    ("nw-windows", US, OK, "1.0.0 is the newest for Windows"),
    ("nw-search", US, OK, "1.4.0"),
    ("nw-checkout-api", US, OK, "LATEST"),
    ("nw-fleet-web", US, OK, "on instances"),
    ("nw-many-104", EU, OK, "beyond the first page"),
)

_REVISIONS: Final[tuple[tuple[str, str, Verdict, str], ...]] = (
    ("nw-checkout", US, IDLE, "1-31 are old; a task runs 12, a rule 20"),
    ("nw-monthly", US, IDLE, "a schedule names 3, nothing 4"),
    ("nw-fresh", US, TOO_NEW, "within 90 days"),
    ("nw-named", US, IN_USE, "a deployment under way has both"),
    ("nw-kept", US, EXEMPT, "tagged so"),
    ("nw-search", US, IN_USE, "only one revision"),
    ("nw-checkout", EU, IN_USE, "the same family in another region: all are named, or the latest"),
    ("nw-bulk", EU, IDLE, "more than a page of revisions"),
)


def _charges() -> Iterator[Charge]:
    """Tasks of services on Fargate; Windows and Spot have other products, and EC2 bills for its instances."""
    for one in SERVICES:
        if one.running and one.runs_on == "FARGATE" and one.family == "Linux":
            kind, hours = one.processor.lower(), one.running * _HOURS
            cpu, memory = (amount / 1024 * hours for amount in one.size)
            yield Charge(one.region, one.arn, f"fargate.vcpu.{kind}", cpu, one.age, one.tags)
            yield Charge(one.region, one.arn, f"fargate.memory.{kind}", memory, one.age, one.tags)


def family(now: datetime) -> Family:
    """Clusters, services, their tasks and task definitions, and what starts tasks."""
    clusters = {region: [one.arn for one in CLUSTERS if one.region == region] for region in REGIONS}
    definitions = {
        region: [
            definition_arn(region, f"{name}:{number}")
            for name, where, revisions in DEFINITIONS
            if where == region
            for number in revisions
        ]
        for region in REGIONS
    }
    return Family(
        rows=(
            Rows("ecs", "ListClusters", "clusterArns", clusters),
            Rows("ecs", "ListTaskDefinitions", "taskDefinitionArns", definitions),
            Rows("ecs", "ListServices", "serviceArns", _services(), _in_cluster, beside_moto=False),
            Rows("ecs", "ListTasks", "taskArns", _tasks(), _of_cluster, beside_moto=False),
            Rows("scheduler", "ListSchedules", "Schedules", {US: [_schedule(row, now) for row in SCHEDULES]}),
            Rows(
                "application-autoscaling",
                "DescribeScheduledActions",
                "ScheduledActions",
                {US: [_scheduled_action(now)]},
            ),
            Rows("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", {US: [_tags()]}, _of_type),
        ),
        operations={
            ("ecs", "DescribeClusters"): _describe_clusters,
            ("ecs", "DescribeServices"): lambda call: _describe_services(call, now),
            ("ecs", "DescribeTasks"): _describe_tasks,
            ("ecs", "DescribeTaskDefinition"): lambda call: _describe_definition(call, now),
            ("events", "ListRuleNamesByTarget"): _rules,
            ("scheduler", "GetSchedule"): _get_schedule,
        },
        metrics=list(_metrics(now)),
        charges=list(_charges()),
        cases={
            "find_unused_ecs_clusters_and_services": [Case(*row) for row in _UNUSED],
            "find_underutilized_ecs_services": [
                Case(*row[:4], round(row[4], 2) if row[4] is not None else None) for row in _SIZES
            ],
            "find_outdated_ecs_platform_versions": [Case(*row) for row in _PLATFORMS],
            "find_old_ecs_task_definitions": [Case(*row) for row in _REVISIONS],
        },
    )


def _services() -> dict[str, list[str]]:
    return {region: [one.arn for one in SERVICES if one.region == region] for region in REGIONS}


def _name(asked: Mapping[str, Any]) -> str:
    return str(asked.get("cluster", "default")).rpartition("/")[2]


def _in_cluster(asked: Mapping[str, Any], row: Any) -> bool:
    return bool(row.split("/")[1] == _name(asked))


_of_cluster = _in_cluster


def _tasks() -> dict[str, list[str]]:
    """One of each cluster of one-off tasks, and one that runs an old revision."""
    return {
        US: [arn(US, f"task/{SHOP}/00000000000000000000000000000001")],
        EU: [arn(EU, f"task/{one.name}/00000000000000000000000000000002") for one in CLUSTERS if one.tasks],
    }


def _describe_tasks(call: Call) -> dict[str, Any] | None:
    if call.account != ACCOUNT_ID:
        return None
    revision = OLD_TASK if call.region == US else "nw-checkout:3"
    return {
        "tasks": [
            {
                "taskArn": one,
                "clusterArn": arn(call.region, f"cluster/{one.split('/')[1]}"),
                "taskDefinitionArn": definition_arn(call.region, revision),
                "lastStatus": "RUNNING",
                "containers": [image_of_task()] if call.region == US else [],
            }
            for one in call.parameters["tasks"]
        ],
        "failures": [],
    }


def _found(wanted: list[str], there: Mapping[str, dict[str, Any]], path: str) -> dict[str, Any]:
    return {
        path: [there[one] for one in wanted if one in there],
        "failures": [{"arn": one, "reason": "MISSING"} for one in wanted if one not in there],
    }


def _describe_clusters(call: Call) -> dict[str, Any] | None:
    if call.account != ACCOUNT_ID:
        return None
    asked = call.parameters["clusters"]
    if len(asked) > 100:
        raise AwsError("InvalidParameterException", "Clusters cannot have more than 100 elements.", 400)
    return _found(asked, {one.arn: one.row() for one in CLUSTERS}, "clusters")


def _describe_services(call: Call, now: datetime) -> dict[str, Any] | None:
    if call.account != ACCOUNT_ID:
        return None
    asked = call.parameters["services"]
    if len(asked) > 10:
        raise AwsError("InvalidParameterException", "Services cannot have more than 10 elements.", 400)
    return _found(asked, {one.arn: one.row(now) for one in SERVICES}, "services")


def _describe_definition(call: Call, now: datetime) -> dict[str, Any]:
    found = definition(call.region, str(call.parameters["taskDefinition"]), now) if call.account == ACCOUNT_ID else None
    if found is None:
        raise AwsError("ClientException", "Unable to describe task definition.", 400)
    return {"taskDefinition": found}


def _rules(call: Call) -> dict[str, Any] | None:
    here = call.account == ACCOUNT_ID and call.parameters.get("EventBusName", "default") == "default"
    return {"RuleNames": [ECS_RULE] if here and call.parameters["TargetArn"] == arn(US, "cluster/nw-nightly") else []}


def _schedule(row: tuple[str, str, str], now: datetime) -> dict[str, Any]:
    name, cluster, state = row
    return {
        "Arn": arn(US, f"schedule/default/{name}", "scheduler"),
        "Name": name,
        "GroupName": "default",
        "State": state,
        "CreationDate": now - timedelta(days=300),
        "LastModificationDate": now - timedelta(days=300),
        "Target": {"Arn": arn(US, f"cluster/{cluster}")},
    }


def _get_schedule(call: Call) -> dict[str, Any] | None:
    for name, cluster, state in SCHEDULES:
        if call.account == ACCOUNT_ID and name == call.parameters["Name"]:
            return {"Name": name, "GroupName": "default", "State": state, "Target": schedule_target(cluster)}
    return None


def _scheduled_action(now: datetime) -> dict[str, Any]:
    return {
        "ScheduledActionName": "nw-black-friday",
        "ScheduledActionARN": arn(US, "scheduledAction:nw-black-friday", "autoscaling"),
        "ServiceNamespace": "ecs",
        "Schedule": "cron(0 0 20 11 ? *)",
        "ResourceId": f"service/{SHOP}/nw-yearly",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ScalableTargetAction": {"MinCapacity": 4, "MaxCapacity": 20},
        "CreationTime": now - timedelta(days=500),
    }


def _tags() -> dict[str, Any]:
    tags = [{"Key": "finops:exempt", "Value": "on purpose"}]
    return {"ResourceARN": definition_arn(US, "nw-kept:3"), "Tags": tags}


def _of_type(asked: Mapping[str, Any], row: Any) -> bool:
    types = asked.get("ResourceTypeFilters")
    return not types or any(one in ("ecs", "ecs:task-definition") for one in types)


def _gauge(one: Service, name: str, value: float | Callable[[int], float | None], peak: float = _PEAK) -> Metric:
    dimensions = {"ClusterName": one.cluster, "ServiceName": one.name}
    hourly = (lambda ago: None if (now := value(ago)) is None else now * 60) if callable(value) else value * 60
    return Metric(one.region, "AWS/ECS", name, dimensions, hourly, unit="Percent", peak=peak)


def _metrics(now: datetime) -> Iterator[Metric]:
    for one in SERVICES:
        for name, busy, own in zip(
            ("CPUUtilization", "MemoryUtilization"), _BUSY, _LOADS.get(one.name, _BUSY), strict=True
        ):
            if one.region == EU:
                yield _gauge(one, name, busy)
            elif one.name == "nw-spiky":
                yield _gauge(one, name, 3.0, peak=95 / 3)
            elif one.name == "nw-resized":
                yield _gauge(one, name, lambda ago, busy=busy: busy if ago < 10 * _DAY else 10.0)  # type: ignore[misc]
            elif one.name == "nw-calmer":
                yield _gauge(one, name, lambda ago, busy=busy: busy if ago > 10 * _DAY else 10.0)  # type: ignore[misc]
            elif one.name == "nw-seasonal":
                yield _gauge(one, name, lambda ago: 50.0 if 60 * _DAY < ago < 62 * _DAY else None)
            elif one.running and one.name not in _NO_METRICS:
                yield _gauge(one, name, own)
    ran = {"nw-jobs": ("ECS/ContainerInsights", "TaskCount"), "nw-jobs-ec2": ("AWS/ECS", "CPUReservation")}
    for cluster, (namespace, name) in ran.items():
        yield Metric(
            US, namespace, name, {"ClusterName": cluster}, lambda ago: 60.0 if 24 * 20 < ago < 24 * 21 else None
        )
