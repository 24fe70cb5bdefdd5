"""Reservations to buy, of every service that sells them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

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
from aws_finops_mcp.findings import FailedRead

SERVICES = {
    "EC2": "Amazon Elastic Compute Cloud - Compute",
    "RDS": "Amazon Relational Database Service",
    "ElastiCache": "Amazon ElastiCache",
    "Redshift": "Amazon Redshift",
    "OpenSearch": "Amazon OpenSearch Service",
    "MemoryDB": "Amazon MemoryDB",
    "DynamoDB": "Amazon DynamoDB",
}
"""Short names of the services that Cost Explorer recommends reservations for, and its own."""

NOT_SOLD = {"RDS": {("THREE_YEARS", "NO_UPFRONT")}}
"""Terms that a service does not sell: https://aws.amazon.com/rds/reserved-instances/"""

CLASSES = ("STANDARD", "CONVERTIBLE")
"""Of EC2's reservations: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/reserved-instances-types.html"""

_CONVERTIBLE = "EC2 convertible"
_TOOL = "get_reserved_instance_recommendations"


class ReservationParams(PurchaseParams):
    """Arguments of `get_reserved_instance_recommendations`."""

    service: str = Field("EC2", description=f"one of {', '.join(SERVICES)}")
    offering_class: Literal["STANDARD", "CONVERTIBLE", "ALL"] = Field(
        "STANDARD",
        description="of EC2: CONVERTIBLE ones can be exchanged and save less; ALL compares both, at twice the price",
    )

    @field_validator("service")
    @classmethod
    def _service(cls, service: str) -> str:
        known = {name.casefold(): name for name in SERVICES} | {long.casefold(): s for s, long in SERVICES.items()}
        if service.casefold() not in known:
            near = difflib.get_close_matches(service.casefold(), known, n=1)
            hint = f"did you mean {known[near[0]]}?" if near else f"there are: {', '.join(SERVICES)}"
            raise ValueError(f"no service with reservations; {hint}")
        return known[service.casefold()]

    @model_validator(mode="after")
    def _sold(self) -> ReservationParams:
        if self.service != "EC2" and "offering_class" in self.model_fields_set:
            raise ValueError(f"offering_class: only EC2 has convertible reservations, {self.service} has none")
        if not self.combinations:
            raise ValueError(f"term: {self.service} is not sold for {self.term} with {self.payment_option}")
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Offering classes to ask for; "" of services that have none."""
        if self.service != "EC2":
            return ("",)
        return CLASSES if self.offering_class == "ALL" else (self.offering_class,)

    @property
    def combinations(self) -> list[tuple[str, str]]:
        """Terms and payment options to ask for, of those that the service sells."""
        return [one for one in super().combinations if one not in NOT_SOLD.get(self.service, ())]


def _question(offering: str, term: str, payment: str, params: ReservationParams) -> Read:
    request: dict[str, Any] = {
        "Service": SERVICES[params.service],
        "TermInYears": term,
        "PaymentOption": payment,
        "LookbackPeriodInDays": LOOKBACKS[params.lookback_days],
        "AccountScope": params.account_scope,
    }
    if offering:
        request["ServiceSpecification"] = {"EC2Specification": {"OfferingClass": offering}}
    token = ("NextPageToken", "NextPageToken")
    return read("ce", "GetReservationPurchaseRecommendation", "", request, token=token, region=GLOBAL_REGION)


def reservations(billing: Billing, params: ReservationParams) -> PurchaseAnswer:
    """Ask for each class, term and payment option."""
    asked = [(offering, *terms) for offering in params.classes for terms in params.combinations]
    answers = billing.ask(*(_question(*one, params) for one in asked))
    purchases: list[Purchase] = []
    generated = ""
    for (offering, term, payment), pages in zip(asked, answers, strict=True):
        if not isinstance(pages, FailedRead):
            what = _CONVERTIBLE if offering == "CONVERTIBLE" else params.service
            purchases += (row for row in _rows(what, term, payment, pages) if params.keeps(row.region))
            generated = max([generated, *(p.get("Metadata", {}).get("GenerationTimestamp") or "" for p in pages)])
    failed = any(isinstance(pages, FailedRead) for pages in answers)
    purchases.sort(key=lambda row: (-row.monthly_saving_usd, row.item, row.term_years, row.payment_option))
    options = options_of(purchases, {_CONVERTIBLE: "EC2"})
    total = None if failed else best_saving(options)
    if failed:
        summary = f"NOT READ: some of the reservations of {params.service} that could be bought, so there is no total."
    elif options:
        best = options[0]
        of_class = "convertible, " if best.what == _CONVERTIBLE else ""
        summary = (
            f"{dollars(total)} a month could be saved by reservations of {params.service}, on the best terms: "
            f"{of_class}{best.term_years} years, {best.payment_option}, {dollars(best.upfront_usd)} upfront."
        )
    else:
        summary = f"AWS recommends no reservation of {params.service} on the terms asked for."
    page, omitted, cursor = page_of(purchases, params.cursor, params.max_results)
    return PurchaseAnswer(
        **ended(billing, _TOOL, summary),
        region=params.region_name,
        lookback_days=params.lookback_days,
        monthly_saving_usd=total,
        generated=generated,
        options=tuple(options),
        purchases=page,
        omitted=omitted,
        next_cursor=cursor,
    )


def _rows(what: str, term: str, payment: str, pages: list[Any]) -> Iterator[Purchase]:
    details = (
        detail for page in pages for one in page.get("Recommendations", ()) for detail in one["RecommendationDetails"]
    )
    for one in details:
        terms = Terms(
            TERMS[term],
            money(one.get("UpfrontCost")),
            money(one.get("RecurringStandardMonthlyCost")),
            money(one.get("EstimatedMonthlySavingsAmount")),
        )
        described = {**one.get("InstanceDetails", {}), **one.get("ReservedCapacityDetails", {})}
        details_of: dict[str, Any] = next(iter(described.values()), {})
        count = one.get("RecommendedNumberOfInstancesToPurchase") or one.get(
            "RecommendedNumberOfCapacityUnitsToPurchase", ""
        )
        used = one.get("AverageUtilization")
        own = one.get("EstimatedBreakEvenInMonths")
        fields = terms.fields() | ({"cash_break_even_months": round(float(own), 1)} if own else {})
        yield Purchase(
            what=what,
            item=f"{count} x {_named(details_of)}",
            region=details_of.get("Region", ""),
            account=one.get("AccountId", ""),
            payment_option=payment,
            utilization=round(float(used) / 100, 4) if used else None,
            **fields,
        )


def _named(details: dict[str, Any]) -> str:
    """The type, and what else a reservation is bound to."""
    size = ".".join(details[key] for key in ("InstanceClass", "InstanceSize") if details.get(key))
    kind = details.get("InstanceType") or details.get("NodeType") or size or details.get("CapacityUnits", "")
    bound = ("Platform", "Tenancy", "DatabaseEngine", "DeploymentOption", "LicenseModel", "ProductDescription")
    return ", ".join(str(text) for text in (kind, *(details.get(key) for key in bound)) if text)


RESERVATIONS = CostTool(
    name=_TOOL,
    title="Reservations to buy",
    description=(
        "Reserved instances, nodes and capacity of one service that AWS recommends, with upfront payment, saving and "
        "break-even, for one and three years. Clean up waste first (find_savings); for EC2 compare with "
        "get_savings_plans_recommendations, and standard with convertible ones. Costs $0.02 to ask (Cost Explorer), "
        "$0.06 for all payment options, twice that for both classes of EC2."
    ),
    iam_actions=("ce:GetReservationPurchaseRecommendation",),
    params=ReservationParams,
    answer_type=PurchaseAnswer,
    answer=reservations,
    references=(
        "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetReservationPurchaseRecommendation.html",
    ),
)

TOOLS = (RESERVATIONS,)
