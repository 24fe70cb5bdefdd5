"""Budgets: limit, what is spent, what is forecast, and which are or will be exceeded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.answers import BillingAnswer, Model, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.tool import CostTool, Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import FailedRead

Status = Literal["exceeded", "forecast_to_exceed", "within", "unknown"]

_ORDER: tuple[Status, ...] = ("exceeded", "forecast_to_exceed", "unknown", "within")


class BudgetsParams(AskParams):
    """Arguments of `get_budgets`."""

    max_results: MaxResults = 50
    cursor: Cursor = ""


class BudgetRow(Model):
    """One budget, in its own unit: USD, or what its usage is measured in, or PERCENTAGE."""

    name: str
    type: str
    status: Status
    period: str = Field(description="DAILY, MONTHLY, QUARTERLY, ANNUALLY or CUSTOM")
    unit: str
    limit: float | None
    actual: float | None
    forecast: float | None
    used: float | None = Field(description="actual / limit, 0.5: half")
    filters: dict[str, tuple[str, ...]] = Field(default_factory=dict, exclude_if=lambda given: not given)
    problem: str = Field("", description="why AWS cannot tell its state", exclude_if=lambda given: not given)


class BudgetsAnswer(BillingAnswer):
    """Budgets, exceeded ones first."""

    exceeded: int | None = Field(description="null when not read")
    forecast_to_exceed: int | None
    budgets: tuple[BudgetRow, ...]
    omitted: int = Field(description="budgets that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


def budgets(billing: Billing, params: BudgetsParams) -> BudgetsAnswer:
    """Ask for all budgets of the account."""
    (told,) = billing.ask(_question(billing.reader.account))
    rows: list[BudgetRow] = []
    counts: dict[Status, int | None] = {"exceeded": None, "forecast_to_exceed": None}
    if isinstance(told, FailedRead):
        summary = f"NOT READ: the budgets ({told.error})."
    else:
        rows = sorted(map(_row, told), key=lambda row: (_ORDER.index(row.status), -(row.used or 0.0), row.name))
        counts = {status: sum(1 for row in rows if row.status == status) for status in counts}
        names = ", ".join(row.name for row in rows if row.status in counts)
        summary = f"{counts['exceeded']} of {len(rows)} budgets are exceeded, {counts['forecast_to_exceed']} will be"
        summary += f": {names}." if names else "."
        summary = summary if rows else "The account has no budget."
    page, omitted, cursor = page_of(rows, params.cursor, params.max_results)
    return BudgetsAnswer(
        **ended(billing, "get_budgets", summary),
        exceeded=counts["exceeded"],
        forecast_to_exceed=counts["forecast_to_exceed"],
        budgets=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _question(account: str) -> Read:
    return read("budgets", "DescribeBudgets", "Budgets", {"AccountId": account}, region=GLOBAL_REGION)


def _row(one: dict[str, Any]) -> BudgetRow:
    spend = one.get("CalculatedSpend", {})
    limit, actual, forecast = one.get("BudgetLimit"), spend.get("ActualSpend"), spend.get("ForecastedSpend")
    known: dict[str, str] = limit or actual or {}
    health = one.get("HealthStatus", {})
    return BudgetRow(
        name=one["BudgetName"],
        type=one["BudgetType"],
        status=_status(one["BudgetType"], _amount(limit), _amount(actual), _amount(forecast)),
        period=one["TimeUnit"],
        unit=known.get("Unit", ""),
        limit=_number(limit),
        actual=_number(actual),
        forecast=_number(forecast),
        used=_used(_amount(limit), _amount(actual)),
        filters={key: tuple(values) for key, values in one.get("CostFilters", {}).items()},
        problem=health.get("StatusReason", "") if health.get("Status") == "UNHEALTHY" else "",
    )


def _status(kind: str, limit: Decimal | None, actual: Decimal | None, forecast: Decimal | None) -> Status:
    """Of spend and usage, more than the limit is too much; of utilization and coverage, less."""
    if limit is None or actual is None:
        return "unknown"
    sign = 1 if kind in ("COST", "USAGE") else -1
    if sign * actual > sign * limit:
        return "exceeded"
    return "forecast_to_exceed" if forecast is not None and sign * forecast > sign * limit else "within"


def _used(limit: Decimal | None, actual: Decimal | None) -> float | None:
    return round(float(actual / limit), 4) if limit and actual is not None else None


def _amount(spend: dict[str, str] | None) -> Decimal | None:
    return Decimal(spend["Amount"]) if spend else None


def _number(spend: dict[str, str] | None) -> float | None:
    return round(float(spend["Amount"]), 2) if spend else None


BUDGETS = CostTool(
    name="get_budgets",
    title="Budgets",
    description=(
        "AWS Budgets of the account: limit, actual, forecast, and which are exceeded or will be (of utilization and "
        "coverage: fall short). Free to ask."
    ),
    iam_actions=("budgets:ViewBudget",),
    params=BudgetsParams,
    answer_type=BudgetsAnswer,
    answer=budgets,
    references=("https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html",),
)

TOOLS = (BUDGETS,)
