"""The catalogue: every tool, by name, each made from one declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from aws_finops_mcp.audits.answers import ask_check
from aws_finops_mcp.audits.by_name import ListChecksParams, RunCheckParams, beyond, check_named, list_checks
from aws_finops_mcp.audits.engine import Asking, OutOfScopeError
from aws_finops_mcp.audits.net import IAM_ACTIONS as NET_ACTIONS
from aws_finops_mcp.audits.plan import PlanAnswer, plan_billing, plan_check, plan_nothing, plan_savings
from aws_finops_mcp.audits.savings import FindSavingsParams, find_savings
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.costs import COST_TOOLS
from aws_finops_mcp.costs.answers import BillingAnswer
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.declaration import Declaration, Params, from_text
from aws_finops_mcp.findings import Category, CheckAnswer, ChecksAnswer, SavingsAnswer

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


def _of_cost(tool: CostTool[Any, Any]) -> Tool:
    return Declaration(
        name=tool.name,
        title=tool.title,
        category=tool.category,
        description=tool.description,
        iam_actions=(*tool.iam_actions, IDENTITY),
        params=tool.params,
        answer_type=tool.answer_type,
        answer=partial(_ask_billing, tool),
        references=tool.references,
        optional_actions=tool.optional_actions,
        chart=tool.chart,
    )


def _ask_billing(tool: CostTool[Any, Any], asking: Asking, params: Any) -> BillingAnswer:
    answer: BillingAnswer = tool.answer(asking.billing(params.account), params)
    return answer


def _run(asking: Asking, params: RunCheckParams) -> CheckAnswer:
    check = check_named(asking, params.check)
    return ask_check(asking, check, TOOLS[check.name].parse(params.arguments), net=params.savings == "net")


_LIST_CHECKS: Tool = Declaration(
    name="list_checks",
    title="Checks that there are",
    category=Category.GOVERNANCE,
    description="Every check by name, with what it finds; more than the tools listed here. Free, asks AWS nothing.",
    iam_actions=(),
    params=ListChecksParams,
    answer_type=ChecksAnswer,
    answer=list_checks,
)

_RUN_CHECK: Tool = Declaration(
    name="run_check",
    title="Run any check",
    category=Category.GOVERNANCE,
    description="Runs one check of list_checks, also one that is not listed as a tool; arguments as that check's tool.",
    iam_actions=(*NET_ACTIONS, IDENTITY),
    params=RunCheckParams,
    answer_type=CheckAnswer,
    answer=_run,
)

_FIND_SAVINGS: Tool = Declaration(
    name="find_savings",
    title="All savings, ranked",
    category=Category.COST,
    description=(
        "Start here: runs every check that saves money over the regions of one account, reading each inventory once, "
        "and ranks what was found; overlapping findings on one resource are one saving. Costs about $0.01 per 1,000 "
        "metrics (CloudWatch); run_check tells more of one check."
    ),
    iam_actions=(
        *sorted(
            {action for check in CHECKS if check.saves for action in check.iam_actions}
            | {"ec2:DescribeRegions"}
            | set(NET_ACTIONS)
        ),
        IDENTITY,
    ),
    params=FindSavingsParams,
    answer_type=SavingsAnswer,
    answer=find_savings,
)

ALWAYS_LISTED = ("find_savings", "list_checks", "run_check", "plan_question")
"""Tools that lead to all others."""

ESSENTIAL = (
    *ALWAYS_LISTED,
    "get_cost_by_service",
    "get_costs",
    "find_unused_volumes",
    "find_unused_snapshots",
    "find_unused_elastic_ips",
    "find_unused_nat_gateways",
    "find_unused_load_balancers",
    "find_unused_lambda_functions",
    "find_underutilized_ec2_instances",
    "find_underutilized_rds_instances",
    "find_unused_log_groups",
    "find_outdated_rds_engine_versions",
)
"""Tools that a client lists unless it, or the operator, chooses others: every tool costs each conversation tokens."""


class PlanParams(Params):
    """Arguments of `plan_question`."""

    tool: str = Field(description="the tool or check to plan for")
    arguments: Annotated[
        dict[str, Any], BeforeValidator(from_text), WithJsonSchema({"type": "object", "default": {}})
    ] = Field(default_factory=dict, description="the arguments it would get")


def _plan(asking: Asking, params: PlanParams) -> PlanAnswer:
    name, net, given = params.tool, False, params.arguments
    if name == _RUN_CHECK.name:
        run: RunCheckParams = _RUN_CHECK.parse(given)
        name, net, given = run.check, run.savings == "net", run.arguments
    elif name == _FIND_SAVINGS.name:
        return plan_savings(asking, _FIND_SAVINGS.parse(given))
    elif name in _COSTS:
        if _COSTS[name].category not in asking.categories:
            raise OutOfScopeError(beyond(name, _COSTS[name].category, asking.categories))
        return plan_billing(asking, _COSTS[name], TOOLS[name].parse(given))
    elif name in (_LIST_CHECKS.name, _PLAN.name):
        return plan_nothing(asking, name)
    check = check_named(asking, name)
    return plan_check(asking, check, TOOLS[check.name].parse(given), net=net)


_COSTS = {tool.name: tool for tool in COST_TOOLS}

_PLANNED = {
    *(wanted.iam_action for check in CHECKS for wanted in check.inventory),
    *(action for check in CHECKS for action in check.detail_actions),
    *(action for tool in COST_TOOLS for action in tool.iam_actions if not action.startswith("ce:")),
    "ec2:DescribeRegions",
}
"""What a plan may read."""

_PLAN: Tool = Declaration(
    name="plan_question",
    title="What a question would cost",
    category=Category.GOVERNANCE,
    description=(
        "Says how many AWS calls, dollars and seconds a tool or check would take, without making the calls that cost: "
        "it lists the resources (free) and counts the rest; of costs it asks only what is free."
    ),
    iam_actions=(*sorted(_PLANNED), IDENTITY),
    optional_actions=tuple(sorted({action for tool in COST_TOOLS for action in tool.optional_actions})),
    params=PlanParams,
    answer_type=PlanAnswer,
    answer=_plan,
    references=("https://aws.amazon.com/cloudwatch/pricing/",),
)

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        _FIND_SAVINGS,
        _LIST_CHECKS,
        _RUN_CHECK,
        _PLAN,
        *(_of_cost(tool) for tool in COST_TOOLS),
        *(_of_check(check) for check in CHECKS),
    )
}


def offered(categories: Iterable[Category]) -> dict[str, Tool]:
    """The tools of some categories, and those that lead to them."""
    wanted = frozenset(categories)
    return {name: tool for name, tool in TOOLS.items() if tool.category in wanted or name in ALWAYS_LISTED}
