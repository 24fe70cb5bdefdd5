"""The engine: holds what lives as long as the process, and gives each question what it reads with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from aws_finops_mcp.audits.store import AnswerStore
from aws_finops_mcp.aws.clients import GLOBAL_REGION, Clients
from aws_finops_mcp.aws.ledger import Budget, Call, Ledger, ReadFailedError
from aws_finops_mcp.aws.reader import Gate, Inventory, Reader
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.cache import BillingCache
from aws_finops_mcp.costs.exports.exports import Exports
from aws_finops_mcp.declaration import ArgumentsError, BudgetParams
from aws_finops_mcp.findings import Category
from aws_finops_mcp.prices.book import PriceBook
from aws_finops_mcp.prices.cache import PriceCache
from aws_finops_mcp.settings import GLOBAL, Scopes, Settings


class OutOfScopeError(ArgumentsError):
    """The principal may not do this. The message says what it would need, and what it has."""


N = TypeVar("N", int, float, Decimal)

UNKNOWN = "unknown"
"""The number of an account that STS did not tell."""


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


@dataclass
class Engine:
    """One a process: clients, prices, rates and the accounts' numbers are made once and shared by all questions."""

    region: str
    clients: Clients = field(default_factory=Clients)
    price_cache: PriceCache = field(default_factory=PriceCache)
    store: AnswerStore = field(default_factory=AnswerStore)
    billing_cache: BillingCache = field(default_factory=BillingCache)
    exports: Exports = field(default_factory=Exports)
    gate: Gate = field(default_factory=Gate)
    budget: Budget = field(default_factory=Budget)
    categories: frozenset[Category] = frozenset(Category)
    """Of the checks that may be run."""
    exempt_tag: str = ""
    """Key of the tag that exempts a resource from every finding."""
    clock: Callable[[], datetime] = utc_now
    _numbers: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, settings: Settings) -> Engine:
        """The engine that some settings ask for."""
        clients = Clients(settings.mcp_accounts)
        prices = PriceCache(settings.mcp_cache_dir)
        return cls(
            settings.aws_region,
            clients=clients,
            price_cache=prices,
            store=AnswerStore(settings.mcp_cache_dir),
            billing_cache=BillingCache(settings.mcp_cache_dir),
            exports=Exports(
                settings.mcp_billing_exports,
                settings.mcp_billing_limits,
                settings.mcp_cache_dir,
                next(iter(clients.accounts)),
                prices,
            ),
            categories=settings.categories,
            exempt_tag=settings.mcp_exempt_tag,
            budget=Budget(settings.mcp_budget_calls, settings.mcp_budget_usd, settings.mcp_deadline),
        )

    @property
    def accounts(self) -> tuple[str, ...]:
        """The aliases of the accounts that may be read."""
        return tuple(self.clients.accounts)

    def asking(
        self,
        budget: BudgetParams | None = None,
        stopped: threading.Event | None = None,
        watch: Callable[[Call], None] | None = None,
        scopes: Scopes | None = None,
        left: Budget | None = None,
    ) -> Asking:
        """A question: with the server's budget, lowered by the caller's; `watch` is told of every call to AWS.

        Args:
            scopes: what the caller may read; everything when not given.
            left: what the caller may still use today.
        """
        allowed = self.allowed(budget)
        if left:
            allowed = Budget(_least(allowed.calls, left.calls), _least(allowed.usd, left.usd), allowed.seconds)
        ledger = Ledger(allowed, stopped=stopped or threading.Event(), watch=watch)
        return Asking(self, ledger, self.clock(), scopes=scopes or Scopes())

    def allowed(self, budget: BudgetParams | None) -> Budget:
        """The server's budget for one answer, lowered by the caller's."""
        own, asked = self.budget, budget or BudgetParams()
        return Budget(_least(own.calls, asked.calls), _least(own.usd, asked.usd), _least(own.seconds, asked.seconds))

    def reader(self, region: str = "", account: str = "") -> Reader:
        """A reader with a question, and so a ledger, of its own."""
        return self.asking().reader(region, account)

    def prices(self, reader: Reader) -> PriceBook:
        """A price book for one answer."""
        return PriceBook(reader, self.price_cache)

    def number(self, alias: str, reader: Reader) -> str:
        """The number of an account; UNKNOWN, noted in the ledger, when STS does not tell."""
        role = self.clients.accounts[alias].role_arn
        if role:
            return role.split(":")[4]
        with self._lock:
            if alias not in self._numbers:
                try:
                    self._numbers[alias] = reader.call("sts", "GetCallerIdentity")["Account"]
                except ReadFailedError:
                    return UNKNOWN
            return self._numbers[alias]


