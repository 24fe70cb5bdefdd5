"""Lets telemetry live as long as the process that answers, and takes up the trace that a request belongs to."""

from __future__ import annotations

import re
from typing import Final

import anyio.to_thread
from opentelemetry.context import attach, detach
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aws_finops_mcp.server.telemetry import Telemetry

# What a load balancer of AWS adds to each request: Root=1-<time>-<rest>, and behind other services Parent and Sampled.
_ROOT: Final = re.compile(r"(?:^|[; ])Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?=$|[; ])")
_PARENT: Final = re.compile(r"(?:^|[; ])Parent=([0-9a-f]{16})(?=$|[; ])")
_LEFT_OUT: Final = re.compile(r"(?:^|[; ])Sampled=0(?=$|[; ])")


def parent_of(headers: Headers) -> str:
    """The `traceparent` of a request, or what its `X-Amzn-Trace-Id` says in those words; empty for neither."""
    if parent := headers.get("traceparent"):
        return parent
    amazon = headers.get("x-amzn-trace-id", "")
    root, parent_span = _ROOT.search(amazon), _PARENT.search(amazon)
    if root is None:
        return ""
    # A balancer starts a trace without a span of its own, and a parent there must be.
    span = parent_span[1] if parent_span else root[2][-16:]
    return f"00-{root[1]}{root[2]}-{span}-{'00' if _LEFT_OUT.search(amazon) else '01'}"


class TraceContext:
    """Middleware: starts telemetry in the worker, stops it when the last call is answered, and takes traces up."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._telemetry.start()
            await self._app(scope, receive, self._stop_before(send))
        elif scope["type"] == "http" and (parent := parent_of(Headers(scope=scope))):
            # Without `tracestate`: whatever a caller wrote there would go on to the collector.
            token = attach(self._propagator.extract({"traceparent": parent}))
            try:
                await self._app(scope, receive, send)
            finally:
                detach(token)
        else:
            await self._app(scope, receive, send)

    def _stop_before(self, send: Send) -> Send:
        async def stop_and_send(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):  # the worker ends at this word
                await anyio.to_thread.run_sync(self._telemetry.stop)
            await send(message)

        return stop_and_send
