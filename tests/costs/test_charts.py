"""What a picture of an answer shows: every dollar of it, and what is doubtful about it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import FIRST_DAY, TODAY, UseBills, ask, line

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.chart import MOST_BARS, MOST_STEPS, OTHERS, Chart, Mark, parts, steps
from aws_finops_mcp.demo.account import EmbeddedAccount


def charted(engine: Engine, name: str, **arguments: object) -> tuple[Any, Chart | None]:
    tool = TOOLS[name]
    answer = ask(engine, name, **arguments)
    assert tool.chart is not None
    return answer, tool.chart(answer, tool.parse(arguments))


def test_every_tool_with_a_chart_takes_the_argument_and_no_other_does() -> None:
    assert {name for name, tool in TOOLS.items() if tool.chart} == {
        name for name, tool in TOOLS.items() if "picture" in tool.params.model_fields
    }


def test_parts_are_ranked_and_the_rest_is_one_bar() -> None:
    marks = [Mark(f"service {number}", Decimal(number)) for number in range(1, MOST_BARS + 6)]
    shown = parts(marks, Decimal(1000))
    assert len(shown) == MOST_BARS
    assert shown[0].label == f"service {MOST_BARS + 5}"
    assert shown[-1].label == OTHERS
    assert sum(mark.usd for mark in shown) == 1000
    assert parts(marks[:3], None) == tuple(reversed(marks[:3]))


def test_steps_are_ranked_and_lead_from_one_end_to_the_other() -> None:
    changes = [Mark(f"effect {number}", Decimal((-1) ** number * number)) for number in range(MOST_STEPS + 5)]
    shown = steps(Mark("before", Decimal(5)), changes, Mark("after", Decimal(100)))
    assert len(shown) == MOST_STEPS + 2
    assert shown[-2].label == OTHERS
    assert sum(mark.usd for mark in shown[:-1]) == 100


@pytest.mark.parametrize("name", ["compare_costs", "explain_cost_change"])
def test_changes_add_up_from_before_to_after(engine: Engine, name: str) -> None:
    answer, chart = charted(engine, name)
    assert chart is not None
    assert chart.kind == "steps"
    first, *changes, last = chart.marks
    assert (first.usd, last.usd) == (answer.baseline_usd, answer.comparison_usd)
    assert first.usd + sum(mark.usd for mark in changes) == last.usd
    assert len(changes) > 2


def test_costs_by_service_by_hand(engine: Engine, bills: UseBills) -> None:
    bills([line("10.25"), line("4", service="Amazon DynamoDB"), line("-1.25", record_type="Credit")])
    answer, chart = charted(engine, "get_cost_by_service", max_results=1)
    assert chart is not None
    assert [(mark.label, mark.usd) for mark in chart.marks] == [("AWS Lambda", Decimal(9)), (OTHERS, Decimal(4))]
    assert chart.title == "Cost by service: $13.00"
    assert answer.start_date in chart.notes
    assert "UnblendedCost" in chart.notes
    assert "SIMULATED" in chart.notes


def test_costs_by_tag_and_with_their_part_of_shared_ones_by_hand(engine: Engine, bills: UseBills) -> None:
    bills([line("10", Team="shop"), line("30", Team="data"), line("8"), line("-4", record_type="Credit")])
    asked = {"tag_key": "Team"}
    _, chart = charted(engine, "generate_cost_allocation_report", **asked)
    assert chart is not None
    assert {mark.label: mark.usd for mark in chart.marks} == {"data": 30, "shop": 10, "(none)": 4}
    assert chart.title == "Costs by tag Team: $44.00"
    answer, chart = charted(engine, "generate_cost_allocation_report", **asked, shared="proportional")
    assert chart is not None
    assert {mark.label: mark.usd for mark in chart.marks} == {"data": 33, "shop": 11}
    assert sum(mark.usd for mark in chart.marks) == answer.total_usd
    assert "shared costs split: proportional" in chart.notes
    _, chart = charted(engine, "generate_cost_allocation_report", **asked, max_results=1)
    assert chart is not None
    assert [(mark.label, mark.usd) for mark in chart.marks] == [("data", Decimal(30)), (OTHERS, Decimal(14))]


def test_data_transfer_by_hand(engine: Engine, bills: UseBills) -> None:
    day = TODAY - timedelta(days=2)
    bills([
        line("5", usage_type="DataTransfer-Out-Bytes", day=day), line("2", usage_type="USE1-NatGateway-Bytes", day=day),
        line("1.5", usage_type="EUC1-DataTransfer-Out-Bytes", day=day), line("99", day=day),
    ])  # fmt: skip
    answer, chart = charted(engine, "analyze_data_transfer_costs")
    assert chart is not None
    assert [(mark.label, mark.usd) for mark in chart.marks] == [
        ("out to the internet", Decimal("6.5")), ("processed by NAT gateways", Decimal(2)),
    ]  # fmt: skip
    assert chart.title == "Data transfer: $8.50"
    assert f"{answer.start_date} to {answer.end_date}, UnblendedCost, all regions" in chart.notes
    assert "SIMULATED" in chart.notes


def test_costs_over_hours(
    account: EmbeddedAccount, engine: Engine, bills: UseBills, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = TODAY - timedelta(days=2)
    bills([line("24", day=day)])
    monkeypatch.setattr(account.cost_explorer, "hourly", True)
    _, chart = charted(engine, "get_costs", granularity="HOURLY", start_date=str(day), end_date=str(day))
    assert chart is not None
    assert [mark.label for mark in chart.marks[:2]] == [f"{day:%m-%d} 00:00", f"{day:%m-%d} 01:00"]
    assert {mark.usd for mark in chart.marks} == {Decimal(1)}
    assert len(chart.marks) == 24


def test_costs_over_months_and_their_filter(engine: Engine, bills: UseBills) -> None:
    before = (FIRST_DAY - timedelta(days=1)).replace(day=1)
    bills([line("3", day=before), line("5"), line("7", region="eu-west-1")])
    filters = {"service": ["AWS Lambda"]}
    _, chart = charted(
        engine, "get_costs", group_by=["region"], by_period=True, start_date=str(before),
        end_date=str(FIRST_DAY), filters=filters,
    )  # fmt: skip
    assert chart is not None
    assert chart.kind == "periods"
    assert [(mark.label, mark.usd) for mark in chart.marks] == [
        (str(before)[:7], Decimal(3)),
        (str(FIRST_DAY)[:7], Decimal(12)),
    ]
    assert "service = AWS Lambda" in chart.notes


def test_rows_of_other_pages_are_said_to_be_missing(engine: Engine, bills: UseBills) -> None:
    bills([line("5"), line("7", region="eu-west-1")])
    _, chart = charted(engine, "get_costs", group_by=["region"], by_period=True, max_results=1)
    assert chart is not None
    assert "without 1 rows of other pages" in chart.notes


def test_a_day_that_stands_out_is_marked(engine: Engine, bills: UseBills) -> None:
    days = [TODAY - timedelta(days=age) for age in range(1, 31)]
    bills([line("100" if day == days[9] else f"1{day.day % 3}", day=day) for day in days])
    _, chart = charted(engine, "get_daily_cost_trend", days=30)
    assert chart is not None
    assert [mark.label for mark in chart.marks if mark.emphasis] == [str(days[9])]


def test_the_forecast_of_this_month_begins_with_what_is_billed(engine: Engine) -> None:
    answer, chart = charted(engine, "get_cost_forecast", months=2)
    assert chart is not None
    before, running, *_ = chart.marks
    assert before.usd == answer.last_month_usd
    assert not before.emphasis
    assert running.usd == answer.this_month_usd
    assert (running.low, running.high) == (answer.this_month_lower_usd, answer.this_month_upper_usd)


def test_what_was_not_read_has_no_picture(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ce:GetCostAndUsage")
    for name in (
        "get_cost_by_service",
        "get_costs",
        "get_daily_cost_trend",
        "generate_cost_allocation_report",
        "analyze_data_transfer_costs",
    ):
        assert charted(engine, name)[1] is None


def test_what_was_read_in_part_says_so(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ce:GetCostAndUsage")
    _, chart = charted(engine, "get_cost_forecast")
    assert chart is not None
    assert "INCOMPLETE" in chart.notes


@pytest.mark.parametrize("given", ["yes please", 3])
def test_a_wrong_argument_is_named(given: object) -> None:
    with pytest.raises(Exception, match="picture: got"):
        TOOLS["get_costs"].parse({"picture": given})
