"""Metrics: the fewest GetMetricData calls, whatever is asked, and no series cut short."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.metric_store import read_metrics
from aws_finops_mcp.aws.metrics import (
    DAY,
    HOUR,
    MAX_DATAPOINTS,
    MAX_QUERIES,
    MetricQuery,
    batches,
    expected_datapoints,
    full_batches,
    window,
)
from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.demo.account import EmbeddedAccount

NOW = datetime(2026, 11, 22, 16, 30, 59, tzinfo=UTC)


def queries(count: int, period: int = DAY) -> list[MetricQuery]:
    return [
        MetricQuery("AWS/Lambda", "Invocations", (("FunctionName", f"none-{n}"),), "Sum", period) for n in range(count)
    ]


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (500, 1), (501, 2), (1200, 3)])
def test_500_metrics_are_one_call(engine: Engine, account: EmbeddedAccount, count: int, calls: int) -> None:
    reader = engine.asking().reader()
    series = read_metrics(reader, queries(count), window(90, engine.clock()))
    assert len(series) == count
    assert account.calls.count("cloudwatch:GetMetricData") == calls
    assert reader.ledger.calls().by_action.get("cloudwatch:GetMetricData", 0) == calls
    assert float(reader.ledger.calls().cost_usd) == pytest.approx(count * 0.00001)


def test_the_same_series_is_asked_once(engine: Engine) -> None:
    reader = engine.asking().reader()
    assert len(read_metrics(reader, queries(3) + queries(3), window(7, engine.clock()))) == 3


def test_long_series_are_asked_in_smaller_batches(engine: Engine, account: EmbeddedAccount) -> None:
    """455 days by the hour are 10,920 datapoints a series: nine of them fill an answer."""
    over = window(455, engine.clock())
    read_metrics(engine.asking().reader(), queries(20, HOUR), over)
    per_call = MAX_DATAPOINTS // expected_datapoints(over, HOUR)
    assert account.calls.count("cloudwatch:GetMetricData") == -(-20 // per_call)


def test_a_failed_batch_leaves_the_others_standing(engine: Engine, account: EmbeddedAccount) -> None:
    events = engine.clients.client("cloudwatch", "us-east-1").meta.events

    def deny_the_second(params: dict[str, list[dict[str, object]]], **_: object) -> None:
        account.faults.clear()
        if len(params["MetricDataQueries"]) < MAX_QUERIES:
            account.faults.deny("cloudwatch:GetMetricData")

    engine.asking().reader()  # learns the account's number first
    reader = engine.asking().reader()
    asked = queries(MAX_QUERIES)
    events.register("provide-client-params.cloudwatch.GetMetricData", deny_the_second)
    try:
        first = read_metrics(reader, asked, window(7, engine.clock()))
        second = read_metrics(reader, queries(10, HOUR), window(7, engine.clock()))
    finally:
        events.unregister("provide-client-params.cloudwatch.GetMetricData", deny_the_second)
    assert not any(series.failed for series in first.values())
    assert all(series.failed and series.failed.kind == "denied" for series in second.values())
    assert len(reader.ledger.failed_reads) == 1


def test_dimensions_match_exactly(engine: Engine, account: EmbeddedAccount) -> None:
    gateway = account.ids["nat-staging"]
    right = MetricQuery("AWS/NATGateway", "ActiveConnectionCount", (("NatGatewayId", gateway),), "Maximum", DAY)
    more = MetricQuery(
        "AWS/NATGateway", "ActiveConnectionCount", (("NatGatewayId", gateway), ("Zone", "a")), "Maximum", DAY
    )
    none = MetricQuery("AWS/NATGateway", "ActiveConnectionCount", (), "Maximum", DAY)
    series = read_metrics(engine.asking().reader(), [right, more, none], window(7, engine.clock()))
    assert series[right].seen > 0
    assert series[more].seen == series[none].seen == 0


def test_the_window_begins_at_midnight_utc() -> None:
    over = window(90, NOW)
    assert over.start == datetime(2026, 8, 24, tzinfo=UTC)
    assert over.end == datetime(2026, 11, 22, 16, 30, tzinfo=UTC)


DAYS = st.integers(1, 455)
KINDS = st.lists(st.sampled_from([60, 300, HOUR, DAY]), min_size=1, max_size=4)
"""The periods of the series of one resource."""


def of_resources(count: int, periods: list[int]) -> list[MetricQuery]:
    return [
        MetricQuery("AWS/X", f"m{kind}", (("Id", str(number)),), "Sum", period)
        for number in range(count)
        for kind, period in enumerate(periods)
    ]


@given(days=DAYS, periods=KINDS, count=st.integers(0, 1500))
def test_requests_are_within_awss_limits_and_ask_for_each_series_once(
    days: int, periods: list[int], count: int
) -> None:
    over = window(days, NOW)
    wanted = of_resources(count, periods)
    made = batches(wanted, over)
    assert sorted(map(repr, (query for batch in made for query in batch))) == sorted(map(repr, wanted))
    for batch in made:
        assert len(batch) <= MAX_QUERIES
        assert len(batch) == 1 or sum(expected_datapoints(over, query.period) for query in batch) <= MAX_DATAPOINTS


@given(days=DAYS, period=st.sampled_from([60, 300, HOUR, DAY]), count=st.integers(0, 2500))
def test_of_equal_series_there_is_no_request_too_many(days: int, period: int, count: int) -> None:
    over = window(days, NOW)
    each = max(1, min(MAX_QUERIES, MAX_DATAPOINTS // expected_datapoints(over, period)))
    assert len(batches(queries(count, period), over)) == -(-count // each)


@given(days=DAYS, periods=KINDS, count=st.integers(0, 1500), page=st.integers(1, 1000))
def test_asking_page_by_page_takes_no_more_requests(days: int, periods: list[int], count: int, page: int) -> None:
    """Only full requests go out before all is known; for series of one length that is exact, else within one in ten."""
    over = window(days, NOW)
    wanted = of_resources(count, periods)
    waiting: list[MetricQuery] = []
    early = 0
    for some in chunks(wanted, page * len(periods)):
        waiting += some
        sent = full_batches(waiting, over)
        early += len(sent)
        gone = {query for batch in sent for query in batch}
        waiting = [query for query in waiting if query not in gone]
    whole = len(batches(wanted, over))
    made = early + len(batches(waiting, over))
    assert made <= (whole if len(set(periods)) == 1 else whole * 1.1 + 1)


def test_a_time_that_many_series_share_is_one_object(engine: Engine, account: EmbeddedAccount) -> None:
    """Each answer has it 500 times: that many objects were most of the memory."""
    gateway = account.ids["nat-staging"]
    asked = [
        MetricQuery("AWS/NATGateway", name, (("NatGatewayId", gateway),), "Sum", HOUR)
        for name in ("BytesOutToDestination", "BytesInFromDestination")
    ]
    one, other = read_metrics(engine.asking().reader(), asked, window(3, engine.clock())).values()
    assert one.times
    assert all(first is second for first, second in zip(one.times, other.times, strict=True))
