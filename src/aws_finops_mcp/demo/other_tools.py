"""The tools that are no checks: what a question to each takes, and which test holds its truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from aws_finops_mcp.audits.catalogue import IDENTITY, TOOLS, Tool
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.plan import PlanAnswer
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.costs.exports.query import ExportParams

HELD_BY: Final[Mapping[str, str]] = {
    "find_savings": "audits/test_savings.py",
    "list_checks": "server/test_mcp.py",
    "run_check": "server/test_mcp.py",
    "plan_question": "audits/test_plans.py",
    "get_cost_by_service": "costs/test_by_service.py",
    "get_costs": "costs/test_breakdown.py",
    "get_cost_by_region": "costs/test_breakdown.py",
    "get_cost_by_region_and_service": "costs/test_breakdown.py",
    "compare_costs": "costs/test_comparison.py",
    "explain_cost_change": "costs/test_explanation.py",
    "get_daily_cost_trend": "costs/test_daily_trend.py",
    "analyze_data_transfer_costs": "costs/test_data_transfer.py",
    "generate_cost_allocation_report": "costs/test_allocation.py",
    "get_cost_forecast": "costs/test_forecast.py",
    "get_cost_anomalies": "costs/test_anomalies_and_budgets.py",
    "get_budgets": "costs/test_anomalies_and_budgets.py",
    "get_all_cost_optimization_recommendations": "costs/test_optimization_hub.py",
    "get_cost_optimization_ec2": "costs/test_optimization_hub.py",
    "get_cost_optimization_ebs": "costs/test_optimization_hub.py",
    "get_cost_optimization_lambda": "costs/test_optimization_hub.py",
    "get_cost_optimization_rds": "costs/test_optimization_hub.py",
    "get_compute_optimizer_recommendations": "costs/test_compute_optimizer.py",
    "get_trusted_advisor_recommendations": "costs/test_trusted_advisor.py",
    "analyze_reserved_instance_utilization": "costs/test_commitments.py",
    "get_savings_plans_recommendations": "costs/test_purchases.py",
    "get_reserved_instance_recommendations": "costs/test_purchases.py",
    "query_billing_data": "costs/test_billing_data.py",
    "describe_billing_data": "costs/test_billing_data.py",
    "check_focus_conformance": "costs/test_conformance.py",
}
"""The test, under `tests/`, that holds a tool's answers against what is known of the company's bills."""

_OF_CHECKS: Final[Mapping[str, str]] = {
    "find_savings": "those of its checks",
    "list_checks": "none",
    "run_check": "those of the check",
    "plan_question": "listings only",
}


def other_tools() -> dict[str, Tool]:
    """The tools that are no checks, by name."""
    checks = {check.name for check in CHECKS}
    return {name: tool for name, tool in TOOLS.items() if name not in checks}


def section(engine: Engine) -> str:
    """Their part of the page docs/checks.md, as Markdown."""
    lines = [
        "## Other tools",
        "",
        "Requests: what one question with its defaults takes, where each answer has one page, as `plan_question`",
        "counts them; + more where what is found decides. Those of Cost Explorer (`ce:`) cost $0.01 each.",
        "",
        "| tool | category | requests | truth held by | IAM actions |",
        "|---|---|---|---|---|",
    ]
    for name, tool in other_tools().items():
        cells = [
            f"[`{name}`](tools.md#{name})",
            tool.category.value,
            _requests(engine, tool),
            f"`tests/{HELD_BY[name]}`",
            # The tools that run or plan checks may call what all of these may.
            "those of the checks"
            if name in ("find_savings", "run_check", "plan_question")
            else " ".join(f"`{action}`" for action in tool.iam_actions if action != IDENTITY),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _requests(engine: Engine, tool: Tool) -> str:
    if tool.name in _OF_CHECKS:
        return _OF_CHECKS[tool.name]
    if issubclass(tool.params, ExportParams):
        return "none of files in a folder; of S3, a listing and new files; of Athena, its questions"
    engine.billing_cache.clear()  # what another tool was told is no part of it
    planner = TOOLS["plan_question"]
    plan: PlanAnswer = planner.answer(engine.asking(), planner.parse({"tool": tool.name}))
    free = {action: count for action, count in plan.calls.by_action.items() if action != IDENTITY}
    counts = Counter(free) + Counter(plan.requests)
    more = [f"{action} + {'more' if count is None else count}" for action, count in plan.at_most.items()]
    return ", ".join([*(f"{action} {count}" for action, count in sorted(counts.items())), *more])
