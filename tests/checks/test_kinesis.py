"""Streams: what shows use, how many shards a busy hour needs, and what their retention costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.kinesis import (
    CAPACITY,
    STREAMS,
    TAGS,
    UnusedStreamsParams,
    judge_streams,
    read_use,
    summary_read,
)
from aws_finops_mcp.checks.reads import EVENT_SOURCE_MAPPINGS
from aws_finops_mcp.findings import FailedRead, Verdict

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
FAILED = FailedRead(call="kinesis:X", account="1", region="us-east-1", kind="denied", error="no", remedy="allow it")


def judged(
    hourly: dict[str, tuple[float, ...]] | None = None,
    shards: int | None = 8,
    mode: str = "PROVISIONED",
    retention: int = 24,
    age: int = 400,
    consumers: int = 0,
    failed: bool = False,
    **params: Any,
) -> Judgement:
    stream = {
        "StreamName": "s",
        "StreamARN": ARN,
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": mode},
        "StreamCreationTimestamp": NOW - timedelta(days=age),
    }
    summary = {"OpenShardCount": shards, "RetentionPeriodHours": retention, "ConsumerCount": consumers}
    mapping = {"UUID": "u", "EventSourceArn": ARN}
    inventory: dict[Any, Any] = {STREAMS: [stream], EVENT_SOURCE_MAPPINGS: [mapping], TAGS: []}
    details: dict[Any, Any] = {summary_read(ARN): FAILED if shards is None else [summary]}
    series = {
        query: MetricSeries((hourly or {}).get(query.metric, ()), 348, FAILED if failed else None)
        for query in read_use(Facts(NOW, inventory), None)
    }
    (judgement,) = judge_streams(Facts(NOW, inventory, series, details), UnusedStreamsParams(**params))
    return judgement


def test_a_stream_on_demand_costs_by_the_hour_whatever_its_shards() -> None:
    judgement = judged(mode="ON_DEMAND")
    assert judgement.verdict is Verdict.IDLE
    assert [(part.unit, part.quantity) for part in judgement.parts] == [("kinesis.on_demand.stream", 730)]
    assert judgement.referred_by == ["Lambda event source mapping u"]


@pytest.mark.parametrize(
    ("retention", "units", "unpriced"),
    [
        (24, ["kinesis.shard"], 0),
        (25, ["kinesis.shard", "kinesis.shard.extended"], 0),
        (168, ["kinesis.shard", "kinesis.shard.extended"], 0),
        (8760, ["kinesis.shard", "kinesis.shard.extended"], 1),
    ],
)
def test_retention_beyond_a_day_costs_by_the_shard_and_beyond_a_week_by_the_gigabyte(
    retention: int, units: list[str], unpriced: int
) -> None:
    judgement = judged(retention=retention)
    assert [part.unit for part in judgement.parts] == units
    assert len(judgement.unpriced) == unpriced


def test_consumers_of_an_idle_stream_cost_what_is_not_known() -> None:
    assert judged(consumers=2).unpriced == ["2 enhanced fan-out consumers"]


@pytest.mark.parametrize(
    ("metric", "hour", "target"),
    [
        ("IncomingRecords", 3_600_000 * 0.3, 1),
        ("IncomingRecords", 3_600_000 * 0.31, 2),
        ("IncomingBytes", 3600 * 2**20 * 0.9, 3),
        ("GetRecords.Bytes", 3600 * 2**21 * 1.2, 4),
    ],
)
def test_the_busiest_hour_of_any_direction_says_how_many_shards_would_do(metric: str, hour: float, target: int) -> None:
    judgement = judged({"IncomingRecords": (1.0,), metric: (0.0, hour, 1.0)})
    assert judgement.verdict is Verdict.UNDERUSED
    assert judgement.evidence["change_to"] == f"{target} shards"
    assert [part.quantity for part in judgement.parts] == [(8 - target) * 730]


def test_more_than_half_of_the_shards_is_not_worth_it() -> None:
    assert judged({"IncomingRecords": (3_600_000 * 1.3,)}).verdict is Verdict.IN_USE


@pytest.mark.parametrize("metric", ["WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded"])
def test_a_stream_that_refuses_requests_is_not_too_large(metric: str) -> None:
    assert judged({"IncomingRecords": (9.0,), metric: (1.0,)}).verdict is Verdict.IN_USE


def test_what_was_not_read_leaves_open_whether_shards_are_too_many_but_not_whether_it_is_idle() -> None:
    assert judged({"IncomingRecords": (9.0,)}, shards=None).verdict is Verdict.UNKNOWN
    idle = judged(shards=None)
    assert (idle.verdict, idle.parts, len(idle.unpriced)) == (Verdict.IDLE, [], 1)
    assert judged(failed=True).verdict is Verdict.UNKNOWN
    assert judged(failed=True).evidence["records_written"] is None


@given(
    hours=st.lists(st.floats(0, 1e8), max_size=5),
    metric=st.sampled_from(sorted(CAPACITY)),
    shards=st.integers(1, 500),
    percent=st.floats(1, 60),
    age=st.integers(0, 60),
)
def test_what_would_do_holds_the_busiest_hour_below_the_threshold(
    hours: list[float], metric: str, shards: int, percent: float, age: int
) -> None:
    judgement = judged({metric: tuple(hours), "IncomingRecords": tuple(hours)}, shards, age=age, peak_percent=percent)
    if judgement.verdict.actionable:
        assert age >= 14
    if judgement.verdict is Verdict.UNDERUSED:
        left = shards - sum(float(part.quantity) for part in judgement.parts) / 730
        assert 1 <= left <= shards / 2
        busiest = max(
            max(hours) / 3600 / most for name, most in CAPACITY.items() if name in (metric, "IncomingRecords")
        )
        assert busiest / left * 100 <= percent * 1.0001
