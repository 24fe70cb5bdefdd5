"""The audit log: a line for each call of a tool, each reading of a kept answer, each refused request; only appended."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from aws_finops_mcp.audits.kept import regions_of
from aws_finops_mcp.findings import Answer
from aws_finops_mcp.server.auth.principal import Caller
from aws_finops_mcp.settings import Settings, SettingsError

log = structlog.get_logger("aws_finops_mcp.audit")

MAX_ARGUMENTS = 4096
"""Characters of arguments in one line; of more, only the names are kept."""

_WHY = {
    400: "not a request that is understood here",
    404: "nothing at this path",
    405: "not a method that is served here",
    406: "Accept: lacks application/json or text/event-stream",
    408: "the request did not arrive in time",
    413: "the request is too large",
    415: "Content-Type: not application/json",
}
"""What is said of a request that was let in and refused then: nothing of its own, which may be anything."""

_NAME = re.compile(r"[a-z][a-z_]{0,39}")
"""What a parameter may be called."""


class AuditLog:
    """Appends to the file of the settings, and does nothing without one.

    Where it cannot be written, the line goes to the server's log instead: the call is accounted for all the same.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def call(
        self,
        caller: Caller,
        tool: str,
        arguments: Mapping[str, Any],
        answer: Answer | None,
        outcome: str,
        seconds: float,
        usage: tuple[int, float],
    ) -> None:
        """A tool was called.

        Args:
            tool: a name of ours, or `unknown`.
            arguments: as the caller wrote them. Of a call that was refused, only names are kept, and only what looks
                like one: there may be anything in them.
            outcome: complete, incomplete, refused (the caller's mistake), forbidden, spent (a budget), left, error.
            usage: AWS calls that were made, and the dollars that AWS bills for them.
        """
        self._append(
            caller,
            "call",
            {
                "tool": tool,
                "arguments": _arguments(arguments, whole=outcome in ("complete", "incomplete", "left")),
                "account": answer.account if answer else "",
                "regions": regions_of(answer),
                "rows": _rows(answer),
                "aws_calls": usage[0],
                "cost_usd": usage[1],
                "outcome": outcome,
                "duration_ms": round(seconds * 1000, 1),
            },
        )

    def read(self, caller: Caller, tool: str, answer: Answer | None, outcome: str) -> None:
        """An answer that is kept was read once more, as a resource; `answer` is None where it was not given."""
        self._append(
            caller,
            "read",
            {
                "tool": tool,
                "account": answer.account if answer else "",
                "regions": regions_of(answer),
                "rows": _rows(answer),
                "outcome": outcome,
            },
        )

    def refused(self, caller: Caller, method: str, path: str, status: int, why: str = "") -> None:
        """A request was refused. If it was not let in, the caller's name is what it claimed."""
        self._append(
            caller,
            "refused",
            {
                "method": method[:16],
                "path": path[:200],
                "status": status,
                "why": (why or _WHY.get(status, "refused"))[:500],
            },
        )

    def _append(self, caller: Caller, event: str, line: dict[str, Any]) -> None:
        caller.audited.set()
        if self._file is None:
            return
        whole = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **_who(caller), **line}
        try:
            _write(self._file, f"{json.dumps(whole, default=str)}\n".encode())
        except OSError as error:
            log.error("audit_not_written", file=str(self._file), error=error.strerror, line=whole)


def check_audit_file(settings: Settings) -> None:
    """Find out at the start, not at the first call.

    Raises:
        SettingsError: the audit log cannot be written where the settings say.
    """
    if settings.mcp_audit_file is not None:
        try:
            _write(settings.mcp_audit_file, b"")
        except OSError as error:
            raise SettingsError(f"MCP_AUDIT_FILE: {settings.mcp_audit_file}: {error.strerror}") from None


def _write(file: Path, line: bytes) -> None:
    """Append at once, for other workers append too; opened anew each time, so that it may be rotated at will."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        written = os.write(handle, line) if line else 0
    finally:
        os.close(handle)
    if written < len(line):
        raise OSError(28, "no room for the whole line")


def _who(caller: Caller) -> dict[str, Any]:
    principal = caller.principal
    return {
        "request_id": caller.request,
        "who": principal.name or "-",
        "how": principal.how,
        **({"credential": principal.credential} if principal.credential else {}),
        "client": caller.client,
    }


def _arguments(arguments: Mapping[str, Any], *, whole: bool) -> Any:
    if whole and len(json.dumps(arguments, default=str)) <= MAX_ARGUMENTS:
        return dict(arguments)
    return {"names": [name if _NAME.fullmatch(name) else "?" for name in map(str, list(arguments)[:50])]}


def _rows(answer: Answer | None) -> int:
    """What was listed: findings, savings, checks, or services."""
    for name in ("findings", "savings", "checks", "services"):
        rows = getattr(answer, name, None)
        if isinstance(rows, tuple):
            return len(rows)
    return 0
