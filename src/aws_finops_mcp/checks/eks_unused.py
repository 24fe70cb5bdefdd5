"""EKS clusters that run nothing, and whose control plane is billed all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import NO_REFERRERS, Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.eks_versions import (
    CLUSTER_VERSIONS,
    CLUSTERS,
    cluster_read,
    describe_clusters,
    support_state,
)
from aws_finops_mcp.checks.reads import RESERVATIONS
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

_NODE_TAGS = ("eks:cluster-name", "aws:eks:cluster-name", "eks:eks-cluster-name")
"""Of managed node groups and of Auto Mode; all nodes but these have `kubernetes.io/cluster/<name>`."""
_ANY_NODE = "kubernetes.io/cluster/"


class UnusedClustersParams(PeriodParams):
    """Arguments of `find_unused_eks_clusters`."""

    period: int = Field(30, ge=2, le=455, description="days to look back")


def fargate_profiles_read(cluster: str) -> Read:
    """The names of a cluster's Fargate profiles."""
    request = {"clusterName": cluster, "maxResults": 100}
    token = ("nextToken", "nextToken")
    return read("eks", "ListFargateProfiles", "fargateProfileNames", request, token=token, resource=cluster)


def read_fargate_profiles(facts: Facts, _params: object) -> Iterator[Read]:
    """Where Pods may run without a node of the account's."""
    return (fargate_profiles_read(name) for name in facts.items(CLUSTERS))


def _placed(cluster: str) -> MetricQuery:
    """Pods that the scheduler found a node for."""
    return MetricQuery("AWS/EKS", "scheduler_schedule_attempts_SCHEDULED", (("ClusterName", cluster),), "Sum", DAY)


def _asked(cluster: str) -> MetricQuery:
    """Never 0 for a cluster that is measured: the control plane's own parts call it."""
    return MetricQuery("AWS/EKS", "apiserver_request_total", (("ClusterName", cluster),), "Sum", DAY)


