"""What a picture of costs shows: plain data, which a tool makes of its answer and the server draws."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

MOST_BARS = 15
"""Bars that can still be read; the rest is one bar."""

MOST_STEPS = 10
"""Changes between two amounts."""

OTHERS = "all others"


class PictureParams(BaseModel):
    """The argument of a tool that has a chart."""

    picture: bool = Field(False, description="also a PNG image, and the listed rows as CSV by a resource link")


@dataclass(frozen=True)
class Mark:
    """One bar or point.

    Attributes:
        label: what it stands for.
        usd: how much.
        low, high: bounds of an interval around it, in USD, if it has one.
        emphasis: whether it stands out, or is a forecast; said in the legend.
    """

    label: str
    usd: Decimal
    low: Decimal | None = None
    high: Decimal | None = None
    emphasis: bool = False


@dataclass(frozen=True)
class Chart:
    """One picture.

    Attributes:
        kind: `bars` compares parts, `days` shows a course over time, `periods` some months with their intervals,
            `steps` leads from the first mark to the last by those between, which add up to the difference.
        title: what is shown.
        notes: below the title: period, metric, filter, and what is incomplete.
        emphasis: what the emphasised marks are.
    """

    kind: Literal["bars", "days", "periods", "steps"]
    title: str
    notes: str
    marks: tuple[Mark, ...]
    currency: str = "USD"
    emphasis: str = ""


def parts(marks: list[Mark], total: Decimal | None) -> tuple[Mark, ...]:
    """The largest parts, and all others of the total as one; every dollar of the total is in one of them."""
    ranked = sorted(marks, key=lambda mark: -mark.usd)
    shown = ranked if len(ranked) <= MOST_BARS else ranked[: MOST_BARS - 1]
    whole = total if total is not None else sum((mark.usd for mark in marks), Decimal(0))
    rest = whole - sum((mark.usd for mark in shown), Decimal(0))
    return (*shown, Mark(OTHERS, rest)) if rest else tuple(shown)


def steps(before: Mark, changes: list[Mark], after: Mark) -> tuple[Mark, ...]:
    """From one amount to another: the largest changes, and all others as one, so that they add up."""
    changes = sorted((mark for mark in changes if mark.usd), key=lambda mark: -abs(mark.usd))
    shown = changes if len(changes) <= MOST_STEPS else changes[: MOST_STEPS - 1]
    rest = after.usd - before.usd - sum((mark.usd for mark in shown), Decimal(0))
    return (before, *shown, *((Mark(OTHERS, rest),) if rest else ()), after)
