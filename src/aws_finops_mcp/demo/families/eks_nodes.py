"""Node groups of the fictional company's EKS clusters, and the truth about what their nodes do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.compute_images import NODES_TEMPLATE, WORKERS_TEMPLATE
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.instances import ec2_instance

_MONTH: Final = 730
_M5_LARGE, _M5_LARGE_WINDOWS = 0.096, 0.188
_MEASUREMENTS: Final = 12
"""An hour: EC2 measures every five minutes."""
IDLE, IN_USE, UNKNOWN = Verdict.IDLE, Verdict.IN_USE, Verdict.UNKNOWN


@dataclass(frozen=True)
class NodeGroup:
    """One node group; ``cpu`` None: nothing was ever measured. ``burst``: per cent for an hour each night."""

    cluster: str
    name: str
    verdict: Verdict
    why: str
    region: str = US
    nodes: int = 2
    kind: str = "m5.large"
    ami: str = "AL2023_x86_64_STANDARD"
    capacity: str = "ON_DEMAND"
    cpu: float | None = 2.0
    burst: float = 0.0
    age: int = 500
    usd: float | None = None
    template: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=lambda: {"Team": "platform"})

    @property
    def arn(self) -> str:
        return f"arn:aws:eks:{self.region}:{ACCOUNT_ID}:nodegroup/{self.cluster}/{self.name}/0c0de"

    @property
    def scaling_group(self) -> str:
        return f"eks-{self.cluster}-{self.name}"

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeNodegroup has it."""
        row: dict[str, Any] = {
            "nodegroupName": self.name,
            "nodegroupArn": self.arn,
            "clusterName": self.cluster,
            "status": "ACTIVE",
            "createdAt": now - timedelta(days=self.age),
            "capacityType": self.capacity,
            "amiType": self.ami,
            "instanceTypes": [self.kind],
            "scalingConfig": {"minSize": 0, "maxSize": 10, "desiredSize": self.nodes},
            "resources": {"autoScalingGroups": [{"name": self.scaling_group}]},
            "tags": dict(self.tags),
        }
        return row | ({"launchTemplate": dict(self.template)} if self.template else {})

    def scaling_row(self, now: datetime) -> dict[str, Any]:
        """Its auto scaling group, with the nodes."""
        nodes = [
            {
                "InstanceId": f"i-0ec5{sum(ord(c) for c in self.cluster + self.name + self.region):09x}{number:04x}",
                "InstanceType": self.kind,
                "AvailabilityZone": f"{self.region}a",
                "LifecycleState": "InService",
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
            }
            for number in range(self.nodes)
        ]
        return {
            "AutoScalingGroupName": self.scaling_group,
            "AutoScalingGroupARN": f"arn:aws:autoscaling:{self.region}:{ACCOUNT_ID}:autoScalingGroup:0c0de:"
            f"autoScalingGroupName/{self.scaling_group}",
            "MinSize": 0,
            "MaxSize": 10,
            "DesiredCapacity": self.nodes,
            "DefaultCooldown": 300,
            "AvailabilityZones": [f"{self.region}a"],
            "HealthCheckType": "EC2",
            "CreatedTime": now - timedelta(days=self.age),
            "Instances": nodes,
            "LaunchTemplate": {"LaunchTemplateId": WORKERS_TEMPLATE, "Version": "$Default"},
        }

    def metrics(self) -> Iterator[Metric]:
        """What EC2 measures of all nodes together."""
        if self.cpu is not None:
            own = {"AutoScalingGroupName": self.scaling_group}
            hours = min(130, self.age) * 24
            yield Metric(
                self.region, "AWS/EC2", "CPUUtilization", own, self._hour, "Percent", _MEASUREMENTS, 1.5, hours
            )

    def _hour(self, ago: int) -> float:
        percent = self.burst if self.burst and ago % 24 == 0 else self.cpu or 0.0
        return percent * _MEASUREMENTS


GROUPS: Final = (
    NodeGroup("nw-batch", "burst", IDLE, "idle, at Spot's price", capacity="SPOT"),
    NodeGroup("nw-batch", "nightly", IN_USE, "busy for an hour each night", burst=55),
    NodeGroup("nw-batch", "zero", Verdict.OK, "scaled to none", nodes=0, cpu=None),
    NodeGroup("nw-checkout", "workers", IN_USE, "busy", cpu=48),
    NodeGroup("nw-checkout", "workers", IDLE, "of the same name, idle", EU,
              usd=2 * _M5_LARGE * PRICES[EU].factor * _MONTH),
    NodeGroup("nw-data", "inference", UNKNOWN, "its accelerators are not measured", kind="g5.xlarge"),
    NodeGroup("nw-data", "old-workers", IDLE, "three nodes that run DaemonSets only", nodes=3,
              usd=3 * _M5_LARGE * _MONTH),
    NodeGroup("nw-legacy", "custom", IDLE, "of its image the system is not known", ami="CUSTOM"),
    NodeGroup("nw-legacy", "windows", IDLE, "a node with Windows", nodes=1, ami="WINDOWS_CORE_2022_x86_64",
              usd=_M5_LARGE_WINDOWS * _MONTH),
    NodeGroup("nw-pinned", "standby", Verdict.EXEMPT, "idle, and tagged so", tags={"finops:exempt": "failover"}),
    NodeGroup("nw-platform", "fresh", Verdict.TOO_NEW, "five days old", age=5),
    NodeGroup("nw-platform", "general", IN_USE, "busy", cpu=35,
              template={"id": NODES_TEMPLATE, "name": "cml-nodes", "version": "1"}),
    NodeGroup("nw-self-upgrading", "unmeasured", UNKNOWN, "nothing was measured", cpu=None),
)  # fmt: skip


def family(now: datetime) -> Family:
    """Node groups, and the auto scaling groups that hold their nodes."""
    scaling = {region: [one.scaling_row(now) for one in GROUPS if one.region == region] for region in (US, EU)}
    return Family(
        rows=(Rows("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", scaling, beside_moto=False),),
        metrics=[metric for one in GROUPS for metric in one.metrics()],
        operations={
            ("eks", "ListNodegroups"): lambda call: {"nodegroups": [one.name for one in _of(call)]},
            ("eks", "DescribeNodegroup"): lambda call: {"nodegroup": _group(call).row(now)},
        },
        charges=list(_charges(now)),
        cases={
            "find_idle_eks_node_groups": [Case(one.arn, one.region, one.verdict, one.why, one.usd) for one in GROUPS],
            "find_asgs_with_old_amis": [
                Case(one.scaling_group, US, Verdict.OK, "nodes of EKS, of a new image")
                for one in GROUPS
                if one.region == US
            ],
        },
    )


def _charges(now: datetime) -> Iterator[Charge]:
    """Nodes on demand; Spot has no list price."""
    for one in GROUPS:
        if one.capacity == "ON_DEMAND":
            system = "RunInstances:0002" if one.ami.startswith("WINDOWS") else "RunInstances"
            for node in one.scaling_row(now)["Instances"]:
                yield Charge(one.region, node["InstanceId"], ec2_instance(one.kind, system), _MONTH, one.age, one.tags)


def _of(call: Call) -> list[NodeGroup]:
    cluster = call.parameters["clusterName"]
    return [one for one in GROUPS if (one.cluster, one.region, ACCOUNT_ID) == (cluster, call.region, call.account)]


def _group(call: Call) -> NodeGroup:
    name = call.parameters["nodegroupName"]
    found = [one for one in _of(call) if one.name == name]
    if not found:
        raise AwsError("ResourceNotFoundException", f"No node group found for name: {name}.", 404)
    return found[0]
