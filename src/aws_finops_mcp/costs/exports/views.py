"""Views for common questions, over the view `focus`; each row is of one currency, so that none are added up."""

from __future__ import annotations

from dataclasses import dataclass

from aws_finops_mcp.costs.exports.dialect import DUCKDB, Dialect

_COSTS = (
    "SUM(ListCost) AS ListCost, SUM(ContractedCost) AS ContractedCost, SUM(BilledCost) AS BilledCost, "
    "SUM(EffectiveCost) AS EffectiveCost"
)


@dataclass(frozen=True)
class View:
    """A view: what it tells, and how."""

    name: str
    tells: str
    sql: str


def ready_views(dialect: Dialect) -> tuple[View, ...]:
    """The views, as an engine writes them."""

    def costs_by(name: str, tells: str, *keys: str, where: str = "") -> View:
        listed = ", ".join(("BillingMonth", *keys, "BillingCurrency"))
        return View(name, tells, f"SELECT {listed}, {_COSTS} FROM focus{where} GROUP BY {listed}")

    tag = dialect.value_of.format("t.Tags", "").replace("''", "k.TagKey")
    keys = dialect.keys_of.format("Tags", "t")
    usage = "CASE WHEN ChargeCategory = 'Usage' AND PricingCategory"
    coverage = (
        "SELECT BillingMonth, ServiceName, BillingCurrency, "
        f"SUM({usage} = 'Committed' THEN ContractedCost ELSE 0 END) AS CoveredContractedCost, "
        f"SUM({usage} = 'Committed' THEN EffectiveCost ELSE 0 END) AS CoveredEffectiveCost, "
        f"SUM({usage} = 'Standard' THEN ContractedCost ELSE 0 END) AS OnDemandCost, "
        "SUM(CASE WHEN CommitmentDiscountStatus = 'Unused' OR ChargeCategory = 'Purchase' "
        "AND CommitmentDiscountId IS NOT NULL THEN EffectiveCost ELSE 0 END) AS UnusedCommitmentCost "
        "FROM focus GROUP BY BillingMonth, ServiceName, BillingCurrency"
    )
    used = "BillingMonth, ServiceName, x_UsageType, ConsumedUnit, BillingCurrency"
    return (
        costs_by("cost_by_service", "costs by month and service", "ServiceName"),
        costs_by("cost_by_account", "costs by month and account", "SubAccountId", "SubAccountName"),
        costs_by(
            "cost_by_resource",
            "costs of resources by month, and by the Savings Plan or reservation that covered them, if one",
            "ResourceId",
            "ServiceName",
            "SubAccountId",
            "RegionId",
            "CommitmentDiscountId",
            "CommitmentDiscountType",
            where=" WHERE ResourceId IS NOT NULL",
        ),
        View(
            "cost_by_tag",
            "costs by month and value of each tag key; the value is null for what does not have the key, so that each "
            "key's rows add up to everything: choose one TagKey",
            "WITH t AS (SELECT BillingMonth, BillingCurrency, Tags, SUM(BilledCost) AS BilledCost, "
            "SUM(EffectiveCost) AS EffectiveCost FROM focus GROUP BY BillingMonth, BillingCurrency, Tags) "
            f"SELECT BillingMonth, k.TagKey AS TagKey, {tag} AS TagValue, BillingCurrency, "
            f"SUM(BilledCost) AS BilledCost, SUM(EffectiveCost) AS EffectiveCost FROM t CROSS JOIN {keys} k "
            f"GROUP BY BillingMonth, k.TagKey, {tag}, BillingCurrency",
        ),
        View(
            "commitment_coverage",
            "by month and service: usage that commitments covered (at contracted and at effective cost), usage that "
            "they did not, and commitments that nothing used; CoverageRatio is of contracted cost, 0 to 1",
            "SELECT c.*, CoveredContractedCost / NULLIF(CoveredContractedCost + OnDemandCost, 0) AS CoverageRatio "
            f"FROM ({coverage}) c",
        ),
        View(
            "unit_cost",
            "effective cost of one unit, by month, service and usage type",
            f"SELECT {used}, SUM(ConsumedQuantity) AS ConsumedQuantity, SUM(EffectiveCost) AS EffectiveCost, "
            "SUM(EffectiveCost) / NULLIF(SUM(ConsumedQuantity), 0) AS EffectiveUnitCost "
            f"FROM focus WHERE ChargeCategory = 'Usage' GROUP BY {used}",
        ),
    )


TABLES = frozenset({"raw", "focus", *(view.name for view in ready_views(DUCKDB))})
"""What a question may read."""
