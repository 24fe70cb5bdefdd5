"""Cuts an answer to what a client takes: rows chosen, a page at a time, never above a size."""

from __future__ import annotations

from aws_finops_mcp.audits.store import AnswerStore
from aws_finops_mcp.declaration import FINDING_FIELDS, ArgumentsError, RegionParams
from aws_finops_mcp.findings import CheckAnswer, Finding

MAX_CHARACTERS = 45_000
"""Of the findings of one page, as JSON. Clients take 25,000 tokens a result; ids and numbers are some 2.5 characters a
token, and summary, sources and prices come on top."""


def first_page(answer: CheckAnswer, params: RegionParams, store: AnswerStore) -> CheckAnswer:
    """The first page of an answer that holds all its findings; the rest is kept for the pages after."""
    return _page(answer, params, 0, store, "")


def next_page(params: RegionParams, tool: str, store: AnswerStore) -> CheckAnswer:
    """The page that `params.cursor` names.

    Raises:
        ArgumentsError: it names none, or the answer is no longer kept.
    """
    name, _, start = params.cursor.rpartition(".")
    answer = store.get(name)
    if answer is None or answer.tool != tool or not start.isdigit():
        raise ArgumentsError(
            f"cursor: got {params.cursor[:60]!r}; not the next_cursor of a recent {tool} answer: ask again without it"
        )
    return _page(answer, params, int(start), store, name)


def _page(answer: CheckAnswer, params: RegionParams, start: int, store: AnswerStore, name: str) -> CheckAnswer:
    rows: list[Finding] = []
    size = 0
    remaining = () if params.detail == "summary" else answer.findings[start:]
    for finding in remaining[: params.max_results]:
        row = _choose(finding, params)
        size += len(row.model_dump_json())
        if rows and size > MAX_CHARACTERS:
            break
        rows.append(row)
    end = start + len(rows)
    more = params.detail != "summary" and end < len(answer.findings)
    used = {part.price for row in rows if row.saving for part in row.saving.parts}
    keys = {key for row in rows for key in row.evidence or ()}
    return answer.model_copy(
        update={
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
