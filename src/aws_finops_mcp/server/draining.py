"""A uvicorn server that loses no request when it is told to stop.

uvicorn closes, in the moment in which it is told to stop, every connection on which it is not answering: also one that
it has accepted and not read yet, and one that a caller keeps alive and is using again right now. Those requests are
lost, and only some callers repeat them. Here nobody new is accepted any more (who connects waits in the queue of the
listening socket, for the next worker), every connection has a moment to bring its request, and an answer says that the
connection ends with it.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOK = 0.02
LOOKS = 100
"""A connection without a request has two seconds for one, before it is closed: so many looks, each after LOOK seconds.

Looks and not the clock: a process that had no processor for two seconds has not seen yet what came meanwhile.
"""


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which stops accepting before it closes anything."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._draining = False
        config.app = self._last_of_its_connection(config.app)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._draining = True
        for server in self.servers:
            server.close()
        await self._drained()  # for as long as gunicorn allows, which ends the process after its graceful_timeout
        await super().shutdown(sockets)

    async def _drained(self) -> None:
        """Wait until every connection was told that it ends, or had its moment without a request."""
        connections: set[Any] = self.server_state.connections
        # Answers that have begun did not say that their connection ends: its caller may use it once more, afterwards.
        begun = {one.cycle for one in connections if not _idle(one) and one.cycle.response_started}
        looks = 0
        while looks < LOOKS:
            await asyncio.sleep(LOOK)  # at first, so that what was accepted last becomes a connection
            if any(one.cycle in begun and not _idle(one) for one in connections):
                continue
            if not any(_idle(one) for one in connections):
                break
            looks += 1

    def _last_of_its_connection(self, app: Any) -> ASGIApp:
        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            async def answer(message: Message) -> None:
                if self._draining and message["type"] == "http.response.start":
                    # Streams of events say keep-alive: of two words a client may believe the first.
                    others = [one for one in message.get("headers", ()) if one[0].lower() != b"connection"]
                    message = {**message, "headers": [*others, (b"connection", b"close")]}
                await send(message)

            await app(scope, receive, answer if scope["type"] == "http" else send)

        return application


def _idle(connection: Any) -> bool:
    """Whether uvicorn would close it at once: it has not had a request yet, or has answered its last one."""
    return connection.cycle is None or bool(connection.cycle.response_complete)
