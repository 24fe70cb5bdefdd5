"""The engine: holds what lives as long as the process, and gives each call what it reads with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aws_finops_mcp.aws.clients import GLOBAL_REGION, Clients
from aws_finops_mcp.aws.ledger import Ledger, ReadFailedError
from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.prices.book import PriceBook
from aws_finops_mcp.prices.cache import PriceCache

SIMULATED = "SIMULATED DATA: this answer comes from the embedded demonstration account, not from AWS."


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


@dataclass
class Engine:
    """One a process: clients, price cache and the account's number are made once and shared by all calls."""

    region: str
    clients: Clients = field(default_factory=Clients)
    price_cache: PriceCache = field(default_factory=PriceCache)
    clock: Callable[[], datetime] = utc_now
    _account: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reader(self, region: str = "") -> Reader:
        """A reader of `region`, or of the server's own, with a ledger of its own."""
        ledger = Ledger()
        where = region or self.region
        return Reader(self.clients, ledger, where, self._account_number(Reader(self.clients, ledger, where)))

    def prices(self, reader: Reader) -> PriceBook:
        return PriceBook(reader, self.price_cache)

    def _account_number(self, reader: Reader) -> str:
        """The account that the credentials belong to; `unknown`, noted in the ledger, when STS does not tell."""
        with self._lock:
            if not self._account:
                try:
                    self._account = reader.call("sts", "GetCallerIdentity")["Account"]
                except ReadFailedError:
                    return "unknown"
            return self._account


__all__ = ["GLOBAL_REGION", "SIMULATED", "Engine", "utc_now"]
