"""Which resource a metric is about, and how to tell whether there still is one of that name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.alarms import all_alarms
from aws_finops_mcp.checks.apigateway import OTHER_APIS, REST_APIS
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.ecs import CLUSTER_ARNS, list_services
from aws_finops_mcp.checks.eks_versions import CLUSTERS as EKS_CLUSTERS
from aws_finops_mcp.checks.elasticache import CACHE_CLUSTERS
from aws_finops_mcp.checks.file_systems import EFS, FSX
from aws_finops_mcp.checks.kinesis import STREAMS
from aws_finops_mcp.checks.memorydb import CLUSTERS as MEMORYDB_CLUSTERS
from aws_finops_mcp.checks.opensearch import DOMAIN_NAMES
from aws_finops_mcp.checks.reads import (
    ALARMS,
    AUTO_SCALING_GROUPS,
    BUCKETS,
    CLASSIC_LOAD_BALANCERS,
    DB_CLUSTERS,
    DB_INSTANCES,
    DISTRIBUTIONS_FROM_ANYWHERE,
    FUNCTIONS,
    LOAD_BALANCERS,
    LOG_GROUP_NAMES,
    NAT_GATEWAYS,
    QUEUES,
    RESERVATIONS,
    TABLES,
    TARGET_GROUPS,
    TOPICS,
    VOLUMES,
    VPC_ENDPOINTS,
)
from aws_finops_mcp.checks.redshift import CLUSTERS as REDSHIFT_CLUSTERS

Dimensions = Mapping[str, str]


@dataclass(frozen=True)
class Owner:
    """How the resources of a dimension are listed, and what a listed one is called in it.

    Attributes:
        within: the dimension that names what these are parts of, and the listing of its parts, where there is no
            listing of all.
    """

    wanted: Read
    names: Callable[[Any], Iterable[str]]
    within: tuple[str, Callable[[str], Read]] | None = None


ALARM, TOPIC = "alarm", "topic"
"""Beside CloudWatch's namespaces: an alarm or topic that is referred to by its ARN."""


def _services(cluster: str) -> Read:
    return replace(list_services(cluster), absent=("ClusterNotFoundException",))


def _last(arn: str) -> Iterable[str]:
    return (arn.rpartition("/")[2],)


def _name(name: str) -> Iterable[str]:
    return (name,)


def _member(name: str) -> Callable[[Any], Iterable[str]]:
    return lambda item: (str(item[name]),)


def _balancer(item: Any) -> Iterable[str]:
    return (item["LoadBalancerArn"].partition(":loadbalancer/")[2],)


def _target_group(item: Any) -> Iterable[str]:
    return (item["TargetGroupArn"].rpartition(":")[2],)


_SERVICES = Owner(_services(""), _last, ("ClusterName", _services))
_GROUP = Owner(AUTO_SCALING_GROUPS, _member("AutoScalingGroupName"))

