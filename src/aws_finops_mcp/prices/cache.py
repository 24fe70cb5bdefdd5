"""Listed prices, kept in memory and, for all processes of the host, in a file.

A price belongs to the endpoint that said it: what the embedded account lists is never given to the real AWS.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices.unit import Unit

log = logging.getLogger("aws_finops_mcp.prices")

KEEP_SECONDS = 24 * 3600
"""How long a listed price is used before it is asked again. AWS publishes a list anew when a price in it changes."""

KEEP_ABSENT_SECONDS = 3600
"""How long it is believed that the list has no such product: new ones are listed at any time."""

RETRY_SECONDS = 600
"""How long a file that cannot be used, such as on a full disk, is left alone before it is tried again."""

FILE = "prices.sqlite3"

_TABLE = """
CREATE TABLE IF NOT EXISTS prices (
  endpoint TEXT NOT NULL, region TEXT NOT NULL, unit TEXT NOT NULL, declaration TEXT NOT NULL,
  read_at REAL NOT NULL, usd TEXT, measure TEXT, source TEXT, sku TEXT, as_of TEXT,
  PRIMARY KEY (endpoint, region, unit)
) WITHOUT ROWID
"""
_PUT = "INSERT OR REPLACE INTO prices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_GET = """
SELECT declaration, read_at, usd, measure, source, sku, as_of FROM prices
WHERE endpoint = ? AND region = ? AND unit = ?
"""
_BUSY_SECONDS = 5.0
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

Row = tuple[str, float, Price | None]
"""Declaration of the unit, time read, and the price; None when the list has none."""

T = TypeVar("T")


class PriceCache:
    """Safe to use from several threads and processes. Nothing is opened before it is used, so it survives a fork."""

    def __init__(self, directory: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """Keep prices in `directory`, which is made when needed; without one, in memory only."""
        self._file = directory / FILE if directory else None
        self._clock = clock
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._asking = tuple(threading.Lock() for _ in range(64))
        self._rows: dict[tuple[str, str, str], Row] = {}
        self._answered: set[str] = set()
        self._warned = False
        self._leave_until = 0.0

    def get(self, endpoint: str, region: str, units: Iterable[Unit]) -> dict[Unit, Price | None]:
        """What is known of the units' prices; a unit that the list has no price for is known as None."""
        known: dict[Unit, Price | None] = {}
        unknown = []
        for unit in units:
            row = self._rows.get((endpoint, unit.place(region), unit.key))
            if row and self._holds(unit, row):
                known[unit] = row[2]
            else:
                unknown.append(unit)
        if not unknown or self._file is None:
            return known
        keys = [(endpoint, unit.place(region), unit.key) for unit in unknown]
        rows = self._on_disk(lambda disk: [disk.execute(_GET, key).fetchone() for key in keys]) or []
        for unit, key, found in zip(unknown, keys, rows, strict=False):
            row = _row(found, key[1]) if found else None
            if row and self._holds(unit, row):
                with self._lock:
                    self._rows[key] = row
                    self._answered.add(endpoint)
                known[unit] = row[2]
        return known

    def put(self, endpoint: str, region: str, prices: Mapping[Unit, Price | None]) -> None:
        """Keep what the list said."""
        now = self._clock()
        rows = {
            (endpoint, unit.place(region), unit.key): (unit.declaration, now, price) for unit, price in prices.items()
        }
        with self._lock:
            self._rows |= rows
            self._answered.add(endpoint)

        def write(disk: sqlite3.Connection) -> None:
            with disk:
                disk.execute("DELETE FROM prices WHERE read_at < ?", (now - KEEP_SECONDS,))
                disk.executemany(_PUT, [(*key, *_columns(row)) for key, row in rows.items()])

        if self._file is not None:
            with self._writing:  # threads queue here rather than in SQLite, which polls
                self._on_disk(write)

    def asking(self, *question: Hashable) -> threading.Lock:
        """To be held while a question is asked, so that threads with the same one ask it once.

        One of a few locks: different questions may share one, and then wait for each other.
        """
        return self._asking[hash(question) % len(self._asking)]

    def answered(self, endpoint: str) -> bool:
        """Whether the list at an endpoint is known to answer us."""
        return endpoint in self._answered

    def clear(self) -> None:
        """Forget all prices."""

        def delete(disk: sqlite3.Connection) -> None:
            with disk:
                disk.execute("DELETE FROM prices")

        with self._lock:
            self._rows.clear()
            self._answered.clear()
        if self._file is not None:
            self._on_disk(delete)

    def prune(self) -> int:
        """Drop from the file what is too old to be used, and give its room back; returns how many prices went.

        Raises:
            OSError, sqlite3.Error: the file cannot be used.
        """
        if self._file is None or not self._file.exists():
            return 0
        with closing(sqlite3.connect(self._file, timeout=_BUSY_SECONDS)) as disk:
            disk.execute(_TABLE)
            with disk:
                went = disk.execute("DELETE FROM prices WHERE read_at < ?", (self._clock() - KEEP_SECONDS,)).rowcount
            disk.execute("VACUUM")
        return went

    def _holds(self, unit: Unit, row: Row) -> bool:
        """Whether a row still says what the unit costs; one from the future was written by a wrong clock."""
        declaration, read_at, price = row
        age = self._clock() - read_at
        return declaration == unit.declaration and -60 <= age < (KEEP_ABSENT_SECONDS if price is None else KEEP_SECONDS)

    def _on_disk(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do `work` on the file; None when it cannot be used, which costs calls to AWS but never an answer.

        A connection for each use: 0.2 ms, for no state that threads or a fork could share.
        """
        for attempt in (1, 2):
            file = self._file
            if file is None or self._clock() < self._leave_until:
                return None
            try:
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as disk:
                    disk.execute(_TABLE)
                    done = work(disk)
                if self._leave_until:
                    self._leave_until, self._warned = 0.0, False
                return done
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", None) in _CORRUPT and attempt == 1:
                    self._discard(file, error)
                    continue
                self._without_file(error)
            except OSError as error:
                self._without_file(error)
            return None
        return None

    def _discard(self, file: Path, error: Exception) -> None:
        """A damaged cache holds nothing that cannot be read again. Another process may have removed it already."""
        self._warn("damaged, made anew", error)
        try:
            file.unlink(missing_ok=True)
            file.with_name(f"{file.name}-journal").unlink(missing_ok=True)
        except OSError as reason:
            self._without_file(reason)

    def _without_file(self, error: Exception) -> None:
        """Go on in memory, for now; a file that was only busy is tried again at once."""
        busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        self._warn("busy" if busy else "unusable, prices are kept in memory only", error)
        if not busy:
            self._leave_until = self._clock() + RETRY_SECONDS

    def _warn(self, what: str, error: Exception) -> None:
        with self._lock:
            warned, self._warned = self._warned, True
        if not warned:
            log.warning("price cache %s: %s: %s", self._file, what, error)


def _columns(row: Row) -> tuple[Any, ...]:
    declaration, read_at, price = row
    if price is None:
        return (declaration, read_at, None, None, None, None, None)
    return (declaration, read_at, str(price.usd), price.unit, price.source, price.sku, price.as_of)


def _row(columns: tuple[Any, ...], region: str) -> Row | None:
    """A row of the file; None when it is not one that we wrote."""
    declaration, read_at, usd, measure, source, sku, as_of = columns
    if usd is None:
        return declaration, read_at, None
    try:
        price = Price(usd=Decimal(usd), unit=measure, region=region, source=source, sku=sku, as_of=as_of)
    except (InvalidOperation, ValueError, TypeError):
        return None
    return (declaration, read_at, price) if price.usd > 0 else None
