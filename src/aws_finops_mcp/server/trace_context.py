"""Lets telemetry live as long as the process that answers, and takes up the trace that a request belongs to."""

from __future__ import annotations

import anyio.to_thread
from opentelemetry.context import attach, detach
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aws_finops_mcp.server.telemetry import Telemetry


class TraceContext:
    """Middleware: starts telemetry in the worker, stops it when the last call is answered, and reads `traceparent`."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._telemetry.start()
            await self._app(scope, receive, self._stop_before(send))
        elif scope["type"] == "http" and (parent := Headers(scope=scope).get("traceparent")):
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
