"""Cuts an answer to what a client takes: rows chosen, a page at a time, never above a size."""

from __future__ import annotations

from typing import TypeVar

from aws_finops_mcp.audits.store import AnswerStore
from aws_finops_mcp.declaration import FINDING_FIELDS, ArgumentsError, RegionParams
from aws_finops_mcp.findings import Answer, CheckAnswer, Finding
from aws_finops_mcp.fitting import fitting, room_in, sizes_of, told_reads

AnswerT = TypeVar("AnswerT", bound=Answer)


def first_page(answer: CheckAnswer, params: RegionParams, store: AnswerStore) -> CheckAnswer:
    """The first page of an answer that holds all its findings; the rest is kept for the pages after."""
    return _page(answer, params, 0, store, "")


def next_page(params: RegionParams, tool: str, store: AnswerStore) -> CheckAnswer:
    """The page that `params.cursor` names.

    Raises:
        ArgumentsError: it names none, or the answer is no longer kept.
    """
    answer, start, name = kept_page(params.cursor, tool, store, CheckAnswer)
    return _page(answer, params, start, store, name)


def kept_page(cursor: str, tool: str, store: AnswerStore, kind: type[AnswerT]) -> tuple[AnswerT, int, str]:
    """The whole answer that a cursor leads on in, where it leads on, and the answer's name.

    Raises:
        ArgumentsError: it names none, or the answer is no longer kept.
    """
    name, _, start = cursor.rpartition(".")
    answer = store.get(name, kind)
    if answer is None or answer.tool != tool or not start.isdigit():
        raise ArgumentsError(
            f"cursor: got {cursor[:60]!r}; not the next_cursor of a recent {tool} answer: ask again without it"
        )
    return answer, int(start), name


def _page(answer: CheckAnswer, params: RegionParams, start: int, store: AnswerStore, name: str) -> CheckAnswer:
    chosen = () if params.detail == "summary" else answer.findings[start : start + params.max_results]
    told = told_reads(answer.failed_reads)
    room = room_in(answer.model_copy(update={**told, "findings": (), "prices": {}}))
    size = sizes_of(answer.prices)
    rows = fitting(
        [_choose(finding, params) for finding in chosen],
        0,
        params.max_results,
        room,
        lambda row: size(part.price for part in (row.saving.parts if row.saving else ())),
    )
    end = start + len(rows)
    more = params.detail != "summary" and end < len(answer.findings)
    used = {part.price for row in rows if row.saving for part in row.saving.parts}
    keys = {key for row in rows for key in row.evidence or ()}
    return answer.model_copy(
        update={
            **told,
            "findings": tuple(rows),
            "omitted": len(answer.findings) - len(rows),
            "next_cursor": f"{name or store.put(answer)}.{end}" if more else "",
            "prices": {key: price for key, price in answer.prices.items() if key in used},
            "evidence_sources": {key: source for key, source in answer.evidence_sources.items() if key in keys},
        }
    )


def _choose(finding: Finding, params: RegionParams) -> Finding:
    if not params.fields:
        return finding
    left_out = {name: None for name in FINDING_FIELDS if name not in params.fields}
    return finding.model_copy(update=left_out)
