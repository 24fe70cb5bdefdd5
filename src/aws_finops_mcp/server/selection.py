"""Which tools a client lists: every tool costs each conversation tokens, so it is a choice, also for one request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from aws_finops_mcp.audits import catalogue
from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, Tool
from aws_finops_mcp.findings import Category
from aws_finops_mcp.settings import ALL, ESSENTIAL

HEADER = "x-mcp-tool-categories"
QUERY = "categories"


class Selection:
    """Middleware: lists what the request chooses, by header or query, else what the operator chose.

    Whatever is listed, every offered tool may be called.
    """

    def __init__(self, tools: Iterable[Tool], chosen: Iterable[str]) -> None:
        self._categories = {tool.name: tool.category for tool in tools}
        self._chosen = tuple(chosen)

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method != "tools/list":
            return await call_next(ctx)
        names = self.listed(self._asked(ctx.request) or self._chosen)
        result = await call_next(ctx)
        if not isinstance(result, dict):  # the SDK has written it out by now
            raise TypeError(f"tools/list gave {type(result).__name__}")
        return {**result, "tools": [tool for tool in result["tools"] if tool["name"] in names]}

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
