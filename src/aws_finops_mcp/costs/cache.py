"""What billing services said, kept for an hour: they renew their data a few times a day, and bill each question.

Costs of closed periods are kept for a day.
Kept in memory and, for all processes of the host, in a file. An answer belongs to the endpoint and the account that
gave it, and to the exact question.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("aws_finops_mcp.billing")

KEEP_SECONDS = 3600
"""How long an answer is used before AWS is asked again. Cost Explorer renews its data at least once a day:
https://docs.aws.amazon.com/cost-management/latest/userguide/ce-what-is.html"""

CLOSED_SECONDS = 24 * 3600
"""The same of an answer that AWS calls no estimate in any of its periods: it only changes if a bill is corrected."""

KEEP = 512
"""Answers that a process keeps in memory."""

RETRY_SECONDS = 600
"""How long a file that cannot be used, such as on a full disk, is left alone before it is tried again."""

FILE = "billing.sqlite3"

_TABLES = """
DROP TABLE IF EXISTS billing;
CREATE TABLE IF NOT EXISTS answers (
  question TEXT PRIMARY KEY, read_at REAL NOT NULL, until REAL NOT NULL, simulated INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
"""
_BUSY_SECONDS = 5.0


@dataclass(frozen=True)
class Kept:
    """An answer, when it was read, until when it holds, and whether it came from the embedded account."""

    read_at: float
    until: float
    simulated: bool
    items: list[Any]


class BillingCache:
    """Safe to use from several threads and processes. Nothing is opened before it is used, so it survives a fork."""

    def __init__(self, directory: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """Keep answers in `directory`, which is made when needed; without one, in memory only."""
        self._file = directory / FILE if directory else None
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, Kept] = {}
        self._leave_until = 0.0

    def get(self, question: str) -> Kept | None:
        """The answer to exactly this question, if it is recent enough."""
        with self._lock:
            kept = self._kept.get(question)
        if kept is None and (row := self._on_disk(lambda disk: _select(disk, question))):
            kept = row
            self._remember(question, row)
        return kept if kept is not None and self._holds(kept) else None

    def put(self, question: str, items: list[Any], *, simulated: bool) -> Kept:
        """Keep an answer; gives back how it is kept."""
        now = self._clock()
        kept = Kept(now, now + (CLOSED_SECONDS if is_closed(items) else KEEP_SECONDS), simulated, items)
        self._remember(question, kept)

        def write(disk: sqlite3.Connection) -> None:
            with disk:
                disk.execute("DELETE FROM answers WHERE until < ?", (now,))
                row = (question, kept.read_at, kept.until, int(simulated), json.dumps(items))
                disk.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)

        self._on_disk(write)
        return kept

    def age_seconds(self, kept: Kept) -> int:
        return max(0, int(self._clock() - kept.read_at))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

        def delete(disk: sqlite3.Connection) -> None:
            with disk:
                disk.execute("DELETE FROM answers")

        self._on_disk(delete)

    def prune(self) -> int:
        """Drop from the file what is too old to be used, and give its room back; returns how many answers went.

        Raises:
            OSError, sqlite3.Error: the file cannot be used.
        """
        if self._file is None or not self._file.exists():
            return 0
        with closing(_open(self._file)) as disk:
            with disk:
                went = disk.execute("DELETE FROM answers WHERE until <= ?", (self._clock(),)).rowcount
            disk.execute("VACUUM")
        return went

    def _holds(self, kept: Kept) -> bool:
        """Whether it is recent; an answer from the future was written by a wrong clock."""
        return kept.read_at - 60 <= self._clock() < kept.until

    def _remember(self, question: str, kept: Kept) -> None:
        with self._lock:
            self._kept.pop(question, None)
            self._kept[question] = kept
            while len(self._kept) > KEEP:
                self._kept.pop(next(iter(self._kept)))

    def _on_disk(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do `work` on the file; None when it cannot be used, which costs calls to AWS but never an answer."""
        if self._file is None or self._clock() < self._leave_until:
            return None
        try:
            with closing(_open(self._file)) as disk:
                return work(disk)
        except (OSError, sqlite3.Error, ValueError) as error:
            log.warning("billing answers are kept in memory, by each worker for itself: %s: %s", self._file, error)
            self._leave_until = self._clock() + RETRY_SECONDS
            return None


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        file.touch(mode=0o600)  # what an account costs is its owners' business
    disk = sqlite3.connect(file, timeout=_BUSY_SECONDS)
    disk.executescript(_TABLES)
    return disk


def _select(disk: sqlite3.Connection, question: str) -> Kept | None:
    found = disk.execute(
        "SELECT read_at, until, simulated, body FROM answers WHERE question = ?", (question,)
    ).fetchone()
    return Kept(found[0], found[1], bool(found[2]), json.loads(found[3])) if found else None


def is_closed(pages: list[Any]) -> bool:
    """Whether these are costs by time, and AWS calls none of them an estimate."""
    by_time = [page.get("ResultsByTime") if isinstance(page, dict) else None for page in pages]
    return bool(by_time) and all(
        periods and not any(period.get("Estimated", True) for period in periods) for periods in by_time
    )
