"""Which tools a client lists: every tool costs each conversation tokens, so it is a choice, also for one request."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from aws_finops_mcp.audits import catalogue
from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED
from aws_finops_mcp.findings import Category
from aws_finops_mcp.server.auth.principal import Caller, caller_of
from aws_finops_mcp.server.calls import Calls
from aws_finops_mcp.settings import ALL, ESSENTIAL

HEADER = "x-mcp-tool-categories"
QUERY = "categories"


class Selection:
    """Middleware: lists what the request chooses, by header or query, else what the operator chose.

    Of these, whatever is the caller's to use; and all that is the caller's to use may be called, listed or not.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._categories = {tool.name: tool.category for tool in calls.tools.values()}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method not in ("tools/list", "completion/complete"):
            return await call_next(ctx)
        caller = caller_of(None if ctx.request is None else ctx.request.scope)
        names = self.listed(self._asked(ctx.request) or self._calls.chosen) if ctx.method == "tools/list" else ()
        result = await call_next(ctx)
        if not isinstance(result, dict):  # the SDK has written it out by now
            raise TypeError(f"{ctx.method} gave {type(result).__name__}")
        if ctx.method == "tools/list":
            return {
                **result,
                "tools": [self._for(caller, tool) for tool in result["tools"] if self._lists(caller, tool, names)],
            }
        return self._completed(ctx, caller, result)

    def _lists(self, caller: Caller, tool: dict[str, Any], names: Collection[str]) -> bool:
        return tool["name"] in names and self._calls.may(caller, self._calls.tools[tool["name"]])

    def _for(self, caller: Caller, tool: dict[str, Any]) -> dict[str, Any]:
        """A tool with the accounts that are the caller's."""
        scopes = caller.principal.scopes
        if scopes.accounts is None:
            return tool
        return {**tool, "inputSchema": self._calls.input_schema(self._calls.tools[tool["name"]], scopes)}

    def _completed(self, ctx: ServerRequestContext[Any, Any], caller: Caller, result: dict[str, Any]) -> HandlerResult:
        """Completions without the accounts that are not the caller's."""
        scopes = caller.principal.scopes
        argument = (ctx.params or {}).get("argument") or {}
        if scopes.accounts is None or argument.get("name") != "account":
            return result
        mine = [value for value in result["completion"]["values"] if value in self._calls.accounts(scopes)]
        return {**result, "completion": {"values": mine, "total": len(mine), "hasMore": False}}

    def listed(self, chosen: Iterable[str]) -> frozenset[str]:
        """Names of the tools that a choice lists.

        Raises:
            MCPError: a category is not known.
        """
        names = set(ALWAYS_LISTED)
        for word in chosen:
            if word == ALL:
                names |= self._categories.keys()
            elif word == ESSENTIAL:
                names.update(catalogue.ESSENTIAL)
            elif word in set(Category):
                names |= {name for name, category in self._categories.items() if category == word}
            else:
                known = ", ".join((ESSENTIAL, ALL, *Category))
                raise MCPError(INVALID_PARAMS, f"{word[:60]!r} is no category of tools; there are: {known}")
        return frozenset(names & self._categories.keys())

    @staticmethod
    def _asked(request: Any) -> tuple[str, ...]:
        """What the HTTP request chooses; nothing over standard input and output."""
        if request is None:
            return ()
        text = request.query_params.get(QUERY) or request.headers.get(HEADER) or ""
        return tuple(word.strip().lower() for word in text.split(",") if word.strip())
