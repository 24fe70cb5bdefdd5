"""What was billed: one line a day, region, service, record type and usage type."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property


@dataclass(frozen=True, slots=True)
class BillLine:
    """One service's usage, fee, tax or credit on one day; the amounts are US dollars.

    ``tags`` are those that the owner activated for cost allocation; ``resource`` is known for recent days only.
    ``shares`` are the resources that the line is the sum of, each with its weight.
    """

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
    tags: tuple[tuple[str, str], ...] = ()
    resource: str = ""
    shares: tuple[tuple[str, float], ...] = ()

    @property
    def instance_type(self) -> str:
        """Of EC2's instances; empty for all else."""
        return self.usage_type.rsplit(":", 1)[-1] if "BoxUsage" in self.usage_type else ""

    def tag(self, key: str) -> str:
        """The tag's value; empty for what does not have it."""
        return next((value for name, value in self.tags if name == key), "")


class Bills:
    """Lines and account names; the lines are made when they are first asked for.

    ``categories`` are cost categories: a name, and the rule that gives a line its value.
    """

    def __init__(
        self,
        make: Callable[[], list[BillLine]],
        account_names: dict[str, str],
        categories: dict[str, Callable[[BillLine], str]] | None = None,
    ) -> None:
        self._make = make
        self.account_names = account_names
        self.categories = categories or {}

    @cached_property
    def lines(self) -> list[BillLine]:
        return sorted(self._make(), key=lambda line: line.day)

    def between(self, start: date, end: date) -> list[BillLine]:
        """The lines from ``start`` until before ``end``."""
        first = bisect_left(self.lines, start, key=lambda line: line.day)
        return self.lines[first : bisect_left(self.lines, end, key=lambda line: line.day)]
