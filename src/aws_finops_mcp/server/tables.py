"""The rows of an answer as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from aws_finops_mcp.costs.answers import BilledAnswer
from aws_finops_mcp.findings import Answer, cents

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(answer: Answer) -> str:
    """The listed rows, with a line of names; RFC 4180, dollars to the cent.

    Text that a spreadsheet would take for a formula begins with an apostrophe:
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    rows = [_flat(row) for row in _rows(answer)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _rows(answer: Answer) -> tuple[BaseModel, ...]:
    """What the answer lists, beside what all answers have."""
    own = [name for name in type(answer).model_fields if name not in BilledAnswer.model_fields]
    for name in sorted(own, key=lambda name: name != "rows"):
        value = getattr(answer, name)
        if isinstance(value, tuple):
            rows = tuple(row for row in value if isinstance(row, BaseModel))
            if rows:
                return rows
    return ()


def _flat(row: BaseModel) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name in type(row).model_fields:
        value: Any = getattr(row, name)
        if isinstance(value, dict):
            flat |= {_text(key): _cell(one) for key, one in value.items()}
        else:
            flat[name] = _cell(value)
    return flat


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{cents(value):.2f}"
    return str(value) if isinstance(value, int | float) else _text("" if value is None else str(value))


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
