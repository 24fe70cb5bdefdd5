"""The catalogue: every tool, by name, each made from one declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from aws_finops_mcp.audits.answers import cost_by_service, run_check
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.costs.by_service import CostByServiceAnswer, CostByServiceParams
from aws_finops_mcp.declaration import Declaration
from aws_finops_mcp.findings import Category, CheckAnswer

Tool = Declaration[Engine, Any, Any]

IDENTITY = "sts:GetCallerIdentity"
"""Every tool says which account it read; AWS allows this call to everyone."""


def _of_check(check: Check[Any]) -> Tool:
    return Declaration(
        name=check.name,
        title=check.title,
        category=check.category,
        description=check.description,
        iam_actions=(*check.iam_actions, IDENTITY),
        params=check.params,
        answer_type=CheckAnswer,
        answer=partial(_run, check),
        references=check.references,
    )


def _run(check: Check[Any], engine: Engine, params: Any) -> CheckAnswer:
    return run_check(engine, check, params)


_COST_BY_SERVICE: Tool = Declaration(
    name="get_cost_by_service",
    title="Cost by service",
    category=Category.COST,
    description=(
        "What each AWS service cost over a period (last month when none is given), most expensive first; credits, "
        "refunds and discounts are kept apart from usage. Costs $0.01 a page to ask (Cost Explorer)."
    ),
    iam_actions=("ce:GetCostAndUsage", IDENTITY),
    params=CostByServiceParams,
    answer_type=CostByServiceAnswer,
    answer=cost_by_service,
    references=("https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html",),
)

TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in (*(_of_check(check) for check in CHECKS), _COST_BY_SERVICE)}


def offered(categories: Iterable[Category]) -> dict[str, Tool]:
    """The tools of some categories."""
    wanted = frozenset(categories)
    return {name: tool for name, tool in TOOLS.items() if tool.category in wanted}
