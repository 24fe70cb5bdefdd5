"""Redshift and MemoryDB clusters of the fictional company, and the truth about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import HOURS, Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.databases import memorydb_node, redshift_node

_MONTH: Final = 730


@dataclass(frozen=True)
class Warehouse:
    """One Redshift cluster."""

    name: str
    kind: str = "ra3.xlplus"
    nodes: int = 2
    region: str = US
    connections: float | None = 12.0
    cpu: float = 55.0
    days: int = 500
    status: str = "available"
    tags: Mapping[str, str] = field(default_factory=lambda: {"Team": "data"})

    @property
    def arn(self) -> str:
        """As bills have it."""
        return f"arn:aws:redshift:{self.region}:{ACCOUNT_ID}:cluster:{self.name}"

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeClusters has it."""
        return {
            "ClusterIdentifier": self.name,
            "NodeType": self.kind,
            "NumberOfNodes": self.nodes,
            "ClusterStatus": self.status,
            "ClusterCreateTime": now - timedelta(days=self.days, hours=1),
            "ClusterNamespaceArn": f"arn:aws:redshift:{self.region}:{ACCOUNT_ID}:namespace:{self.name}",
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }

    def metrics(self) -> Iterator[Metric]:
        """What CloudWatch has of it: nothing while it is paused."""
        if self.connections is None:
            return
        own, hours = {"ClusterIdentifier": self.name}, min(HOURS, self.days * 24)
        yield Metric(self.region, "AWS/Redshift", "DatabaseConnections", own, self.connections * 60, hours=hours)
        yield Metric(self.region, "AWS/Redshift", "CPUUtilization", own, self.cpu * 60, "Percent", hours=hours)


WAREHOUSES: Final = (
    Warehouse("nw-reports", connections=0.0, cpu=7.0),
    Warehouse("nw-lake", "ra3.4xlarge", 4, cpu=14.0),
    Warehouse("nw-pair", cpu=9.0),
    Warehouse("nw-compute-and-storage", "dc2.large", 8, cpu=9.0),
    Warehouse("nw-busy"),
    Warehouse("nw-paused", connections=None, status="paused"),
    Warehouse("nw-new", connections=0.0, cpu=2.0, days=6),
    Warehouse("nw-kept", connections=0.0, cpu=2.0, tags={"finops:exempt": "yes"}),
    Warehouse("nw-unmeasured", connections=None),
    Warehouse("nw-reports", region=EU),
)


