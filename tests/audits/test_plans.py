"""Plans: what a question costs is said before it is asked, and is what it then costs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.plan import PlanAnswer, seconds_at_rate
from aws_finops_mcp.aws.ledger import price_of
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.costs import COST_TOOLS
from aws_finops_mcp.costs.exports.exports import Exports
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import CheckAnswer
from aws_finops_mcp.settings import ExportSettings

METRICS = "cloudwatch:GetMetricData"


@pytest.fixture
def with_export(engine: Engine, billing_exports: dict[str, Path]) -> Engine:
    exports = {"focus": ExportSettings(location=str(billing_exports["focus"]), kind="focus")}
    return replace(engine, exports=Exports(exports, first_account="default"))


def ask(engine: Engine, name: str, arguments: dict[str, object]) -> Any:
    tool = TOOLS[name]
    params = tool.parse(arguments)
    return tool.answer(engine.asking(getattr(params, "budget", None)), params)


def plan(engine: Engine, name: str, arguments: dict[str, object] | None = None) -> PlanAnswer:
    planned: PlanAnswer = ask(engine, "plan_question", {"tool": name, "arguments": arguments or {}})
    return planned


def paid(answer: Any) -> dict[str, int]:
    """The requests that AWS bills for, but for metrics, which it bills by their number."""
    return {action: count for action, count in answer.calls.by_action.items() if price_of(action) and count}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_plan_of_a_check_says_what_it_then_takes(engine: Engine, account: EmbeddedAccount, check: Any) -> None:
    planned = plan(engine, check.name)
    assert planned.complete
    assert account.calls.count(METRICS) == 0
    answer: CheckAnswer = ask(engine, check.name, {})
    assert planned.resources is not None
    if not check.follow_ups:
        assert planned.resources >= answer.counts.examined
    assert planned.requests == {action: answer.calls.by_action.get(action, 0) for action in planned.requests}
    assert all(answer.calls.by_action.get(action, 0) <= (most or 0) for action, most in planned.at_most.items())
    assert planned.at_most_usd is not None
    assert planned.cost_usd <= answer.calls.cost_usd <= planned.at_most_usd
    if not check.detail_actions:
        assert planned.cost_usd == answer.calls.cost_usd == planned.at_most_usd


COST_ARGUMENTS: dict[str, list[dict[str, object]]] = {
    "query_billing_data": [{"sql": "SELECT ServiceName, sum(BilledCost) AS usd FROM focus GROUP BY ALL"}],
    "get_costs": [{}, {"group_by": ["service", "region"]}, {"group_by": ["service", "record_type"]}],
    "compare_costs": [{}, {"drivers": False}],
    "generate_cost_allocation_report": [{}, {"tag_key": "Team"}],
    "get_reserved_instance_recommendations": [{}, {"service": "RDS"}],
}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [(tool, given) for tool in COST_TOOLS for given in COST_ARGUMENTS.get(tool.name, [{}])],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_plan_of_costs_says_what_they_then_take_and_pays_for_nothing(
    with_export: Engine, account: EmbeddedAccount, tool: Any, arguments: dict[str, object]
) -> None:
    planned = plan(with_export, tool.name, arguments)
    assert planned.complete
    assert planned.calls.cost_usd == 0
    assert not paid(planned)
    assert not any(account.calls.count(action) for action in tool.iam_actions if price_of(action))
    answer = ask(with_export, tool.name, arguments)
    asked = paid(answer)
    if planned.at_most:
        assert planned.cost_usd <= answer.calls.cost_usd
        for action, count in asked.items():
            more = planned.at_most.get(action, 0)
            assert planned.requests.get(action, 0) <= count
            assert more is None or count <= planned.requests.get(action, 0) + more, action
    else:
        assert (planned.requests, planned.cost_usd) == (asked, answer.calls.cost_usd)
    # How many pages Cost Explorer gives, it tells nobody.
    assert planned.at_most_usd == (None if planned.requests else 0)
    again = plan(with_export, tool.name, arguments)
    assert not again.requests, "what was answered within the hour is free"
    assert again.cost_usd == 0


def test_a_plan_of_all_savings_is_the_sum_of_its_checks_from_one_inventory(
    engine: Engine, account: EmbeddedAccount
) -> None:
    arguments: dict[str, object] = {"regions": ["us-east-1", "eu-west-1"], "categories": ["cleanup", "network"]}
    planned = plan(engine, "find_savings", arguments)
    assert account.calls.count(METRICS) == 0
    assert account.calls.count("ec2:DescribeVolumes") == 2
    answer = ask(engine, "find_savings", arguments)
    assert planned.requests == {METRICS: answer.calls.by_action[METRICS]}
    assert planned.at_most_usd is not None
    assert 0 < planned.cost_usd <= answer.calls.cost_usd <= planned.at_most_usd
    for action, most in planned.at_most.items():
        assert most is not None
        assert answer.calls.by_action.get(action, 0) <= most


def test_net_savings_ask_for_the_bill_of_what_is_found(engine: Engine) -> None:
    asked: tuple[tuple[str, dict[str, object]], ...] = (
        ("find_savings", {"checks": ["find_unused_volumes"]}),
        ("run_check", {"check": "find_unused_volumes"}),
    )
    for name, arguments in asked:
        assert plan(engine, name, arguments).at_most_usd == 0
        net = plan(engine, name, arguments | {"savings": "net"})
        assert net.at_most["ce:GetCostAndUsageWithResources"] is None
        assert net.at_most_usd is None


def test_the_budget_is_what_a_question_costs_at_most(engine: Engine) -> None:
    planned = plan(engine, "get_costs", {"budget": {"usd": 0.05}})
    assert (planned.cost_usd, planned.at_most_usd) == (Decimal("0.01"), Decimal("0.05"))
    assert "at most $0.05" in planned.summary


@pytest.mark.parametrize("name", ["list_checks", "plan_question"])
def test_what_asks_nothing_costs_nothing(engine: Engine, account: EmbeddedAccount, name: str) -> None:
    planned = plan(engine, name)
    assert not planned.requests
    assert planned.cost_usd == planned.at_most_usd == 0
    assert account.calls.total == 0


def test_a_plan_of_what_can_not_be_listed_is_none(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ec2:DescribeVolumes")
    tool = TOOLS["plan_question"]
    plan = tool.answer(engine.asking(), tool.parse({"tool": "find_unused_volumes"}))
    assert plan.resources is None
    assert not plan.complete
    assert plan.failed_reads[0].call == "ec2:DescribeVolumes"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"tool": "find_gold"}, "check: got 'find_gold'; list_checks names them"),
        ({"tool": "find_unused_volumes", "arguments": {"regoin": 1}}, "regoin: find_unused_volumes has no such"),
        ({"tool": "get_costs", "arguments": {"groupby": 1}}, "groupby: get_costs has no such argument"),
        ({}, "tool: missing; plan_question needs it"),
    ],
)
def test_a_wrong_plan_is_told(engine: Engine, arguments: dict[str, object], wanted: str) -> None:
    tool = TOOLS["plan_question"]
    with pytest.raises(ArgumentsError) as error:
        tool.answer(engine.asking(), tool.parse(arguments))
    assert wanted in str(error.value)


def test_seconds_follow_awss_rates() -> None:
    assert seconds_at_rate(Counter()) == 0
    assert seconds_at_rate(Counter({"cloudwatch:GetMetricData": 40})) == 0
    assert seconds_at_rate(Counter({"cloudwatch:GetMetricData": 120})) == 2
