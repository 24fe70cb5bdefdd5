"""What AWS bills for is asked once an hour, of closed periods once a day; the age is told."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.costs.conftest import FIRST_DAY, TODAY, ask

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.cache import CLOSED_SECONDS, FILE, KEEP_SECONDS, BillingCache, is_closed
from aws_finops_mcp.demo.account import EmbeddedAccount

RUNNING = {"start_date": str(TODAY - timedelta(days=3)), "end_date": str(TODAY)}


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_same_question_is_asked_once_and_its_age_told(
    engine: Engine, account: EmbeddedAccount, clock: Clock
) -> None:
    engine.billing_cache = BillingCache(clock=clock)
    first = ask(engine, "get_cost_by_region", **RUNNING)
    clock.now += 600
    again = ask(engine, "get_cost_by_region", **RUNNING)
    assert account.calls.count("ce:GetCostAndUsage") == 1
    assert (first.age_seconds, again.age_seconds) == (0, 600)
    assert first.fresh_until == again.fresh_until == "2023-11-14T23:13:20+00:00"
    assert again.calls.cost_usd == 0
    assert again.warnings == first.warnings != ()
    same = {"calls", "age_seconds"}
    assert again.model_dump(exclude=same) == first.model_dump(exclude=same)
    ask(engine, "get_cost_by_region", metric="AmortizedCost", **RUNNING)
    assert account.calls.count("ce:GetCostAndUsage") == 2, "another question"
    clock.now += KEEP_SECONDS - 600
    assert ask(engine, "get_cost_by_region", **RUNNING).calls.cost_usd == Decimal("0.01")


def test_a_closed_period_is_asked_for_once_a_day_and_an_open_one_once_an_hour(
    engine: Engine, account: EmbeddedAccount, clock: Clock
) -> None:
    def asked(**period: str) -> tuple[bool, int, Decimal]:
        answer: Any = ask(engine, "get_cost_by_region", **period)
        return answer.estimated, answer.age_seconds, answer.calls.cost_usd

    engine.billing_cache = BillingCache(clock=clock)
    month = {"start_date": str(FIRST_DAY - timedelta(days=62)), "end_date": str(FIRST_DAY - timedelta(days=32))}
    both = {"start_date": str(FIRST_DAY - timedelta(days=32)), "end_date": str(TODAY)}
    for period in (month, RUNNING, both):
        assert asked(**period)[1:] == (0, Decimal("0.01"))
    clock.now += KEEP_SECONDS
    assert asked(**month) == (False, KEEP_SECONDS, Decimal(0))
    assert asked(**RUNNING) == (True, 0, Decimal("0.01"))
    assert asked(**both) == (True, 0, Decimal("0.01"))
    clock.now += CLOSED_SECONDS - KEEP_SECONDS - 1
    assert asked(**month) == (False, CLOSED_SECONDS - 1, Decimal(0))
    clock.now += 1
    assert asked(**month) == (False, 0, Decimal("0.01"))


def test_only_costs_that_aws_calls_no_estimate_are_closed() -> None:
    closed, open_ = {"Estimated": False}, {"Estimated": True}
    assert is_closed([{"ResultsByTime": [closed, closed]}, {"ResultsByTime": [closed]}])
    open_ones: list[list[Any]] = [
        [],
        [{"ResultsByTime": []}],
        [{"ResultsByTime": [closed]}, {"ResultsByTime": []}],
        [{"ResultsByTime": [closed, open_]}],
        [{"ResultsByTime": [closed]}, {"ResultsByTime": [open_]}],
        [{"ResultsByTime": [{}]}],
        [{"Anomalies": []}],
        ["Team"],
    ]
    assert not any(map(is_closed, open_ones))


def test_a_failure_is_not_kept(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ce:GetCostAndUsage")
    denied = ask(engine, "get_cost_by_region")
    assert (denied.complete, denied.fresh_until) == (False, "")
    account.faults.clear()
    assert ask(engine, "get_cost_by_region").complete


def test_other_processes_find_it_in_the_file(tmp_path: Path, clock: Clock) -> None:
    one, other = (BillingCache(tmp_path, clock) for _ in range(2))
    one.put("question", [{"amount": "1.10"}], simulated=True)
    clock.now += 5
    kept = other.get("question")
    assert kept is not None
    assert (kept.items, kept.simulated, other.age_seconds(kept)) == ([{"amount": "1.10"}], True, 5)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert other.get("another") is None
    clock.now += KEEP_SECONDS
    assert other.get("question") is None
    assert BillingCache(tmp_path, clock).get("question") is None
    assert one.prune() == 1


def test_the_file_keeps_closed_periods_longer(tmp_path: Path, clock: Clock) -> None:
    one, other = (BillingCache(tmp_path, clock) for _ in range(2))
    one.put("closed", [{"ResultsByTime": [{"Estimated": False}]}], simulated=False)
    one.put("open", [{"ResultsByTime": [{"Estimated": True}]}], simulated=False)
    clock.now += KEEP_SECONDS
    one.put("another", [], simulated=False)
    kept = other.get("closed")
    assert kept is not None
    assert other.age_seconds(kept) == KEEP_SECONDS
    assert other.get("open") is None
    assert other.prune() == 1
    clock.now += CLOSED_SECONDS - KEEP_SECONDS
    assert BillingCache(tmp_path, clock).get("closed") is None
    assert other.prune() == 2


def test_a_file_of_an_earlier_version_is_taken_over_without_its_answers(tmp_path: Path, clock: Clock) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as disk, disk:
        disk.execute("CREATE TABLE billing (question TEXT PRIMARY KEY, read_at REAL, simulated INTEGER, body TEXT)")
        disk.execute("INSERT INTO billing VALUES ('question', ?, 0, '[1]')", (clock.now,))
    cache = BillingCache(tmp_path, clock)
    assert cache.get("question") is None
    cache.put("question", [2], simulated=False)
    kept = BillingCache(tmp_path, clock).get("question")
    assert kept is not None
    assert kept.items == [2]


def test_a_clock_set_back_makes_nothing_young(tmp_path: Path, clock: Clock) -> None:
    cache = BillingCache(tmp_path, clock)
    cache.put("question", [], simulated=False)
    clock.now -= 3600
    assert cache.get("question") is None


def test_a_file_that_cannot_be_used_costs_calls_and_no_answer(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    cache = BillingCache(tmp_path, clock)
    cache.put("question", [1], simulated=False)
    kept = cache.get("question")
    assert kept is not None
    assert kept.items == [1]


def test_clear_forgets_the_file_too(tmp_path: Path, clock: Clock) -> None:
    cache = BillingCache(tmp_path, clock)
    cache.put("question", [1], simulated=False)
    cache.clear()
    assert BillingCache(tmp_path, clock).get("question") is None
