"""What single resources were billed, for what joins findings to the bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from aws_finops_mcp.costs.billing import Billing

_SQL = """
WITH wanted AS (SELECT unnest(?::VARCHAR[]) AS id)
SELECT CASE WHEN ResourceId IN (FROM wanted) THEN ResourceId ELSE regexp_extract(ResourceId, '[^:/]+$') END AS id,
  BillingCurrency, CommitmentDiscountId, CommitmentDiscountType,
  sum(ListCost), sum(ContractedCost), sum(BilledCost), sum(EffectiveCost)
FROM focus
WHERE (ResourceId IN (FROM wanted) OR regexp_extract(ResourceId, '[^:/]+$') IN (FROM wanted))
  AND ChargeCategory = 'Usage' AND ChargePeriodStart >= ?::TIMESTAMP AND ChargePeriodStart < ?::TIMESTAMP
GROUP BY ALL
ORDER BY ALL
"""


@dataclass(frozen=True)
class BilledResource:
    """What one resource's use was billed in a period, of one currency and one commitment (or none).

    Attributes:
        resource_id: as it was asked for.
        list_cost: at list price.
        contracted_cost: with what was negotiated, before commitments.
        billed_cost: as invoiced: 0 where a commitment covered it.
        effective_cost: with its part of the commitment's fees: what it really cost.
        commitment_id: ARN of the Savings Plan or reservation that covered it; empty: none did.
        commitment_type: `Savings Plan` or `Reserved`; empty: none.
    """

    resource_id: str
    currency: str
    list_cost: Decimal
    contracted_cost: Decimal
    billed_cost: Decimal
    effective_cost: Decimal
    commitment_id: str = ""
    commitment_type: str = ""


def billed_by_resource(
    billing: Billing, resource_ids: Sequence[str], start: str, end: str, export: str = ""
) -> list[BilledResource]:
    """What resources were billed for use from `start` until before `end` (YYYY-MM-DD), from an export's rows.

    Args:
        resource_ids: ids as findings have them; the bill's may be an ARN that ends with it.
        export: name of the export; the account's first when empty.

    Raises:
        ArgumentsError: the account has no such export.
        ExportError, ReadFailedError: it can't be read.
    """
    if not resource_ids:
        return []
    # Charges of a month's last day may be in the next billing period, never in an earlier one.
    with billing.exports.open(billing.reader, export, start[:7]) as opened:
        rows = opened.engine.ask(_SQL, [list(resource_ids), start, end]).rows
    return [
        BilledResource(
            resource_id=str(row[0]),
            currency=str(row[1]),
            commitment_id=str(row[2] or ""),
            commitment_type=str(row[3] or ""),
            list_cost=_money(row[4]),
            contracted_cost=_money(row[5]),
            billed_cost=_money(row[6]),
            effective_cost=_money(row[7]),
        )
        for row in rows
    ]


def _money(amount: float | None) -> Decimal:
    return Decimal(repr(amount or 0.0)).quantize(Decimal("0.0000000001"))