OWNERS: Mapping[tuple[str, str], Owner] = {
    ("AWS/EC2", "InstanceId"): Owner(RESERVATIONS, lambda item: (one["InstanceId"] for one in item["Instances"])),
    ("AWS/EBS", "VolumeId"): Owner(VOLUMES, _member("VolumeId")),
    ("AWS/NATGateway", "NatGatewayId"): Owner(NAT_GATEWAYS, _member("NatGatewayId")),
    ("AWS/Lambda", "FunctionName"): Owner(FUNCTIONS, _member("FunctionName")),
    ("AWS/RDS", "DBInstanceIdentifier"): Owner(DB_INSTANCES, _member("DBInstanceIdentifier")),
    ("AWS/RDS", "DBClusterIdentifier"): Owner(DB_CLUSTERS, _member("DBClusterIdentifier")),
    ("AWS/DynamoDB", "TableName"): Owner(TABLES, _name),
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
    ("AWS/EC2", "AutoScalingGroupName"): _GROUP,
    ("AWS/AutoScaling", "AutoScalingGroupName"): _GROUP,
    ("AWS/ElastiCache", "CacheClusterId"): Owner(CACHE_CLUSTERS, _member("CacheClusterId")),
    ("AWS/MemoryDB", "ClusterName"): Owner(MEMORYDB_CLUSTERS, _member("Name")),
    ("AWS/ES", "DomainName"): Owner(DOMAIN_NAMES, _member("DomainName")),
    ("AWS/Redshift", "ClusterIdentifier"): Owner(REDSHIFT_CLUSTERS, _member("ClusterIdentifier")),
    **{
        (f"AWS/{kind}", f"DB{what}Identifier"): Owner(wanted, _member(f"DB{what}Identifier"))
        for kind in ("DocDB", "Neptune")
        for what, wanted in (("Instance", DB_INSTANCES), ("Cluster", DB_CLUSTERS))
    },
    **{(space, "ClusterName"): Owner(CLUSTER_ARNS, _last) for space in ("AWS/ECS", "ECS/ContainerInsights")},
    **{(space, "ServiceName"): _SERVICES for space in ("AWS/ECS", "ECS/ContainerInsights")},
    ("AWS/EKS", "ClusterName"): Owner(EKS_CLUSTERS, _name),
    ("AWS/ApiGateway", "ApiName"): Owner(REST_APIS, _member("name")),
    ("AWS/ApiGateway", "ApiId"): Owner(OTHER_APIS, _member("ApiId")),
    ("AWS/Kinesis", "StreamName"): Owner(STREAMS, _member("StreamName")),
    ("AWS/EFS", "FileSystemId"): Owner(EFS, _member("FileSystemId")),
    ("AWS/FSx", "FileSystemId"): Owner(FSX, _member("FileSystemId")),
    ("AWS/S3", "BucketName"): Owner(BUCKETS, _member("Name")),
    ("AWS/CloudFront", "DistributionId"): Owner(DISTRIBUTIONS_FROM_ANYWHERE, _member("Id")),
    ("AWS/Logs", "LogGroupName"): Owner(LOG_GROUP_NAMES, _member("logGroupName")),
    ("AWS/PrivateLinkEndpoints", "VPC Endpoint Id"): Owner(VPC_ENDPOINTS, _member("VpcEndpointId")),
    (ALARM, "Arn"): Owner(ALARMS, lambda page: (alarm["AlarmArn"] for alarm in all_alarms([page]))),
    (TOPIC, "Arn"): Owner(TOPICS, _member("TopicArn")),
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
            if owner is None:
                continue
            wanted = owner.wanted
            if owner.within is not None:
                whole, parts = owner.within
                of = dict(self.dimensions).get(whole)
                if of is None:
                    continue
                wanted = parts(of)
            yield _there(wanted, self.region), owner.names, value


def _there(wanted: Read, region: str) -> Read:
    """The read in another region, unless it has one of its own."""
    if not region or wanted.region:
        return wanted
    return replace(wanted, region=region)


def reads_for(metrics: Iterable[Metric]) -> Iterator[Read]:
    """The listings that tell whether what some metrics are about is still there."""
    yield from dict.fromkeys(wanted for metric in metrics for wanted, _, _ in metric.owners())


class Existing:
    """Answers whether resources exist, from the listings of `reads_for`; each listing is looked through once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[tuple[Read, Callable[[Any], Iterable[str]]], frozenset[str] | None] = {}

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
        if (wanted, names) not in self._known:
            items = self._facts.maybe(wanted)
            known = None if items is None else frozenset(name for item in items for name in names(item))
            self._known[wanted, names] = known
        return self._known[wanted, names]


LOOKED_FOR = (
    "EC2, EBS, NAT, ELB, auto scaling, Lambda, ECS, EKS, RDS, DocumentDB, Neptune, DynamoDB, ElastiCache, MemoryDB, "
    "OpenSearch, Redshift, S3, EFS, FSx, SQS, SNS, Kinesis, API Gateway, CloudFront, VPC endpoints, log groups"
)
"""The services of `OWNERS`, for descriptions."""
