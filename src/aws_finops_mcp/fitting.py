"""Cuts an answer to what a client takes: one budget of characters over all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from aws_finops_mcp.findings import Answer, FailedRead, Price

RowT = TypeVar("RowT")

MAX_CHARACTERS = 55_000
"""Of a whole answer, as JSON. Clients take 25,000 tokens a result; ids and numbers are some 2.5 characters a token."""

READS_CHARACTERS = 10_000
"""Of these for the failed reads that are told in full: where everything is denied there are hundreds."""

CURSOR_CHARACTERS = 200
"""Of the names of the next page and of the whole result, which are known after the rows."""


def fitting(
    rows: Sequence[RowT], start: int, at_most: int, room: int, more: Callable[[RowT], int] = lambda row: 0
) -> list[RowT]:
    """The rows from `start` that fit into some characters; always one, if there is one.

    Args:
        more: the characters that a row brings with it elsewhere in the answer.
    """
    page: list[RowT] = []
    size = 0
    for row in rows[start : start + at_most]:
        size += (len(row.model_dump_json()) + 1 if isinstance(row, BaseModel) else 0) + more(row)
        if page and size > room:
            break
        page.append(row)
    return page


def room_in(answer: Answer) -> int:
    """The characters that are left for the rows of an answer that has none yet, nor a cursor."""
    return MAX_CHARACTERS - len(answer.model_dump_json()) - CURSOR_CHARACTERS


def sizes_of(prices: Mapping[str, Price]) -> Callable[[Iterable[str]], int]:
    """Tells of keys into an answer's prices how many characters they add: each price is written once."""
    told: set[str] = set()

    def size(keys: Iterable[str]) -> int:
        new = {key for key in keys if key in prices} - told
        told.update(new)
        return sum(len(key) + len(prices[key].model_dump_json()) + 4 for key in new)

    return size


def told_reads(failed: Iterable[FailedRead]) -> dict[str, Any]:
    """The members of an answer that tell its failed reads: alike ones of several regions together, the last by name."""
    alike: dict[tuple[str, str, str], list[FailedRead]] = {}
    for read in failed:
        alike.setdefault((read.call, read.kind, read.account), []).append(read)
    rows = [_together(reads) for reads in alike.values()]
    shown = fitting(rows, 0, len(rows), READS_CHARACTERS)
    return {
        "failed_reads": tuple(shown),
        "more_failed_reads": tuple(f"{read.call} {read.kind}" for read in rows[len(shown) :]),
    }


def _together(reads: Sequence[FailedRead]) -> FailedRead:
    first = reads[0]
    if len(reads) == 1:
        return first
    regions = ", ".join(sorted({read.region for read in reads}))
    return first.model_copy(update={"region": regions, "times": sum(read.times for read in reads)})
