"""Trails: which of several records the first copy, and what an unread one leaves open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.cloudtrail import (
    ALL_TRAILS,
    TAGS,
    TRAILS,
    DuplicateTrailsParams,
    judge_trails,
    read_events,
    read_trails,
    selected,
    selectors_read,
    status_read,
)
from aws_finops_mcp.findings import FailedRead, Verdict

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FAILED = FailedRead(call="cloudtrail:X", account="1", region="us-east-1", kind="denied", error="no", remedy="allow it")
PARAMS = DuplicateTrailsParams()
DAYS = 31


def trail(name: str, kinds: str = "All", **more: Any) -> dict[str, Any]:
    return {"Name": name, "TrailARN": f"arn:{name}", "HasCustomEventSelectors": kinds != "All", "kinds": kinds, **more}


def judged(
    *rows: dict[str, Any], home: int | None = None, unread: tuple[str, ...] = (), events: float = 100.0
) -> dict[str, Judgement]:
    """By name; the first `home` of them are of the region, all if not said."""
    inventory: dict[Any, Any] = {TRAILS: list(rows[:home]), ALL_TRAILS: list(rows), TAGS: []}
    details: dict[Any, Any] = {}
    for row in rows:
        status = {"IsLogging": True, "StartLoggingTime": NOW - timedelta(days=row.get("days", 400))}
        details[status_read(row["TrailARN"])] = FAILED if row["Name"] in unread else [status]
        selectors = {"EventSelectors": [{"ReadWriteType": row["kinds"], "IncludeManagementEvents": True}]}
        details[selectors_read(row["TrailARN"])] = [selectors]
    facts = Facts(NOW, inventory, details=details)
    series = {query: MetricSeries((events,) * DAYS, DAYS) for query in read_events(facts, PARAMS)}
    facts = Facts(NOW, inventory, series, details)
    return {judgement.name: judgement for judgement in judge_trails(facts, PARAMS)}


def test_the_broadest_is_the_first_copy_in_whatever_order_they_come() -> None:
    rows = [
        trail("single"),
        trail("everywhere", IsMultiRegionTrail=True),
        trail("organization", IsMultiRegionTrail=True, IsOrganizationTrail=True),
    ]
    for some in permutations(rows):
        found = judged(*some)
        assert found["organization"].verdict is Verdict.IN_USE
        assert {found[name].evidence["first_copy"] for name in ("single", "everywhere")} == {"arn:organization"}
        assert {found[name].verdict for name in ("single", "everywhere")} == {Verdict.COSTLY}
        assert found["single"].evidence["copies"] == 3


def test_reads_and_writes_of_two_trails_are_no_copies_of_each_other() -> None:
    found = judged(trail("a", "ReadOnly"), trail("b", "WriteOnly"))
    assert {judgement.verdict for judgement in found.values()} == {Verdict.IN_USE}
    found = judged(trail("a", "ReadOnly"), trail("b", "WriteOnly"), trail("c", IsMultiRegionTrail=True))
    assert found["a"].reason == "records the region's read management events again, after c"
    assert found["b"].reason == "records the region's write management events again, after c"


def test_a_trail_of_another_region_counts_and_is_not_judged_here() -> None:
    found = judged(trail("here"), trail("elsewhere", IsMultiRegionTrail=True), home=1)
    assert list(found) == ["here"]
    assert found["here"].verdict is Verdict.COSTLY


def test_one_trail_alone_needs_no_further_reads() -> None:
    assert judged(trail("only"))["only"].verdict is Verdict.OK
    assert list(read_trails(Facts(NOW, {ALL_TRAILS: [trail("only", "ReadOnly")]}), None)) == []
    both = list(read_trails(Facts(NOW, {ALL_TRAILS: [trail("a"), trail("b", "ReadOnly")]}), None))
    assert both == [status_read("arn:a"), status_read("arn:b"), selectors_read("arn:b")]


def test_an_unread_trail_leaves_open_whether_the_others_are_first() -> None:
    found = judged(trail("a"), trail("b"), trail("c"), unread=("a",))
    assert found["a"].verdict is Verdict.UNKNOWN
    assert found["b"].verdict is Verdict.UNKNOWN
    assert found["c"].verdict is Verdict.COSTLY


GROUP = {"CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:/trails/b:*"}


@pytest.mark.parametrize(
    ("more", "priced"),
    [
        (GROUP, True),
        ({}, False),
        # Its log group counts more than this region's management events.
        ({**GROUP, "IsMultiRegionTrail": True}, False),
        ({**GROUP, "IsOrganizationTrail": True}, False),
    ],
)
def test_a_month_of_events_is_priced_where_the_log_group_counts_just_those(more: dict[str, Any], priced: bool) -> None:
    first = trail("a", IsMultiRegionTrail=True, IsOrganizationTrail=True)
    judgement = judged(first, trail("b", **more))["b"]
    assert judgement.verdict is Verdict.COSTLY
    assert bool(judgement.unpriced) is not priced
    if priced:
        # A hundred a day; a month is 730 hours.
        assert [part.quantity for part in judgement.parts] == [3042]


def test_a_log_group_of_two_trails_counts_neither() -> None:
    found = judged(trail("a", IsMultiRegionTrail=True), trail("b", **GROUP), trail("c", **GROUP))
    assert all(found[name].unpriced and not found[name].parts for name in "bc")


@pytest.mark.parametrize(
    ("selectors", "kinds", "others"),
    [
        ({"EventSelectors": [{}]}, {"read", "write"}, False),
        ({"EventSelectors": [{"IncludeManagementEvents": False, "DataResources": [{}]}]}, set(), True),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}]}, {"read", "write"}, False),
        ({"AdvancedEventSelectors": [[("eventCategory", "Management")]]}, {"read", "write"}, False),
        ({"AdvancedEventSelectors": [[("eventCategory", "Management"), ("readOnly", "false")]]}, {"write"}, False),
        (
            {"AdvancedEventSelectors": [[("eventCategory", "Data")], [("eventCategory", "NetworkActivity")]]},
            set(),
            True,
        ),
        (
            {"AdvancedEventSelectors": [[("eventCategory", "Data")], [("eventCategory", "Management")]]},
            {"read", "write"},
            True,
        ),
    ],
)
def test_selectors_of_both_generations(selectors: dict[str, Any], kinds: set[str], others: bool) -> None:
    advanced = [
        {"FieldSelectors": [{"Field": name, "Equals": [value]} for name, value in fields]}
        for fields in selectors.get("AdvancedEventSelectors", ())
    ]
    assert selected({**selectors, "AdvancedEventSelectors": advanced}) == (frozenset(kinds), others)
