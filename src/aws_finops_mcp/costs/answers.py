"""What the answers on costs have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from aws_finops_mcp.aws.ledger import SIMULATED
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.cost_explorer import Amounts, Costs, Question
from aws_finops_mcp.findings import Answer, FailedRead, Usd, cents
from aws_finops_mcp.fitting import fitting, told_reads

RowT = TypeVar("RowT")

MAX_CHARACTERS = 45_000
"""Of the rows of one page, as JSON: totals, failed reads and all else come on top."""


class Model(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BillingAnswer(Answer):
    """The answer of a tool that asks billing services."""

    age_seconds: int = Field(
        description="age of the oldest reply used; kept for an hour, of closed periods for a day, 0: just asked"
    )
    fresh_until: str = Field(
        description="until when these replies answer the same question, free of charge; then AWS is asked again"
    )


class BilledAnswer(BillingAnswer):
    """What was billed in a period; the dollars are null when they were not read."""

    start_date: str
    end_date: str = Field(description="included")
    metric: str
    estimated: bool = Field(description="true while AWS may still change figures of the period")
    currency: str
    total_usd: Usd | None = Field(description="with tax, and with credits, refunds and discounts taken off")
    usage_usd: Usd | None = Field(description="usage and fees, before tax, credits, refunds and discounts")
    tax_usd: Usd | None
    reductions_usd: Usd | None = Field(description="credits, refunds and discounts, zero or negative")
    record_types: dict[str, float] = Field(description="total by record type: Usage, Tax, Credit, Refund, ...")


class CostRow(Model):
    """What one part of the costs was; `usage_usd + tax_usd + reductions_usd = cost_usd`."""

    keys: dict[str, str] = Field(description="values of what costs are grouped by")
    period: str = Field("", description="start of the period", exclude_if=lambda given: not given)
    cost_usd: Usd = Field(description="with tax, credits, refunds and discounts")
    usage_usd: Usd
    tax_usd: Usd
    reductions_usd: Usd
    share: float = Field(description="part of all usage, 0 to 1; negative where fees were given back")


def ended(billing: Billing, tool: str, summary: str) -> dict[str, Any]:
    """The fields that every answer ends with; AWS's refusals are in them."""
    ledger = billing.reader.ledger
    complete = not ledger.failed_reads
    if not complete and "NOT READ" not in summary:
        summary = f"{summary.removesuffix('.')}; INCOMPLETE: see failed_reads."
    return {
        "tool": tool,
        "summary": summary,
        "complete": complete,
        "account": billing.reader.account,
        "warnings": (SIMULATED,) if billing.simulated else (),
        **told_reads(ledger.failed_reads),
        "calls": ledger.calls(),
        "age_seconds": billing.age_seconds,
        "fresh_until": billing.fresh_until,
    }


def billed(question: Question, read: Costs | FailedRead) -> dict[str, Any]:
    """The fields of a `BilledAnswer` that come from Cost Explorer."""
    fields: dict[str, Any] = {
        "start_date": question.first.isoformat(),
        "end_date": question.last.isoformat(),
        "metric": question.metric,
    }
    if isinstance(read, FailedRead):
        nothing = dict.fromkeys(("total_usd", "usage_usd", "tax_usd", "reductions_usd"))
        return {**fields, **nothing, "estimated": True, "currency": "USD", "record_types": {}}
    total = read.total
    return {
        **fields,
        "estimated": read.estimated,
        "currency": ", ".join(sorted(read.currencies)) or "USD",
        "total_usd": total.cost,
        "usage_usd": total.usage,
        "tax_usd": total.tax,
        "reductions_usd": total.reductions,
        "record_types": {kind: cents(amount) for kind, amount in sorted(read.record_types.items())},
    }


def billed_summary(question: Question, read: Costs | FailedRead) -> str:
    """What was billed, in a sentence."""
    when = f"from {question.first} to {question.last}"
    if isinstance(read, FailedRead):
        return f"NOT READ: the costs {when} ({read.call}: {read.error})."
    total = read.total
    return (
        f"{dollars(total.cost)} {when} ({question.metric}): {dollars(total.usage)} of usage and fees, "
        f"{dollars(total.tax)} of tax, {dollars(total.reductions)} of credits, refunds and discounts"
        f"{'; an estimate, the period is not closed' if read.estimated else ''}."
    )


def dollars(amount: Any) -> str:
    """An amount as text, to the cent."""
    return "not read" if amount is None else f"${cents(amount):,.2f}"


def picture_notes(answer: BilledAnswer, *more: str) -> str:
    """What stands below a picture of what was billed."""
    notes = [f"{answer.start_date} to {answer.end_date}", answer.metric, *more]
    if answer.estimated:
        notes.append("an estimate: the period is not closed")
    return ", ".join([*(note for note in notes if note), *doubts(answer)])


def doubts(answer: Answer) -> list[str]:
    """What a picture must say as loudly as the answer does."""
    incomplete = [] if answer.complete else ["INCOMPLETE: some reads failed"]
    return [*incomplete, *(["SIMULATED account"] if SIMULATED in answer.warnings else [])]


def filters_text(filters: Mapping[str, Sequence[str]], exclude: Mapping[str, Sequence[str]]) -> str:
    """What was kept and what was left out, in words."""
    kept = [f"{name} = {' or '.join(values)}" for name, values in filters.items()]
    return "; ".join([*kept, *(f"without {name} = {' or '.join(values)}" for name, values in exclude.items())])


def cost_fields(amounts: Amounts, whole: Amounts) -> dict[str, Any]:
    """The fields of a row, as a part of a whole."""
    return {
        "cost_usd": amounts.cost,
        "usage_usd": amounts.usage,
        "tax_usd": amounts.tax,
        "reductions_usd": amounts.reductions,
        "share": round(float(amounts.usage / whole.usage), 4) if whole.usage else 0.0,
    }


def page_of(
    rows: Sequence[RowT], cursor: str, at_most: int, room: int = MAX_CHARACTERS
) -> tuple[tuple[RowT, ...], int, str]:
    """The rows of a page, how many it leaves out, and the next page's cursor.

    The cursor is the place of the first row: within an hour the next page is made of the same replies.
    """
    start = int(cursor or 0)
    page = fitting(rows, start, at_most, room)
    end = start + len(page)
    return tuple(page), len(rows) - len(page), str(end) if end < len(rows) else ""
