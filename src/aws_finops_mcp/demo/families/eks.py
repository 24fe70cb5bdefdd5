"""EKS clusters of the fictional company, and the truth about their versions and about what they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.answers.versions import CLUSTERS as VERSIONS
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric
from aws_finops_mcp.demo.families.support_dates import surcharges
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

_PAGE: Final = 3
"""Fewer than the hundred that AWS gives at most: it may."""
_CONTROL_PLANE: Final = 0.10 * 730
_SURCHARGE: Final = 0.50 * 730
_AHEAD: Final = 90
_PLACED: Final = "scheduler_schedule_attempts_SCHEDULED"
_HYBRID: Final = {"remoteNetworkConfig": {"remoteNodeNetworks": [{"cidrs": ["10.200.0.0/16"]}]}}


@dataclass(frozen=True)
class Cluster:
    """One cluster; ``pods``: what its scheduler places an hour, by hours ago; None: it is not measured."""

    name: str
    version: str
    region: str = US
    support: str = "EXTENDED"
    tags: Mapping[str, str] = field(default_factory=lambda: {"Team": "platform"})
    pods: float | Callable[[int], float] | None = 3.0
    age: int = 500
    fargate: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    runs: Verdict = Verdict.IN_USE
    why: str = "places Pods"

    def row(self, now: datetime) -> dict[str, Any]:
        """As DescribeCluster has it."""
        return {
            "name": self.name,
            "arn": f"arn:aws:eks:{self.region}:{ACCOUNT_ID}:cluster/{self.name}",
            "createdAt": now - timedelta(days=self.age),
            "version": self.version,
            "platformVersion": "eks.20",
            "status": "ACTIVE",
            "upgradePolicy": {"supportType": self.support},
            "tags": dict(self.tags),
            **self.more,
        }

    def metrics(self) -> Iterator[Metric]:
        """What EKS measures of its control plane."""
        if self.pods is not None:
            own, hours = {"ClusterName": self.name}, min(130, self.age) * 24
            for name, hourly in (("apiserver_request_total", 9000.0), (_PLACED, self.pods)):
                yield Metric(self.region, "AWS/EKS", name, own, hourly, hours=hours)


def _nightly(ago: int) -> float:
    return 4.0 if ago % 24 == 3 else 0.0


CLUSTERS: Final = (
    Cluster("nw-abandoned", "1.35", pods=0, runs=Verdict.IDLE, why="nothing but a control plane"),
    Cluster("nw-abandoned-old", "1.32", pods=0, runs=Verdict.IDLE, why="the same, with the surcharge of its version"),
    Cluster("nw-batch", "1.32", pods=_nightly, why="without a node by day: Pods are placed each night"),
    Cluster("nw-checkout", "1.35"),
    Cluster("nw-data", "1.33"),
    Cluster("nw-edge", "1.35", pods=0, more=_HYBRID, runs=Verdict.OK, why="its nodes are on premises"),
    Cluster("nw-fargate", "1.35", pods=0, fargate=("default",), runs=Verdict.OK, why="Pods run on Fargate"),
    Cluster("nw-just-made", "1.35", pods=0, age=9, runs=Verdict.TOO_NEW, why="nine days old"),
    Cluster("nw-legacy", "1.29", pods=None, runs=Verdict.UNKNOWN, why="it is not measured"),
    Cluster("nw-pinned", "1.32", tags={"finops:exempt": "vendor"}, pods=0, runs=Verdict.EXEMPT, why="tagged so"),
    Cluster("nw-platform", "1.34"),
    Cluster("nw-self-upgrading", "1.33", support="STANDARD"),
    Cluster("nw-steady", "1.35", pods=0, why="its Pods were placed long ago, on a node that is there"),
    Cluster("nw-checkout", "1.33", EU),
)


def family(now: datetime) -> Family:
    """Clusters, for the checks of EKS."""
    return Family(
        operations={
            ("eks", "ListClusters"): _list,
            ("eks", "DescribeCluster"): lambda call: {"cluster": _cluster(call).row(now)},
            ("eks", "ListFargateProfiles"): _fargate,
        },
        metrics=[metric for cluster in CLUSTERS for metric in cluster.metrics()],
        charges=list(_charges(now)),
        cases={
            "find_outdated_eks_cluster_versions": tuple(_case(cluster, now) for cluster in CLUSTERS),
            "find_unused_eks_clusters": [
                Case(each.name, each.region, each.runs, each.why, _idle_usd(each, now)) for each in CLUSTERS
            ],
        },
    )


def _charges(now: datetime) -> Iterator[Charge]:
    for one in CLUSTERS:
        arn = f"arn:aws:eks:{one.region}:{ACCOUNT_ID}:cluster/{one.name}"
        yield Charge(one.region, arn, "eks.cluster.hours", 730, one.age, one.tags)
        known = {each[0]: (each[2], each[3]) for each in VERSIONS}
        if one.support == "EXTENDED" and one.version in known:
            # The same in all years.
            unit = ("eks.extended_support.hours", 730.0)
            yield from surcharges(now, one.region, arn, unit, unit, known[one.version], tags=one.tags)


def _list(call: Call) -> dict[str, Any]:
    return {"clusters": [each.name for each in CLUSTERS if each.region == call.region and call.account == ACCOUNT_ID]}


def _fargate(call: Call) -> dict[str, Any]:
    return {"fargateProfileNames": list(_named(call, "clusterName").fargate)}


def _cluster(call: Call) -> Cluster:
    return _named(call, "name")


def _named(call: Call, parameter: str) -> Cluster:
    name = str(call.parameters[parameter])
    found = [each for each in CLUSTERS if (each.name, each.region) == (name, call.region)]
    if not found or call.account != ACCOUNT_ID:
        raise AwsError("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
    return found[0]


def _dates(version: str) -> tuple[datetime, datetime]:
    """The ends of standard and of extended support."""
    [(standard, extended)] = [(each[2], each[3]) for each in VERSIONS if each[0] == version]
    return datetime.fromisoformat(f"{standard}T00:00:00+00:00"), datetime.fromisoformat(f"{extended}T00:00:00+00:00")


def _idle_usd(cluster: Cluster, now: datetime) -> float | None:
    if cluster.runs is not Verdict.IDLE:
        return None
    standard, extended = _dates(cluster.version)
    return _CONTROL_PLANE + (_SURCHARGE if standard <= now and now.date() <= extended.date() else 0)


def _case(cluster: Cluster, now: datetime) -> Case:
    """By the dates of its version."""
    if "finops:exempt" in cluster.tags:
        return Case(cluster.name, cluster.region, Verdict.EXEMPT, "out of support, and tagged so")
    if cluster.version not in {each[0] for each in VERSIONS}:
        return Case(cluster.name, cluster.region, Verdict.OUTDATED, "AWS no longer lists it")
    standard, extended = _dates(cluster.version)
    ended = now >= standard
    if not ended and (standard.date() - now.date()).days > _AHEAD:
        return Case(cluster.name, cluster.region, Verdict.OK, "supported for months")
    billed = ended and now.date() <= extended.date() and cluster.support == "EXTENDED"
    why = "extended support is billed" if billed else "no surcharge now"
    return Case(cluster.name, cluster.region, Verdict.OUTDATED, why, _SURCHARGE if billed else None)
