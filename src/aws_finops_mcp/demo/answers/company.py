"""What every module of answers is told: the company's bills, its ids, and what time it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from aws_finops_mcp.demo.double.bills import BillLine, Bills
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.demo.seeding import Ids

Handler = Callable[[Call], "dict[str, Any] | None"]
Operations = dict[tuple[str, str], Handler]


@dataclass(frozen=True)
class Company:
    """``seeded`` False is an account without resources and bills: every list is empty there."""

    bills: Bills
    ids: Callable[[], Ids]
    seeded: bool = True
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def today(self) -> date:
        return self.clock().date()

    def spend(self, start: date, end: date, keep: Callable[[BillLine], bool] = lambda line: True) -> Decimal:
        """Unblended cost from ``start`` until before ``end``."""
        return sum((line.unblended for line in self.bills.between(start, end) if keep(line)), Decimal(0))

    def is_here(self, call: Call) -> bool:
        """Member accounts of an organisation have none of the company's resources."""
        return self.seeded and call.account == ACCOUNT_ID

    def midnight(self, days: int = 0) -> datetime:
        return datetime.combine(self.today, datetime.min.time(), UTC) - timedelta(days=days)


def arn(service: str, region: str, resource: str) -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{resource}"


def usd(amount: Decimal | float, places: int = 10) -> str:
    """Money as billing APIs write it: text with many places."""
    return format(
        Decimal(repr(amount) if isinstance(amount, float) else amount).quantize(Decimal(1).scaleb(-places)), "f"
    )
