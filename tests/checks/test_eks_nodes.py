"""Node groups: what shows work, which nodes can be priced, and what unread groups leave open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.eks_nodes import IdleNodeGroupsParams, judge_groups, read_cpu
from aws_finops_mcp.checks.eks_versions import CLUSTERS
from aws_finops_mcp.checks.reads import AUTO_SCALING_GROUPS, node_group_read, node_groups_read
from aws_finops_mcp.findings import FailedRead, Verdict
from aws_finops_mcp.prices.unit import key_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FAILED = FailedRead(call="eks:X", account="1", region="us-east-1", kind="denied", error="no", remedy="allow it")
DAYS = 15


def judged(
    group: dict[str, Any] | None = None,
    cpu: tuple[float, ...] = (2.0,) * DAYS,
    kind: str = "m5.large",
    failed: tuple[str, ...] = (),
    age: int = 400,
    scaling_groups: int = 1,
) -> Judgement:
    names = [f"eks-{number}" for number in range(scaling_groups)]
    row = {
        "nodegroupName": "g",
        "clusterName": "c",
        "nodegroupArn": "arn:g",
        "status": "ACTIVE",
        "createdAt": NOW - timedelta(days=age),
        "capacityType": "ON_DEMAND",
        "amiType": "AL2023_x86_64_STANDARD",
        "instanceTypes": ["c5.large"],
        "scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 2},
        "resources": {"autoScalingGroups": [{"name": name} for name in names]},
        **(group or {}),
    }
    nodes = [{"InstanceId": f"i-{number}", "InstanceType": kind} for number in range(2)]
    scaling = [{"AutoScalingGroupName": name, "Instances": nodes} for name in names]
    inventory: dict[Any, Any] = {
        CLUSTERS: ["c"],
        AUTO_SCALING_GROUPS: FAILED if "nodes" in failed else scaling,
    }
    details: dict[Any, Any] = {
        node_groups_read("c"): FAILED if "list" in failed else ["g"],
        node_group_read("c", "g"): FAILED if "group" in failed else [row],
    }
    facts = Facts(NOW, inventory, details=details)
    # Only the last auto scaling group has what is said, the others are idle.
    queries = list(read_cpu(facts, None))
    series = {query: MetricSeries((1.0,) * DAYS, DAYS) for query in queries}
    if queries:
        series[queries[-1]] = MetricSeries(cpu, DAYS, FAILED if "cpu" in failed else None)
    (judgement,) = judge_groups(Facts(NOW, inventory, series, details), IdleNodeGroupsParams())
    return judgement


def test_each_node_is_priced_as_itself_so_that_an_audit_counts_it_once() -> None:
    parts = judged().parts
    assert [(part.resource, key_of(part.unit), part.quantity) for part in parts] == [
        ("i-0", "ec2.m5.large.linux", 730),
        ("i-1", "ec2.m5.large.linux", 730),
    ]


@pytest.mark.parametrize(
    ("group", "unit"),
    [
        ({"amiType": "WINDOWS_FULL_2022_x86_64"}, "ec2.m5.large.windows"),
        ({"capacityType": "SPOT"}, "ec2.m5.large.spot"),
        ({"amiType": "CUSTOM"}, "ec2.m5.large.custom"),
        ({"amiType": "BOTTLEROCKET_x86_64"}, "ec2.m5.large.linux"),
    ],
)
def test_what_a_node_is_billed_as(group: dict[str, Any], unit: str) -> None:
    assert {key_of(part.unit) for part in judged(group).parts} == {unit}


@pytest.mark.parametrize(
    "kind", ["p5.48xlarge", "g5.xlarge", "gr6.4xlarge", "inf2.xlarge", "trn1.2xlarge", "dl1.24xlarge"]
)
def test_an_idle_processor_says_nothing_of_an_accelerator(kind: str) -> None:
    assert judged(kind=kind).verdict is Verdict.UNKNOWN
    assert judged(kind=kind, cpu=(80.0,) * DAYS).verdict is Verdict.IN_USE


def test_one_busy_measurement_of_one_of_several_auto_scaling_groups_is_use() -> None:
    cpu = (*(2.0,) * (DAYS - 1), 10.1)
    assert judged(cpu=cpu, scaling_groups=2).verdict is Verdict.IN_USE
    assert judged(scaling_groups=2).verdict is Verdict.IDLE


def test_without_its_nodes_an_idle_group_has_no_price() -> None:
    judgement = judged(failed=("nodes",))
    assert (judgement.verdict, list(judgement.parts)) == (Verdict.IDLE, [])
    assert judgement.unpriced == ["its 2 nodes, which could not be read"]
    assert judgement.evidence["instance_types"] == "c5.large"


@pytest.mark.parametrize(("failed", "name"), [("list", "c"), ("group", "c/g"), ("cpu", "c/g")])
def test_what_was_not_read_is_unknown_by_name(failed: str, name: str) -> None:
    judgement = judged(failed=(failed,))
    assert (judgement.verdict, judgement.name) == (Verdict.UNKNOWN, name)


@given(cpu=st.lists(st.floats(0, 100), max_size=DAYS), age=st.integers(0, 40), desired=st.integers(0, 3))
def test_idle_is_only_what_has_nodes_and_was_measured_all_the_days(cpu: list[float], age: int, desired: int) -> None:
    judgement = judged({"scalingConfig": {"desiredSize": desired}}, tuple(cpu), age=age)
    if judgement.verdict is Verdict.IDLE:
        assert desired
        assert age >= 14
        assert len(cpu) >= 14
        assert max(cpu) <= 10
