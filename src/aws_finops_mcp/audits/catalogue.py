"""The catalogue: every tool, by name, each made from one declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from aws_finops_mcp.audits.answers import ask_check, ask_cost_by_service
from aws_finops_mcp.audits.engine import Asking
from aws_finops_mcp.audits.plan import PlanAnswer, plan_check
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.costs.by_service import CostByServiceAnswer, CostByServiceParams
from aws_finops_mcp.declaration import ArgumentsError, Declaration, Params, from_text
from aws_finops_mcp.findings import Category, CheckAnswer

Tool = Declaration[Asking, Any, Any]

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
        answer=partial(_ask, check),
        references=check.references,
    )


def _ask(check: Check[Any], asking: Asking, params: Any) -> CheckAnswer:
    return ask_check(asking, check, params)


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
    answer=ask_cost_by_service,
    references=("https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html",),
)

_CHECKS = {check.name: check for check in CHECKS}


class PlanParams(Params):
    """Arguments of `plan_question`."""

    tool: str = Field(description="the find_ tool to plan for")
    arguments: Annotated[
        dict[str, Any], BeforeValidator(from_text), WithJsonSchema({"type": "object", "default": {}})
    ] = Field(default_factory=dict, description="the arguments it would get")


def _plan(asking: Asking, params: PlanParams) -> PlanAnswer:
    if params.tool not in _CHECKS:
        raise ArgumentsError(f"tool: got {params.tool!r}; can be planned: {', '.join(_CHECKS)}")
    return plan_check(asking, _CHECKS[params.tool], TOOLS[params.tool].parse(params.arguments))


_PLAN: Tool = Declaration(
    name="plan_question",
    title="What a question would cost",
    category=Category.GOVERNANCE,
    description=(
        "Says how many AWS calls, dollars and seconds a find_ tool would take, without making the calls that cost: "
        "it lists the resources (free) and counts the rest."
    ),
    iam_actions=(*sorted({wanted.iam_action for check in CHECKS for wanted in check.inventory}), IDENTITY),
    params=PlanParams,
    answer_type=PlanAnswer,
    answer=_plan,
    references=("https://aws.amazon.com/cloudwatch/pricing/",),
)

TOOLS: Mapping[str, Tool] = {
    tool.name: tool for tool in (*(_of_check(check) for check in CHECKS), _COST_BY_SERVICE, _PLAN)
}


def offered(categories: Iterable[Category]) -> dict[str, Tool]:
    """The tools of some categories."""
    wanted = frozenset(categories)
    return {name: tool for name, tool in TOOLS.items() if tool.category in wanted}
