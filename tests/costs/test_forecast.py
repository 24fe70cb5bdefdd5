"""`get_cost_forecast`: billed and forecast make the month; bounds that do not add up are not added."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import THIS_MONTH, TODAY, Change, UseBills, ask, error, line

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount

NAME = "get_cost_forecast"


def row(start: object, end: object, mean: str) -> dict[str, Any]:
    low, high = Decimal(mean) * Decimal("0.9"), Decimal(mean) * Decimal("1.2")
    return {
        "TimePeriod": {"Start": str(start), "End": str(end)}, "MeanValue": mean,
        "PredictionIntervalLowerBound": str(low), "PredictionIntervalUpperBound": str(high),
    }  # fmt: skip


NEXT_MONTH = (THIS_MONTH + timedelta(days=32)).replace(day=1)
AFTER = (NEXT_MONTH + timedelta(days=32)).replace(day=1)


def test_by_hand(engine: Engine, bills: UseBills, change: Change) -> None:
    """15 billed of the month until yesterday, 100 forecast for its rest, 300 for the next."""
    bills([line("70", day=THIS_MONTH - timedelta(days=3)), line("15", day=THIS_MONTH)])
    change("ce", "GetCostForecast", lambda parsed: parsed.update(
        ForecastResultsByTime=[row(TODAY, NEXT_MONTH, "100"), row(NEXT_MONTH, AFTER, "300")]
    ))  # fmt: skip
    answer: Any = ask(engine, NAME, months=2)
    actual = Decimal(15) if TODAY > THIS_MONTH else Decimal(0)
    assert (answer.last_month_usd, answer.actual_usd, answer.forecast_usd) == (70, actual, 400)
    assert answer.this_month_usd == actual + 100
    assert (answer.this_month_lower_usd, answer.this_month_upper_usd) == (actual + 90, actual + 120)
    assert [(one.start, one.end) for one in answer.rows] == [
        (str(TODAY), str(NEXT_MONTH - timedelta(days=1))), (str(NEXT_MONTH), str(AFTER - timedelta(days=1)))
    ]  # fmt: skip
    assert answer.calls.cost_usd == Decimal("0.02")


def test_on_the_first_of_a_month_nothing_is_billed_yet(engine: Engine, bills: UseBills, change: Change) -> None:
    bills([line("70", day=THIS_MONTH - timedelta(days=3)), line("15", day=THIS_MONTH)])
    change("ce", "GetCostForecast", lambda parsed: parsed.update(
        ForecastResultsByTime=[row(THIS_MONTH, NEXT_MONTH, "100")]
    ))  # fmt: skip
    events = engine.clients.client("ce", "us-east-1").meta.events

    def today_s(params: dict[str, Any], **_: object) -> None:
        """The embedded account forecasts from its own today on."""
        params["TimePeriod"] = {"Start": str(TODAY), "End": str(NEXT_MONTH)}

    events.register("provide-client-params.ce.GetCostForecast", today_s)
    engine.clock = lambda: datetime.combine(THIS_MONTH, datetime.min.time(), UTC)
    try:
        answer: Any = ask(engine, NAME)
    finally:
        events.unregister("provide-client-params.ce.GetCostForecast", today_s)
    assert (answer.last_month_usd, answer.actual_usd, answer.this_month_usd) == (70, 0, 100)
    assert answer.complete


def test_days_have_no_bounds_of_their_sum(engine: Engine) -> None:
    answer: Any = ask(engine, NAME, granularity="DAILY", months=2)
    assert len(answer.rows) == (AFTER - TODAY).days
    assert sum(one.mean_usd for one in answer.rows) == answer.forecast_usd
    assert answer.this_month_usd is not None
    assert answer.this_month_lower_usd is None or (NEXT_MONTH - TODAY).days == 1


def test_a_wider_interval_is_wider(engine: Engine) -> None:
    narrow: Any = ask(engine, NAME, interval=60)
    wide: Any = ask(engine, NAME, interval=95)
    assert wide.this_month_lower_usd < narrow.this_month_lower_usd < narrow.this_month_usd
    assert wide.this_month_usd == narrow.this_month_usd


def test_filters(engine: Engine) -> None:
    whole: Any = ask(engine, NAME)
    one: Any = ask(engine, NAME, filters={"service": ["AWS Lambda"]})
    assert 0 < one.this_month_usd < whole.this_month_usd


def test_too_little_history_is_no_forecast(engine: Engine, change: Change) -> None:
    change("ce", "GetCostForecast", error("DataUnavailableException", "Insufficient amount of historical data"))
    answer: Any = ask(engine, NAME)
    assert (answer.complete, answer.forecast_usd, answer.this_month_usd) == (False, None, None)
    assert answer.last_month_usd > 1000
    assert "NOT READ: the forecast (DataUnavailableException: Insufficient" in answer.summary


def test_without_the_bill_there_is_a_forecast_and_no_month(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ce:GetCostAndUsage")
    answer: Any = ask(engine, NAME)
    assert (answer.actual_usd, answer.this_month_usd, answer.complete) == (None, None, False)
    assert answer.forecast_usd > 0


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"granularity": "DAILY", "months": 4}, "DAILY reaches 3 months at most"),
        ({"months": 13}, "less than or equal to 12"),
        ({"interval": 50}, "greater than or equal to 51"),
        ({"filters": {"team": ["a"]}}, "unknown dimension 'team'"),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], wanted: str) -> None:
    with pytest.raises(ArgumentsError) as raised:
        TOOLS[NAME].parse(arguments)
    assert wanted in str(raised.value)
