"""Values of a database as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON: times in ISO 8601, numbers as numbers, what JSON does not have as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, Decimal)):
        number = float(value)
        return number if math.isfinite(number) else str(number)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value.hex() if isinstance(value, bytes) else str(value)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Names of columns, each once: a second `a` is `a_2`."""
    given: dict[str, int] = {}
    found = []
    for name in names:
        given[name] = given.get(name, 0) + 1
        found.append(name if given[name] == 1 else f"{name}_{given[name]}")
    return tuple(found)
