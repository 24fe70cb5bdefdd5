"""Asks an ASGI application directly, so that a test chooses the listener and the peer."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import anyio
import bcrypt
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aws_finops_mcp.server.audit_log import AuditLog
from aws_finops_mcp.server.auth.authenticator import Authenticator
from aws_finops_mcp.server.auth.gate import Gate
from aws_finops_mcp.server.auth.principal import KEY, Caller
from aws_finops_mcp.server.auth.ways import ways_of
from aws_finops_mcp.server.request_log import REQUEST_ID
from aws_finops_mcp.settings import Settings

LOOPBACK: tuple[str, int | None] = ("127.0.0.1", 8000)
NETWORK: tuple[str, int | None] = ("10.0.0.5", 8000)
SOCKET: tuple[str, int | None] = ("/run/aws-finops-mcp/proxy.sock", None)

Headers = list[tuple[str, str]]


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    caller: Caller | None
    """Who reached the application behind the gate; None when nobody did."""

    def error(self) -> str:
        return str(json.loads(self.body)["error"])

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given == name]


class Behind:
    """The application behind the gate: notes who reached it."""

    def __init__(self) -> None:
        self.caller: Caller | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.caller = scope[KEY]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"in"})


class Asked:
    """A gate, as some settings make it."""

    def __init__(self, audit: Path | None = None, ways: tuple[Authenticator, ...] | None = None, **settings: Any):
        self._kept = TemporaryDirectory()
        self.audit = audit = audit or Path(self._kept.name) / "audit.log"
        self.settings = Settings(mcp_audit_file=audit, **settings)
        self._behind = Behind()
        ways = ways_of(self.settings) if ways is None else ways
        self.app: ASGIApp = Gate(self._behind, self.settings, ways, AuditLog(audit))

    async def send(
        self,
        *headers: tuple[str, str],
        at: tuple[str, int | None] | None = NETWORK,
        peer: str | None = "203.0.113.7",
        path: str = "/mcp",
    ) -> Reply:
        """One request, and its reply. Who is refused is in the audit log, once; repeated 429s are not."""
        request_id = uuid4().hex
        messages: list[Message] = []

        async def send(message: Message) -> None:
            messages.append(message)

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        self._behind.caller = None
        scope: Scope = {
            "type": "http",
            REQUEST_ID: request_id,
            "method": "POST",
            "path": path,
            "server": at,
            "client": (peer, 40000) if peer else None,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
        await self.app(scope, receive, send)
        start = messages[0]
        lines = audit_lines(self.audit) if self.audit.exists() else []
        told = [line["status"] for line in lines if line["request_id"] == request_id]
        wanted = [start["status"]] if start["status"] >= 400 else []
        assert told == wanted or (start["status"] == 429 and not told)
        return Reply(
            start["status"],
            [(name.decode(), value.decode()) for name, value in start["headers"]],
            b"".join(message.get("body", b"") for message in messages[1:]),
            self._behind.caller,
        )

    def ask(self, *headers: tuple[str, str], **where: Any) -> Reply:
        """`send`, for tests that ask once at a time."""

        async def one() -> Reply:
            return await self.send(*headers, **where)

        return anyio.run(one)


def basic(name: str, password: str) -> tuple[str, str]:
    return "Authorization", f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def htpasswd(file: Path, **users: str) -> Path:
    """A password file as `htpasswd -B` writes it."""
    lines = [
        f"{name}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode().replace('$2b$', '$2y$')}\n"
        for name, password in users.items()
    ]
    file.write_text("".join(lines), encoding="utf-8")
    file.chmod(0o600)
    return file


def audit_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