@dataclass(frozen=True)
class Asking:
    """One question under way: the engine, the ledger that all its reads are entered into, and what they gave."""

    engine: Engine
    ledger: Ledger
    now: datetime
    """When it was asked: all its checks look back from there, or they could not share what they read."""
    inventory: Inventory = field(default_factory=Inventory)
    scopes: Scopes = field(default_factory=Scopes)

    @property
    def categories(self) -> frozenset[Category]:
        """Of the checks that may be run for this caller."""
        return self.engine.categories & frozenset(self.scopes.categories or Category)

    @property
    def accounts(self) -> tuple[str, ...]:
        """The aliases of the accounts that this caller may read; the first is that of a question that names none."""
        mine = self.scopes.accounts
        return self.engine.accounts if mine is None else tuple(one for one in mine if one in self.engine.accounts)

    @property
    def region(self) -> str:
        """The region of a question that names none: the server's own, or the caller's first.

        Raises:
            OutOfScopeError: the caller may read no region.
        """
        mine = [region for region in self.scopes.regions or (self.engine.region,) if region != GLOBAL]
        if not mine:
            raise OutOfScopeError("region_name: you may read no region, only what has none (global)")
        return self.engine.region if self.engine.region in mine else mine[0]

    def may_read(self, region: str) -> bool:
        """Whether the caller may read a region, or `global`, what has none."""
        return self.scopes.regions is None or region in self.scopes.regions

    def may_read_account(self, number: str) -> bool:
        """Whether the caller may read the account of a number. What STS did not tell the number of is nobody's."""
        if self.scopes.accounts is None:
            return True
        numbers = {self._number(alias, self.engine.region) for alias in self.accounts}
        return number in numbers - {UNKNOWN}

    def reader(self, region: str = "", account: str = "") -> Reader:
        """A reader of a region (the server's own when empty) of an account (the first when empty).

        Raises:
            ArgumentsError: no account has this alias.
            OutOfScopeError: the caller may not read the region or the account.
        """
        where = region or self.region
        self._check_region(where)
        return self._reader(where, account)

    def whole(self, account: str = "") -> Reader:
        """A reader of what has no region: it is asked where AWS answers for all.

        Raises:
            ArgumentsError, OutOfScopeError: as those of `reader`.
        """
        self._check_region(GLOBAL)
        return self._reader(GLOBAL_REGION, account)

    def _check_region(self, region: str) -> None:
        if not self.may_read(region):
            named = "what has no region" if region == GLOBAL else region
            raise OutOfScopeError(
                f"region_name: {named} is not yours to read, that needs the region {region}; "
                f"you have: {', '.join(self.scopes.regions or ())}"
            )

    def _reader(self, where: str, account: str) -> Reader:
        engine = self.engine
        if not self.accounts:
            raise OutOfScopeError(f"account: none of yours is here; you have: {', '.join(self.scopes.accounts or ())}")
        alias = account or self.accounts[0]
        if alias not in self.accounts:
            if self.scopes.accounts is not None:
                raise OutOfScopeError(
                    f"account: {account!r} is not yours to read; you have: {', '.join(self.accounts)}"
                )
            raise ArgumentsError(f"account: got {account!r}; there are: {', '.join(engine.accounts)}")
        number = self._number(alias, where)
        return Reader(engine.clients, self.ledger, where, number, alias, engine.gate, self.inventory)

    def _number(self, alias: str, where: str) -> str:
        engine = self.engine
        return engine.number(alias, Reader(engine.clients, self.ledger, where, alias=alias, gate=engine.gate))

    def prices(self, reader: Reader) -> PriceBook:
        return self.engine.prices(reader)

    def billing(self, account: str = "") -> Billing:
        """What asks the billing services.

        Raises:
            ArgumentsError, OutOfScopeError: as those of `reader`.
        """
        return Billing(self.whole(account), self.engine.billing_cache, self.engine.clock(), self.engine.exports)


def _least(*limits: N | None) -> N | None:
    given = [limit for limit in limits if limit is not None]
    return min(given) if given else None
