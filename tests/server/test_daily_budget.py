"""What a principal may use in a day."""

from __future__ import annotations

import multiprocessing
import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aws_finops_mcp.aws.ledger import Budget
from aws_finops_mcp.server.auth.principal import Principal
from aws_finops_mcp.server.daily_budget import FILE, BudgetError, DailyBudget
from aws_finops_mcp.settings import Scopes

MOST = Budget(20_000, Decimal(1), 50)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def principal(name: str = "ci", **scopes: Any) -> Principal:
    return Principal(name, "api_key", Scopes.model_validate(scopes))


def use(budget: DailyBudget, who: Principal, calls: int, usd: str = "0") -> Budget | None:
    with budget.share(who, MOST) as share:
        share.calls, share.usd = calls, Decimal(usd)
        return share.left


def test_without_a_limit_nothing_is_counted(tmp_path: Path) -> None:
    assert use(DailyBudget(tmp_path), principal(categories=["cost"]), 5) is None
    assert use(DailyBudget(None), principal(), 5) is None
    assert list(tmp_path.iterdir()) == []


def test_each_call_is_left_what_the_others_did_not_use(tmp_path: Path) -> None:
    who = principal(calls_per_day=100, usd_per_day="2.50")
    assert use(DailyBudget(tmp_path), who, 40, "0.00001") == Budget(100, Decimal(1))
    assert use(DailyBudget(tmp_path), who, 10, "2") == Budget(60, Decimal(1))
    assert use(DailyBudget(tmp_path), who, 1) == Budget(50, Decimal("0.49999"))
    assert use(DailyBudget(tmp_path), principal("other", calls_per_day=7), 1) == Budget(7, Decimal(1))
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("scopes", "wanted"),
    [
        ({"calls_per_day": 30}, "30 of 30 AWS calls; it is new at 00:00 UTC"),
        ({"usd_per_day": "0.25"}, "$0.25 of $0.25"),
        ({"calls_per_day": 99, "usd_per_day": "0.2"}, "30 of 99 AWS calls and $0.25 of $0.2"),
    ],
)
def test_what_is_used_up_is_refused_until_midnight(tmp_path: Path, scopes: dict[str, Any], wanted: str) -> None:
    clock = Clock()
    budget = DailyBudget(tmp_path, clock)
    use(budget, principal(**scopes), 30, "0.25")
    with pytest.raises(BudgetError) as caught:
        use(budget, principal(**scopes), 1)
    assert wanted in str(caught.value)
    assert caught.value.retry_after == 3600
    clock.now += timedelta(hours=1)
    assert use(budget, principal(**scopes), 1)


def test_who_may_spend_nothing_may_ask_what_is_free(tmp_path: Path) -> None:
    who = principal(usd_per_day=0)
    assert use(DailyBudget(tmp_path), who, 5) == Budget(20_000, Decimal(0))
    assert use(DailyBudget(tmp_path), who, 5) == Budget(20_000, Decimal(0))
    free = DailyBudget(tmp_path)
    with free.share(principal("other", usd_per_day=1), Budget(10, Decimal(0))) as share:
        assert share.left == Budget(10, Decimal(0))


def test_calls_side_by_side_cannot_use_more_than_there_is(tmp_path: Path) -> None:
    who = principal(calls_per_day=100)
    budget = DailyBudget(tmp_path)
    with budget.share(who, Budget(70)) as one:
        assert one.left == Budget(70)
        with budget.share(who, Budget(70)) as other:
            assert other.left == Budget(30)
            with pytest.raises(BudgetError, match="taken by calls under way"):
                use(budget, who, 1)
            other.calls = 5
        one.calls = 10
    assert use(budget, who, 0) == Budget(85, Decimal(1))


def test_a_call_that_breaks_gives_back_what_it_did_not_use(tmp_path: Path) -> None:
    who, budget = principal(calls_per_day=100), DailyBudget(tmp_path)

    def broken() -> None:
        with budget.share(who, MOST) as share:
            share.calls = 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert use(budget, who, 0) == Budget(97, Decimal(1))


def _use_often(directory: Path) -> None:
    for _ in range(25):
        use(DailyBudget(directory), principal(calls_per_day=10**6), 1, "0.00001")


def test_workers_count_together(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_use_often, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    left = use(DailyBudget(tmp_path), principal(calls_per_day=1000, usd_per_day=1), 0)
    assert left == Budget(950, Decimal("0.9995"))


@pytest.mark.parametrize("directory", [None, Path("/proc/none")])
def test_what_cannot_be_counted_is_refused(directory: Path | None) -> None:
    with pytest.raises(BudgetError, match="cannot be counted now"):
        use(DailyBudget(directory), principal(calls_per_day=100), 1)


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(BudgetError, match="cannot be counted now"):
        use(DailyBudget(tmp_path), principal(calls_per_day=100), 1)