@dataclass(frozen=True)
class Memory:
    """One MemoryDB cluster of so many shards with two nodes each."""

    name: str
    kind: str = "db.r6g.large"
    shards: int = 1
    region: str = US
    commands: float = 5_000.0
    cpu: float = 44.0
    memory: float = 58.0
    days: int = 300
    tags: Mapping[str, str] = field(default_factory=lambda: {"Team": "checkout"})

    @property
    def arn(self) -> str:
        return f"arn:aws:memorydb:{self.region}:{ACCOUNT_ID}:cluster/{self.name}"

    @property
    def nodes(self) -> list[str]:
        return [f"{self.name}-{shard:04}-{node:03}" for shard in range(1, self.shards + 1) for node in (1, 2)]

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeClusters has it when it is asked for shards."""
        made = now - timedelta(days=self.days, hours=1)
        return {
            "Name": self.name,
            "ARN": self.arn,
            "Status": "available",
            "NodeType": self.kind,
            "Engine": "valkey",
            "EngineVersion": "7.2",
            "NumberOfShards": self.shards,
            "Shards": [
                {
                    "Name": f"{shard + 1:04}",
                    "Nodes": [{"Name": name, "CreateTime": made} for name in self.nodes[2 * shard : 2 * shard + 2]],
                }
                for shard in range(self.shards)
            ],
        }

    def metrics(self) -> Iterator[Metric]:
        """What CloudWatch has of each node."""
        hours = min(HOURS, self.days * 24)
        for node in self.nodes:
            own = {"ClusterName": self.name, "NodeName": node}
            if self.commands:
                yield Metric(self.region, "AWS/MemoryDB", "GetTypeCmds", own, self.commands, samples=None, hours=hours)
            for name, value in (("EngineCPUUtilization", self.cpu), ("DatabaseMemoryUsagePercentage", self.memory)):
                yield Metric(self.region, "AWS/MemoryDB", name, own, value * 60, "Percent", hours=hours)


MEMORIES: Final = (
    Memory("nw-basket", commands=0.0, cpu=1.0, memory=40.0),
    Memory("nw-leaders", "db.r6g.xlarge", 2, cpu=7.0, memory=11.0),
    Memory("nw-full", "db.r6g.xlarge", cpu=4.0, memory=66.0),
    Memory("nw-fresh", commands=0.0, cpu=1.0, days=4),
    Memory("nw-kept", commands=0.0, cpu=1.0, tags={"finops:exempt": "yes"}),
    Memory("nw-basket", region=EU),
)


def family(now: datetime) -> Family:
    """Clusters, for the checks of Redshift and MemoryDB."""
    warehouses = {region: [each.row(now) for each in WAREHOUSES if each.region == region] for region in (US, EU)}
    memories = {region: [each.row(now) for each in MEMORIES if each.region == region] for region in (US, EU)}
    return Family(
        rows=(
            Rows("redshift", "DescribeClusters", "Clusters", warehouses, beside_moto=False),
            Rows("memorydb", "DescribeClusters", "Clusters", memories, beside_moto=False),
            tag_rows((each.region, each.arn, each.tags) for each in MEMORIES),
        ),
        metrics=[metric for each in (*WAREHOUSES, *MEMORIES) for metric in each.metrics()],
        charges=list(_charges()),
        cases=_CASES,
    )


def _charges() -> Iterator[Charge]:
    for one in WAREHOUSES:
        if one.status == "available":
            hours = one.nodes * _MONTH
            yield Charge(one.region, one.arn, redshift_node(one.kind), hours, one.days, one.tags)
    for each in MEMORIES:
        unit, hours = memorydb_node(each.kind, "valkey"), len(each.nodes) * _MONTH
        yield Charge(each.region, each.arn, unit, hours, each.days, each.tags)


_CASES: Final = {
    "find_underutilized_redshift_clusters": (
        Case("nw-reports", US, Verdict.IDLE, "nobody connects to it", 2 * 1.086 * _MONTH),
        Case("nw-lake", US, Verdict.UNDERUSED, "four nodes, 14% of CPU at most", 2 * 3.26 * _MONTH),
        Case("nw-pair", US, Verdict.IN_USE, "hardly used, but one node does not fail over"),
        Case("nw-compute-and-storage", US, Verdict.IN_USE, "hardly used, but its nodes hold the data"),
        Case("nw-busy", US, Verdict.IN_USE, "busy"),
        Case("nw-paused", US, Verdict.OK, "paused already"),
        Case("nw-new", US, Verdict.TOO_NEW, "six days old"),
        Case("nw-kept", US, Verdict.EXEMPT, "idle, and tagged so"),
        Case("nw-unmeasured", US, Verdict.UNKNOWN, "nothing was measured"),
        Case("nw-reports", EU, Verdict.IN_USE, "the same name is in use here"),
    ),
    "find_underutilized_memorydb_clusters": (
        Case("nw-basket", US, Verdict.IDLE, "no command at all", 2 * 0.309 * _MONTH),
        Case("nw-leaders", US, Verdict.UNDERUSED, "four nodes, all too large", 4 * (0.617 - 0.309) * _MONTH),
        Case("nw-full", US, Verdict.IN_USE, "hardly any CPU, but its memory is needed"),
        Case("nw-fresh", US, Verdict.TOO_NEW, "four days old"),
        Case("nw-kept", US, Verdict.EXEMPT, "idle, and tagged so"),
        Case("nw-basket", EU, Verdict.IN_USE, "the same name is in use here"),
    ),
}
