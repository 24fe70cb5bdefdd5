"""Clusters and services of Amazon ECS, as the checks read them: clusters by the hundred, services by tens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts

TOKEN = ("nextToken", "nextToken")
CLUSTER_ARNS = read("ecs", "ListClusters", "clusterArns", {"maxResults": 100}, token=TOKEN)
SERVICE_ACTIONS = ("ecs:ListServices", "ecs:DescribeServices")


def some(items: Sequence[str], size: int) -> Iterator[list[str]]:
    """Parts of a list, none longer than a call takes."""
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def describe_clusters(arns: Sequence[str]) -> Read:
    """At most a hundred clusters."""
    request = {"clusters": list(arns), "include": ["SETTINGS", "TAGS"]}
    return read("ecs", "DescribeClusters", "clusters", request, resource=arns[0])


def list_services(cluster: str) -> Read:
    """The names of a cluster's services."""
    return read("ecs", "ListServices", "serviceArns", {"cluster": cluster, "maxResults": 100}, token=TOKEN)


def describe_services(cluster: str, arns: Sequence[str]) -> Read:
    """At most ten services."""
    request = {"cluster": cluster, "services": list(arns), "include": ["TAGS"]}
    return read("ecs", "DescribeServices", "services", request, resource=arns[0])


def list_tasks(cluster: str) -> Read:
    """The tasks of a cluster that are to run, whoever started them."""
    request = {"cluster": cluster, "desiredStatus": "RUNNING", "maxResults": 100}
    return read("ecs", "ListTasks", "taskArns", request, token=TOKEN)


def describe_tasks(cluster: str, arns: Sequence[str]) -> Read:
    """At most a hundred tasks."""
    return read("ecs", "DescribeTasks", "tasks", {"cluster": cluster, "tasks": list(arns)}, resource=cluster)


def describe_task_definition(arn: str) -> Read:
    """One revision, by its ARN; nothing gives several."""
    return read("ecs", "DescribeTaskDefinition", "taskDefinition", {"taskDefinition": arn}, resource=arn)


def rules_that_run_on(cluster: str, bus: str) -> Read:
    """The names of the rules that start tasks in a cluster."""
    request = {"TargetArn": cluster, "EventBusName": bus, "Limit": 100}
    return read("events", "ListRuleNamesByTarget", "RuleNames", request, resource=cluster)


def service_lists(facts: Facts, _params: object) -> Iterator[Read]:
    """A call a cluster and hundred services."""
    return map(list_services, facts.maybe(CLUSTER_ARNS) or ())


def service_descriptions(facts: Facts, _params: object) -> Iterator[Read]:
    """Of all services that were listed."""
    for cluster in facts.maybe(CLUSTER_ARNS) or ():
        for arns in some(facts.maybe(list_services(cluster)) or (), 10):
            yield describe_services(cluster, arns)


def services(facts: Facts) -> Iterator[Mapping[str, Any]]:
    """All that were described."""
    for wanted in service_descriptions(facts, None):
        yield from facts.maybe(wanted) or ()


def unread_services(facts: Facts) -> Iterator[tuple[str, str]]:
    """What could not be read: the ARN of a cluster whose services are not known, or of a service, and why."""
    for cluster in facts.maybe(CLUSTER_ARNS) or ():
        arns = facts.maybe(list_services(cluster))
        if arns is None:
            yield cluster, "the services of this cluster could not be listed"
        for part in some(arns or (), 10):
            if facts.maybe(describe_services(cluster, part)) is None:
                yield from ((arn, "it could not be described") for arn in part)


def lower_keys_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """ECS writes its tags in lower case."""
    return {tag["key"]: tag.get("value", "") for tag in resource.get("tags", ())}


def name_of(arn: str) -> str:
    """The last part of an ARN."""
    return arn.rpartition("/")[2]


def deployments(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rollouts that a service runs: its own, or the task sets that something else deploys."""
    return [*service.get("deployments", ()), *service.get("taskSets", ())]


def is_fargate(service: Mapping[str, Any]) -> bool:
    """By its launch type, or by the capacity providers that stand in its place."""
    strategy = service.get("capacityProviderStrategy", ())
    if strategy:
        return all(one["capacityProvider"] in ("FARGATE", "FARGATE_SPOT") for one in strategy)
    return service.get("launchType") == "FARGATE"
