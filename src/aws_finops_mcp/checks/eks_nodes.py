"""EKS managed node groups whose nodes do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.eks_versions import CLUSTERS
from aws_finops_mcp.checks.reads import AUTO_SCALING_GROUPS, node_group_read, node_groups_read
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict
from aws_finops_mcp.prices.instances import ec2_instance
from aws_finops_mcp.prices.unit import UnitOrKey

_ACCELERATED = re.compile(r"(?:p|g|gr|inf|trn|dl|vt|f)\d")
"""Families whose work is not done by the processor that EC2 measures."""


class IdleNodeGroupsParams(PeriodParams):
    """Arguments of `find_idle_eks_node_groups`."""

    period: int = Field(14, ge=2, le=455, description="days to look back")
    idle_percent: float = Field(
        10, gt=0, le=30, description="highest CPU of any node, in any five minutes, that is Kubernetes' own"
    )


def read_node_groups(facts: Facts, _params: object) -> Iterator[Read]:
    """The names of each cluster's node groups."""
    return (node_groups_read(cluster) for cluster in facts.maybe(CLUSTERS) or ())


def read_node_group(facts: Facts, _params: object) -> Iterator[Read]:
    """Each node group; there is no batch call."""
    for cluster in facts.maybe(CLUSTERS) or ():
        for name in facts.maybe(node_groups_read(cluster)) or ():
            yield node_group_read(cluster, name)


def _scaling_groups(group: Mapping[str, Any]) -> list[str]:
    return [each["name"] for each in group.get("resources", {}).get("autoScalingGroups", ())]


def _cpu(scaling_group: str) -> MetricQuery:
    own = (("AutoScalingGroupName", scaling_group),)
    return MetricQuery("AWS/EC2", "CPUUtilization", own, "Maximum", DAY)


def read_cpu(facts: Facts, params: object) -> Iterator[MetricQuery]:
    """One series a group, of all nodes that it had: nodes come and go."""
    for wanted in read_node_group(facts, params):
        for group in facts.maybe(wanted) or ():
            yield from (_cpu(name) for name in _scaling_groups(group))


def judge_groups(facts: Facts, params: IdleNodeGroupsParams) -> Iterator[Judgement]:
    """Idle where no node of the group was ever busy with more than Kubernetes itself."""
    scaling = facts.maybe(AUTO_SCALING_GROUPS)
    nodes = None if scaling is None else {each["AutoScalingGroupName"]: each.get("Instances", ()) for each in scaling}
    for cluster in facts.items(CLUSTERS):
        names = facts.maybe(node_groups_read(cluster))
        if names is None:
            yield _unread(cluster, "the node groups of the cluster could not be listed")
        for name in names or ():
            found = facts.maybe(node_group_read(cluster, name))
            if found:
                yield _judge(facts, params, found[0], nodes)
            else:
                yield _unread(f"{cluster}/{name}", "the node group could not be described")


def _unread(name: str, reason: str) -> Judgement:
    return Judgement(resource_id=name, name=name, verdict=Verdict.UNKNOWN, reason=reason, evidence={})


def _judge(
    facts: Facts, params: IdleNodeGroupsParams, group: Mapping[str, Any], nodes: Mapping[str, Sequence[Any]] | None
) -> Judgement:
    names = _scaling_groups(group)
    series = [facts.series[_cpu(name)] for name in names]
    peak = max((value for each in series for value in each.values), default=None)
    seen = min((each.seen for each in series), default=0)
    own = None if nodes is None else [node for name in names for node in nodes.get(name, ())]
    types = sorted({node["InstanceType"] for node in own or () if "InstanceType" in node})
    types = types or list(group.get("instanceTypes", ()))
    scaling, age = group.get("scalingConfig", {}), facts.age_days(group["createdAt"])
    desired = scaling.get("desiredSize", 0)
    if group["status"] in ("CREATING", "DELETING"):
        verdict, reason = Verdict.OK, f"state {group['status']}"
    elif not desired:
        verdict, reason = Verdict.OK, "scaled to no nodes"
    elif peak is not None and peak > params.idle_percent:
        verdict, reason = Verdict.IN_USE, f"CPU of a node up to {peak:.0f}%"
    elif any(_ACCELERATED.match(each) for each in types):
        verdict, reason = Verdict.UNKNOWN, "EC2 does not measure what its accelerators do"
    elif any(each.failed for each in series):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif age < params.period:
        verdict, reason = Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    elif seen < params.period:
        verdict, reason = Verdict.UNKNOWN, f"CloudWatch has {seen} of {params.period} days: too few to judge it by"
    else:
        verdict = Verdict.IDLE
        reason = f"CPU of no node above {peak or 0:.1f}% in {params.period} days: only what Kubernetes itself needs"
    evidence: dict[str, Scalar] = {
        "nodes": desired,
        "min_nodes": scaling.get("minSize"),
        "instance_types": ", ".join(types) or None,
        "capacity_type": group.get("capacityType"),
        "cpu_max_percent": None if peak is None else round(peak, 2),
        "datapoints": f"{seen}/{max((each.expected for each in series), default=0)}",
        "age_days": age,
    }
    return Judgement(
        resource_id=group["nodegroupArn"],
        name=f"{group['clusterName']}/{group['nodegroupName']}",
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=group.get("tags", {}),
        referred_by=_kept_by(group) if verdict is Verdict.IDLE else (),
        parts=[_hours(group, node) for node in own or ()] if verdict is Verdict.IDLE else (),
        unpriced=["its nodes' volumes"] if own else [f"its {desired} nodes, which could not be read"],
    )


