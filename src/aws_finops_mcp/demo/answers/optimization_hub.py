"""Cost Optimization Hub: the recommendations of all advisers in one list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Company, Operations
from aws_finops_mcp.demo.answers.recommendations import Recommendation, all_of
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID

# The only region where the hub answers.
_REGION: Final = "us-east-1"
_LOOKBACK: Final = {"EbsVolume": 32, "NatGateway": 32, "RdsDbInstance": 14}
_GROUPS: Final[dict[str, Callable[[Recommendation], str]]] = {
    "AccountId": lambda one: ACCOUNT_ID,
    "Region": lambda one: one.region,
    "ActionType": lambda one: one.action,
    "ResourceType": lambda one: one.kind,
    "RestartNeeded": lambda one: str(one.restart),
    "RollbackPossible": lambda one: str(one.rollback),
    "ImplementationEffort": lambda one: one.effort,
}


def operations(company: Company) -> Operations:
    hub = _Hub(company)
    return {
        ("cost-optimization-hub", "GetRecommendation"): hub.get_recommendation,
        ("cost-optimization-hub", "ListEnrollmentStatuses"): hub.list_enrollment_statuses,
        ("cost-optimization-hub", "ListRecommendations"): hub.list_recommendations,
        ("cost-optimization-hub", "ListRecommendationSummaries"): hub.list_recommendation_summaries,
    }


class _Hub:
    def __init__(self, company: Company) -> None:
        self._company = company

    def list_enrollment_statuses(self, call: Call) -> dict[str, Any]:
        enrolled = self._company.midnight(300)
        status = "Active" if self._company.is_here(call) else "Inactive"
        one = {"accountId": call.account, "status": status}
        return {
            "items": [{**one, "createdTimestamp": enrolled, "lastUpdatedTimestamp": enrolled}],
            "includeMemberAccounts": False,
        }

    def list_recommendations(self, call: Call) -> dict[str, Any]:
        found = self._chosen(call)
        order = call.parameters.get("orderBy") or {}
        if str(order.get("dimension", "EstimatedMonthlySavings")) == "EstimatedMonthlySavings":
            found.sort(key=lambda one: one.savings, reverse=order.get("order", "Desc") == "Desc")
        return {"items": [self._row(one) for one in found]}

    def list_recommendation_summaries(self, call: Call) -> dict[str, Any]:
        group = str(call.parameters["groupBy"])
        if group not in _GROUPS:
            raise AwsError("ValidationException", f"Invalid groupBy: {group}.")
        groups: dict[str, list[Recommendation]] = {}
        found = self._chosen(call)
        for one in found:
            groups.setdefault(_GROUPS[group](one), []).append(one)
        items = [
            {
                "group": name,
                "estimatedMonthlySavings": round(sum(one.savings for one in rows), 4),
                "recommendationCount": len(rows),
            }
            for name, rows in groups.items()
        ]
        return {
            "items": sorted(items, key=lambda item: -float(str(item["estimatedMonthlySavings"]))),
            "groupBy": group,
            "currencyCode": "USD",
            "estimatedTotalDedupedSavings": round(sum(one.savings for one in found), 4),
        }

    def get_recommendation(self, call: Call) -> dict[str, Any]:
        wanted = str(call.parameters["recommendationId"])
        for one in self._all(call):
            if one.identity == wanted:
                row = self._row(one)
                for summary in ("currentResourceSummary", "recommendedResourceSummary"):
                    row.pop(summary)
                details = _details(one)
                return {
                    **row,
                    "costCalculationLookbackPeriodInDays": 30,
                    "estimatedSavingsOverCostCalculationLookbackPeriod": round(one.savings / 730 * 720, 4),
                    **({"currentResourceDetails": details} if details else {}),
                }
        raise AwsError("ResourceNotFoundException", f"No recommendation with the id {wanted}.")

    def _all(self, call: Call) -> list[Recommendation]:
        if call.region != _REGION:
            raise AwsError("UnrecognizedClientException", "The hub has its only endpoint in us-east-1.")
        return all_of(self._company) if self._company.is_here(call) else []

    def _chosen(self, call: Call) -> list[Recommendation]:
        wanted = call.parameters.get("filter") or {}
        tests: dict[str, Callable[[Recommendation], str]] = {
            "accountIds": lambda one: ACCOUNT_ID,
            "actionTypes": lambda one: one.action,
            "implementationEfforts": lambda one: one.effort,
            "recommendationIds": lambda one: one.identity,
            "regions": lambda one: one.region,
            "resourceArns": lambda one: one.arn,
            "resourceIds": lambda one: one.resource,
            "resourceTypes": lambda one: one.kind,
        }
        found = self._all(call)
        for name, read in tests.items():
            if wanted.get(name):
                found = [one for one in found if read(one) in wanted[name]]
        for name, flag in (("restartNeeded", "restart"), ("rollbackPossible", "rollback")):
            if wanted.get(name) is not None:
                found = [one for one in found if getattr(one, flag) is wanted[name]]
        for tag in wanted.get("tags") or []:
            found = [one for one in found if one.tags.get(tag.get("key")) == tag.get("value")]
        return found

    def _row(self, one: Recommendation) -> dict[str, Any]:
        row: dict[str, Any] = {
            "recommendationId": one.identity,
            "accountId": ACCOUNT_ID,
            "region": one.region,
            "currentResourceType": one.kind,
            "recommendedResourceType": one.kind,
            "estimatedMonthlySavings": round(one.savings, 4),
            "estimatedSavingsPercentage": round(one.savings / one.monthly * 100, 2),
            "estimatedMonthlyCost": round(one.monthly, 4),
            "currencyCode": "USD",
            "implementationEffort": one.effort,
            "restartNeeded": one.restart,
            "actionType": one.action,
            "rollbackPossible": one.rollback,
            "currentResourceSummary": one.current,
            "recommendedResourceSummary": one.target,
            "lastRefreshTimestamp": self._company.midnight(),
            "recommendationLookbackPeriodInDays": _LOOKBACK.get(one.kind, 14 if one.resource else 30),
            "source": one.source,
            "tags": [{"key": key, "value": value} for key, value in one.tags.items()],
        }
        if one.resource:
            row["resourceId"] = one.resource
            row["resourceArn"] = one.arn
        return row


def _details(one: Recommendation) -> dict[str, Any]:
    pricing = {
        "estimatedCostBeforeDiscounts": round(one.monthly, 4),
        "estimatedNetUnusedAmortizedCommitments": 0.0,
        "estimatedDiscounts": {"savingsPlansDiscount": 0.0, "reservedInstancesDiscount": 0.0, "otherDiscount": 0.0},
        "estimatedCostAfterDiscounts": round(one.monthly, 4),
    }
    cost = {"usages": [], "pricing": pricing}
    if one.kind == "EbsVolume":
        kind, _, size = one.current.partition("/")
        storage = {"type": kind, "sizeInGb": float(size.split()[0])}
        return {"ebsVolume": {"configuration": {"storage": storage, "attachmentState": "available"},
                              "costCalculation": cost}}  # fmt: skip
    if one.kind == "NatGateway":
        quiet = {"activeConnectionCount": 0, "packetsInFromSource": 0, "packetsInFromDestination": 0}
        return {"natGateway": {"configuration": quiet, "costCalculation": cost}}
    if one.kind == "Ec2Instance":
        return {"ec2Instance": {"configuration": {"instance": {"type": one.current}}, "costCalculation": cost}}
    return {}
