"""Which resource a metric is about, and how to tell whether there still is one of that name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.reads import (
    CLASSIC_LOAD_BALANCERS,
    DB_CLUSTERS,
    DB_INSTANCES,
    FUNCTIONS,
    LOAD_BALANCERS,
    NAT_GATEWAYS,
    QUEUES,
    RESERVATIONS,
    TABLES,
    TARGET_GROUPS,
    TOPICS,
    VOLUMES,
)

Dimensions = Mapping[str, str]


@dataclass(frozen=True)
class Owner:
    """How the resources of a dimension are listed, and what a listed one is called in it."""

    wanted: Read
    names: Callable[[Any], Iterable[str]]


def _member(name: str) -> Callable[[Any], Iterable[str]]:
    return lambda item: (str(item[name]),)


def _balancer(item: Any) -> Iterable[str]:
    return (item["LoadBalancerArn"].partition(":loadbalancer/")[2],)


def _target_group(item: Any) -> Iterable[str]:
    return (item["TargetGroupArn"].rpartition(":")[2],)


OWNERS: Mapping[tuple[str, str], Owner] = {
    ("AWS/EC2", "InstanceId"): Owner(RESERVATIONS, lambda item: (one["InstanceId"] for one in item["Instances"])),
    ("AWS/EBS", "VolumeId"): Owner(VOLUMES, _member("VolumeId")),
    ("AWS/NATGateway", "NatGatewayId"): Owner(NAT_GATEWAYS, _member("NatGatewayId")),
    ("AWS/Lambda", "FunctionName"): Owner(FUNCTIONS, _member("FunctionName")),
    ("AWS/RDS", "DBInstanceIdentifier"): Owner(DB_INSTANCES, _member("DBInstanceIdentifier")),
    ("AWS/RDS", "DBClusterIdentifier"): Owner(DB_CLUSTERS, _member("DBClusterIdentifier")),
    ("AWS/DynamoDB", "TableName"): Owner(TABLES, lambda name: (name,)),
    ("AWS/SQS", "QueueName"): Owner(QUEUES, lambda url: (url.rpartition("/")[2],)),
    ("AWS/SNS", "TopicName"): Owner(TOPICS, lambda item: (item["TopicArn"].rpartition(":")[2],)),
    ("AWS/ELB", "LoadBalancerName"): Owner(CLASSIC_LOAD_BALANCERS, _member("LoadBalancerName")),
    **{
        (f"AWS/{kind}ELB", "LoadBalancer"): Owner(LOAD_BALANCERS, _balancer)
        for kind in ("Application", "Network", "Gateway")
    },
    **{
        (f"AWS/{kind}ELB", "TargetGroup"): Owner(TARGET_GROUPS, _target_group)
        for kind in ("Application", "Network", "Gateway")
    },
}
"""By namespace and dimension. A metric of a namespace that is not here is not looked into."""


@dataclass(frozen=True)
class Metric:
    """A metric that something refers to; `region` "" is the reader's."""

    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    region: str = ""

    def owners(self) -> Iterator[tuple[Read, Callable[[Any], Iterable[str]], str]]:
        """The resources that it is about, each as where it is listed, what it is called there, and its name."""
        for name, value in self.dimensions:
            owner = OWNERS.get((self.namespace, name))
            if owner is not None:
                yield _there(owner.wanted, self.region), owner.names, value


def _there(wanted: Read, region: str) -> Read:
    return replace(wanted, region=region) if region else wanted


def reads_for(metrics: Iterable[Metric]) -> Iterator[Read]:
    """The listings that tell whether what some metrics are about is still there."""
    yield from dict.fromkeys(wanted for metric in metrics for wanted, _, _ in metric.owners())


class Existing:
    """Answers whether resources exist, from the listings of `reads_for`; each listing is looked through once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[Read, frozenset[str] | None] = {}

    def missing(self, metric: Metric) -> str | None:
        """The resource that the metric is about and that is gone; "" when all are there; None when it can't be told."""
        told = ""
        checked = False
        for wanted, names, value in metric.owners():
            known = self._names(wanted, names)
            if known is None:
                return None
            checked = True
            if value not in known:
                told = value
        return told if checked else None

    def not_read(self, metric: Metric) -> bool:
        """Whether a listing that would tell could not be read."""
        return any(self._names(wanted, names) is None for wanted, names, _ in metric.owners())

    def _names(self, wanted: Read, names: Callable[[Any], Iterable[str]]) -> frozenset[str] | None:
        if wanted not in self._known:
            items = self._facts.maybe(wanted)
            self._known[wanted] = None if items is None else frozenset(name for item in items for name in names(item))
        return self._known[wanted]
