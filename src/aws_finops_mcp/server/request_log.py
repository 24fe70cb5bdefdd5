"""One log line a request: who asked what, and how it ended. No header or body is written."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aws_finops_mcp.server.auth.listener import peer_of
from aws_finops_mcp.server.auth.principal import KEY, Caller

log = structlog.get_logger("aws_finops_mcp.requests")

REQUEST_ID = "aws_finops_mcp.request_id"
"""Where the id is in the ASGI scope."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RequestLog:
    """Middleware that gives each request an id, binds it to every line logged, and logs the end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope[REQUEST_ID] = request_id
        started = time.monotonic()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_and_note)
            except Exception:
                log.exception("request_failed", method=scope["method"], path=scope["path"][:200])
                if status:  # too late for another answer
                    raise
                body = {"error": f"the server failed; its log has the cause under request {request_id}"}
                await JSONResponse(body, 500)(scope, receive, send_and_note)
            finally:
                # A load balancer asks for /health every few seconds: only a failing one is worth a line.
                level = log.debug if scope["path"] == "/health" and status == 200 else log.info
                caller = scope.get(KEY)
                known = caller if isinstance(caller, Caller) else None
                level(
                    "request",
                    method=scope["method"],
                    path=scope["path"][:200],
                    status=status,
                    duration_ms=round((time.monotonic() - started) * 1000, 1),
                    caller=(known.principal.name if known else "") or "-",
                    client=known.client if known else peer_of(scope),
                    mcp_method=headers.get("mcp-method", "")[:100],
                )
