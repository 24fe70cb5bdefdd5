"""What the fictional company is billed: the lines of its bill, and what its families' resources are charged for."""

from __future__ import annotations

from datetime import UTC, datetime

from aws_finops_mcp.demo import bills, inventory
from aws_finops_mcp.demo.double.bills import Bills
from aws_finops_mcp.demo.families import FAMILIES
from aws_finops_mcp.demo.families.charge import Charge


def charges(now: datetime) -> list[Charge]:
    """Those of all families."""
    return [charge for make in FAMILIES for charge in make(now).charges]


def bills_of(seed: int, now: datetime | None = None) -> Bills:
    """The company's bills up to ``now``."""
    moment = now or datetime.now(UTC)
    names = {inventory.ACCOUNT_ID: inventory.ACCOUNT_NAME}
    return Bills(
        lambda: list(bills.lines(seed, moment.date(), charges(moment))), names, {bills.CATEGORY: bills.business_unit}
    )


def no_bills() -> Bills:
    """An account that was never billed."""
    return Bills(list, {inventory.ACCOUNT_ID: inventory.ACCOUNT_NAME})
