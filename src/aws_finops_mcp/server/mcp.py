"""The MCP server: one tool for each declaration."""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import anyio
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools.base import Tool as SdkTool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, ImageContent, ResourceLink, TextContent, ToolAnnotations

from aws_finops_mcp import __version__
from aws_finops_mcp.audits.catalogue import Tool
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.findings import Answer
from aws_finops_mcp.server.auth.principal import Caller, caller_of
from aws_finops_mcp.server.calls import Calls, UnknownToolError
from aws_finops_mcp.server.daily_budget import BudgetError
from aws_finops_mcp.server.prompts import add_prompts
from aws_finops_mcp.server.resources import add_completions, add_resources
from aws_finops_mcp.server.selection import Selection
from aws_finops_mcp.server.text import as_text

INSTRUCTIONS = """\
Read-only answers about waste and cost in one AWS account. Every saving is in US dollars a month at list price, with \
its price and source; it is before Savings Plans, Reserved Instances and discounts. `complete: false` means that some \
reads failed: say so, name what was not read (`failed_reads`), and do not take missing findings for "no waste". \
A verdict `unknown` is not `idle`. Nothing here changes AWS, and no tool takes credentials. \
Start with find_savings for many regions at once; the find_ tools read one region a call (`region_name`). list_checks \
names every check, also those that are not listed as tools; run_check runs any of them. \
get_costs tells what was billed; trend, forecast, anomalies, budgets, commitments and AWS's own \
recommendations are listed at /mcp?categories=cost."""

HEARTBEAT = 5.0
"""Seconds between two messages of progress."""

_READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
_CACHE = CacheHint(ttl_ms=3_600_000, scope="private")  # what is listed is each client's choice
CACHED: Mapping[CacheableMethod, CacheHint] = {"tools/list": _CACHE, "server/discover": _CACHE}


class DeclaredTool(SdkTool):
    """A tool whose schema and arguments come from its declaration.

    The SDK's own way ignores unknown arguments and answers with raw validation errors.
    """

    calls: Any

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> CallToolResult:
        """Answer one call; the caller's mistakes come back as `ToolError`, whose text the model reads."""
        answer: Answer | None = None
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._tell_progress, context)
            try:
                answer = await self.calls.answer_in_thread(self.name, arguments, _caller(context))
            except Exception as error:  # noqa: BLE001 - raised below, outside the group, which would wrap it
                failure = error
            group.cancel_scope.cancel()
        if isinstance(failure, (ArgumentsError, UnknownToolError, BudgetError)):
            raise ToolError(str(failure)) from None
        if failure is not None or answer is None:
            raise failure or RuntimeError(f"{self.name} gave no answer")
        return CallToolResult(
            content=[TextContent(type="text", text=as_text(answer)), *await self._picture(arguments, answer)],
            structured_content=answer.model_dump(mode="json"),
        )

    async def _picture(self, arguments: dict[str, Any], answer: Answer) -> list[ImageContent | ResourceLink]:
        """What the argument `picture` asks for: the picture, and where the rows are as CSV."""
        drawn = await self.calls.picture(self.name, arguments, answer)
        if drawn is None:
            return []
        link = ResourceLink(
            type="resource_link",
            name=f"{self.name}.csv",
            uri=f"finops://tables/{self.name}/{self.calls.engine.store.put(answer)}",
            title="The listed rows as CSV",
            mime_type="text/csv",
        )
        return [ImageContent(type="image", data=b64encode(drawn).decode(), mime_type="image/png"), link]

    async def _tell_progress(self, context: Context[Any, Any]) -> None:
        """Say by time that the work goes on: clients give up on a call that is silent for 60 seconds."""
        deadline = self.calls.engine.budget.seconds
        for beat in itertools.count(1):
            await anyio.sleep(HEARTBEAT)
            seconds = beat * HEARTBEAT
            await context.report_progress(seconds, deadline, f"reading AWS for {seconds:.0f} s")


def _caller(context: Context[Any, Any]) -> Caller:
    request = context.request_context.request
    return caller_of(None if request is None else request.scope)


def build_mcp(calls: Calls) -> MCPServer[Any]:
    """The MCP server with the tools that `calls` offers."""
    mcp: MCPServer[Any] = MCPServer(
        "aws-finops-mcp",
        title="AWS FinOps",
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=[_tool(calls, tool) for tool in calls.tools.values()],
        subscriptions=False,  # a client would hold a stream open, and with it every reload
        cache_hints=CACHED,
        middleware=[Selection(calls)],
    )
    add_prompts(mcp)
    add_resources(mcp, calls)
    add_completions(mcp, calls)
    return mcp


def _tool(calls: Calls, tool: Tool) -> DeclaredTool:
    return DeclaredTool(
        fn=tool.answer,
        name=tool.name,
        title=tool.title,
        description=tool.description,
        parameters=calls.input_schema(tool),
        fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=tool.output_schema()),
        is_async=True,
        annotations=_READ_ONLY,
        meta={"category": tool.category.value},
        calls=calls,
    )
