"""The price book: a unit's price in a region, from the Price List, else from the public facts, else none."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from botocore.exceptions import BotoCoreError

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.findings import FailedRead, Price, Saving, SavingPart, known_sum
from aws_finops_mcp.prices.cache import PriceCache
from aws_finops_mcp.prices.facts import public_price
from aws_finops_mcp.prices.price_list import Question, listed_prices, questions
from aws_finops_mcp.prices.unit import Unit, UnitOrKey, key_of
from aws_finops_mcp.prices.units import declared


class Part(NamedTuple):
    """One thing that would no longer be billed, or, with a quantity below 0, that would be billed instead.

    Attributes:
        what: in words.
        unit: the unit, or its key.
        quantity: units a month.
        resource: the id of the resource that is billed for it, where that is not the finding's own: a volume of a
            stopped instance, a snapshot of an image. An audit counts what a resource is billed for only once.
    """

    what: str
    unit: UnitOrKey
    quantity: float | Decimal
    resource: str = ""


_HOPELESS = frozenset({"denied", "no_credentials", "throttled", "unreachable", "not_asked"})
"""Kinds of failure that the next question would meet too."""


class PriceBook:
    """Prices for one answer; remembers which it gave, for the answer to name."""

    def __init__(self, reader: Reader, cache: PriceCache) -> None:
        self._reader = reader
        self._cache = cache
        self._prices: dict[str, Price | None] = {}

    @property
    def region(self) -> str:
        return self._reader.region

    def load(self, units: Iterable[UnitOrKey]) -> None:
        """Read the prices of several units with the fewest calls, side by side.

        A unit whose price could not be read gets the public fact of its region, if there is one; the failed read
        stays in the ledger. A key that is no unit of ours has no price.
        """
        named = {key_of(unit): declared(unit) for unit in units}
        wanted = {key: unit for key, unit in named.items() if key not in self._prices}
        listed = self._listed([unit for unit in wanted.values() if unit])
        for key, unit in wanted.items():
            self._prices[key] = (listed.get(key) or public_price(unit, self.region)) if unit else None

    def price(self, unit: UnitOrKey) -> Price | None:
        """The price of a unit; None when there is no sourced one for this region."""
        self.load([unit])
        return self._prices[key_of(unit)]

    def saving(self, parts: Iterable[Part]) -> Saving:
        """What not having some things saves.

        Where something is billed instead, all must have a price: without one of them the sum says nothing, so then
        nothing of it is priced.
        """
        parts = list(parts)
        self.load(part.unit for part in parts)
        priced: list[SavingPart] = []
        unpriced: list[str] = []
        exact = Decimal(0)
        for what, unit, quantity, resource in parts:
            key = key_of(unit)
            price = self.price(unit)
            if price is None:
                unpriced.append(f"{what} ({key} in {self.region})")
                continue
            usd = price.usd * Decimal(str(quantity))
            exact += usd
            priced.append(SavingPart(what=what, quantity=float(quantity), usd=usd, price=key, resource=resource))
        if unpriced and any(part.quantity < 0 for part in parts):
            priced, exact = [], Decimal(0)
        return Saving(monthly_usd=known_sum(exact, unpriced), parts=tuple(priced), unpriced=tuple(unpriced))

    def used(self) -> dict[str, Price]:
        """The prices given so far, by unit."""
        return {key: price for key, price in sorted(self._prices.items()) if price is not None}

    def _listed(self, units: list[Unit]) -> dict[str, Price | None]:
        """What the list says, by key: from the cache, and from AWS what that does not have."""
        if not units:
            return {}
        endpoint = self._endpoint()
        known = self._cache.get(endpoint, self.region, units)
        listed = {unit.key: price for unit, price in known.items()}
        asked = questions(unit for unit in units if unit not in known)
        # Until the list has answered once, one question goes ahead alone: where it is denied, that is all it costs.
        first = 0 if self._cache.answered(endpoint) else 1
        for some in (asked[:first], asked[first:]):
            if some and not self._hopeless():
                listed |= self._ask(endpoint, some)
        return listed

    def _ask(self, endpoint: str, asked: list[Question]) -> dict[str, Price | None]:
        listed: dict[str, Price | None] = {}
        read = self._reader.side_by_side(
            lambda question: self._answer(endpoint, question), asked, lambda _: "pricing:GetProducts"
        )
        for outcome in read:
            if not isinstance(outcome, FailedRead):
                listed |= {unit.key: price for unit, price in outcome.items()}
        return listed

    def _answer(self, endpoint: str, question: Question) -> dict[Unit, Price | None]:
        """Ask, unless another thread just did; nothing when it has become hopeless meanwhile."""
        with self._cache.asking(endpoint, self.region, question):
            known = self._cache.get(endpoint, self.region, question.units)
            if len(known) == len(question.units) or self._hopeless():
                return known
            listed = listed_prices(self._reader, question, self.region)
            self._cache.put(endpoint, self.region, listed)
            return listed

    def _hopeless(self) -> bool:
        """Whether this answer's ledger already says that the list cannot be read now."""
        return any(
            read.call == "pricing:GetProducts" and read.kind in _HOPELESS and read.account == self._reader.account
            for read in self._reader.ledger.failed_reads
        )

    def _endpoint(self) -> str:
        """Who says the prices: AWS, or the embedded account."""
        try:
            return str(self._reader.clients.client("pricing", GLOBAL_REGION, self._reader.alias).meta.endpoint_url)
        except BotoCoreError:
            return ""  # without a client there will be no price to keep either; the read says why
