"""The company's Savings Plan: the plan itself, and what Cost Explorer says of its use, its coverage and another one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo import bills
from aws_finops_mcp.demo.answers.company import Company, Operations, arn, usd
from aws_finops_mcp.demo.answers.pages import page
from aws_finops_mcp.demo.answers.purchases import RECOMMENDED_PLAN
from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.double.cost_explorer import Period, periods_of, read_dates
from aws_finops_mcp.demo.double.cost_filters import dimension, predicate
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, US

PLAN_ID: Final = "5d1e7a10-0000-4000-8000-51a000000001"
OFFERING_ID: Final = "0ff0ff0f-0000-4000-8000-51a000000001"
YEAR: Final = 365 * 86_400
_UPFRONT_HOURLY: Final = bills.SAVINGS_PLAN_UPFRONT / (365 * 24)
COMMITMENT: Final = bills.SAVINGS_PLAN_HOURLY + _UPFRONT_HOURLY
_ELIGIBLE: Final = frozenset({bills.COMPUTE, bills.LAMBDA})
_ZERO: Final = Decimal(0)
# The plan's price an hour of what it covers and could cover, in us-east-1.
_RATES: Final = {"m6i.large": 0.0669, "c6i.xlarge": 0.1185, "r6i.xlarge": 0.1757, "t3.medium": 0.0302}


def operations(company: Company) -> Operations:
    plans = _Plans(company)
    return {
        ("ce", "GetSavingsPlansCoverage"): plans.coverage,
        ("ce", "GetSavingsPlansPurchaseRecommendation"): plans.purchase_recommendation,
        ("ce", "GetSavingsPlansUtilization"): plans.utilization,
        ("ce", "GetSavingsPlansUtilizationDetails"): plans.utilization_details,
        ("savingsplans", "DescribeSavingsPlans"): plans.describe,
        ("savingsplans", "DescribeSavingsPlansOfferingRates"): plans.offering_rates,
    }


class _Plans:
    def __init__(self, company: Company) -> None:
        self._company = company

    def describe(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        start = self._company.midnight(bills.SAVINGS_PLAN_AGE)
        plan = {
            "offeringId": OFFERING_ID,
            "savingsPlanId": PLAN_ID,
            "savingsPlanArn": _plan_arn(),
            "description": "1 year Partial Upfront Compute Savings Plan",
            "start": f"{start:%Y-%m-%dT%H:%M:%S.000Z}",
            "end": f"{start + timedelta(days=365, seconds=-1):%Y-%m-%dT%H:%M:%S.000Z}",
            "state": "active",
            "savingsPlanType": "Compute",
            "paymentOption": "Partial Upfront",
            "productTypes": ["Fargate", "Lambda", "EC2"],
            "currency": "USD",
            "commitment": usd(COMMITMENT, 8),
            "upfrontPaymentAmount": usd(bills.SAVINGS_PLAN_UPFRONT, 2),
            "recurringPaymentAmount": usd(bills.SAVINGS_PLAN_HOURLY, 8),
            "termDurationInSeconds": YEAR,
            "tags": {"Team": "platform"},
        }
        found = [plan] if self._company.is_here(call) else []
        if asked.get("states"):
            found = [one for one in found if one["state"] in asked["states"]]
        for parameter, member in (("savingsPlanIds", "savingsPlanId"), ("savingsPlanArns", "savingsPlanArn")):
            if asked.get(parameter):
                found = [one for one in found if one[member] in asked[parameter]]
        items, more = page(call, found, "nextToken", "maxResults", 1000, "ValidationException")
        return {"savingsPlans": items, **more}

    def offering_rates(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        offering = {
            "offeringId": OFFERING_ID,
            "paymentOption": "Partial Upfront",
            "planType": "Compute",
            "durationSeconds": YEAR,
            "currency": "USD",
            "planDescription": "1 year Partial Upfront Compute Savings Plan",
        }
        rates = [
            {
                "savingsPlanOffering": offering,
                "rate": usd(rate, 6),
                "unit": "Hrs",
                "productType": "EC2",
                "serviceCode": "AmazonEC2",
                "usageType": f"BoxUsage:{kind}",
                "operation": "RunInstances",
                "properties": [
                    {"name": "instanceType", "value": kind},
                    {"name": "instanceFamily", "value": kind.split(".")[0]},
                    {"name": "region", "value": US},
                    {"name": "productDescription", "value": "Linux/UNIX"},
                    {"name": "tenancy", "value": "shared"},
                ],
            }
            for kind, rate in _RATES.items()
            if not asked.get("usageTypes") or f"BoxUsage:{kind}" in asked["usageTypes"]
        ]
        for one in asked.get("filters") or []:
            wanted = {(one.get("name"), value) for value in one.get("values") or []}
            rates = [rate for rate in rates if wanted & {(p["name"], p["value"]) for p in _properties(rate)}]
        items, more = page(call, rates, "nextToken", "maxResults", 1000, "ValidationException")
        return {"searchResults": items, **more}

    def utilization(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        start, end = self._dates(asked)
        periods = periods_of(start, end, str(asked.get("Granularity") or "MONTHLY"))
        rows = [
            {"TimePeriod": _period(period), **self._use(self._lines(call, *period))}
            for period in periods
            if any(line.record_type == "SavingsPlanRecurringFee" for line in self._lines(call, *period))
        ]
        if not rows:
            raise AwsError("DataUnavailableException", "Savings Plans data is not available for this period.")
        return {"SavingsPlansUtilizationsByTime": rows, "Total": self._use(self._lines(call, start, end))}

    def utilization_details(self, call: Call) -> dict[str, Any]:
        start, end = self._dates(call.parameters)
        use = self._use(self._lines(call, start, end))
        plan = {
            "SavingsPlanArn": _plan_arn(),
            "Attributes": {
                "AccountId": ACCOUNT_ID,
                "AccountName": "shop-production",
                "HourlyCommitment": usd(COMMITMENT, 8),
                "PaymentOption": "PartialUpfront",
                "PurchaseTerm": "1yr",
                "Region": "Any",
                "SavingsPlansType": "ComputeSavingsPlans",
                "Status": "Active",
                "UpfrontFee": usd(bills.SAVINGS_PLAN_UPFRONT, 2),
            },
            **use,
        }
        known = float(use["Utilization"]["TotalCommitment"]) > 0
        items, more = page(call, [plan] if known else [], "NextToken", "MaxResults", 100, "InvalidNextTokenException")
        return {
            "SavingsPlansUtilizationDetails": items, "Total": use, "TimePeriod": _period((start, end)), **more,
        }  # fmt: skip

    def coverage(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        start, end = self._dates(asked)
        keep = predicate(asked["Filter"], {}) if asked.get("Filter") else None
        groups = [str(one.get("Key")) for one in asked.get("GroupBy") or []]
        rows = []
        for period in periods_of(start, end, str(asked.get("Granularity") or "MONTHLY")):
            lines = [line for line in self._lines(call, *period) if _eligible(line) and (keep is None or keep(line))]
            parts: dict[tuple[str, ...], list[BillLine]] = {}
            for line in lines:
                parts.setdefault(tuple(dimension(group)(line) for group in groups), []).append(line)
            for keys, found in sorted(parts.items()):
                rows.append(
                    {
                        "Attributes": dict(zip(groups, keys, strict=True)),
                        "Coverage": _covered(found),
                        "TimePeriod": _period(period),
                    }
                )
        items, more = page(call, rows, "NextToken", "MaxResults", 100, "InvalidNextTokenException")
        return {"SavingsPlansCoverages": items, **more}

    def purchase_recommendation(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        plan = RECOMMENDED_PLAN
        fits = (
            self._company.is_here(call)
            and asked["SavingsPlansType"] == "COMPUTE_SP"
            and (asked["TermInYears"], asked["PaymentOption"]) == ("ONE_YEAR", "NO_UPFRONT")
        )
        common = {
            "CurrencyCode": "USD",
            "EstimatedROI": usd(plan.savings_month / plan.commitment_month * 100, 4),
            "EstimatedSavingsAmount": usd(plan.savings_month * 12, 4),
            "EstimatedSavingsPercentage": usd(plan.percentage, 4),
            "HourlyCommitmentToPurchase": usd(plan.hourly, 3),
            "EstimatedMonthlySavingsAmount": usd(plan.savings_month, 4),
            "EstimatedOnDemandCostWithCurrentCommitment": usd(plan.on_demand_month * 12, 4),
        }
        recommendation: dict[str, Any] = {
            "AccountScope": asked.get("AccountScope") or "PAYER",
            "SavingsPlansType": asked["SavingsPlansType"],
            "TermInYears": asked["TermInYears"],
            "PaymentOption": asked["PaymentOption"],
            "LookbackPeriodInDays": asked["LookbackPeriodInDays"],
        }
        if fits:
            recommendation["SavingsPlansPurchaseRecommendationDetails"] = [
                {
                    **common,
                    "SavingsPlansDetails": {"Region": "", "InstanceFamily": "", "OfferingId": OFFERING_ID},
                    "AccountId": ACCOUNT_ID,
                    "UpfrontCost": "0.0",
                    "EstimatedSPCost": usd(plan.commitment_month * 12, 4),
                    "EstimatedOnDemandCost": usd(plan.on_demand_month * 12, 4),
                    "EstimatedAverageUtilization": "100.0",
                    "CurrentMinimumHourlyOnDemandSpend": usd(plan.on_demand_hourly, 4),
                    "CurrentMaximumHourlyOnDemandSpend": usd(plan.on_demand_hourly * 1.6, 4),
                    "CurrentAverageHourlyOnDemandSpend": usd(plan.on_demand_hourly * 1.2, 4),
                    "RecommendationDetailId": "9a3b0000-0000-4000-8000-000000000001",
                }
            ]
            recommendation["SavingsPlansPurchaseRecommendationSummary"] = {
                **common,
                "EstimatedTotalCost": usd(plan.commitment_month * 12, 4),
                "CurrentOnDemandSpend": usd(plan.on_demand_month, 4),
                "TotalRecommendationCount": "1",
                "DailyCommitmentToPurchase": usd(plan.hourly * 24, 3),
            }
        metadata = {
            "RecommendationId": "9a3b0000-0000-4000-8000-000000000000",
            "GenerationTimestamp": f"{self._company.midnight():%Y-%m-%dT%H:%M:%SZ}",
        }
        return {"Metadata": metadata, "SavingsPlansPurchaseRecommendation": recommendation}

    def _dates(self, asked: dict[str, Any]) -> Period:
        return read_dates(asked["TimePeriod"], self._company.today)

    def _lines(self, call: Call, start: date, end: date) -> list[BillLine]:
        if not self._company.is_here(call):
            return []
        return self._company.bills.between(start, end)

    def _use(self, lines: Iterable[BillLine]) -> dict[str, Any]:
        """The fees are the commitment; what covered usage is worth amortized is what was used of it."""
        known = list(lines)
        recurring = _sum(known, "SavingsPlanRecurringFee")
        share = Decimal(repr(_UPFRONT_HOURLY)) / Decimal(repr(bills.SAVINGS_PLAN_HOURLY))
        upfront = recurring * share
        commitment = recurring + upfront
        used = min(commitment, sum((line.amortized for line in known if _covers(line)), _ZERO))
        on_demand = sum((line.unblended for line in known if _covers(line)), _ZERO)
        return {
            "Utilization": {
                "TotalCommitment": usd(commitment),
                "UsedCommitment": usd(used),
                "UnusedCommitment": usd(commitment - used),
                "UtilizationPercentage": usd(used / commitment * 100 if commitment else _ZERO, 4),
            },
            "Savings": {"NetSavings": usd(on_demand - commitment), "OnDemandCostEquivalent": usd(on_demand)},
            "AmortizedCommitment": {
                "AmortizedRecurringCommitment": usd(recurring),
                "AmortizedUpfrontCommitment": usd(upfront),
                "TotalAmortizedCommitment": usd(commitment),
            },
        }


def _plan_arn() -> str:
    return arn("savingsplans", "", f"savingsplan/{PLAN_ID}")


def _properties(rate: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = rate["properties"]
    return found


def _period(period: Period) -> dict[str, str]:
    return {"Start": period[0].isoformat(), "End": period[1].isoformat()}


def _sum(lines: Iterable[BillLine], record_type: str) -> Decimal:
    return sum((line.unblended for line in lines if line.record_type == record_type), _ZERO)


def _covers(line: BillLine) -> bool:
    return line.record_type == "SavingsPlanCoveredUsage"


def _eligible(line: BillLine) -> bool:
    return line.service in _ELIGIBLE and line.record_type in {"Usage", "SavingsPlanCoveredUsage"}


def _covered(lines: list[BillLine]) -> dict[str, str]:
    covered = sum((line.unblended for line in lines if _covers(line)), _ZERO)
    total = sum((line.unblended for line in lines), _ZERO)
    return {
        "SpendCoveredBySavingsPlans": usd(covered),
        "OnDemandCost": usd(total - covered),
        "TotalCost": usd(total),
        "CoveragePercentage": usd(covered / total * 100 if total else _ZERO, 4),
    }
