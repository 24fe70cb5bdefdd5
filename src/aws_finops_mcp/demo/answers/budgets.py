"""Budgets with what was spent and what is forecast; moto's spend is always nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo import bills
from aws_finops_mcp.demo.answers.company import Company, Operations, usd
from aws_finops_mcp.demo.answers.pages import page
from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.double.cost_explorer import next_month
from aws_finops_mcp.demo.double.errors import AwsError, access_denied
from aws_finops_mcp.demo.double.request import Call

_MONTHS: Final = 12
_USUAL: Final = 28


@dataclass(frozen=True)
class Budget:
    """A monthly cost budget in dollars, and which lines count."""

    name: str
    limit: int
    filters: dict[str, list[str]]
    counts: Callable[[BillLine], bool]


# One that is kept, one that is exceeded, one that will be.
BUDGETS: Final = (
    Budget("company-total", 160_000, {}, lambda line: True),
    Budget("lambda", 120, {"Service": [bills.LAMBDA]}, lambda line: line.service == bills.LAMBDA),
    Budget("checkout-team", 8500, {"TagKeyValue": ["user:Team$checkout"]}, lambda line: line.tag("Team") == "checkout"),
)


def operations(company: Company) -> Operations:
    found = _Budgets(company)
    return {
        ("budgets", "DescribeBudget"): found.one,
        ("budgets", "DescribeBudgetPerformanceHistory"): found.history,
        ("budgets", "DescribeBudgets"): found.all,
    }


class _Budgets:
    def __init__(self, company: Company) -> None:
        self._company = company

    def all(self, call: Call) -> dict[str, Any]:
        return {"Budgets": [self._budget(one) for one in self._known(call)]}

    def one(self, call: Call) -> dict[str, Any]:
        return {"Budget": self._budget(self._named(call))}

    def history(self, call: Call) -> dict[str, Any]:
        budget = self._named(call)
        wanted = call.parameters.get("TimePeriod") or {}
        first = self._company.today.replace(day=1)
        rows = []
        for _ in range(_MONTHS + 1):
            start, end = _midnight(first), _midnight(next_month(first))
            if start >= wanted.get("Start", start) and start < wanted.get("End", end):
                rows.append(
                    {
                        "BudgetedAmount": _spend(Decimal(budget.limit)),
                        "ActualAmount": _spend(self._spent(budget, first)),
                        "TimePeriod": {"Start": start, "End": end},
                    }
                )
            first = (first - timedelta(days=1)).replace(day=1)
        items, more = page(call, rows, "NextToken", "MaxResults", 100, "InvalidNextTokenException")
        history = {
            "BudgetName": budget.name,
            "BudgetType": "COST",
            "CostFilters": budget.filters,
            "CostTypes": _cost_types(),
            "TimeUnit": "MONTHLY",
            "BudgetedAndActualAmountsList": items,
        }
        return {"BudgetPerformanceHistory": history, **more}

    def _known(self, call: Call) -> tuple[Budget, ...]:
        asked = str(call.parameters["AccountId"])
        if asked != call.account:
            raise access_denied(call.service, call.protocol, call.iam_action, call.caller.arn, call.query_era)
        return BUDGETS if self._company.is_here(call) else ()

    def _named(self, call: Call) -> Budget:
        name = str(call.parameters["BudgetName"])
        for one in self._known(call):
            if one.name == name:
                return one
        raise AwsError("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.", 404)

    def _spent(self, budget: Budget, first: date) -> Decimal:
        """Upfront fees, credits and refunds are left out, as the cost types say."""
        return self._company.spend(
            first,
            next_month(first),
            lambda line: line.record_type not in {"Credit", "Refund", "SavingsPlanUpfrontFee"} and budget.counts(line),
        )

    def _budget(self, one: Budget) -> dict[str, Any]:
        today = self._company.today
        first = today.replace(day=1)
        actual = self._spent(one, first)
        # Usage goes on as in the last four weeks; fees and tax of the month are billed already.
        usual = self._company.spend(
            today - timedelta(days=_USUAL), today, lambda line: line.record_type == "Usage" and one.counts(line)
        )
        forecast = actual + usual / _USUAL * (next_month(first) - today).days
        return {
            "BudgetName": one.name,
            "BudgetLimit": _spend(Decimal(one.limit)),
            "CostFilters": one.filters,
            "CostTypes": _cost_types(),
            "TimeUnit": "MONTHLY",
            "TimePeriod": {"Start": _midnight(date(2025, 1, 1)), "End": _midnight(date(2087, 6, 15))},
            "CalculatedSpend": {
                "ActualSpend": _spend(actual),
                "ForecastedSpend": _spend(forecast),
            },
            "BudgetType": "COST",
            "LastUpdatedTime": self._company.midnight(),
        }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


def _spend(amount: Decimal) -> dict[str, str]:
    return {"Amount": usd(amount, 3), "Unit": "USD"}


def _cost_types() -> dict[str, bool]:
    return {
        "IncludeTax": True,
        "IncludeSubscription": True,
        "UseBlended": False,
        "IncludeRefund": False,
        "IncludeCredit": False,
        "IncludeUpfront": False,
        "IncludeRecurring": True,
        "IncludeOtherSubscription": True,
        "IncludeSupport": True,
        "IncludeDiscount": True,
        "UseAmortized": False,
    }
