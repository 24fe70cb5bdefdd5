"""The reference page: what each tool asks, how it decides and what it calls, from the declarations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_finops_mcp.audits.catalogue import TOOLS, Tool
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.prices.sources import FACTS_REGION, source


def reference() -> str:
    """The page, as Markdown."""
    lines = [
        "# Tools",
        "",
        "Made by `aws-finops-mcp reference`; a test holds it to the code. [answers.md](answers.md) tells how to read",
        "an answer.",
        "",
        "| tool | category | finds |",
        "|---|---|---|",
        *(f"| [`{tool.name}`](#{tool.name}) | {tool.category} | {tool.title} |" for tool in TOOLS.values()),
    ]
    return "\n".join(lines) + "\n" + "".join(tool_reference(name) for name in TOOLS)


def tool_reference(name: str) -> str:
    """One tool's section."""
    lines = list(_tool(TOOLS[name]))
    for check in CHECKS:
        if check.name == name:
            lines += _check(check)
    return "\n".join(lines) + "\n"


def _tool(tool: Tool) -> Iterator[str]:
    yield from ("", f"## {tool.name}", "", tool.description, "", "| argument | default | |", "|---|---|---|")
    for name, schema in tool.input_schema()["properties"].items():
        default = schema.get("default", "required")
        yield f"| `{name}` | {'' if default in ('', [], {}) else f'`{default}`'} | {schema.get('description', '')} |"
    if tool.iam_actions:
        yield from ("", "IAM actions: " + ", ".join(f"`{action}`" for action in tool.iam_actions) + ".")
    if tool.optional_actions:
        yield from (
            "",
            "Where Athena is configured, also: " + ", ".join(f"`{one}`" for one in tool.optional_actions) + ".",
        )
    if tool.references:
        yield from ("", "See " + ", ".join(f"<{reference}>" for reference in tool.references) + ".")


def _check(check: Check[Any]) -> Iterator[str]:
    yield from ("", f"Looks at `{check.resource_type}`{' of the whole account' if check.everywhere else ''}.", "")
    yield from (f"- `{verdict}`: {meaning}" for verdict, meaning in check.verdicts.items())
    yield from ("", "| evidence | |", "|---|---|")
    yield from (f"| `{key}` | {source} |" for key, source in check.evidence_sources.items())
    if check.prices:
        yield from ("", f"| price | Price List | by | without it, in {FACTS_REGION} |", "|---|---|---|---|")
        yield from map(_price, check.prices)
    if check.referrers:
        yield from ("", f"What still refers to a finding is looked for among: {check.referrers}.")
    yield from ("", f"Limits: {check.limits}", "", f"What to do: {check.remediation}")


def _price(pattern: str) -> str:
    told = source(pattern)
    cells = [f"`{pattern}`", "; ".join(told.skus), ", ".join(told.units), "; ".join(told.facts) or "none"]
    return f"| {' | '.join(cells)} |"
