"""What single resources were billed each day by an export's rows, for what joins findings to the bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from aws_finops_mcp.costs.billing import Billing

METRIC = "EffectiveCost"
"""FOCUS: after private discounts, with the fees of commitments spread over what they cover."""

_COSTS = f"""
SELECT ResourceId, CAST(ChargePeriodStart AS DATE) AS day, BillingCurrency, CommitmentDiscountType,
  CommitmentDiscountId, sum({METRIC})
FROM focus
WHERE ResourceId IN (SELECT unnest(?::VARCHAR[])) AND ChargeCategory = 'Usage'
  AND ChargePeriodStart >= ?::TIMESTAMP AND ChargePeriodStart < ?::TIMESTAMP
GROUP BY ALL
ORDER BY ALL
"""
_LAST = """
SELECT CAST(max(ChargePeriodStart) AS DATE) FROM focus
WHERE ChargeCategory = 'Usage' AND ChargePeriodStart <= ?::TIMESTAMP
"""


@dataclass(frozen=True)
class ResourceDay:
    """What a resource's use of one day cost, of one currency and one commitment (or none).

    Attributes:
        commitment_type: of what covered it: `Savings Plan` or `Reserved`; empty: nothing did.
        commitment_id: the ARN of what covered it.
        effective_cost: in `currency`, with its part of the commitment's fees: what it really cost.
    """

    resource_id: str
    day: date
    currency: str
    commitment_type: str
    commitment_id: str
    effective_cost: Decimal


@dataclass(frozen=True)
class ResourceDays:
    """The days of some resources, and the last day of which the export has any usage, maybe in part; None: of none."""

    days: Sequence[ResourceDay]
    last: date | None


def resource_days(billing: Billing, export: str, resource_ids: Sequence[str], first: date, end: date) -> ResourceDays:
    """What resources were billed for use from `first` until before `end`.

    Args:
        resource_ids: as the bill names them.
        export: name of an export that is not asked through Athena.

    Raises:
        ExportError, ReadFailedError: it can't be read.
    """
    # Charges of a month's last day may be in the next billing period, never in an earlier one.
    with billing.exports.open(billing.reader, export, f"{first:%Y-%m}", tables=("focus",)) as opened:
        rows = opened.engine.ask(_COSTS, [list(resource_ids), first.isoformat(), end.isoformat()]).rows
        ((last,),) = opened.engine.ask(_LAST, [billing.now.isoformat()]).rows
    return ResourceDays(
        [
            ResourceDay(str(name), _day(day), str(unit), str(kind or ""), str(arn or ""), _money(usd))
            for name, day, unit, kind, arn, usd in rows
        ],
        _day(last) if last else None,
    )


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _money(amount: float | None) -> Decimal:
    return Decimal(repr(amount or 0.0)).quantize(Decimal("0.0000000001"))
