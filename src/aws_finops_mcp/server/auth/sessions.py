"""Sessions of those who showed once who they are, and what they showed it by; in one file for all workers."""

from __future__ import annotations

import hashlib
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

log = logging.getLogger("aws_finops_mcp.auth")

PREFIX = "aws-session-v1."
FILE = "sessions.sqlite3"

SECONDS = 3600
"""How long a session lasts."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS sessions (digest TEXT PRIMARY KEY, name TEXT NOT NULL, until REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS used (digest TEXT PRIMARY KEY, until REAL NOT NULL)",
)


class Sessions:
    """Sessions by a digest of their token. Blocks: for threads.

    All methods raise OSError or sqlite3.Error when the file cannot be used.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = directory / FILE
        self._clock = clock

    def use(self, what: str, until: float) -> bool:
        """Use something that may be used once; False when it was. It is remembered until then."""
        with closing(self._open()) as disk, disk:
            disk.execute("DELETE FROM used WHERE until < ?", (self._clock(),))
            found = disk.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", (digest(what), until))
            return found.rowcount == 1

    def create(self, name: str) -> tuple[str, float]:
        """Make a session; gives back its token, and until when it lasts."""
        token, until = f"{PREFIX}{secrets.token_urlsafe(32)}", self._clock() + SECONDS
        with closing(self._open()) as disk, disk:
            disk.execute("DELETE FROM sessions WHERE until < ?", (self._clock(),))
            disk.execute("INSERT INTO sessions VALUES (?, ?, ?)", (digest(token), name, until))
        return token, until

    def find(self, token: str) -> tuple[str, float] | None:
        """Whose session it is, and until when it lasts; None when there is none."""
        with closing(self._open()) as disk:
            row = disk.execute("SELECT name, until FROM sessions WHERE digest = ?", (digest(token),)).fetchone()
        return (str(row[0]), float(row[1])) if row and row[1] > self._clock() else None

    def _open(self) -> sqlite3.Connection:
        try:
            return self._opened()
        except (OSError, sqlite3.Error) as error:
            log.error("sessions cannot be kept or looked up: %s: %s", self._file, error)
            raise

    def _opened(self) -> sqlite3.Connection:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._file.exists():
            self._file.touch(mode=0o600)
        disk = sqlite3.connect(self._file, timeout=5)
        for table in _TABLES:
            disk.execute(table)
        return disk


def digest(text: str) -> str:
    """What a token is kept as: it has 256 random bits, which nobody guesses."""
    return hashlib.sha256(text.encode()).hexdigest()
