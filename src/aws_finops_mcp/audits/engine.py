"""The engine: holds what lives as long as the process, and gives each question what it reads with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from aws_finops_mcp.audits.store import AnswerStore
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.ledger import Budget, Call, Ledger, ReadFailedError
from aws_finops_mcp.aws.reader import Gate, Inventory, Reader
from aws_finops_mcp.declaration import ArgumentsError, BudgetParams
from aws_finops_mcp.findings import Category
from aws_finops_mcp.prices.book import PriceBook
from aws_finops_mcp.prices.cache import PriceCache
from aws_finops_mcp.settings import Settings

N = TypeVar("N", int, float, Decimal)


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
        return cls(
            settings.aws_region,
            clients=Clients(settings.mcp_accounts),
            price_cache=PriceCache(settings.mcp_cache_dir),
            store=AnswerStore(settings.mcp_cache_dir),
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
    ) -> Asking:
        """A question: with the server's budget, lowered by the caller's; `watch` is told of every call to AWS."""
        own, asked = self.budget, budget or BudgetParams()
        allowed = Budget(_least(own.calls, asked.calls), _least(own.usd, asked.usd), _least(own.seconds, asked.seconds))
        return Asking(self, Ledger(allowed, stopped=stopped or threading.Event(), watch=watch))

    def reader(self, region: str = "", account: str = "") -> Reader:
        """A reader with a question, and so a ledger, of its own."""
        return self.asking().reader(region, account)

    def prices(self, reader: Reader) -> PriceBook:
        """A price book for one answer."""
        return PriceBook(reader, self.price_cache)

    def number(self, alias: str, reader: Reader) -> str:
        """The number of an account; `unknown`, noted in the ledger, when STS does not tell."""
        role = self.clients.accounts[alias].role_arn
        if role:
            return role.split(":")[4]
        with self._lock:
            if alias not in self._numbers:
                try:
                    self._numbers[alias] = reader.call("sts", "GetCallerIdentity")["Account"]
                except ReadFailedError:
                    return "unknown"
            return self._numbers[alias]


@dataclass(frozen=True)
class Asking:
    """One question under way: the engine, the ledger that all its reads are entered into, and what they gave."""

    engine: Engine
    ledger: Ledger
    inventory: Inventory = field(default_factory=Inventory)

    def reader(self, region: str = "", account: str = "") -> Reader:
        """A reader of a region (the server's own when empty) of an account (the first when empty).

        Raises:
            ArgumentsError: no account has this alias.
        """
        engine = self.engine
        alias = account or engine.accounts[0]
        if alias not in engine.accounts:
            raise ArgumentsError(f"account: got {account!r}; there are: {', '.join(engine.accounts)}")
        where = region or engine.region
        first = Reader(engine.clients, self.ledger, where, alias=alias, gate=engine.gate)
        number = engine.number(alias, first)
        return Reader(engine.clients, self.ledger, where, number, alias, engine.gate, self.inventory)

    def prices(self, reader: Reader) -> PriceBook:
        return self.engine.prices(reader)


def _least(*limits: N | None) -> N | None:
    given = [limit for limit in limits if limit is not None]
    return min(given) if given else None
