"""`get_daily_cost_trend`: today is apart, and statistics are those of whole days."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import TODAY, UseBills, ask, line

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.daily_trend import outliers, statistics_of


def back(days: int) -> Any:
    return TODAY - timedelta(days=days)


def test_by_hand(engine: Engine, bills: UseBills) -> None:
    """14 days of 1 to 14 dollars, the oldest first, a credit and tax on one, and a huge day that is not over."""
    lines = [line(f"{15 - age}", day=back(age)) for age in range(1, 15)]
    lines += [line("-2.50", record_type="Credit", day=back(3)), line("0.90", record_type="Tax", day=back(3))]
    lines += [line("1000", day=TODAY), line("55", day=back(15))]
    bills(lines)
    answer: Any = ask(engine, "get_daily_cost_trend", days=14)
    assert [day.usage_usd for day in answer.days] == [Decimal(number) for number in range(1, 15)]
    assert (answer.start_date, answer.end_date) == (str(back(14)), str(back(1)))
    assert (answer.total_usd, answer.usage_usd) == (Decimal("103.40"), Decimal(105))
    assert (answer.tax_usd, answer.reductions_usd) == (Decimal("0.90"), Decimal("-2.50"))
    assert answer.record_types == {"Credit": -2.5, "Tax": 0.9, "Usage": 105.0}
    assert answer.today.cost_usd == 1000
    figures = answer.statistics
    assert (figures.mean_usd, figures.median_usd) == (Decimal("7.5"), Decimal("7.5"))
    assert (figures.lowest_usd, figures.highest_usd) == (1, 14)
    assert float(figures.deviation_usd) == pytest.approx(17.5**0.5)
    assert figures.slope_usd_per_day == 1.0
    assert (figures.last_week_usd, figures.week_before_usd) == (11, 4)
    assert figures.weekly_change == 1.75
    assert answer.calls.cost_usd == Decimal("0.01")


def test_days_without_costs_are_zero_and_not_left_out(engine: Engine, bills: UseBills) -> None:
    bills([line("10", day=back(1))])
    answer: Any = ask(engine, "get_daily_cost_trend", days=10)
    assert [day.cost_usd for day in answer.days] == [0] * 9 + [10]
    assert answer.statistics.mean_usd == 1


def test_a_day_alone_has_no_trend(engine: Engine, bills: UseBills) -> None:
    bills([line("10", day=back(1))])
    figures = ask(engine, "get_daily_cost_trend", days=1).model_dump()["statistics"]
    assert figures["mean_usd"] == 10
    assert (figures["deviation_usd"], figures["slope_usd_per_day"], figures["weekly_change"]) == (0, None, None)


WEEKS = [Decimal(amount) for amount in (100, 101, 99, 100, 102, 60, 61) * 3]
WEEKENDS = [False] * 5 + [True] * 2


def test_weekends_do_not_stand_out_but_a_weekday_on_a_weekend_does() -> None:
    weekend = WEEKENDS * 3
    assert set(outliers(WEEKS, weekend)) == {""}
    busy = [*WEEKS]
    busy[5], busy[9] = Decimal(100), Decimal(40)
    marks = outliers(busy, weekend)
    assert (marks[5], marks[9]) == ("high", "low")
    assert sum(1 for mark in marks if mark) == 2


def test_small_change_does_not_stand_out() -> None:
    steady = [Decimal(100)] * 20 + [Decimal(105), Decimal(150)]
    assert outliers(steady, [False] * 22)[-2:] == ["", "high"]


def test_a_constant_cost_has_no_deviation() -> None:
    assert statistics_of([Decimal(3)] * 14).weekly_change == 0


def test_the_company_s_first_of_the_month_has_the_reservation_s_fee_unblended_and_not_amortized(engine: Engine) -> None:
    """The fee of a month falls on its first day: some $114 of thousands, which does not stand out."""
    fees: Any = ask(engine, "get_daily_cost_trend", days=60)
    spread: Any = ask(engine, "get_daily_cost_trend", days=60, metric="AmortizedCost")
    days = zip(fees.days, spread.days, strict=True)
    dearer = {unblended.day[-2:] for unblended, amortized in days if unblended.cost_usd > amortized.cost_usd}
    assert dearer == {"01"}
    assert not any(day.stands_out == "high" for day in spread.days)
