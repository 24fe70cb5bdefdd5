"""What principals used today, counted for all workers in one file: AWS calls, and what AWS bills for them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from aws_finops_mcp.aws.ledger import Budget
from aws_finops_mcp.server.auth.principal import Principal
from aws_finops_mcp.settings import Scopes

log = logging.getLogger("aws_finops_mcp.budget")

FILE = "budgets.sqlite3"

NANO = Decimal(1_000_000_000)
"""Billionths of a dollar: what a request costs is a whole number of them, and a database adds them exactly."""

_TABLE = """
CREATE TABLE IF NOT EXISTS uses (
  id INTEGER PRIMARY KEY, day TEXT NOT NULL, name TEXT NOT NULL, calls INTEGER NOT NULL, nano_usd INTEGER NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS of_day ON uses (day, name)"
_SUM = "SELECT COALESCE(SUM(calls), 0), COALESCE(SUM(nano_usd), 0) FROM uses WHERE day = ? AND name = ?"


class BudgetError(Exception):
    """The principal may use no more today, or it cannot be counted."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


N = TypeVar("N", int, Decimal)


@dataclass
class Share:
    """What one call may use, and what it used."""

    left: Budget | None = None
    """None: there is no limit."""
    calls: int = 0
    usd: Decimal = Decimal(0)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DailyBudget:
    """Holds principals to what they may use in a day (UTC). Safe to use from threads and processes.

    A call takes what it may use at most out of the day's budget, and gives back in the end what it did not use: calls
    that are made side by side cannot use more than there is. What a worker that was killed had taken stays taken.
    """

    def __init__(self, directory: Path | None, now: Callable[[], datetime] = _utc_now) -> None:
        self._file = directory / FILE if directory else None
        self._now = now

    @contextmanager
    def share(self, principal: Principal, most: Budget) -> Iterator[Share]:
        """Take what a call may use; what it wrote into the share is what it used.

        Args:
            most: what the call may use whoever makes it.

        Raises:
            BudgetError: nothing is left, or it cannot be counted.
        """
        scopes = principal.scopes
        if scopes.calls_per_day is None and scopes.usd_per_day is None:
            yield Share()
            return
        row, left = self._take(principal, most)
        share = Share(left)
        try:
            yield share
        finally:
            self._settle(row, share)

    def _take(self, principal: Principal, most: Budget) -> tuple[int, Budget]:
        now, scopes = self._now(), principal.scopes
        day = now.date().isoformat()
        try:
            with closing(self._open()) as disk, disk:
                disk.execute("BEGIN IMMEDIATE")
                disk.execute("DELETE FROM uses WHERE day < ?", (day,))
                calls, nano = disk.execute(_SUM, (day, principal.name)).fetchone()
                used = Decimal(nano) / NANO
                left = _left(scopes, calls, used)
                # Who may spend nothing at all still may ask what is free.
                if left.calls == 0 or (left.usd == 0 and scopes.usd_per_day != 0):
                    raise BudgetError(_spent(principal, calls, used), _until_tomorrow(now))
                left = Budget(_least(most.calls, left.calls), _least(most.usd, left.usd))
                taken = (left.calls or 0, int((left.usd or Decimal(0)) * NANO))
                found = disk.execute(
                    "INSERT INTO uses (day, name, calls, nano_usd) VALUES (?, ?, ?, ?)", (day, principal.name, *taken)
                )
                return int(found.lastrowid or 0), left
        except (OSError, sqlite3.Error) as error:
            log.error("budgets cannot be counted, calls under one are refused: %s: %s", self._file, error)
            raise BudgetError("your budget of today cannot be counted now; the server's log says why", 60) from None

    def _settle(self, row: int, share: Share) -> None:
        try:
            with closing(self._open()) as disk, disk:
                used = (share.calls, int(share.usd * NANO), row)
                disk.execute("UPDATE uses SET calls = ?, nano_usd = ? WHERE id = ?", used)
        except (OSError, sqlite3.Error) as error:
            log.error("a call stays counted as all that it might have used: %s: %s", self._file, error)

    def _open(self) -> sqlite3.Connection:
        if self._file is None:
            raise OSError("MCP_STATE_DIR is not set")
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._file.exists():
            self._file.touch(mode=0o600)
        disk = sqlite3.connect(self._file, timeout=5, isolation_level=None)
        disk.execute(_TABLE)
        disk.execute(_INDEX)
        return disk


def _left(scopes: Scopes, calls: int, usd: Decimal) -> Budget:
    """What is left of a day's budget; None is no limit."""
    return Budget(
        None if scopes.calls_per_day is None else max(0, scopes.calls_per_day - calls),
        None if scopes.usd_per_day is None else max(Decimal(0), scopes.usd_per_day - usd),
    )


def _least(one: N | None, other: N | None) -> N | None:
    return min(one, other) if one is not None and other is not None else one if other is None else other


def _spent(principal: Principal, calls: int, usd: Decimal) -> str:
    scopes = principal.scopes
    parts = []
    if scopes.calls_per_day is not None:
        parts.append(f"{calls} of {scopes.calls_per_day} AWS calls")
    if scopes.usd_per_day is not None:
        parts.append(f"${usd.normalize():f} of ${scopes.usd_per_day:f}")
    return (
        f"your budget of today is used up, or taken by calls under way: {' and '.join(parts)}; it is new at 00:00 UTC. "
        "The operator of this server can raise it"
    )


def _until_tomorrow(now: datetime) -> int:
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    return max(1, int((tomorrow - now).total_seconds()))
