"""The clock of a version's support: verdict, what is billed now, what will be and from when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks.check import Part
from aws_finops_mcp.checks.support_clock import Clock, Support, VersionParams, clock, newest, third_year, version_key
from aws_finops_mcp.checks.surcharges import major_of
from aws_finops_mcp.findings import CheckAnswer, Verdict, cents

MYSQL_8 = Support(date(2026, 7, 31), date(2029, 7, 31), date(2028, 8, 1))


def at(day: str, support: Support = MYSQL_8, *, enrolled: bool = True, ahead: int = 365) -> Clock:
    now = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    params = VersionParams(ahead_days=ahead)
    return clock(
        now, "mysql 8.0", support, params, lambda dearer: [Part("x", "u", 2 if dearer else 1)], enrolled=enrolled
    )


@pytest.mark.parametrize(
    ("day", "verdict", "billed", "coming"),
    [
        ("2025-07-01", Verdict.OK, [], {}),
        ("2025-08-01", Verdict.OUTDATED, [], {"surcharge_usd": 1, "dearer_surcharge_usd": 2}),
        ("2026-07-31", Verdict.OUTDATED, [], {"surcharge_usd": 1, "dearer_surcharge_usd": 2}),
        ("2026-08-01", Verdict.OUTDATED, [1], {"surcharge_usd": 1, "dearer_surcharge_usd": 2}),
        ("2028-07-31", Verdict.OUTDATED, [1], {"surcharge_usd": 1, "dearer_surcharge_usd": 2}),
        ("2028-08-01", Verdict.OUTDATED, [2], {"surcharge_usd": 2}),
        ("2029-07-31", Verdict.OUTDATED, [2], {"surcharge_usd": 2}),
        ("2029-08-01", Verdict.OUTDATED, [], {}),
    ],
)
def test_each_day_of_a_versions_life(day: str, verdict: Verdict, billed: list[int], coming: dict[str, int]) -> None:
    found = at(day)
    assert found.verdict is verdict
    assert [part.quantity for part in found.parts] == billed
    assert {key: sum(part.quantity for part in parts) for key, parts in found.coming.items()} == coming


def test_who_is_not_enrolled_is_upgraded_not_billed() -> None:
    found = at("2026-11-01", enrolled=False)
    assert (found.verdict, found.parts, found.coming) == (Verdict.OUTDATED, (), {})
    assert "upgrades it by itself" in found.reason


def test_without_extended_support_nothing_is_billed() -> None:
    found = at("2026-11-01", Support(date(2026, 8, 31)))
    assert (found.verdict, found.parts, found.coming) == (Verdict.OUTDATED, (), {})


@given(ends=st.dates(date(2020, 1, 1), date(2035, 12, 31)))
def test_the_third_year_begins_two_years_after_the_first(ends: date) -> None:
    begins = ends + timedelta(days=1)
    if (begins.month, begins.day) != (2, 29):
        assert third_year(ends).year == begins.year + 2
    assert timedelta(days=729) <= third_year(ends) - begins <= timedelta(days=732)


@given(
    day=st.dates(date(2024, 1, 1), date(2032, 1, 1)),
    ahead=st.integers(0, 1825),
)
def test_what_is_billed_is_always_outdated_and_never_before_the_end(day: date, ahead: int) -> None:
    found = at(day.isoformat(), ahead=ahead)
    if found.parts:
        assert found.verdict is Verdict.OUTDATED
        assert day > MYSQL_8.standard_ends
    if found.verdict is Verdict.OK:
        assert (MYSQL_8.standard_ends - day).days > ahead


def test_versions_are_compared_as_numbers() -> None:
    assert newest(["8.0.9", "8.0.36", "8.0.4"]) == "8.0.36"
    assert newest(["8.0.mysql_aurora.3.9.1", "8.0.mysql_aurora.3.10.0"]) == "8.0.mysql_aurora.3.10.0"
    assert version_key("1.10") > version_key("1.9")
    assert newest([]) is None


@pytest.mark.parametrize(
    ("version", "major"),
    [
        ("8.0.36", "8.0"),
        ("5.7.mysql_aurora.2.12.5", "5.7"),
        ("5.7.44-RDS.20240208", "5.7"),
        ("13.22", "13"),
        ("1.3", None),
        ("80.1", None),
    ],
)
def test_the_major_version_is_the_one_that_aws_lists(version: str, major: str | None) -> None:
    assert major_of(version, ["5.7", "8.0", "8.4", "13", "14"]) == major


def test_what_will_be_billed_is_priced_as_evidence_not_as_a_saving(engine: Engine) -> None:
    tool = TOOLS["find_outdated_rds_engine_versions"]
    answer: CheckAnswer = tool.answer(engine.asking(), tool.parse({"max_results": 500}))
    found = {finding.name: finding for finding in answer.findings}
    evidence = found["nw-sap"].evidence or {}
    assert evidence["surcharge_usd"] == 292.0  # four vCPUs, with the standby's
    assert evidence["dearer_surcharge_usd"] == 584.0
    serverless = found["nw-preview-1"]
    assert serverless.saving
    assert (serverless.evidence or {})["surcharge_usd"] == cents(serverless.saving.counted_usd)
    if datetime.now(UTC).date() <= date(2027, 2, 28):
        assert found["nw-sap"].saving is None
