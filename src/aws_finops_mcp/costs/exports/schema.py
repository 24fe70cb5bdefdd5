"""What the two kinds of export have, and how each gives the columns of FOCUS.

CUR 2.0: https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html. FOCUS 1.2 with AWS columns:
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws-columns.html. Definitions of the
costs: https://focus.finops.org/focus-specification/v1-2/.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from aws_finops_mcp.costs.exports.dialect import Dialect

Kind = Literal["cur2", "focus"]

REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    "cur2": (
        "bill_billing_period_start_date",
        "line_item_currency_code",
        "line_item_line_item_type",
        "line_item_product_code",
        "line_item_unblended_cost",
        "line_item_usage_account_id",
        "line_item_usage_start_date",
    ),
    "focus": (
        "BilledCost",
        "BillingCurrency",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargePeriodStart",
        "EffectiveCost",
        "ServiceName",
    ),
}
"""Columns without which nothing can be said."""

CURRENCY: Mapping[Kind, str] = {"cur2": "line_item_currency_code", "focus": "BillingCurrency"}
"""The column that the view `focus` takes its currency from."""

NUMBER, TEXT, TIME, MAP = "DOUBLE", "VARCHAR", "TIMESTAMP", "MAP(VARCHAR, VARCHAR)"

_CUR_NUMBERS = (
    "line_item_blended_cost", "line_item_net_unblended_cost", "line_item_unblended_cost", "line_item_usage_amount",
    "pricing_public_on_demand_cost", "reservation_effective_cost", "reservation_net_effective_cost",
    "reservation_net_unused_amortized_upfront_fee_for_billing_period", "reservation_net_unused_recurring_fee",
    "reservation_unused_amortized_upfront_fee_for_billing_period", "reservation_unused_recurring_fee",
    "savings_plan_net_savings_plan_effective_cost", "savings_plan_savings_plan_effective_cost",
    "savings_plan_total_commitment_to_date", "savings_plan_used_commitment",
)  # fmt: skip
_CUR_TIMES = (
    "bill_billing_period_end_date", "bill_billing_period_start_date", "line_item_usage_end_date",
    "line_item_usage_start_date",
)  # fmt: skip
_FOCUS_NUMBERS = (
    "BilledCost", "CommitmentDiscountQuantity", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice",
    "EffectiveCost", "ListCost", "ListUnitPrice", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice", "PricingQuantity",
)  # fmt: skip
_FOCUS_TIMES = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")

TYPES: Mapping[Kind, Mapping[str, str]] = {
    "cur2": dict.fromkeys(_CUR_NUMBERS, NUMBER)
    | dict.fromkeys(_CUR_TIMES, TIME)
    | dict.fromkeys(("cost_category", "product", "resource_tags"), MAP),
    "focus": dict.fromkeys(_FOCUS_NUMBERS, NUMBER)
    | dict.fromkeys(_FOCUS_TIMES, TIME)
    | dict.fromkeys(("SkuPriceDetails", "Tags", "x_CostCategories"), MAP),
}
"""Types of the columns that are no text; CSV has no other way to say them."""

PERIOD = "billing_period"
"""The column that engines make of the folders' names."""


class _Columns:
    """The columns of an export, by name; a missing one is null."""

    def __init__(self, kind: Kind, present: Collection[str], dialect: Dialect) -> None:
        self._kind = kind
        self._present = {name.lower() for name in present}
        self._dialect = dialect

    def __getitem__(self, name: str) -> str:
        if name.lower() in self._present:
            return name
        kind = TYPES[self._kind].get(name, TEXT)
        return self._dialect.text_map if kind == MAP else f"CAST(NULL AS {kind})"

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._present

    def first(self, *names: str) -> str:
        """The first that is not null."""
        there = [name for name in names if name in self]
        if not there:
            return self[names[-1]]
        return there[0] if len(there) == 1 else f"COALESCE({', '.join(there)})"


def focus_view(kind: Kind, present: Collection[str], dialect: Dialect, table: str = "raw") -> str:
    """A SELECT that gives an export's rows the names of FOCUS, and beside them `BillingMonth` (YYYY-MM).

    Args:
        present: the columns that the export has.
    """
    has = _Columns(kind, present, dialect)
    columns = _from_cur2(has, dialect) if kind == "cur2" else _from_focus(has)
    start = "bill_billing_period_start_date" if kind == "cur2" else "BillingPeriodStart"
    month = PERIOD if PERIOD in has else dialect.month.format(start)
    listed = ",\n  ".join(f"{expression} AS {name}" for name, expression in {"BillingMonth": month, **columns}.items())
    # FOCUS has no rows that take back what a Savings Plan covers: the covered row itself bills nothing.
    rows = "\nWHERE line_item_line_item_type <> 'SavingsPlanNegation'" if kind == "cur2" else ""
    return f"SELECT\n  {listed}\nFROM {table}{rows}"


COLUMNS = (
    "BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd", "BillingAccountId", "SubAccountId", "SubAccountName",
    "InvoiceId", "BillingCurrency", "ChargeCategory", "ChargeClass", "ChargeDescription", "ServiceName",
    "ServiceCategory", "x_ServiceCode", "x_UsageType", "x_Operation", "RegionId", "AvailabilityZone", "ResourceId",
    "PricingCategory", "ConsumedQuantity", "ConsumedUnit", "ListCost", "ContractedCost", "BilledCost", "EffectiveCost",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountType", "CommitmentDiscountStatus", "SkuId",
    "Tags", "x_CostCategories",
)  # fmt: skip
"""Of the view `focus`, beside `BillingMonth`, over either kind."""


def _from_focus(has: _Columns) -> dict[str, str]:
    columns = {name: has[name] for name in COLUMNS}
    columns["x_UsageType"] = has.first("x_UsageType", "SkuMeter")
    return columns


def _from_cur2(has: _Columns, dialect: Dialect) -> dict[str, str]:
    kind = "line_item_line_item_type"
    net = has.first("line_item_net_unblended_cost", "line_item_unblended_cost")
    listed = has.first("pricing_public_on_demand_cost", "line_item_unblended_cost")
    plan = has.first("savings_plan_net_savings_plan_effective_cost", "savings_plan_savings_plan_effective_cost")
    reserved = has.first("reservation_net_effective_cost", "reservation_effective_cost")
    fee = has.first(
        "reservation_net_unused_amortized_upfront_fee_for_billing_period",
        "reservation_unused_amortized_upfront_fee_for_billing_period",
    )
    recurring = has.first("reservation_net_unused_recurring_fee", "reservation_unused_recurring_fee")
    unused_plan = f"{has['savings_plan_total_commitment_to_date']} - {has['savings_plan_used_commitment']}"
    arn = has.first("savings_plan_savings_plan_a_r_n", "reservation_reservation_a_r_n")
    usage = f"{kind} IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')"
    covered = f"{kind} IN ('DiscountedUsage', 'SavingsPlanCoveredUsage')"
    purchase = f"{kind} IN ('Fee', 'RIFee', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee')"
    in_plan = f"{kind} LIKE 'SavingsPlan%'"
    name = dialect.value_of.format("product", "product_name") if "product" in has else "CAST(NULL AS VARCHAR)"
    of_arn = f"NULLIF({arn}, '')"
    return {
        "BillingPeriodStart": "bill_billing_period_start_date",
        "ChargePeriodStart": "line_item_usage_start_date",
        "ChargePeriodEnd": has["line_item_usage_end_date"],
        "BillingAccountId": has["bill_payer_account_id"],
        "SubAccountId": "line_item_usage_account_id",
        "SubAccountName": has["line_item_usage_account_name"],
        "InvoiceId": has["bill_invoice_id"],
        "BillingCurrency": "line_item_currency_code",
        "ChargeCategory": f"CASE WHEN {usage} THEN 'Usage' WHEN {purchase} THEN 'Purchase' "
        f"WHEN {kind} IN ('Credit', 'Tax') THEN {kind} ELSE 'Adjustment' END",
        "ChargeClass": f"CASE WHEN {kind} = 'Refund' THEN 'Correction' END",
        "ChargeDescription": has["line_item_line_item_description"],
        "ServiceName": f"COALESCE({name}, line_item_product_code)",
        "ServiceCategory": "CAST(NULL AS VARCHAR)",
        "x_ServiceCode": "line_item_product_code",
        "x_UsageType": has["line_item_usage_type"],
        "x_Operation": has["line_item_operation"],
        "RegionId": has["product_region_code"],
        "AvailabilityZone": has["line_item_availability_zone"],
        "ResourceId": f"NULLIF({has['line_item_resource_id']}, '')",
        "PricingCategory": f"CASE WHEN {covered} THEN 'Committed' WHEN {usage} OR {purchase} THEN 'Standard' END",
        "ConsumedQuantity": f"CASE WHEN {usage} THEN {has['line_item_usage_amount']} END",
        "ConsumedUnit": f"CASE WHEN {usage} THEN {has['pricing_unit']} END",
        "ListCost": f"CASE WHEN {usage} THEN {listed} ELSE line_item_unblended_cost END",
        "ContractedCost": f"CASE {kind} WHEN 'SavingsPlanCoveredUsage' THEN line_item_unblended_cost "
        f"WHEN 'DiscountedUsage' THEN {listed} ELSE {net} END",
        "BilledCost": f"CASE WHEN {kind} = 'SavingsPlanCoveredUsage' THEN 0 ELSE {net} END",
        "EffectiveCost": f"CASE {kind} WHEN 'SavingsPlanCoveredUsage' THEN {plan} "
        f"WHEN 'DiscountedUsage' THEN {reserved} "
        f"WHEN 'SavingsPlanRecurringFee' THEN {unused_plan} WHEN 'SavingsPlanUpfrontFee' THEN 0 "
        f"WHEN 'RIFee' THEN {fee} + {recurring} "
        f"WHEN 'Fee' THEN CASE WHEN {of_arn} IS NULL THEN {net} ELSE 0 END ELSE {net} END",
        "CommitmentDiscountCategory": f"CASE WHEN {of_arn} IS NULL THEN NULL WHEN {in_plan} THEN 'Spend' "
        "ELSE 'Usage' END",
        "CommitmentDiscountId": of_arn,
        "CommitmentDiscountType": f"CASE WHEN {of_arn} IS NULL THEN NULL WHEN {in_plan} THEN 'Savings Plan' "
        "ELSE 'Reserved' END",
        "CommitmentDiscountStatus": f"CASE WHEN {covered} THEN 'Used' END",
        "SkuId": has["product_sku"],
        "Tags": dialect.user_tags.format(has["resource_tags"]) if "resource_tags" in has else has["resource_tags"],
        "x_CostCategories": has["cost_category"],
    }