def read_control_planes(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Two series a cluster."""
    for name in facts.items(CLUSTERS):
        yield from (_placed(name), _asked(name))


def nodes_by_cluster(reservations: Any) -> Counter[str]:
    """How many instances each cluster has, by the tags that its nodes must have."""
    nodes: Counter[str] = Counter()
    for reservation in reservations:
        for instance in reservation["Instances"]:
            if instance["State"]["Name"] != "terminated":
                tags = tags_of(instance)
                named = {tags[key] for key in _NODE_TAGS if key in tags}
                nodes.update(named | {key.removeprefix(_ANY_NODE) for key in tags if key.startswith(_ANY_NODE)})
    return nodes


def judge_clusters(facts: Facts, params: UnusedClustersParams) -> Iterator[Judgement]:
    """Idle where there is no node and no Fargate, and no Pod was placed in the window."""
    reservations = facts.maybe(RESERVATIONS)
    nodes = None if reservations is None else nodes_by_cluster(reservations)
    for name in facts.items(CLUSTERS):
        found = facts.maybe(cluster_read(name))
        if found:
            yield _judge(facts, params, found[0], nodes)
        else:
            reason = "the cluster could not be described"
            yield Judgement(resource_id=name, name=name, verdict=Verdict.UNKNOWN, reason=reason, evidence={})


def _judge(
    facts: Facts, params: UnusedClustersParams, cluster: Mapping[str, Any], nodes: Mapping[str, int] | None
) -> Judgement:
    name, age = cluster["name"], facts.age_days(cluster["createdAt"])
    profiles = facts.maybe(fargate_profiles_read(name))
    placed, asked = facts.series[_placed(name)], facts.series[_asked(name)]
    pods = round(sum(placed.values))
    own = None if nodes is None else nodes.get(name, 0)
    if cluster.get("status") in ("CREATING", "DELETING"):
        verdict, reason = Verdict.OK, f"state {cluster['status']}"
    elif own:
        verdict, reason = Verdict.IN_USE, f"{own} EC2 instances are its nodes"
    elif pods:
        verdict, reason = Verdict.IN_USE, f"placed {pods} Pods in {params.period} days, though it has no node now"
    elif cluster.get("remoteNetworkConfig"):
        verdict, reason = Verdict.OK, "hybrid nodes may be its own, which AWS does not list"
    elif profiles:
        verdict, reason = Verdict.OK, "has Fargate profiles: Pods may run without nodes"
    elif own is None:
        verdict, reason = Verdict.UNKNOWN, "whether it has nodes could not be read"
    elif profiles is None:
        verdict, reason = Verdict.UNKNOWN, "whether it has Fargate profiles could not be read"
    elif placed.failed or asked.failed:
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif age < params.period:
        verdict, reason = Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    elif asked.seen < params.period:
        verdict = Verdict.UNKNOWN
        reason = f"CloudWatch has {asked.seen} of {params.period} days of its control plane: too few to judge it by"
    else:
        verdict, reason = Verdict.IDLE, f"no node, no Fargate profile, and no Pod was placed in {params.period} days"
    evidence: dict[str, Scalar] = {
        "version": cluster["version"],
        "nodes": own,
        "fargate_profiles": None if profiles is None else len(profiles),
        "pods_placed": None if placed.failed else pods,
        "datapoints": f"{asked.seen}/{asked.expected}",
        "age_days": age,
    }
    return Judgement(
        resource_id=cluster["arn"],
        name=name,
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=cluster.get("tags", {}),
        parts=list(_hours(facts, cluster)) if verdict is Verdict.IDLE else (),
    )


def _hours(facts: Facts, cluster: Mapping[str, Any]) -> Iterator[Part]:
    """What its control plane is billed a month, with the surcharge of an old version."""
    yield Part("control plane", "eks.cluster.hours", HOURS_PER_MONTH)
    known = {each["clusterVersion"]: each for each in facts.maybe(CLUSTER_VERSIONS) or ()}
    state = support_state(known.get(cluster["version"], {}))
    if state == "EXTENDED_SUPPORT" and cluster.get("upgradePolicy", {}).get("supportType") != "STANDARD":
        yield Part("extended support of the control plane", "eks.extended_support.hours", HOURS_PER_MONTH)


UNUSED_EKS_CLUSTERS = Check(
    name="find_unused_eks_clusters",
    title="EKS clusters that run nothing",
    noun="EKS clusters",
    category=Category.CONTAINERS,
    description=(
        "EKS clusters without a node and without Fargate that placed no Pod in `period` days, with what the control "
        "plane costs a month. Costs $0.01 per 500 clusters to ask (GetMetricData), and two calls a cluster."
    ),
    resource_type="AWS::EKS::Cluster",
    params=UnusedClustersParams,
    inventory=(CLUSTERS, RESERVATIONS, CLUSTER_VERSIONS),
    follow_ups=(describe_clusters, read_fargate_profiles),
    detail_actions=("eks:DescribeCluster", "eks:ListFargateProfiles"),
    metrics=read_control_planes,
    judge=judge_clusters,
    referrers=NO_REFERRERS,
    evidence={
        "version": "eks:DescribeCluster, version",
        "nodes": "ec2:DescribeInstances, those with the tag kubernetes.io/cluster/<name>, eks:cluster-name, "
        "aws:eks:cluster-name or eks:eks-cluster-name, stopped ones included",
        "fargate_profiles": "eks:ListFargateProfiles",
        "pods_placed": "cloudwatch:GetMetricData, AWS/EKS scheduler_schedule_attempts_SCHEDULED",
        "datapoints": "daily datapoints of AWS/EKS apiserver_request_total seen / expected; from Kubernetes 1.28 on",
        "age_days": "days since createdAt",
    },
    verdicts={
        Verdict.IDLE: "no node, no Fargate profile, and no Pod placed in the window, measured on every day of it",
        Verdict.IN_USE: "has nodes, or placed a Pod in the window",
        Verdict.OK: "may run Pods where AWS does not show it (Fargate, hybrid nodes), or is being made or deleted",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "the cluster, its nodes, profiles or metrics were not read, or have gaps",
    },
    remediation=(
        "Look with kubectl for what is kept in it without running: volumes claimed, secrets, custom resources, what a "
        "pipeline deploys to. Save what is needed, delete its load balancers and volumes, then the cluster."
    ),
    references=(
        "https://docs.aws.amazon.com/eks/latest/userguide/cloudwatch.html",
        "https://docs.aws.amazon.com/eks/latest/userguide/delete-cluster.html",
        "https://aws.amazon.com/eks/pricing/",
    ),
    prices=("eks.*",),
    limits="Kubernetes itself is not asked. What Fargate and hybrid nodes run is not seen.",
)

CHECKS = (UNUSED_EKS_CLUSTERS,)
