"""The truth about Kafka clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.price_products_analytics import MSK_M5_LARGE, MSK_STORAGE
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.analytics import msk_broker

_CANARY: Final = 300.0
"""Bytes a second by which MSK tests each broker."""


@dataclass(frozen=True)
class Cluster:
    """A cluster.

    Attributes:
        traffic: bytes a second that clients move with each broker.
        until: for so many hours nothing is measured.
        quiet_for: hours since the last traffic.
    """

    name: str
    verdict: Verdict
    why: str
    region: str = US
    brokers: int = 3
    gib: int = 100
    traffic: float = _CANARY
    until: int = 0
    quiet_for: int = 0
    age: int = 400
    serverless: bool = False
    state: str = "ACTIVE"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:kafka:{self.region}:{ACCOUNT_ID}:cluster/{self.name}/0c0de000-0000-4000-8000-000000000001-2"

    @property
    def usd(self) -> float | None:
        if self.verdict is not Verdict.IDLE:
            return None
        return self.brokers * (MSK_M5_LARGE * 730 + MSK_STORAGE * self.gib) * PRICES[self.region].factor

    def row(self, now: datetime) -> dict[str, Any]:
        """As ListClustersV2 has it."""
        row: dict[str, Any] = {
            "ClusterType": "SERVERLESS" if self.serverless else "PROVISIONED",
            "ClusterArn": self.arn,
            "ClusterName": self.name,
            "CreationTime": now - timedelta(days=self.age),
            "State": self.state,
            "Tags": dict(self.tags),
        }
        if self.serverless:
            return row | {"Serverless": {"VpcConfigs": [{"SubnetIds": ["subnet-0c0de"]}]}}
        group = {
            "ClientSubnets": ["subnet-0c0de"],
            "InstanceType": "kafka.m5.large",
            "StorageInfo": {"EbsStorageInfo": {"VolumeSize": self.gib}},
        }
        return row | {"Provisioned": {"BrokerNodeGroupInfo": group, "NumberOfBrokerNodes": self.brokers}}

    def metrics(self) -> Iterator[Metric]:
        """A gauge of each minute, of each broker."""
        if self.serverless:
            return
        for broker in range(1, self.brokers + 1):
            for name in ("BytesInPerSec", "BytesOutPerSec"):
                own = {"Cluster Name": self.name, "Broker ID": str(broker)}
                hours = min(130, self.age) * 24
                yield Metric(self.region, "AWS/Kafka", name, own, self._hourly, "Bytes/Second", hours=hours)

    def _hourly(self, ago: int) -> float | None:
        if ago < self.until:
            return None
        return 60 * (_CANARY if ago < self.quiet_for else self.traffic)


_BUSY: Final = 200_000.0
CLUSTERS: Final = (
    Cluster("nw-events", Verdict.IN_USE, "busy", traffic=_BUSY),
    Cluster("nw-events", Verdict.IDLE, "of the same name in another region, and quiet", EU, 2),
    Cluster("nw-replay", Verdict.IDLE, "quiet for three weeks", gib=1000, traffic=_BUSY, quiet_for=21 * 24),
    Cluster("nw-weekly", Verdict.IN_USE, "quiet for ten days", traffic=_BUSY, quiet_for=10 * 24),
    Cluster("nw-fresh", Verdict.TOO_NEW, "four days old", age=4),
    Cluster("nw-unmeasured", Verdict.UNKNOWN, "not measured in the last days", until=72),
    Cluster("nw-new-world", Verdict.UNKNOWN, "serverless", serverless=True),
    Cluster("nw-going", Verdict.OK, "being deleted", state="DELETING"),
    Cluster("nw-legal", Verdict.EXEMPT, "tagged so", tags={"finops:exempt": "court order"}),
    *(Cluster(f"nw-team-{n:03}", Verdict.IN_USE, "beyond the first page", EU, 2, traffic=_BUSY) for n in range(101)),
    Cluster("nw-zz-last", Verdict.IDLE, "on the last page", EU, 2, gib=10),
)


def _charges() -> Iterator[Charge]:
    for one in CLUSTERS:
        if not one.serverless and one.state == "ACTIVE":
            yield Charge(one.region, one.arn, msk_broker("kafka.m5.large"), one.brokers * 730, one.age, one.tags)
            yield Charge(one.region, one.arn, "msk.storage", one.brokers * one.gib, one.age, one.tags)


def family(now: datetime) -> Family:
    """Clusters; moto is not asked."""
    rows = {region: [one.row(now) for one in CLUSTERS if one.region == region] for region in (US, EU)}
    return Family(
        rows=(Rows("kafka", "ListClustersV2", "ClusterInfoList", rows, beside_moto=False),),
        metrics=[metric for one in CLUSTERS for metric in one.metrics()],
        charges=list(_charges()),
        cases={"find_unused_msk_clusters": [Case(c.arn, c.region, c.verdict, c.why, c.usd) for c in CLUSTERS]},
    )
