"""Savings Plans to buy: all types, terms and payment options, compared; those that exclude each other not added up."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.answers import dollars, ended, page_of
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.purchases import (
    LOOKBACKS,
    TERMS,
    Purchase,
    PurchaseAnswer,
    PurchaseParams,
    Terms,
    best_saving,
    money,
    options_of,
)
from aws_finops_mcp.costs.tool import CostTool
from aws_finops_mcp.findings import HOURS_PER_MONTH, FailedRead

TYPES = ("COMPUTE_SP", "EC2_INSTANCE_SP", "SAGEMAKER_SP", "DATABASE_SP")
"""Every type that the API names."""

CHOICES = {"COMPUTE_SP": "compute", "EC2_INSTANCE_SP": "compute"}
"""Both cover the same EC2 usage: AWS works each out as if the other were not bought."""

ONLY = {"DATABASE_SP": {("ONE_YEAR", "NO_UPFRONT")}}
"""Types that are sold on some terms only: https://aws.amazon.com/savingsplans/database-pricing/ (2025-12)"""

_TOOL = "get_savings_plans_recommendations"


def _question(kind: str, term: str, payment: str, params: PurchaseParams) -> Read:
    request = {
        "SavingsPlansType": kind,
        "TermInYears": term,
        "PaymentOption": payment,
        "LookbackPeriodInDays": LOOKBACKS[params.lookback_days],
        "AccountScope": params.account_scope,
    }
    token = ("NextPageToken", "NextPageToken")
    return read("ce", "GetSavingsPlansPurchaseRecommendation", "", request, token=token, region=GLOBAL_REGION)


def savings_plans(billing: Billing, params: PurchaseParams) -> PurchaseAnswer:
    """Ask for each type, term and payment option."""
    asked = [
        (kind, term, payment)
        for kind in TYPES
        for term, payment in params.combinations
        if (term, payment) in ONLY.get(kind, {(term, payment)})
    ]
    answers = billing.ask(*(_question(*one, params) for one in asked))
    purchases: list[Purchase] = []
    generated = ""
    for one, pages in zip(asked, answers, strict=True):
        if not isinstance(pages, FailedRead):
            purchases += (row for row in _rows(*one, pages) if params.keeps(row.region))
            times = [page.get("Metadata", {}).get("GenerationTimestamp") or "" for page in pages]
            generated = max([generated, *times])
    failed = any(isinstance(pages, FailedRead) for pages in answers)
    purchases.sort(key=lambda row: (-row.monthly_saving_usd, row.what, row.term_years, row.payment_option))
    options = options_of(purchases, CHOICES)
    total = None if failed else best_saving(options)
    best = [option for option in options if option.best]
    summary = f"{dollars(total)} a month could be saved by Savings Plans"
    if failed:
        summary = "NOT READ: some of the Savings Plans that could be bought, so there is no total"
    summary += "".join(
        f"; best of {one.choice}: {one.what}, {one.term_years} years, {one.payment_option}, "
        f"{dollars(one.monthly_saving_usd)} a month"
        for one in best
    )
    if not failed and not best:
        summary = f"AWS recommends no Savings Plan on the terms asked for{'' if generated else '; it has made no list'}"
    page, omitted, cursor = page_of(purchases, params.cursor, params.max_results)
    return PurchaseAnswer(
        **ended(billing, _TOOL, f"{summary}."),
        region=params.region_name,
        lookback_days=params.lookback_days,
        monthly_saving_usd=total,
        generated=generated,
        options=tuple(options),
        purchases=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _rows(kind: str, term: str, payment: str, pages: list[Any]) -> Iterator[Purchase]:
    """Of what AWS recommends: hourly commitment, upfront payment and monthly saving; the rest follows from them."""
    for page in pages:
        told = page.get("SavingsPlansPurchaseRecommendation", {})
        for one in told.get("SavingsPlansPurchaseRecommendationDetails", ()):
            years = TERMS[term]
            upfront = money(one.get("UpfrontCost"))
            monthly = money(one.get("HourlyCommitmentToPurchase")) * HOURS_PER_MONTH
            terms = Terms(
                years,
                upfront,
                max(Decimal(0), monthly - upfront / (years * 12)),
                money(one.get("EstimatedMonthlySavingsAmount")),
            )
            plan = one.get("SavingsPlansDetails", {})
            used = one.get("EstimatedAverageUtilization")
            yield Purchase(
                what=kind,
                item=" ".join(part for part in (plan.get("InstanceFamily"), "Savings Plan") if part),
                region=plan.get("Region") or "",
                account=one.get("AccountId", ""),
                payment_option=payment,
                utilization=round(float(used) / 100, 4) if used else None,
                **terms.fields(),
            )


SAVINGS_PLANS = CostTool(
    name=_TOOL,
    title="Savings Plans to buy",
    description=(
        "Compute, EC2 instance, SageMaker and Database Savings Plans that AWS recommends, with commitment, upfront "
        "payment, saving and break-even for one and three years; Compute and EC2 plans are alternatives, not added. "
        "Clean up waste first (find_savings). Costs $0.07 to ask (Cost Explorer), $0.19 for all payment options."
    ),
    iam_actions=("ce:GetSavingsPlansPurchaseRecommendation",),
    params=PurchaseParams,
    answer_type=PurchaseAnswer,
    answer=savings_plans,
    references=(
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetSavingsPlansPurchaseRecommendation.html",
        "https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-recommendations.html",
    ),
)

TOOLS = (SAVINGS_PLANS,)
