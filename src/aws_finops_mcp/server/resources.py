"""Resources: each tool's documentation and answer schema, and an audit's full result; completions for their names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.types import Completion

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.reference import tool_reference
from aws_finops_mcp.findings import Answer, Category
from aws_finops_mcp.server.auth.principal import caller_of
from aws_finops_mcp.server.calls import Calls
from aws_finops_mcp.server.tables import as_csv
from aws_finops_mcp.settings import known_regions

MOST = 100
"""Values of one completion; the protocol's limit."""


def add_resources(mcp: MCPServer[Any], calls: Calls) -> None:
    """Add the templates."""

    @mcp.resource(
        "finops://checks/{name}",
        title="A tool's documentation",
        description="What it asks, how it decides, which calls and prices it uses, what its verdicts mean.",
        mime_type="text/markdown",
    )
    def check_documentation(name: str) -> str:
        return tool_reference(_known(name))

    @mcp.resource(
        "finops://schemas/{name}",
        title="The schema of a tool's answer",
        description="JSON Schema of the structured content, with descriptions.",
        mime_type="application/schema+json",
    )
    def answer_schema(name: str) -> str:
        return json.dumps(TOOLS[_known(name)].whole_output_schema())

    @mcp.resource(
        "finops://audits/{name}",
        title="An audit's full result",
        description="All savings of a find_savings answer (its full_result), kept for an hour.",
        mime_type="application/json",
    )
    def audit_result(name: str, context: Context[Any, Any]) -> str:
        return _kept(context, "find_savings", name, f"finops://audits/{name}").model_dump_json()

    @mcp.resource(
        "finops://tables/{tool}/{name}",
        title="An answer's rows as CSV",
        description="The rows of an answer that came with a picture, kept for an hour.",
        mime_type="text/csv",
    )
    def table(tool: str, name: str, context: Context[Any, Any]) -> str:
        return as_csv(_kept(context, _known(tool), name, f"finops://tables/{tool}/{name}"))

    def _kept(context: Context[Any, Any], tool: str, name: str, uri: str) -> Answer:
        """An answer that is kept, if the caller might have got it by calling the tool; each reading is audited."""
        request = context.request_context.request
        caller = caller_of(None if request is None else request.scope)
        answer: Answer | None = calls.engine.store.get(name, TOOLS[tool].answer_type)
        lacking = calls.lacking(caller, TOOLS[tool], answer) if answer else ""
        outcome = "refused" if answer is None else "forbidden" if lacking else "complete"
        calls.audit.read(caller, tool, None if lacking else answer, outcome)
        if answer is None:
            raise ResourceNotFoundError(f"{uri}: no recent answer; call {tool} again")
        if lacking:
            raise ResourceNotFoundError(f"{uri}: not yours to read: {lacking}")
        return answer

    def _known(name: str) -> str:
        if name not in calls.tools:
            raise ResourceNotFoundError(f"{name}: no such tool here; list_checks tells what there is")
        return name


def add_completions(mcp: MCPServer[Any], calls: Calls) -> None:
    """Complete accounts, regions, checks and categories, whatever prompt or resource asks."""
    values: dict[str, Callable[[], Iterable[str]]] = {
        "account": lambda: calls.engine.accounts,
        "regions": known_regions,
        "region_name": known_regions,
        "name": lambda: calls.tools,
        "check": lambda: calls.tools,
        "categories": lambda: tuple(Category),
    }

    @mcp.completion()  # type: ignore[no-untyped-call,untyped-decorator]
    async def complete(ref: Any, argument: Any, context: Any) -> Completion | None:
        known = values.get(argument.name)
        if known is None:
            return None
        before, comma, last = argument.value.rpartition(",")
        found = [f"{before}{comma}{value}" for value in sorted(known()) if value.startswith(last.strip())]
        return Completion(values=found[:MOST], total=len(found), has_more=len(found) > MOST)
