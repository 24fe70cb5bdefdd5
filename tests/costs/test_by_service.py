"""`get_cost_by_service` against Cost Explorer's semantics."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.by_service import CostByServiceAnswer, CostByServiceParams, cost_by_service
from aws_finops_mcp.demo.account import EmbeddedAccount


def ask(engine: Engine, **arguments: object) -> CostByServiceAnswer:
    return cost_by_service(engine.asking().billing(), CostByServiceParams.model_validate(arguments))


def last_month() -> tuple[date, date]:
    end = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    return end.replace(day=1), end


def billed(engine: Engine, first: date, last: date, metric: str = "UnblendedCost") -> Decimal:
    """The total of a period as Cost Explorer gives it without any grouping."""
    client = engine.clients.client("ce", "us-east-1")
    answer = client.get_cost_and_usage(
        TimePeriod={"Start": first.isoformat(), "End": (last + timedelta(days=1)).isoformat()},
        Granularity="MONTHLY",
        Metrics=[metric],
    )
    return sum((Decimal(r["Total"][metric]["Amount"]) for r in answer["ResultsByTime"]), Decimal(0))


@pytest.mark.parametrize("metric", ["UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost"])
@pytest.mark.parametrize("months", [1, 3, 12])
def test_the_total_is_what_was_billed_credits_and_refunds_included(engine: Engine, metric: str, months: int) -> None:
    _, last = last_month()
    first = (last - timedelta(days=30 * (months - 1))).replace(day=1)
    answer = ask(engine, start_date=first.isoformat(), end_date=last.isoformat(), metric=metric)
    assert answer.total_usd is not None
    assert answer.usage_usd is not None
    assert answer.reductions_usd is not None
    assert answer.total_usd == pytest.approx(billed(engine, first, last, metric), abs=Decimal("0.01"))
    assert answer.tax_usd is not None
    assert answer.tax_usd > 0
    assert answer.total_usd == answer.usage_usd + answer.tax_usd + answer.reductions_usd
    assert sum((row.cost_usd for row in answer.services), Decimal(0)) == answer.total_usd
    assert sum(answer.record_types.values()) == pytest.approx(float(answer.total_usd), abs=0.05)


def test_credits_and_refunds_are_kept_apart(engine: Engine) -> None:
    _, last = last_month()
    first = (last - timedelta(days=330)).replace(day=1)
    answer = ask(engine, start_date=first.isoformat(), end_date=last.isoformat())
    assert answer.record_types["Credit"] < 0
    assert answer.record_types["Refund"] < 0
    taken = answer.record_types["Credit"] + answer.record_types["Refund"]
    assert answer.reductions_usd is not None
    assert float(answer.reductions_usd) == pytest.approx(taken, abs=0.02)
    assert any(row.reductions_usd < 0 for row in answer.services)


def test_a_service_is_one_row_however_many_months(engine: Engine) -> None:
    first = (last_month()[1] - timedelta(days=100)).replace(day=1)
    answer = ask(engine, start_date=first.isoformat(), end_date=last_month()[1].isoformat(), max_results=500)
    names = [row.service for row in answer.services]
    assert len(names) == len(set(names)) > 8
    assert answer.omitted == 0


def test_every_page_is_read(engine: Engine, account: EmbeddedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    first = (last_month()[1] - timedelta(days=360)).replace(day=1)
    with monkeypatch.context() as patch:
        patch.setattr(account.cost_explorer, "page_groups", 7)
        paged = ask(engine, start_date=first.isoformat(), end_date=last_month()[1].isoformat())
    engine.billing_cache.clear()
    whole = ask(engine, start_date=first.isoformat(), end_date=last_month()[1].isoformat())
    assert paged.calls.by_action["ce:GetCostAndUsage"] > whole.calls.by_action["ce:GetCostAndUsage"]
    assert paged.total_usd == whole.total_usd
    assert paged.services == whole.services


def test_last_month_when_none_is_given(engine: Engine) -> None:
    answer = ask(engine)
    first, last = last_month()
    assert (answer.start_date, answer.end_date) == (first.isoformat(), last.isoformat())
    assert answer.estimated is False


def test_a_start_alone_means_its_month(engine: Engine) -> None:
    first = (last_month()[0] - timedelta(days=1)).replace(day=1)
    answer = ask(engine, start_date=first.isoformat())
    assert answer.end_date == (last_month()[0] - timedelta(days=1)).isoformat()


def test_the_running_month_is_an_estimate(engine: Engine) -> None:
    today = datetime.now(UTC).date()
    answer = ask(engine, start_date=today.replace(day=1).isoformat(), end_date=today.isoformat())
    assert answer.estimated is True
    assert "estimate" in answer.summary


def test_one_day_is_a_period(engine: Engine) -> None:
    day = last_month()[0].isoformat()
    answer = ask(engine, start_date=day, end_date=day)
    assert answer.total_usd == pytest.approx(billed(engine, last_month()[0], last_month()[0]), abs=Decimal("0.01"))


def test_it_states_what_asking_costs(engine: Engine) -> None:
    answer = ask(engine)
    assert answer.calls.cost_usd == Decimal("0.01") * answer.calls.by_action["ce:GetCostAndUsage"]


def test_services_left_out_are_counted_and_in_the_total(engine: Engine) -> None:
    few, all_of_them = ask(engine, max_results=3), ask(engine)
    assert len(few.services) == 3
    assert few.omitted == len(all_of_them.services) - 3
    assert few.total_usd == all_of_them.total_usd


def test_the_pages_hold_every_service_once(engine: Engine) -> None:
    whole = ask(engine, max_results=500)
    listed: list[object] = []
    cursor = ""
    for _ in range(len(whole.services)):
        page = ask(engine, max_results=7, cursor=cursor)
        listed += page.services
        cursor = page.next_cursor
        if not cursor:
            break
    assert tuple(listed) == whole.services
    assert len(listed) > 7


def test_a_period_that_cost_explorer_no_longer_has_is_not_read(engine: Engine) -> None:
    answer = ask(engine, start_date=(last_month()[0] - timedelta(days=600)).replace(day=1).isoformat())
    assert answer.complete is False
    assert answer.total_usd is None
    assert answer.failed_reads[0].call == "ce:GetCostAndUsage"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"start_date": "2026-02-30"}, "start_date: got '2026-02-30'; must be a day as YYYY-MM-DD"),
        ({"start_date": "2026-03-01", "end_date": "2026-02-01"}, "end_date 2026-02-01 is before start_date 2026-03-01"),
        ({"end_date": "2026-02-01"}, "start_date: missing; an end_date needs one"),
        ({"start_date": "2999-01-01"}, "start_date 2999-01-01 is in the future"),
        ({"start_date": "2019-01-01"}, "start_date 2019-01-01 is too long ago; Cost Explorer reaches back to"),
        ({"metric": "Cost"}, "Input should be 'UnblendedCost'"),
    ],
)
def test_a_wrong_period_is_told(arguments: dict[str, str], wanted: str) -> None:
    with pytest.raises(ValidationError) as error:
        CostByServiceParams.model_validate(arguments)
    assert wanted in str(error.value)
