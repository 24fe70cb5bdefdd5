"""Clusters held against their peaks; the surcharge of OpenSearch by normalized instance hours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.elasticache import memory_percent
from aws_finops_mcp.checks.peaks import Peaks, PeaksParams, judge_peaks, smaller_type
from aws_finops_mcp.checks.support_facts import OPENSEARCH, REDIS_OSS
from aws_finops_mcp.checks.surcharges import normalized_units
from aws_finops_mcp.findings import Verdict


@pytest.mark.parametrize(
    ("kind", "smaller"),
    [
        ("r6g.xlarge.search", "r6g.large.search"),
        ("m5.large.elasticsearch", None),
        ("cache.r6g.xlarge", "cache.r6g.large"),
        ("db.r6g.large", None),
        ("ultrawarm1.medium.search", None),
    ],
)
def test_one_size_down_of_any_service(kind: str, smaller: str | None) -> None:
    assert smaller_type(kind) == smaller


@pytest.mark.parametrize(
    ("kind", "units"),
    [
        ("t3.small.search", 1),
        ("r6g.large.search", 4),
        ("m5.xlarge.search", 8),
        ("i3.16xlarge.search", 128),
        ("x", None),
    ],
)
def test_normalized_instance_hours(kind: str, units: float | None) -> None:
    assert normalized_units(kind) == units


@given(
    activity=st.floats(0, 1e6),
    cpu=st.none() | st.floats(0, 100),
    memory=st.none() | st.floats(0, 100),
    days=st.integers(0, 31),
    failed=st.booleans(),
    age=st.integers(0, 400),
)
def test_nothing_is_found_without_all_days_of_a_whole_window(
    activity: float, cpu: float | None, memory: float | None, days: int, failed: bool, age: int
) -> None:
    params = PeaksParams(period=30)
    peaks = Peaks(activity, cpu, memory, days, 31, failed)
    verdict, _ = judge_peaks(peaks, params, age, "half", "request")
    if verdict.actionable:
        assert not failed
        assert days >= 30
        assert age >= 30
    if verdict is Verdict.UNDERUSED:
        assert (cpu or 0) <= 20
        assert (memory or 0) <= 35
        assert activity > 0
    if verdict is Verdict.IDLE:
        assert activity == 0


def test_memcached_has_its_use_of_memory_worked_out() -> None:
    used, left = MetricSeries((30.0, 0.0), 2), MetricSeries((70.0, 0.0), 2)
    assert memory_percent({"Engine": "memcached"}, [used, left]) == (30.0, 0.0)
    assert memory_percent({"Engine": "redis"}, [used]) == (30.0, 0.0)


def test_the_tables_are_in_order() -> None:
    for support in (*OPENSEARCH.values(), *REDIS_OSS.values()):
        if support.extended_ends:
            assert support.standard_ends < support.extended_ends
        if support.dearer_from:
            assert support.extended_ends
            assert support.standard_ends < support.dearer_from < support.extended_ends
