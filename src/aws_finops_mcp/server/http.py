"""The HTTP application: `/mcp`, `/health`, `/tools`."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import anyio
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from pydantic_core import from_json
from sse_starlette.sse import AppStatus
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aws_finops_mcp import __version__
from aws_finops_mcp.audits.engine import OutOfScopeError
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.findings import Answer
from aws_finops_mcp.server.audit_log import AuditLog
from aws_finops_mcp.server.auth.gate import LEFT, Gate
from aws_finops_mcp.server.auth.metadata import metadata_routes
from aws_finops_mcp.server.auth.principal import caller_of
from aws_finops_mcp.server.auth.sts import session_answer
from aws_finops_mcp.server.auth.ways import sessions_of, ways_of
from aws_finops_mcp.server.calls import Calls, UnknownToolError
from aws_finops_mcp.server.daily_budget import BudgetError
from aws_finops_mcp.server.mcp import build_mcp
from aws_finops_mcp.server.problems import problem
from aws_finops_mcp.server.request_log import RequestLog
from aws_finops_mcp.server.trace_context import TraceContext
from aws_finops_mcp.settings import Settings

MAX_BODY = 1 << 20
"""Bytes of a request; the arguments of every tool fit many times over."""

BODY_SECONDS = 30
"""In which a request must have arrived: who sends it slower holds a connection, and nothing else."""


def create_app(settings: Settings, calls: Calls | None = None) -> ASGIApp:
    """The ASGI application. Makes no AWS client: those come with the first call, in the worker."""
    # Without this a running SSE answer of the handshake era is cut as soon as a worker is told to stop.
    AppStatus.disable_automatic_graceful_drain()
    calls = calls or Calls(settings)
    security = _security(settings)
    mcp = build_mcp(calls)

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "healthy", "version": __version__})

    async def tools(request: Request) -> Response:
        caller = caller_of(request.scope)
        return JSONResponse(
            {
                "tools": [
                    {
                        "name": tool.name,
                        "title": tool.title,
                        "category": tool.category,
                        "description": tool.description,
                        "inputSchema": calls.input_schema(tool, caller.principal.scopes),
                        "iamActions": tool.iam_actions,
                    }
                    for tool in calls.tools.values()
                    if calls.may(caller, tool)
                ]
            }
        )

    app = mcp.streamable_http_app(
        streamable_http_path="/mcp",
        stateless_http=True,
        max_request_body_size=MAX_BODY,
        transport_security=security,
    )
    app.routes.extend([Route("/health", health), Route("/tools", tools)])
    if settings.mcp_auth_sts:
        app.routes.append(Route("/session", session_answer(sessions_of(settings)), methods=["POST"]))
    if any(issuer.kind == "oauth" for issuer in settings.mcp_auth_issuers.values()):
        app.routes.extend(metadata_routes(settings))
    app.add_exception_handler(404, _not_found)
    app.add_exception_handler(405, _not_allowed)
    audit = AuditLog(settings.mcp_audit_file)
    endpoint = Endpoint(app, calls, TransportSecurityMiddleware(security), audit)
    gate = Gate(endpoint, settings, ways_of(settings), audit)
    return TraceContext(RequestLog(gate), calls.telemetry)


async def _not_found(request: Request, _: Exception) -> Response:
    return problem(404, f"{request.url.path}: nothing here; there are POST /mcp, GET /tools and GET /health")


async def _not_allowed(request: Request, _: Exception) -> Response:
    allowed = "POST" if request.url.path == "/session" else "GET"
    return problem(405, f"{request.method} {request.url.path}: only {allowed} is served here", {"allow": allowed})


def _security(settings: Settings) -> TransportSecuritySettings:
    """Who may be named in `Host` and `Origin`: protects a browser's localhost from DNS rebinding."""
    names = ("localhost", "127.0.0.1", "[::1]", *settings.mcp_allowed_hosts)
    hosts = [form for name in names for form in (name, f"{name}:*")]
    origins = [form for name in names for form in (f"https://{name}", f"https://{name}:*")]
    local = [f"http://{name}:*" for name in ("localhost", "127.0.0.1", "[::1]")]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[*origins, *local])


