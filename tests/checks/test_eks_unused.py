"""Clusters: what shows that they run something, and what unread answers leave open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.eks_unused import (
    UnusedClustersParams,
    fargate_profiles_read,
    judge_clusters,
    nodes_by_cluster,
    read_control_planes,
)
from aws_finops_mcp.checks.eks_versions import CLUSTER_VERSIONS, CLUSTERS, cluster_read
from aws_finops_mcp.checks.reads import RESERVATIONS
from aws_finops_mcp.findings import FailedRead, Verdict
from aws_finops_mcp.prices.unit import key_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FAILED = FailedRead(call="eks:X", account="1", region="us-east-1", kind="denied", error="no", remedy="allow it")
DAYS = 31


def instance(key: str, value: str = "owned", state: str = "running") -> dict[str, Any]:
    return {"Instances": [{"State": {"Name": state}, "Tags": [{"Key": key, "Value": value}]}]}


def judged(
    cluster: dict[str, Any] | None = None,
    pods: tuple[float, ...] = (0.0,) * DAYS,
    nodes: tuple[dict[str, Any], ...] = (),
    profiles: tuple[str, ...] = (),
    failed: str = "",
    measured: int = DAYS,
    age: int = 400,
) -> Judgement:
    row = {
        "name": "c",
        "arn": "arn:c",
        "version": "1.33",
        "status": "ACTIVE",
        "createdAt": NOW - timedelta(days=age),
        **(cluster or {}),
    }
    inventory: dict[Any, Any] = {
        CLUSTERS: ["c"],
        RESERVATIONS: FAILED if failed == "nodes" else nodes,
        CLUSTER_VERSIONS: [
            {"clusterVersion": "1.32", "versionStatus": "EXTENDED_SUPPORT"},
            {"clusterVersion": "1.31", "status": "extended-support"},
        ],
    }
    details: dict[Any, Any] = {
        cluster_read("c"): FAILED if failed == "cluster" else [row],
        fargate_profiles_read("c"): FAILED if failed == "profiles" else list(profiles),
    }
    facts = Facts(NOW, inventory, details=details)
    placed, asked = read_control_planes(facts, None)
    series = {
        placed: MetricSeries(pods, DAYS, FAILED if failed == "metrics" else None),
        asked: MetricSeries((9000.0,) * measured, DAYS, FAILED if failed == "metrics" else None),
    }
    [judgement] = judge_clusters(Facts(NOW, inventory, series, details), UnusedClustersParams())
    return judgement


def parts(judgement: Judgement) -> list[str]:
    return [key_of(each.unit) for each in judgement.parts]


def test_a_cluster_that_runs_nothing_costs_its_control_plane() -> None:
    judgement = judged()
    assert judgement.verdict is Verdict.IDLE
    assert parts(judgement) == ["eks.cluster.hours"]


@pytest.mark.parametrize("version", ["1.31", "1.32"])
@pytest.mark.parametrize(("support", "billed"), [("EXTENDED", True), ("STANDARD", False)])
def test_an_old_version_costs_its_surcharge_too_unless_aws_upgrades_it(
    support: str, billed: bool, version: str
) -> None:
    judgement = judged({"version": version, "upgradePolicy": {"supportType": support}})
    assert ("eks.extended_support.hours" in parts(judgement)) is billed


@pytest.mark.parametrize(
    "node",
    [
        instance("kubernetes.io/cluster/c"),
        instance("eks:cluster-name", "c"),
        instance("aws:eks:cluster-name", "c"),
        instance("eks:eks-cluster-name", "c", state="stopped"),
    ],
)
def test_an_instance_with_any_tag_of_a_node_is_one(node: dict[str, Any]) -> None:
    assert judged(nodes=(node,)).verdict is Verdict.IN_USE


@pytest.mark.parametrize(
    "node",
    [
        instance("kubernetes.io/cluster/another"),
        instance("eks:cluster-name", "another"),
        instance("kubernetes.io/cluster/c", state="terminated"),
        instance("kubernetes.io/created-for/pvc/name", "c"),
    ],
)
def test_an_instance_of_another_cluster_or_a_dead_one_is_none(node: dict[str, Any]) -> None:
    assert judged(nodes=(node,)).verdict is Verdict.IDLE


def test_an_instance_with_two_tags_is_one_node() -> None:
    node = instance("eks:cluster-name", "c")
    node["Instances"][0]["Tags"].append({"Key": "kubernetes.io/cluster/c", "Value": "owned"})
    assert nodes_by_cluster([node]) == {"c": 1}


@pytest.mark.parametrize(
    ("what", "verdict"),
    [
        ({"pods": (0.0,) * 30 + (1.0,)}, Verdict.IN_USE),
        ({"profiles": ("default",)}, Verdict.OK),
        ({"cluster": {"remoteNetworkConfig": {"remoteNodeNetworks": [{"cidrs": ["10.0.0.0/8"]}]}}}, Verdict.OK),
        ({"cluster": {"status": "DELETING"}}, Verdict.OK),
        ({"age": 10}, Verdict.TOO_NEW),
        ({"measured": 12}, Verdict.UNKNOWN),
        ({"measured": 0}, Verdict.UNKNOWN),
    ],
)
def test_what_may_run_something_is_not_called_idle(what: dict[str, Any], verdict: Verdict) -> None:
    judgement = judged(**what)
    assert judgement.verdict is verdict
    assert not judgement.parts


@pytest.mark.parametrize("failed", ["cluster", "nodes", "profiles", "metrics"])
def test_what_was_not_read_leaves_it_unknown(failed: str) -> None:
    assert judged(failed=failed).verdict is Verdict.UNKNOWN
