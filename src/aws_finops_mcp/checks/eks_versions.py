"""Kubernetes versions of EKS clusters that are, or soon will be, out of standard support."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.support_clock import EVIDENCE, Support, VersionParams, clock, day, newest
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

CLUSTERS = read("eks", "ListClusters", "clusters", {"maxResults": 100}, token=("nextToken", "nextToken"))
CLUSTER_VERSIONS = read(
    "eks",
    "DescribeClusterVersions",
    "clusterVersions",
    {"includeAll": True, "maxResults": 100},
    token=("nextToken", "nextToken"),
)


class EksVersionParams(VersionParams):
    """Arguments of `find_outdated_eks_cluster_versions`."""

    # A version is in standard support for fourteen months: a year ahead would name all of them.
    ahead_days: int = Field(90, ge=0, le=1825, description="also versions whose standard support ends within N days")


def cluster_read(name: str) -> Read:
    """One cluster; there is no batch call."""
    return read("eks", "DescribeCluster", "cluster", {"name": name}, resource=name)


def describe_clusters(facts: Facts, _params: object) -> Iterator[Read]:
    """All of them: a name alone says nothing."""
    return (cluster_read(name) for name in facts.items(CLUSTERS))


def judge_clusters(facts: Facts, params: VersionParams) -> Iterator[Judgement]:
    """Outdated by AWS's own dates."""
    listed = facts.maybe(CLUSTER_VERSIONS)
    versions = None if listed is None else {each["clusterVersion"]: each for each in listed}
    for name in facts.items(CLUSTERS):
        found = facts.maybe(cluster_read(name))
        if not found:
            reason = "the cluster could not be described"
            yield Judgement(resource_id=name, name=name, verdict=Verdict.UNKNOWN, reason=reason, evidence={})
            continue
        yield _judge(facts, params, found[0], versions)


def support_state(version: Mapping[str, Any]) -> str:
    """STANDARD_SUPPORT, EXTENDED_SUPPORT or UNSUPPORTED, whichever of AWS's two fields has it; empty when none does."""
    return version.get("versionStatus") or str(version.get("status", "")).upper().replace("-", "_")


def _judge(facts: Facts, params: VersionParams, cluster: Any, versions: dict[str, Any] | None) -> Judgement:
    version = cluster["version"]
    policy = cluster.get("upgradePolicy", {}).get("supportType", "EXTENDED")
    evidence: dict[str, Scalar] = {
        "version": version,
        "platform": cluster.get("platformVersion"),
        "support_type": policy,
        "status": cluster.get("status"),
        "age_days": facts.age_days(cluster["createdAt"]),
        "newest_version": None if versions is None else newest(_supported(versions)),
    }
    known = None if versions is None else versions.get(version)
    verdict, reason = Verdict.UNKNOWN, "until when its version is supported could not be read"
    more: dict[str, Any] = {}
    if versions is not None and known is None:
        verdict, reason = Verdict.OUTDATED, f"AWS no longer lists Kubernetes {version}"
    elif known is not None:
        dates = Support(day(known["endOfStandardSupportDate"]), day(known["endOfExtendedSupportDate"]))
        state = support_state(known)
        found = clock(
            facts.now,
            f"Kubernetes {version}",
            dates,
            params,
            lambda _: [Part("extended support of the control plane", "eks.extended_support.hours", HOURS_PER_MONTH)],
            enrolled=policy != "STANDARD",
            ended=state != "STANDARD_SUPPORT" if state else None,
        )
        verdict, reason = found.verdict, found.reason
        evidence |= {**found.evidence, "version": version}
        more = {"parts": found.parts, "coming": found.coming}
    return Judgement(
        resource_id=cluster["arn"],
        name=cluster["name"],
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=cluster.get("tags", {}),
        **more,
    )


def _supported(versions: dict[str, Any]) -> list[str]:
    return [
        name for name, each in versions.items() if each.get("versionStatus", "STANDARD_SUPPORT") == "STANDARD_SUPPORT"
    ]


OUTDATED_EKS_CLUSTER_VERSIONS = Check(
    name="find_outdated_eks_cluster_versions",
    title="EKS clusters out of standard support, and what that costs",
    noun="EKS clusters",
    category=Category.UPGRADE,
    description=(
        "EKS clusters whose Kubernetes version is out of standard support or soon will be, by AWS's own dates, with "
        "the extended support surcharge a month. Free to ask: a call a cluster."
    ),
    resource_type="AWS::EKS::Cluster",
    params=EksVersionParams,
    inventory=(CLUSTERS, CLUSTER_VERSIONS),
    follow_ups=(describe_clusters,),
    detail_actions=("eks:DescribeCluster",),
    judge=judge_clusters,
    evidence={
        **EVIDENCE,
        "platform": "eks:DescribeCluster, platformVersion",
        "support_type": "upgradePolicy; STANDARD: AWS upgrades it when standard support ends, and bills nothing extra",
        "status": "status",
        "age_days": "days since createdAt",
        "newest_version": "eks:DescribeClusterVersions, the highest in standard support",
    },
    verdicts={
        Verdict.OUTDATED: "standard support ended or ends within ahead_days, or AWS no longer lists the version",
        Verdict.UNKNOWN: "the cluster or AWS's dates could not be read",
    },
    remediation=(
        "Upgrade one minor version after the other: first what the upgrade insights name, then the control plane, then "
        "add-ons and nodes. The support policy STANDARD makes AWS upgrade instead of billing."
    ),
    references=(
        "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
        "https://aws.amazon.com/eks/pricing/",
    ),
    prices=("eks.extended_support.hours",),
    limits="Add-ons, and the versions of nodes, are not looked at.",
)

CHECKS = (OUTDATED_EKS_CLUSTER_VERSIONS,)
