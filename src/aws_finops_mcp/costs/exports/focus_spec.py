"""What FOCUS 1.0, 1.1 and 1.2 require of a dataset, as far as a file can show it.

Columns: feature level, type, whether null is allowed, and the version that brought them; then rules on rows. From
https://focus.finops.org/focus-specification/v1-0/, …/v1-1/ and …/v1-2/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Version = Literal["1.0", "1.1", "1.2"]
ADDRESSES: Mapping[Version, str] = {
    "1.0": "https://focus.finops.org/focus-specification/v1-0/",
    "1.1": "https://focus.finops.org/focus-specification/v1-1/",
    "1.2": "https://focus.finops.org/focus-specification/v1-2/",
}


@dataclass(frozen=True)
class Column:
    """A column of the specification; `level` is mandatory, conditional or recommended."""

    level: Literal["M", "C", "R"]
    type: Literal["String", "Decimal", "DateTime", "JSON"]
    nulls: bool
    since: Version = "1.0"
    allowed: tuple[str, ...] = ()


_SERVICE_CATEGORIES = (
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
    "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration", "Mobile",
    "Multicloud", "Networking", "Other", "Security", "Storage", "Web",
)  # fmt: skip

COLUMNS: Mapping[str, Column] = {
    "AvailabilityZone": Column("R", "String", True),
    "BilledCost": Column("M", "Decimal", False),
    "BillingAccountId": Column("M", "String", False),
    "BillingAccountName": Column("M", "String", True),
    "BillingAccountType": Column("C", "String", False, "1.2"),
    "BillingCurrency": Column("M", "String", False),
    "BillingPeriodEnd": Column("M", "DateTime", False),
    "BillingPeriodStart": Column("M", "DateTime", False),
    "CapacityReservationId": Column("C", "String", True, "1.1"),
    "CapacityReservationStatus": Column("C", "String", True, "1.1", ("Unused", "Used")),
    "ChargeCategory": Column("M", "String", False, allowed=("Adjustment", "Credit", "Purchase", "Tax", "Usage")),
    "ChargeClass": Column("M", "String", True, allowed=("Correction",)),
    "ChargeDescription": Column("M", "String", True),
    "ChargeFrequency": Column("R", "String", False, allowed=("One-Time", "Recurring", "Usage-Based")),
    "ChargePeriodEnd": Column("M", "DateTime", False),
    "ChargePeriodStart": Column("M", "DateTime", False),
    "CommitmentDiscountCategory": Column("C", "String", True, allowed=("Spend", "Usage")),
    "CommitmentDiscountId": Column("C", "String", True),
    "CommitmentDiscountName": Column("C", "String", True),
    "CommitmentDiscountQuantity": Column("C", "Decimal", True, "1.1"),
    "CommitmentDiscountStatus": Column("C", "String", True, allowed=("Unused", "Used")),
    "CommitmentDiscountType": Column("C", "String", True),
    "CommitmentDiscountUnit": Column("C", "String", True, "1.1"),
    "ConsumedQuantity": Column("C", "Decimal", True),
    "ConsumedUnit": Column("C", "String", True),
    "ContractedCost": Column("M", "Decimal", False),
    "ContractedUnitPrice": Column("C", "Decimal", True),
    "EffectiveCost": Column("M", "Decimal", False),
    "InvoiceId": Column("R", "String", True, "1.2"),
    "InvoiceIssuerName": Column("M", "String", False),
    "ListCost": Column("M", "Decimal", False),
    "ListUnitPrice": Column("C", "Decimal", True),
    "PricingCategory": Column("C", "String", True, allowed=("Committed", "Dynamic", "Other", "Standard")),
    "PricingCurrency": Column("C", "String", True, "1.2"),
    "PricingCurrencyContractedUnitPrice": Column("C", "Decimal", True, "1.2"),
    "PricingCurrencyEffectiveCost": Column("C", "Decimal", True, "1.2"),
    "PricingCurrencyListUnitPrice": Column("C", "Decimal", True, "1.2"),
    "PricingQuantity": Column("M", "Decimal", True),
    "PricingUnit": Column("M", "String", True),
    "ProviderName": Column("M", "String", False),
    "PublisherName": Column("M", "String", False),
    "RegionId": Column("C", "String", True),
    "RegionName": Column("C", "String", True),
    "ResourceId": Column("C", "String", True),
    "ResourceName": Column("C", "String", True),
    "ResourceType": Column("C", "String", True),
    "ServiceCategory": Column("M", "String", False, allowed=_SERVICE_CATEGORIES),
    "ServiceName": Column("M", "String", False),
    "ServiceSubcategory": Column("R", "String", False, "1.1"),
    "SkuId": Column("C", "String", True),
    "SkuMeter": Column("C", "String", True, "1.1"),
    "SkuPriceDetails": Column("C", "JSON", True, "1.1"),
    "SkuPriceId": Column("C", "String", True),
    "SubAccountId": Column("C", "String", True),
    "SubAccountName": Column("C", "String", True),
    "SubAccountType": Column("C", "String", True, "1.2"),
    "Tags": Column("C", "JSON", True),
}

KNOWN_GAPS = frozenset(
    {"ContractedUnitPrice", "InvoiceIssuerName", "ListUnitPrice", "PricingUnit", "PublisherName", "SkuId", "SkuPriceId"}
)
"""Columns that may be null in AWS's export although FOCUS wants a value, as AWS says itself:
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws-conformance.html"""


@dataclass(frozen=True)
class Rule:
    """A rule on rows.

    Attributes:
        columns: those that it needs; the first is the one that it is about.
        requires: what the specification requires.
        broken: when a row breaks it, in SQL.
    """

    columns: tuple[str, ...]
    requires: str
    broken: str


_PRICED = "ChargeCategory IN ('Usage', 'Purchase') AND ChargeClass IS NULL"
_OF_PRICE = ("ChargeCategory", "ChargeClass")


def _with_commitment(column: str) -> Rule:
    return Rule(
        (column, "CommitmentDiscountId"),
        "is null exactly where CommitmentDiscountId is",
        f"({column} IS NULL) <> (CommitmentDiscountId IS NULL)",
    )


def _of_priced(column: str) -> tuple[Rule, Rule]:
    return (
        Rule(
            (column, *_OF_PRICE),
            "is not null for Usage and Purchase that correct nothing",
            f"{column} IS NULL AND {_PRICED}",
        ),
        Rule((column, "ChargeCategory"), "is null for Tax", f"{column} IS NOT NULL AND ChargeCategory = 'Tax'"),
    )


def _product(cost: str, price: str) -> Rule:
    return Rule(
        (cost, price, "PricingQuantity", "ChargeClass"),
        f"is {price} times PricingQuantity, to the cent, where that has a value and corrects nothing",
        f"ChargeClass IS NULL AND abs({cost} - {price} * PricingQuantity) > 0.01 + abs({cost}) * 1e-6",
    )


RULES: tuple[Rule, ...] = (
    Rule(("BillingCurrency",), "is a code of ISO 4217", "NOT regexp_full_match(BillingCurrency, '[A-Z]{3}')"),
    Rule(
        ("BillingPeriodEnd", "BillingPeriodStart"),
        "is after BillingPeriodStart",
        "BillingPeriodEnd <= BillingPeriodStart",
    ),
    Rule(
        ("ChargePeriodEnd", "ChargePeriodStart"), "is after ChargePeriodStart", "ChargePeriodEnd <= ChargePeriodStart"
    ),
    _with_commitment("CommitmentDiscountCategory"),
    _with_commitment("CommitmentDiscountType"),
    Rule(
        ("CommitmentDiscountStatus", "CommitmentDiscountId", "ChargeCategory"),
        "is null without CommitmentDiscountId, and is not null for Usage with one",
        "CASE WHEN CommitmentDiscountId IS NULL THEN CommitmentDiscountStatus IS NOT NULL "
        "ELSE ChargeCategory = 'Usage' AND CommitmentDiscountStatus IS NULL END",
    ),
    Rule(
        ("EffectiveCost", "ChargeCategory", "CommitmentDiscountId"),
        "is 0 for a Purchase that covers later charges",
        "ChargeCategory = 'Purchase' AND CommitmentDiscountId IS NOT NULL AND EffectiveCost <> 0",
    ),
    Rule(
        ("PricingCategory", "CommitmentDiscountStatus", "ChargeCategory"),
        "is Committed for Usage that a commitment discount covers",
        "ChargeCategory = 'Usage' AND CommitmentDiscountStatus = 'Used' "
        "AND PricingCategory IS DISTINCT FROM 'Committed'",
    ),
    *_of_priced("PricingCategory"),
    *_of_priced("PricingQuantity"),
    *_of_priced("PricingUnit"),
    *_of_priced("ListUnitPrice"),
    *_of_priced("ContractedUnitPrice"),
    *_of_priced("SkuId"),
    *_of_priced("SkuPriceId"),
    _product("ListCost", "ListUnitPrice"),
    _product("ContractedCost", "ContractedUnitPrice"),
    Rule(
        ("ConsumedQuantity", "ChargeCategory"),
        "is null for what is no Usage",
        "ChargeCategory <> 'Usage' AND ConsumedQuantity IS NOT NULL",
    ),
    Rule(
        ("ConsumedUnit", "ConsumedQuantity"),
        "is null exactly where ConsumedQuantity is",
        "(ConsumedUnit IS NULL) <> (ConsumedQuantity IS NULL)",
    ),
    Rule(
        ("RegionName", "RegionId"), "is not null where RegionId is not", "RegionName IS NULL AND RegionId IS NOT NULL"
    ),
    Rule(
        ("ResourceType", "ResourceId"),
        "is not null where ResourceId is not",
        "ResourceType IS NULL AND ResourceId IS NOT NULL",
    ),
)
