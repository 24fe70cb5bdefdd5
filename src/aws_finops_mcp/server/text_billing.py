"""Answers on costs as text: every member in the words of its schema, so that nothing can be left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_finops_mcp.costs.answers import BillingAnswer
from aws_finops_mcp.costs.exports.query import QueryAnswer
from aws_finops_mcp.findings import Answer

_SAID = frozenset(Answer.model_fields)
"""What `as_text` writes for every answer."""


def billing_lines(answer: BillingAnswer) -> Iterator[str]:
    """Facts first, then tables, a row a line."""
    # A database's null says that there is none, not that it is not known.
    nothing = "null" if isinstance(answer, QueryAnswer) else "unknown"
    members = {name: value for name, value in answer.model_dump(mode="json").items() if name not in _SAID}
    facts = {name: value for name, value in members.items() if not _is_table(value)}
    yield (
        "; ".join(
            f"{name} {_plain(name, value, nothing)}" for name, value in facts.items() if value not in ("", [], {})
        )
        + "."
    )
    for name, rows in members.items():
        if _is_table(rows):
            yield f"{name} ({len(rows)}):"
            yield from (f"- {_row(row, nothing)}" for row in rows)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _row(row: dict[str, Any], nothing: str) -> str:
    return ", ".join(
        f"{name} {_plain(name, value, nothing)}" for name, value in row.items() if value not in ("", {}, [])
    )


def _plain(name: str, value: Any, nothing: str) -> str:
    if value is None:
        return nothing
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_plain(key, one, nothing)}" for key, one in value.items()) + ")"
    if isinstance(value, list):
        return " | ".join(_plain(name, one, nothing) for one in value) or "none"
    if isinstance(value, float) and name.endswith("_usd"):
        return f"${value:,.2f}"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
