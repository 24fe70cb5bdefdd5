"""The columns of the company's FOCUS export "with AWS columns", each as an expression over the facts.

Names, types and null values: https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws-columns.html
and …-focus-1-0-aws-columns.html. AWS's export has no rows that negate what a Savings Plan covers.
"""

from __future__ import annotations

from typing import Final

ROWS: Final = "kind <> 'SavingsPlanNegation'"
_COVERED: Final = "kind IN ('SavingsPlanCoveredUsage', 'DiscountedUsage')"
_USAGE: Final = f"(kind = 'Usage' OR {_COVERED})"
_PURCHASE: Final = "kind IN ('RIFee', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee')"
_PRICED: Final = f"({_USAGE} OR {_PURCHASE})"
_COMMITTED: Final = "commitment <> ''"
# A price before commitments, but with what was negotiated.
_CONTRACTED: Final = f"CASE WHEN {_COVERED} THEN list_cost ELSE net_unblended END"


def _only(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} END"


# Column: expression, and the version that it came with.
COLUMNS: Final = {
    "AvailabilityZone": ("CAST(NULL AS VARCHAR)", "1.0"),
    "BilledCost": ("CASE WHEN kind = 'SavingsPlanCoveredUsage' THEN 0 ELSE net_unblended END", "1.0"),
    "BillingAccountId": ("account", "1.0"),
    "BillingAccountName": ("account_name", "1.0"),
    "BillingAccountType": ("'Account'", "1.2"),
    "BillingCurrency": ("'USD'", "1.0"),
    "BillingPeriodEnd": ("CAST(period_end AS TIMESTAMP_MS)", "1.0"),
    "BillingPeriodStart": ("CAST(period AS TIMESTAMP_MS)", "1.0"),
    "CapacityReservationId": ("CAST(NULL AS VARCHAR)", "1.1"),
    "CapacityReservationStatus": ("CAST(NULL AS VARCHAR)", "1.1"),
    "ChargeCategory": (
        f"CASE WHEN {_USAGE} THEN 'Usage' WHEN {_PURCHASE} THEN 'Purchase' WHEN kind = 'Refund' THEN 'Adjustment' "
        "ELSE kind END",
        "1.0",
    ),
    "ChargeClass": (_only("kind = 'Refund'", "'Correction'"), "1.0"),
    "ChargeDescription": ("kind || ' of ' || usage_type", "1.0"),
    "ChargeFrequency": (
        f"CASE WHEN {_USAGE} THEN 'Usage-Based' WHEN kind IN ('RIFee', 'SavingsPlanRecurringFee') THEN 'Recurring' "
        "ELSE 'One-Time' END",
        "1.0",
    ),
    "ChargePeriodEnd": ("CAST(day + 1 AS TIMESTAMP_MS)", "1.0"),
    "ChargePeriodStart": ("CAST(day AS TIMESTAMP_MS)", "1.0"),
    "CommitmentDiscountCategory": (_only(_COMMITTED, "CASE WHEN plan THEN 'Spend' ELSE 'Usage' END"), "1.0"),
    "CommitmentDiscountId": ("nullif(commitment, '')", "1.0"),
    "CommitmentDiscountName": ("CAST(NULL AS VARCHAR)", "1.0"),
    "CommitmentDiscountQuantity": (_only(_COMMITTED, "CASE WHEN plan THEN amortized ELSE quantity END"), "1.1"),
    "CommitmentDiscountStatus": (_only(_COVERED, "'Used'"), "1.0"),
    "CommitmentDiscountType": (_only(_COMMITTED, "CASE WHEN plan THEN 'Savings Plan' ELSE 'Reserved' END"), "1.0"),
    "CommitmentDiscountUnit": (_only(_COMMITTED, "CASE WHEN plan THEN 'USD' ELSE 'Hrs' END"), "1.1"),
    "ConsumedQuantity": (_only(_USAGE, "quantity"), "1.0"),
    "ConsumedUnit": (_only(_USAGE, "unit"), "1.0"),
    "ContractedCost": (_CONTRACTED, "1.0"),
    "ContractedUnitPrice": (_only(f"{_PRICED} AND quantity <> 0", f"({_CONTRACTED}) / quantity"), "1.0"),
    "EffectiveCost": ("net_amortized", "1.0"),
    "InvoiceId": ("CASE WHEN closed THEN strftime(period, '20%y%m0001') END", "1.2"),
    "InvoiceIssuerName": ("'Amazon Web Services, Inc.'", "1.0"),
    "ListCost": ("list_cost", "1.0"),
    "ListUnitPrice": (_only(f"{_PRICED} AND quantity <> 0", "list_cost / quantity"), "1.0"),
    "PricingCategory": (_only(_PRICED, f"CASE WHEN {_COVERED} THEN 'Committed' ELSE 'Standard' END"), "1.0"),
    "PricingCurrency": ("'USD'", "1.2"),
    "PricingCurrencyContractedUnitPrice": (
        _only(f"{_PRICED} AND quantity <> 0", f"({_CONTRACTED}) / quantity"),
        "1.2",
    ),
    "PricingCurrencyEffectiveCost": ("net_amortized", "1.2"),
    "PricingCurrencyListUnitPrice": (_only(f"{_PRICED} AND quantity <> 0", "list_cost / quantity"), "1.2"),
    "PricingQuantity": (_only(_PRICED, "quantity"), "1.0"),
    "PricingUnit": (_only(_PRICED, "unit"), "1.0"),
    "ProviderName": ("'AWS'", "1.0"),
    "PublisherName": ("'AWS'", "1.0"),
    "RegionId": ("nullif(region, '')", "1.0"),
    "RegionName": ("nullif(region_name, '')", "1.0"),
    "ResourceId": ("nullif(resource, '')", "1.0"),
    "ResourceName": ("CAST(NULL AS VARCHAR)", "1.0"),
    "ResourceType": (_only("resource <> ''", "CASE WHEN instance_type <> '' THEN 'Instance' ELSE service END"), "1.0"),
    "ServiceCategory": ("category", "1.0"),
    "ServiceName": ("service", "1.0"),
    "ServiceSubcategory": ("subcategory", "1.1"),
    "SkuId": (_only(_PRICED, "sku"), "1.0"),
    "SkuMeter": (_only(_PRICED, "usage_type"), "1.1"),
    "SkuPriceDetails": (_only("instance_type <> ''", "MAP {'InstanceType': instance_type}"), "1.1"),
    "SkuPriceId": (_only(_PRICED, "sku || '.rate'"), "1.0"),
    "SubAccountId": ("account", "1.0"),
    "SubAccountName": ("account_name", "1.0"),
    "SubAccountType": ("'Account'", "1.2"),
    "Tags": ("CAST(tags AS MAP(VARCHAR, VARCHAR))", "1.0"),
    "x_CostCategories": ("MAP {'Business unit': unit_name}", "1.0"),
    "x_Discounts": ("MAP {}::MAP(VARCHAR, DOUBLE)", "1.0"),
    "x_Operation": ("CASE WHEN instance_type <> '' THEN 'RunInstances' END", "1.0"),
    "x_ServiceCode": ("code", "1.0"),
    "x_UsageType": ("usage_type", "1.0"),
}
