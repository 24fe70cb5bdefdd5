"""The price book: a unit's price in a region, from the Price List, else from the public facts, else none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from decimal import Decimal

from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.findings import FailedRead, Price, Saving, SavingPart
from aws_finops_mcp.prices.facts import public_price
from aws_finops_mcp.prices.price_list import listed_price
from aws_finops_mcp.prices.units import UNITS

KEEP_SECONDS = 24 * 3600
"""How long a listed price is used before it is asked again."""


class PriceCache:
    """Listed prices of this process, by unit and region; a product that the list does not have is kept too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], tuple[float, Price | None]] = {}

    def get(self, key: str, region: str) -> tuple[Price | None] | None:
        """A one-tuple when it is known what the list says, None when it is not."""
        with self._lock:
            row = self._rows.get((key, region))
        if row is None or time.monotonic() - row[0] > KEEP_SECONDS:
            return None
        return (row[1],)

    def put(self, key: str, region: str, price: Price | None) -> None:
        with self._lock:
            self._rows[key, region] = (time.monotonic(), price)

    def clear(self) -> None:
        """Forget all prices."""
        with self._lock:
            self._rows.clear()


class PriceBook:
    """Prices for one answer; remembers which it gave, for the answer to name."""

    def __init__(self, reader: Reader, cache: PriceCache) -> None:
        self._reader = reader
        self._cache = cache
        self._prices: dict[str, Price | None] = {}

    @property
    def region(self) -> str:
        return self._reader.region

    def load(self, keys: Iterable[str]) -> None:
        """Read the prices of several units side by side.

        A unit whose price could not be read gets the public fact of its region, if there is one; the failed read
        stays in the ledger.
        """
        missing = []
        for key in dict.fromkeys(keys):
            if key in self._prices:
                continue
            if (known := self._cache.get(key, self.region)) is not None:
                self._prices[key] = known[0]
            else:
                missing.append(key)
        read = self._reader.side_by_side(
            lambda key: listed_price(self._reader, UNITS[key], self.region), missing, lambda _: "pricing:GetProducts"
        )
        for key, outcome in zip(missing, read, strict=True):
            if isinstance(outcome, FailedRead):
                self._prices[key] = public_price(key, self.region)
            else:
                self._cache.put(key, self.region, outcome)
                self._prices[key] = outcome or public_price(key, self.region)

    def price(self, key: str) -> Price | None:
        """The price of a unit; None when there is no sourced one for this region."""
        self.load([key])
        return self._prices[key]

    def saving(self, parts: Iterable[tuple[str, str, float | Decimal]]) -> Saving:
        """What not having some things saves.

        Args:
            parts: what it is, the unit's key, and units a month.
        """
        priced: list[SavingPart] = []
        unpriced: list[str] = []
        exact = Decimal(0)
        for what, key, quantity in parts:
            price = self.price(key)
            if price is None:
                unpriced.append(f"{what} ({key} in {self.region})")
                continue
            usd = price.usd * Decimal(str(quantity))
            exact += usd
            priced.append(SavingPart(what=what, quantity=float(quantity), usd=usd, price=key))
        return Saving(monthly_usd=exact, parts=tuple(priced), unpriced=tuple(unpriced))

    def used(self) -> dict[str, Price]:
        """The prices given so far, by unit."""
        return {key: price for key, price in sorted(self._prices.items()) if price is not None}
