"""`list_checks` and `run_check`: every check by name, for clients that list only a few tools."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from aws_finops_mcp.audits.engine import Asking, OutOfScopeError
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.declaration import ArgumentsError, Params, from_text
from aws_finops_mcp.findings import Calls, Category, CheckRow, ChecksAnswer

_EMPTY_IS_NONE = BeforeValidator(lambda given: given or None)


class ListChecksParams(Params):
    """Arguments of `list_checks`."""

    category: Annotated[
        Category | None, WithJsonSchema({"type": "string", "enum": ["", *Category], "default": ""}), _EMPTY_IS_NONE
    ] = Field(None, description="only checks of this one")
    words: str = Field("", description="only checks whose name, title or resource type has all of these words")


def list_checks(asking: Asking, params: ListChecksParams) -> ChecksAnswer:
    """The checks that may be run here. Asks AWS nothing."""
    words = params.words.lower().split()
    rows = [
        CheckRow(
            name=check.name,
            title=check.title,
            category=check.category,
            resource_type=check.resource_type,
            finds=check.seeks,
            saves=check.saves,
        )
        for check in offered_checks(asking).values()
        if params.category in (None, check.category)
        and all(word in f"{check.name} {check.title} {check.resource_type}".lower() for word in words)
    ]
    return ChecksAnswer(
        tool="list_checks",
        summary=f"{len(rows)} checks; run_check runs one, find_savings those that save money.",
        complete=True,
        account="",
        checks=tuple(rows),
        calls=Calls(total=0, cost_usd=asking.ledger.calls().cost_usd, seconds=0.0, by_action={}),
    )


class RunCheckParams(Params):
    """Arguments of `run_check`."""

    check: str = Field(description="a check's name, see list_checks")
    arguments: Annotated[
        dict[str, Any], BeforeValidator(from_text), WithJsonSchema({"type": "object", "default": {}})
    ] = Field(default_factory=dict, description="its arguments, e.g. region_name, period, account, cursor")
    savings: Literal["list", "net"] = Field(
        "list",
        description="net: also as billed, after commitments; of tags: costs; $0.01 per 100 resources, or by an export",
    )


def offered_checks(asking: Asking) -> dict[str, Check[Any]]:
    """The checks of the categories that the server offers, by name."""
    return {check.name: check for check in CHECKS if check.category in asking.categories}


def beyond(name: str, needed: Category, have: Iterable[Category]) -> str:
    """Says what a tool or check would need."""
    mine = ", ".join(sorted(have)) or "none"
    return f"{name}: that needs the category {needed}; you have: {mine}. The operator of this server can grant it"


def check_named(asking: Asking, name: str) -> Check[Any]:
    """The check of a name.

    Raises:
        ArgumentsError: there is none, or its category is not offered.
        OutOfScopeError: its category is not the caller's.
    """
    offered = offered_checks(asking)
    if name not in offered:
        there = next((check for check in CHECKS if check.name == name), None)
        if there and there.category in asking.engine.categories:
            raise OutOfScopeError(beyond(name, there.category, asking.categories))
        near = difflib.get_close_matches(name, offered, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "list_checks names them"
        raise ArgumentsError(f"check: got {name[:100]!r}; {hint}")
    return offered[name]