def _kept_by(group: Mapping[str, Any]) -> list[str]:
    scaling = (group.get("resources") or {}).get("autoScalingGroups", ())
    return [f"EKS cluster {group['clusterName']}", *(f"auto scaling group {one['name']}" for one in scaling)]


def _hours(group: Mapping[str, Any], node: Mapping[str, Any]) -> Part:
    """What a node is billed a month; Spot's price is the market's, and of a custom image the system is not known."""
    kind, ami = node.get("InstanceType", ""), group.get("amiType", "")
    unit: UnitOrKey = ec2_instance(kind, "RunInstances:0002" if ami.startswith("WINDOWS") else "RunInstances")
    if group.get("capacityType", "ON_DEMAND") != "ON_DEMAND" or ami in ("", "CUSTOM"):
        unit = f"ec2.{kind}.{(ami if ami == 'CUSTOM' else group.get('capacityType', '')).lower() or 'unknown'}"
    return Part(f"{kind} hours", unit, HOURS_PER_MONTH, node["InstanceId"])


IDLE_NODE_GROUPS = Check(
    name="find_idle_eks_node_groups",
    title="EKS node groups whose nodes do nothing",
    noun="EKS managed node groups",
    category=Category.CONTAINERS,
    description=(
        "Managed node groups of EKS of whose nodes none used more CPU than Kubernetes itself needs in `period` days, "
        "with what the nodes cost. Costs $0.01 per 1,000 node groups to ask (GetMetricData), and a call a node group."
    ),
    resource_type="AWS::EKS::Nodegroup",
    params=IdleNodeGroupsParams,
    inventory=(CLUSTERS, AUTO_SCALING_GROUPS),
    follow_ups=(read_node_groups, read_node_group),
    detail_actions=("eks:ListNodegroups", "eks:DescribeNodegroup"),
    count=lambda facts, params: sum(1 for _ in read_node_group(facts, params)),
    metrics=read_cpu,
    judge=judge_groups,
    referrers="its cluster, its auto scaling group; the Pods on its nodes are not to be seen from AWS",
    evidence={
        "nodes": "eks:DescribeNodegroup, scalingConfig.desiredSize",
        "min_nodes": "scalingConfig.minSize",
        "instance_types": "autoscaling:DescribeAutoScalingGroups, of its nodes; else the group's own list",
        "capacity_type": "capacityType; SPOT is not priced",
        "cpu_max_percent": "cloudwatch:GetMetricData, AWS/EC2 CPUUtilization by auto scaling group, the highest of any "
        "node, those that are gone included",
        "datapoints": "daily datapoints seen / expected",
        "age_days": "days since createdAt",
    },
    verdicts={
        Verdict.IDLE: "CPU of no node above idle_percent in the window, measured on every day of it",
        Verdict.IN_USE: "a node was busier than that",
        Verdict.OK: "has no nodes, or is being made or deleted",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "the group or its metrics were not read, have gaps, or its nodes have accelerators",
    },
    remediation=(
        "See with kubectl which pods are on its nodes beside DaemonSets, and whether their requests are what keeps the "
        "nodes. Then scale it to 0, or delete it; a cluster without any node group costs its control plane only, and "
        "may go as well. Where it must stay ready, let the Cluster Autoscaler or Karpenter start nodes when pods wait."
    ),
    references=(
        "https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html",
        "https://aws.amazon.com/ec2/pricing/on-demand/",
    ),
    prices=("ec2.*",),
    limits=(
        "CPU decides: Pods that wait without using any are not told from none. Nodes of Karpenter and self-managed "
        "ones are judged as EC2 instances elsewhere; on-demand list prices."
    ),
)

CHECKS = (IDLE_NODE_GROUPS,)
