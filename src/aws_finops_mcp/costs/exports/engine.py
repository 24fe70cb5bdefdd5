"""What an engine of SQL does for a question, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol


class UnreadableError(Exception):
    """A file of the export is damaged, or lacks a column. The message names it."""

    def __init__(self, name: str, error: str) -> None:
        super().__init__(f"{name}: {error}")
        self.name = name
        self.error = error


class StoppedError(Exception):
    """The question was ended before its answer: the caller left, or the deadline passed."""


class StatementError(Exception):
    """The engine does not answer this statement; the message says why."""


@dataclass(frozen=True)
class Rows:
    """The first rows of an answer; `more`: there are others."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


class SqlEngine(Protocol):
    """One export, ready to be asked."""

    def ask(self, sql: str, parameters: Sequence[Any] = (), at_most: int = 1_000_000, size: int | None = None) -> Rows:
        """The first rows; `size` is characters, of the values as text."""

    def most_usd(self, sql: str) -> Decimal:
        """What AWS would bill at most for asking; nothing is asked."""

    def columns(self, table: str) -> tuple[tuple[str, str], ...]:
        """Names and types of a table's columns; nothing is read."""
