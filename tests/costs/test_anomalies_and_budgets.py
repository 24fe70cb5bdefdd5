"""Anomalies with their causes, budgets with their state; and no calm where nobody watches."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import Change, ask

from aws_finops_mcp.audits.engine import Engine


def test_the_company_s_anomalies(engine: Engine) -> None:
    answer: Any = ask(engine, "get_cost_anomalies", days=90)
    assert [one.what for one in answer.anomalies] == [
        "AmazonCloudWatch", "AWS Lambda", "Amazon Simple Storage Service"
    ]  # fmt: skip
    impacts = [one.impact_usd for one in answer.anomalies]
    assert impacts == sorted(impacts, reverse=True)
    first = answer.anomalies[0]
    assert first.feedback == "PLANNED_ACTIVITY"
    assert first.impact_usd == pytest.approx(first.actual_usd - first.expected_usd, abs=Decimal("0.011"))
    assert first.causes == (
        f"AmazonCloudWatch, DataProcessing-Bytes, us-east-1, shop-production, 123456789012: ${first.impact_usd:.2f}",
    )
    assert [one.monitor for one in answer.anomalies] == ["all-services", "all-services", "data-team"]
    assert answer.calls.cost_usd == Decimal("0.02")


def test_days_and_impact_choose(engine: Engine) -> None:
    whole: Any = ask(engine, "get_cost_anomalies", days=30)
    assert [one.what for one in whole.anomalies] == ["AWS Lambda", "Amazon Simple Storage Service"]
    least = float(whole.anomalies[1].impact_usd) + 0.01
    answer: Any = ask(engine, "get_cost_anomalies", days=30, min_impact_usd=least)
    assert [one.what for one in answer.anomalies] == ["AWS Lambda"]
    assert answer.found == 1


def test_causes_come_by_contribution(engine: Engine, change: Change) -> None:
    def causes(parsed: dict[str, Any]) -> None:
        parsed["Anomalies"][0]["RootCauses"] = [
            {"Service": "A", "Impact": {"Contribution": 1.25}},
            {"Service": "B", "UsageType": "u", "Impact": {"Contribution": 9.5}},
        ]

    change("ce", "GetAnomalies", causes)
    answer: Any = ask(engine, "get_cost_anomalies", days=20, min_impact_usd=20)
    assert answer.anomalies[0].causes == ("B, u: $9.50", "A: $1.25")


def test_without_a_monitor_no_anomaly_is_not_calm(engine: Engine, change: Change) -> None:
    change("ce", "GetAnomalyMonitors", lambda parsed: parsed["AnomalyMonitors"].clear())
    change("ce", "GetAnomalies", lambda parsed: parsed["Anomalies"].clear())
    answer: Any = ask(engine, "get_cost_anomalies")
    assert (answer.complete, answer.found, answer.anomalies) == (False, None, ())
    assert answer.failed_reads[0].kind == "not_opted_in"
    assert "CreateAnomalyMonitor" in answer.failed_reads[0].remedy
    assert "NOT READ" in answer.summary


def test_watched_and_calm(engine: Engine, change: Change) -> None:
    change("ce", "GetAnomalies", lambda parsed: parsed["Anomalies"].clear())
    answer: Any = ask(engine, "get_cost_anomalies")
    assert (answer.complete, answer.found) == (True, 0)


def test_every_page_of_anomalies_is_read(engine: Engine, change: Change) -> None:
    pages: list[int] = []

    def two(parsed: dict[str, Any]) -> None:
        pages.append(1)
        if len(pages) == 1:
            parsed["NextPageToken"] = "more"

    def first_again(params: dict[str, Any], **_: object) -> None:
        """The embedded account's page is its only one; it does not know the token."""
        params.pop("NextPageToken", None)

    change("ce", "GetAnomalies", two)
    events = engine.clients.client("ce", "us-east-1").meta.events
    events.register("provide-client-params.ce.GetAnomalies", first_again)
    try:
        answer: Any = ask(engine, "get_cost_anomalies", days=90, max_results=4)
    finally:
        events.unregister("provide-client-params.ce.GetAnomalies", first_again)
    assert (answer.found, len(answer.anomalies), answer.omitted, answer.next_cursor) == (6, 4, 2, "4")
    assert answer.calls.cost_usd == Decimal("0.03")


def test_the_company_s_budgets(engine: Engine) -> None:
    answer: Any = ask(engine, "get_budgets")
    assert [(one.name, one.limit) for one in answer.budgets][-1] == ("company-total", 160_000)
    assert answer.budgets[0].name == "lambda"
    assert all((one.actual > one.limit) is (one.status == "exceeded") for one in answer.budgets)
    assert answer.exceeded == sum(1 for one in answer.budgets if one.status == "exceeded")
    assert answer.calls.cost_usd == 0


def spend(amount: str, unit: str = "USD") -> dict[str, str]:
    return {"Amount": amount, "Unit": unit}


@pytest.mark.parametrize(
    ("kind", "limit", "actual", "forecast", "status"),
    [
        ("COST", "100", "100.01", None, "exceeded"),
        ("COST", "100", "100", "100", "within"),
        ("COST", "100", "50", "100.5", "forecast_to_exceed"),
        ("USAGE", "10", "11", None, "exceeded"),
        ("SAVINGS_PLANS_UTILIZATION", "90", "80", None, "exceeded"),
        ("RI_COVERAGE", "70", "75", None, "within"),
        ("COST", None, "75", None, "unknown"),
    ],
)
def test_states_by_hand(
    engine: Engine, change: Change, kind: str, limit: str | None, actual: str, forecast: str | None, status: str
) -> None:
    def one(parsed: dict[str, Any]) -> None:
        calculated = {"ActualSpend": spend(actual)} | ({"ForecastedSpend": spend(forecast)} if forecast else {})
        budget = {"BudgetName": "b", "TimeUnit": "MONTHLY", "BudgetType": kind, "CalculatedSpend": calculated}
        parsed["Budgets"] = [budget | ({"BudgetLimit": spend(limit)} if limit else {})]

    change("budgets", "DescribeBudgets", one)
    answer: Any = ask(engine, "get_budgets")
    assert answer.budgets[0].status == status
    assert answer.exceeded == (status == "exceeded")
    assert answer.forecast_to_exceed == (status == "forecast_to_exceed")


def test_an_unhealthy_budget_says_why(engine: Engine, change: Change) -> None:
    def sick(parsed: dict[str, Any]) -> None:
        parsed["Budgets"][0]["HealthStatus"] = {"Status": "UNHEALTHY", "StatusReason": "FILTER_INVALID"}

    change("budgets", "DescribeBudgets", sick)
    answer: Any = ask(engine, "get_budgets")
    assert "FILTER_INVALID" in {one.problem for one in answer.budgets}


def test_no_budget_is_told(engine: Engine, change: Change) -> None:
    change("budgets", "DescribeBudgets", lambda parsed: parsed["Budgets"].clear())
    answer: Any = ask(engine, "get_budgets")
    assert (answer.complete, answer.exceeded, answer.summary) == (True, 0, "The account has no budget.")
