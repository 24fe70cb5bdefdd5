"""One call of a tool, whoever makes it: arguments checked, answered in a thread, and one log line written."""

from __future__ import annotations

import difflib
import os
import threading
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import anyio
import anyio.to_thread
import structlog

from aws_finops_mcp.audits.by_name import beyond
from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, Tool, offered
from aws_finops_mcp.audits.engine import Engine, OutOfScopeError
from aws_finops_mcp.audits.kept import check_kept
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.findings import Answer
from aws_finops_mcp.findings import Calls as CallsMade
from aws_finops_mcp.server.audit_log import AuditLog
from aws_finops_mcp.server.auth.principal import LOCAL, Caller
from aws_finops_mcp.server.daily_budget import BudgetError, DailyBudget
from aws_finops_mcp.server.pictures import png
from aws_finops_mcp.server.telemetry import Asked, Telemetry
from aws_finops_mcp.settings import Scopes, Settings

log = structlog.get_logger("aws_finops_mcp.calls")


class UnknownToolError(Exception):
    """No tool has this name, or its category is not offered here."""


class Calls:
    """The tools that this server offers, and how to call one."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self.audit = AuditLog(settings.mcp_audit_file)
        self._budget = DailyBudget(settings.mcp_state_dir)
        self.tools: Mapping[str, Tool] = offered(settings.categories)
        self.chosen = settings.mcp_tool_categories
        """What the operator chose to list: categories, or one of the words in their place."""
        self.engine = engine or Engine.of(settings)
        self.telemetry = Telemetry(settings)
        if settings.mcp_cache_dir is not None:
            # Where matplotlib keeps what it found of fonts: a service's home can't be written.
            os.environ.setdefault("MPLCONFIGDIR", str(settings.mcp_cache_dir / "matplotlib"))

    def tool(self, name: str) -> Tool:
        """The tool of a name.

        Raises:
            UnknownToolError: naming those that there are.
        """
        if name not in self.tools:
            near = difflib.get_close_matches(name, self.tools, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "list_checks names them"
            raise UnknownToolError(f"{name[:100]!r}: no such tool here; {hint}")
        return self.tools[name]

    def input_schema(self, tool: Tool, scopes: Scopes | None = None) -> dict[str, Any]:
        """JSON Schema of a tool's arguments, with the accounts that there are, or that some scopes leave."""
        schema = tool.input_schema()
        if "account" in schema["properties"] and len(self.engine.accounts) > 1:
            schema["properties"]["account"]["enum"] = ["", *self.accounts(scopes)]
        return schema

    def accounts(self, scopes: Scopes | None = None) -> tuple[str, ...]:
        """The aliases of the accounts that there are, or that some scopes leave."""
        return self.engine.asking(scopes=scopes).accounts

    def may(self, caller: Caller, tool: Tool) -> bool:
        """Whether a tool is the caller's to use. Those that lead to others are everyone's, and lead to what is."""
        mine = caller.principal.scopes.categories
        return mine is None or tool.category in mine or tool.name in ALWAYS_LISTED

    def lacking(self, caller: Caller, tool: Tool, answer: Answer) -> str:
        """Why a kept answer of a tool is not the caller's to read; empty when it is."""
        scopes = caller.principal.scopes
        if not self.may(caller, tool):
            return beyond(tool.name, tool.category, scopes.categories or ())
        try:
            check_kept(self.engine.asking(scopes=scopes), answer)
        except OutOfScopeError as error:
            return str(error)
        return ""

    def answer(
        self,
        name: str,
        arguments: Mapping[str, Any],
        stopped: threading.Event | None = None,
        asked: Asked | None = None,
        caller: Caller = LOCAL,
    ) -> Answer:
        """Call a tool and wait for its answer.

        Args:
            stopped: set when nobody waits for the answer any more; no further call to AWS is made then.
            asked: what measures the call, if anything does.
            caller: who calls.

        Raises:
            UnknownToolError, ArgumentsError: the caller's mistakes.
            OutOfScopeError: the caller may not do this.
            BudgetError: the caller's budget of today is used up.
        """
        started = time.monotonic()
        answer: Answer | None = None
        used: CallsMade | None = None
        outcome = "error"
        watch = asked.aws_call if asked else None
        if asked:
            asked.begin()
        try:
            tool = self.tool(name)
            scopes = caller.principal.scopes
            if not self.may(caller, tool):
                raise OutOfScopeError(beyond(tool.name, tool.category, scopes.categories or ()))
            params = tool.parse(arguments)
            if getattr(params, "picture", False) and find_spec("matplotlib") is None:
                # As on Lambda, whose packages must be small. Said before anything is asked that costs.
                raise ArgumentsError("picture: got True; this server draws none (matplotlib is not installed)")
            budget = getattr(params, "budget", None)
            with self._budget.share(caller.principal, self.engine.allowed(budget)) as share:
                asking = self.engine.asking(budget, stopped, watch, scopes, share.left)
                try:
                    answer = tool.answer(asking, params)
                finally:
                    used = asking.ledger.calls()
                    share.calls, share.usd = used.total, used.cost_usd
            outcome = "complete" if answer.complete else "incomplete"
            return answer
        except OutOfScopeError:
            outcome = "forbidden"
            raise
        except BudgetError:
            outcome = "spent"
            raise
        except (UnknownToolError, ArgumentsError):
            outcome = "refused"
            raise
        finally:
            seconds = time.monotonic() - started
            usage = (used.total, float(used.cost_usd)) if used else (0, 0.0)
            ended = "left" if outcome in ("complete", "incomplete") and stopped and stopped.is_set() else outcome
            known = name if name in self.tools else "unknown"  # in the place of a name there may be anything
            self.audit.call(caller, known, arguments, answer, ended, seconds, usage)
            trace = {"trace_id": asked.trace_id} if asked and asked.trace_id else {}
            if asked:
                asked.outcome = outcome
            log.info(
                "tool_call",
                tool=known,
                outcome=outcome,
                duration_ms=round(seconds * 1000, 1),
                aws_calls=usage[0],
                aws_cost_usd=usage[1],
                failed_reads=[failed.call for failed in answer.failed_reads] if answer else [],
                **trace,
            )

    async def picture(self, name: str, arguments: Mapping[str, Any], answer: Answer) -> bytes | None:
        """The PNG that a call asked for; None when it asked for none, or nothing was read that could be shown."""
        tool = self.tool(name)
        if tool.chart is None or not arguments.get("picture"):
            return None
        params = tool.parse(arguments)
        chart = tool.chart(answer, params) if params.picture else None
        return await anyio.to_thread.run_sync(png, chart) if chart else None

    async def answer_in_thread(self, name: str, arguments: Mapping[str, Any], caller: Caller = LOCAL) -> Answer:
        """`answer`, without holding up the event loop. When the caller leaves, the thread calls AWS no more."""
        stopped = threading.Event()
        with self.telemetry.asked(name if name in self.tools else "unknown") as asked:
            try:
                return await anyio.to_thread.run_sync(
                    self.answer, name, arguments, stopped, asked, caller, abandon_on_cancel=True
                )
            except anyio.get_cancelled_exc_class():
                asked.outcome = "left"
                raise
            finally:
                stopped.set()
