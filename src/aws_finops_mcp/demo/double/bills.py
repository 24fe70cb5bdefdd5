"""What was billed: one line a day, region, service, record type and usage type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property


@dataclass(frozen=True, slots=True)
class BillLine:
    """One service's usage, fee, tax or credit on one day; the amounts are US dollars."""

    day: date
    account: str
    region: str
    service: str
    record_type: str
    usage_type: str
    unblended: Decimal
    amortized: Decimal
    net_unblended: Decimal
    net_amortized: Decimal
    quantity: Decimal


class Bills:
    """Lines and account names; the lines are made when they are first asked for."""

    def __init__(self, make: Callable[[], list[BillLine]], account_names: dict[str, str]) -> None:
        self._make = make
        self.account_names = account_names

    @cached_property
    def lines(self) -> list[BillLine]:
        return sorted(self._make(), key=lambda line: line.day)
