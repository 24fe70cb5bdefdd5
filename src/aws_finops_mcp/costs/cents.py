"""Whole cents that add up: rounding by largest remainder."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

_CENT = Decimal("0.01")


def to_cents(amounts: Mapping[KeyT, Decimal], total: Decimal) -> dict[KeyT, Decimal]:
    """Each amount as whole cents, together exactly `total`, which must be whole cents.

    Each is rounded down; the cents that are missing go to those with the largest remainders, the first of equals first.
    Where `total` is further away than that, as the rounded sum of other things, each gets the same whole cents more.
    """
    down = {key: amount.quantize(_CENT, rounding=ROUND_FLOOR) for key, amount in amounts.items()}
    if not down:
        return {}
    missing = int((total - sum(down.values(), Decimal(0))) / _CENT)
    everyone, some = divmod(missing, len(down))
    order = sorted(down, key=lambda key: down[key] - amounts[key])
    more = {key: everyone + (place < some) for place, key in enumerate(order)}
    return {key: amount + more[key] * _CENT for key, amount in down.items()}
