"""EKS clusters of the fictional company, and the truth about their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.answers.versions import CLUSTERS as VERSIONS
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.family import Case, Family
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

_PAGE: Final = 3
"""Fewer than the hundred that AWS gives at most: it may."""
_SURCHARGE: Final = 0.50 * 730
_AHEAD: Final = 90


@dataclass(frozen=True)
class Cluster:
    """One cluster."""

    name: str
    version: str
    region: str = US
    support: str = "EXTENDED"
    tags: Mapping[str, str] = field(default_factory=lambda: {"Team": "platform"})

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeCluster has it."""
        return {
            "name": self.name,
            "arn": f"arn:aws:eks:{self.region}:{ACCOUNT_ID}:cluster/{self.name}",
            "createdAt": now - timedelta(days=500),
            "version": self.version,
            "platformVersion": "eks.20",
            "status": "ACTIVE",
            "upgradePolicy": {"supportType": self.support},
            "tags": dict(self.tags),
        }


CLUSTERS: Final = (
    Cluster("nw-batch", "1.32"),
    Cluster("nw-checkout", "1.35"),
    Cluster("nw-data", "1.33"),
    Cluster("nw-legacy", "1.29"),
    Cluster("nw-pinned", "1.32", tags={"finops:exempt": "vendor"}),
    Cluster("nw-platform", "1.34"),
    Cluster("nw-self-upgrading", "1.33", support="STANDARD"),
    Cluster("nw-checkout", "1.33", EU),
)


def family(now: datetime) -> Family:
    """Clusters, for the checks of EKS."""
    return Family(
        operations={
            ("eks", "ListClusters"): _list,
            ("eks", "DescribeCluster"): lambda call: {"cluster": _cluster(call).row(now)},
        },
        cases={"find_outdated_eks_cluster_versions": tuple(_case(cluster, now) for cluster in CLUSTERS)},
    )


def _list(call: Call) -> dict[str, Any]:
    return {"clusters": [each.name for each in CLUSTERS if each.region == call.region and call.account == ACCOUNT_ID]}


def _cluster(call: Call) -> Cluster:
    name = str(call.parameters["name"])
    found = [each for each in CLUSTERS if (each.name, each.region) == (name, call.region)]
    if not found or call.account != ACCOUNT_ID:
        raise AwsError("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
    return found[0]


def _case(cluster: Cluster, now: datetime) -> Case:
    """By the dates of its version."""
    dates = {version: (standard, extended) for version, _, standard, extended, _ in VERSIONS}
    if "finops:exempt" in cluster.tags:
        return Case(cluster.name, cluster.region, Verdict.EXEMPT, "out of support, and tagged so")
    if cluster.version not in dates:
        return Case(cluster.name, cluster.region, Verdict.OUTDATED, "AWS no longer lists it")
    standard, extended = (datetime.fromisoformat(f"{text}T00:00:00+00:00") for text in dates[cluster.version])
    ended = now >= standard
    if not ended and (standard.date() - now.date()).days > _AHEAD:
        return Case(cluster.name, cluster.region, Verdict.OK, "supported for months")
    billed = ended and now.date() <= extended.date() and cluster.support == "EXTENDED"
    why = "extended support is billed" if billed else "no surcharge now"
    return Case(cluster.name, cluster.region, Verdict.OUTDATED, why, _SURCHARGE if billed else None)
