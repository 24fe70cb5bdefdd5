"""Answers kept for their next pages: a page of a long answer must not ask AWS again, whichever worker it reaches."""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from aws_finops_mcp.findings import Answer

AnswerT = TypeVar("AnswerT", bound=Answer)

log = logging.getLogger("aws_finops_mcp.answers")

KEEP = 64
"""Answers that are kept."""

KEEP_SECONDS = 3600
"""How long an answer's pages can be asked for; later it is too old to act on."""

RETRY_SECONDS = 600
"""How long a file that cannot be used, such as on a full disk, is left alone before it is tried again."""

FILE = "answers.sqlite3"

_TABLE = "CREATE TABLE IF NOT EXISTS answers (name TEXT PRIMARY KEY, made_at REAL NOT NULL, body TEXT NOT NULL)"
_FORGET = """
DELETE FROM answers WHERE made_at < ? OR name NOT IN (SELECT name FROM answers ORDER BY made_at DESC LIMIT ?)
"""


class AnswerStore:
    """Whole answers by a name that can't be guessed; the oldest go first. Safe to use from threads and processes."""

    def __init__(self, directory: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """Keep answers in `directory`, for all processes; without one, or where it can't be written, in memory."""
        self._file = directory / FILE if directory else None
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[float, Answer]] = OrderedDict()
        self._leave_until = 0.0
        self._warned = False

    def put(self, answer: Answer) -> str:
        """Keep an answer; gives back its name."""
        name, now = secrets.token_urlsafe(12), self._clock()
        with self._lock:
            self._answers[name] = (now, answer)
            while len(self._answers) > KEEP:
                self._answers.popitem(last=False)
        if self._file is not None and now >= self._leave_until:
            try:
                with closing(self._open(self._file)) as disk, disk:
                    disk.execute("INSERT INTO answers VALUES (?, ?, ?)", (name, now, answer.model_dump_json()))
                    disk.execute(_FORGET, (now - KEEP_SECONDS, KEEP))
                self._warned = False
            except (OSError, sqlite3.Error) as error:
                if not self._warned:
                    log.warning("long answers are kept in memory, by each worker for itself: %s: %s", self._file, error)
                self._leave_until, self._warned = now + RETRY_SECONDS, True
        return name

    def get(self, name: str, kind: type[AnswerT]) -> AnswerT | None:
        """The answer of a name; None when it is no longer kept, or is of another kind."""
        with self._lock:
            made_at, known = self._answers.get(name, (0.0, None))
        answer = known if isinstance(known, kind) else None
        if known is None and self._file is not None and self._file.exists():
            try:
                with closing(self._open(self._file)) as disk:
                    row = disk.execute("SELECT made_at, body FROM answers WHERE name = ?", (name,)).fetchone()
                if row:
                    made_at, answer = row[0], kind.model_validate_json(row[1])
            except (OSError, sqlite3.Error, ValidationError) as error:
                log.warning("an answer could not be read back: %s: %s", self._file, error)
        return answer if answer is not None and made_at >= self._clock() - KEEP_SECONDS else None

    def prune(self) -> int:
        """Drop from the file what can no longer be asked for, and give its room back; returns how many answers went.

        Raises:
            OSError, sqlite3.Error: the file cannot be used.
        """
        if self._file is None or not self._file.exists():
            return 0
        with closing(self._open(self._file)) as disk:
            with disk:
                went = disk.execute(_FORGET, (self._clock() - KEEP_SECONDS, KEEP)).rowcount
            disk.execute("VACUUM")
        return went

    @staticmethod
    def _open(file: Path) -> sqlite3.Connection:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)  # what an account wastes is its owners' business
        disk = sqlite3.connect(file, timeout=5)
        disk.execute(_TABLE)
        return disk