class Endpoint:
    """What stands before the SDK: hosts, methods, sizes, and the plain call `{"tool": ..., "arguments": ...}`."""

    def __init__(self, app: ASGIApp, calls: Calls, security: TransportSecurityMiddleware, audit: AuditLog) -> None:
        self._audit = audit
        self._app = app
        self._calls = calls
        self._security = security

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        refused = await self._security.validate_request(request)
        if refused is not None:
            named = "Origin" if refused.status_code == 403 else "Host"
            why = f"{named}: not a name of this server; see MCP_ALLOWED_HOSTS"
            self._audit.refused(caller_of(scope), request.method, scope["path"], refused.status_code, why)
            response = problem(refused.status_code, why)
            await response(scope, receive, send)
            return
        if scope["path"].rstrip("/") != "/mcp":
            await self._app(scope, receive, send)
            return
        outcome = await self._mcp(request)
        if isinstance(outcome, Response):
            await outcome(scope, receive, send)
        else:
            # httptools leaves the white space that may end a header's value (RFC 9110, 5.5), and the SDK compares.
            headers = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
            scope = {**scope, "path": "/mcp", "raw_path": b"/mcp", "headers": headers}
            await self._app(scope, _replay(outcome, receive), send)

    async def _mcp(self, request: Request) -> Response | bytes:
        """An answer, or the body for the SDK to answer."""
        if request.method != "POST":
            return problem(405, f"{request.method} /mcp: only POST is served here", {"allow": "POST"})
        content_type = request.headers.get("content-type", "")
        if content_type.split(";")[0].strip().lower() != "application/json":
            return problem(415, f"Content-Type: got {content_type!r}; must be application/json")
        try:
            with anyio.fail_after(BODY_SECONDS):
                body = await _read_body(request)
        except TimeoutError:
            return problem(408, f"the request took longer than {BODY_SECONDS} s to arrive", {"connection": "close"})
        if body is None:
            return problem(413, f"the request is larger than {MAX_BODY} bytes", {"connection": "close"})
        try:
            message = from_json(body, allow_inf_nan=False)  # also refuses nesting that would exhaust the stack
        except ValueError as error:
            return problem(400, f"the request is not JSON: {error}", code=-32700)
        if isinstance(message, dict) and "jsonrpc" not in message:
            return await self._plain(request, message)
        return body

    async def _plain(self, request: Request, message: dict[str, Any]) -> Response:
        """The guide's plain call."""
        tool, arguments = message.get("tool"), message.get("arguments", {})
        extra = sorted(message.keys() - {"tool", "arguments"})
        if not isinstance(tool, str) or not isinstance(arguments, dict) or extra:
            given = f"; got also {', '.join(extra)}" if extra else ""
            return problem(
                400,
                f'send {{"tool": "name", "arguments": {{...}}}}, or a JSON-RPC message with "jsonrpc"{given}',
            )
        outcome: Answer | Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(_until_gone, request, group.cancel_scope)
            try:
                outcome = await self._calls.answer_in_thread(tool, arguments, caller_of(request.scope))
            except Exception as error:  # noqa: BLE001 - told apart below, outside the group, which would wrap it
                outcome = error
            group.cancel_scope.cancel()
        if isinstance(outcome, UnknownToolError):
            return problem(404, str(outcome))
        if isinstance(outcome, OutOfScopeError):
            return problem(403, str(outcome))
        if isinstance(outcome, BudgetError):
            return problem(429, str(outcome), {"retry-after": str(outcome.retry_after)})
        if isinstance(outcome, ArgumentsError):
            return problem(400, str(outcome))
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is None:
            return problem(LEFT, "the client left")  # for the log: nobody reads it
        drawn = await self._calls.picture(tool, arguments, outcome)
        picture = {"picture": f"data:image/png;base64,{b64encode(drawn).decode()}"} if drawn else {}
        return JSONResponse(outcome.model_dump(mode="json") | picture)


async def _until_gone(request: Request, scope: anyio.CancelScope) -> None:
    """Give the work up when the client leaves."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _read_body(request: Request) -> bytes | None:
    """The body; None as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once more, and then whatever comes: the SDK must see a client leave."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed
