"""The columns of the company's Cost and Usage Report 2.0, each as an expression over the facts.

Names and types: https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html. Columns that would be
empty throughout are left out, as who makes an export may.
"""

from __future__ import annotations

from typing import Final

_PLAN_USE: Final = "kind = 'SavingsPlanCoveredUsage'"
_PLAN_FEE: Final = "kind = 'SavingsPlanRecurringFee'"
_RESERVED_USE: Final = "kind = 'DiscountedUsage'"
_RESERVED_FEE: Final = "kind = 'RIFee'"
# Charges that have a unit price of their own.
_METERED: Final = f"kind = 'Usage' OR {_PLAN_USE} OR {_RESERVED_USE}"


def _only(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} END"


COLUMNS: Final = {
    "bill_bill_type": (
        "CASE kind WHEN 'Refund' THEN kind WHEN 'SavingsPlanUpfrontFee' THEN 'Purchase' ELSE 'Anniversary' END"
    ),
    "bill_billing_entity": "'AWS'",
    "bill_billing_period_start_date": "CAST(period AS TIMESTAMP)",
    "bill_billing_period_end_date": "CAST(period_end AS TIMESTAMP)",
    "bill_invoice_id": "CASE WHEN closed THEN strftime(period, '20%y%m0001') END",
    "bill_invoicing_entity": "'Amazon Web Services, Inc.'",
    "bill_payer_account_id": "account",
    "bill_payer_account_name": "account_name",
    "cost_category": "MAP {'Business unit': unit_name}",
    "discount": "MAP {}::MAP(VARCHAR, DOUBLE)",
    "identity_line_item_id": "line_id",
    "identity_time_interval": "strftime(day, '%Y-%m-%dT00:00:00Z/') || strftime(day + 1, '%Y-%m-%dT00:00:00Z')",
    "line_item_blended_cost": "unblended",
    "line_item_currency_code": "'USD'",
    "line_item_legal_entity": "'Amazon Web Services, Inc.'",
    "line_item_line_item_description": "kind || ' of ' || usage_type",
    "line_item_line_item_type": "kind",
    "line_item_net_unblended_cost": "net_unblended",
    "line_item_operation": "CASE WHEN instance_type <> '' THEN 'RunInstances' END",
    "line_item_product_code": "code",
    "line_item_resource_id": "nullif(resource, '')",
    "line_item_unblended_cost": "unblended",
    "line_item_unblended_rate": _only(f"({_METERED}) AND quantity <> 0", "CAST(unblended / quantity AS VARCHAR)"),
    "line_item_usage_account_id": "account",
    "line_item_usage_account_name": "account_name",
    "line_item_usage_amount": "quantity",
    "line_item_usage_end_date": "CAST(day + 1 AS TIMESTAMP)",
    "line_item_usage_start_date": "CAST(day AS TIMESTAMP)",
    "line_item_usage_type": "usage_type",
    "pricing_currency": "'USD'",
    "pricing_public_on_demand_cost": _only(_METERED, "list_cost"),
    "pricing_public_on_demand_rate": _only(f"({_METERED}) AND quantity <> 0", "CAST(list_cost / quantity AS VARCHAR)"),
    "pricing_rate_id": _only(_METERED, "sku || '.rate'"),
    "pricing_term": _only(_METERED, f"CASE WHEN {_RESERVED_USE} THEN 'Reserved' ELSE 'OnDemand' END"),
    "pricing_unit": "unit",
    "product": "MAP {'product_name': service, 'region': region}",
    "product_instance_type": "nullif(instance_type, '')",
    "product_region_code": "nullif(region, '')",
    "product_servicecode": "code",
    "product_sku": "sku",
    "reservation_effective_cost": _only(_RESERVED_USE, "amortized"),
    "reservation_net_effective_cost": _only(_RESERVED_USE, "net_amortized"),
    "reservation_net_unused_amortized_upfront_fee_for_billing_period": _only(_RESERVED_FEE, "0.0::DOUBLE"),
    "reservation_net_unused_recurring_fee": _only(_RESERVED_FEE, "0.0::DOUBLE"),
    "reservation_reservation_a_r_n": "CASE WHEN NOT plan THEN nullif(commitment, '') END",
    "reservation_unused_amortized_upfront_fee_for_billing_period": _only(_RESERVED_FEE, "0.0::DOUBLE"),
    "reservation_unused_recurring_fee": _only(_RESERVED_FEE, "0.0::DOUBLE"),
    "resource_tags": "CAST(user_tags AS MAP(VARCHAR, VARCHAR))",
    "savings_plan_net_savings_plan_effective_cost": _only(_PLAN_USE, "net_amortized"),
    "savings_plan_offering_type": _only("plan", "'ComputeSavingsPlans'"),
    "savings_plan_payment_option": _only("plan", "'Partial Upfront'"),
    "savings_plan_purchase_term": _only("plan", "'1yr'"),
    "savings_plan_savings_plan_a_r_n": "CASE WHEN plan THEN commitment END",
    "savings_plan_savings_plan_effective_cost": _only(_PLAN_USE, "amortized"),
    "savings_plan_total_commitment_to_date": _only(_PLAN_FEE, "unblended"),
    "savings_plan_used_commitment": _only(_PLAN_FEE, "unblended"),
}
