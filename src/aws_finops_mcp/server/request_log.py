"""One log line a request: who asked what, and how it ended. No header or body is written."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("aws_finops_mcp.requests")

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RequestLog:
    """Middleware that gives each request an id, binds it and the caller to every line logged, and logs the end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        started = time.monotonic()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        client = scope.get("client")
        with structlog.contextvars.bound_contextvars(
            request_id=request_id,
            # nginx sets this header to the user it authenticated, and overwrites a client's own.
            caller=headers.get("x-remote-user", "")[:100] or "-",
        ):
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
                level(
                    "request",
                    method=scope["method"],
                    path=scope["path"][:200],
                    status=status,
                    duration_ms=round((time.monotonic() - started) * 1000, 1),
                    client=client[0] if client else "-",
                    mcp_method=headers.get("mcp-method", "")[:100],
                )
