"""What is said of a Kafka cluster where something of it is missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.msk import CLUSTERS, UNUSED_CLUSTERS, UnusedMskParams, read_traffic
from aws_finops_mcp.checks.reads import EVENT_SOURCE_MAPPINGS
from aws_finops_mcp.findings import FailedRead, Verdict

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FAILED = FailedRead(call="x", account="1", region="r", kind="denied", error="no", remedy="")
DAYS = 14


def cluster(**more: Any) -> dict[str, Any]:
    group = {"InstanceType": "kafka.m5.large", "StorageInfo": {"EbsStorageInfo": {"VolumeSize": 10}}}
    return {
        "ClusterArn": "arn:c",
        "ClusterName": "c",
        "ClusterType": "PROVISIONED",
        "State": "ACTIVE",
        "CreationTime": NOW - timedelta(days=90),
        "Provisioned": {"BrokerNodeGroupInfo": group, "NumberOfBrokerNodes": 2},
        **more,
    }


def judge(one: Mapping[str, Any], bytes_per_second: float, seen: int = DAYS, mappings: Any = ()) -> Judgement:
    facts = Facts(NOW, {CLUSTERS: [one], EVENT_SOURCE_MAPPINGS: mappings})
    series = {query: MetricSeries([bytes_per_second] * seen, DAYS) for query in read_traffic(facts, None)}
    facts = Facts(NOW, facts.inventory, series)
    (judged,) = UNUSED_CLUSTERS.judge(facts, UnusedMskParams(period=DAYS))
    return judged


@pytest.mark.parametrize(
    ("bytes_per_second", "seen", "verdict"),
    [(1024, DAYS, Verdict.IDLE), (1025, DAYS, Verdict.IN_USE), (0, DAYS - 1, Verdict.UNKNOWN), (0, 0, Verdict.UNKNOWN)],
)
def test_what_brokers_moved_decides_where_all_days_were_measured(
    bytes_per_second: float, seen: int, verdict: Verdict
) -> None:
    assert judge(cluster(), bytes_per_second, seen).verdict is verdict


def test_brokers_and_their_storage_are_the_saving_and_what_reads_it_is_named() -> None:
    found = judge(cluster(), 0, mappings=[{"UUID": "u", "EventSourceArn": "arn:c"}, {"UUID": "v"}])
    assert [part.quantity for part in found.parts] == [2 * 730, 20]
    assert list(found.referred_by) == ["Lambda event source mapping u"]
    assert list(judge(cluster(), 0, mappings=FAILED).referred_by) == []


def test_an_express_broker_has_no_storage_of_its_own() -> None:
    group = {"InstanceType": "express.m7g.large"}
    found = judge(cluster(Provisioned={"BrokerNodeGroupInfo": group, "NumberOfBrokerNodes": 3}), 0)
    (part,) = found.parts
    assert getattr(part.unit, "usage_type", "") == "Express[.]m7g[.]large"
