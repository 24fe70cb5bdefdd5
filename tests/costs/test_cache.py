"""What AWS bills for is asked once an hour: by exact question, account and endpoint; the age is told."""

from __future__ import annotations

import stat
from decimal import Decimal
from pathlib import Path

import pytest
from tests.costs.conftest import ask

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.cache import FILE, KEEP_SECONDS, BillingCache
from aws_finops_mcp.demo.account import EmbeddedAccount


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
    first = ask(engine, "get_cost_by_region")
    clock.now += 600
    again = ask(engine, "get_cost_by_region")
    assert account.calls.count("ce:GetCostAndUsage") == 1
    assert (first.age_seconds, again.age_seconds) == (0, 600)
    assert again.calls.cost_usd == 0
    assert again.warnings == first.warnings != ()
    same = {"calls", "age_seconds"}
    assert again.model_dump(exclude=same) == first.model_dump(exclude=same)
    ask(engine, "get_cost_by_region", metric="AmortizedCost")
    assert account.calls.count("ce:GetCostAndUsage") == 2, "another question"
    clock.now += KEEP_SECONDS - 600
    assert ask(engine, "get_cost_by_region").calls.cost_usd == Decimal("0.01")


def test_a_failure_is_not_kept(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ce:GetCostAndUsage")
    assert not ask(engine, "get_cost_by_region").complete
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
