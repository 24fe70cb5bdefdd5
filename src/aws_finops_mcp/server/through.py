"""Standard input and output for a server that runs already: its settings, accounts, budgets and audit log apply."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterable, Iterator
from typing import Any

import anyio
import httpx2
from anyio.abc import ObjectSendStream
from mcp.client.streamable_http import streamable_http_client
from mcp.server.stdio import stdio_server
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    encode_header_value,
)
from mcp.shared.message import ClientMessageMetadata, SessionMessage
from mcp.types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

VERSION = "io.modelcontextprotocol/protocolVersion"
"""Where a request without a handshake says which protocol it speaks."""


class Passing:
    """Messages on their way, and what HTTP wants to be told of them in headers."""

    def __init__(self) -> None:
        self._agreed = ""
        self._handshake: str | int | None = None
        self._waiting: set[str | int] = set()
        self._none = anyio.Event()

    def there(self, message: SessionMessage) -> SessionMessage:
        """A message of the client, with its headers."""
        sent = message.message
        if not isinstance(sent, JSONRPCRequest | JSONRPCNotification):
            return message
        if isinstance(sent, JSONRPCRequest):
            self._waiting.add(sent.id)
            if sent.method == "initialize":
                self._handshake = sent.id
        headers = self._headers(sent.method, sent.params or {})
        return SessionMessage(sent, ClientMessageMetadata(headers=headers) if headers else None)

    def printed(self, message: SessionMessage) -> None:
        """A message of the server was given to the client."""
        got = message.message
        if isinstance(got, JSONRPCResponse | JSONRPCError):
            if isinstance(got, JSONRPCResponse) and got.id == self._handshake:
                self._agreed = str(got.result.get("protocolVersion", ""))
            if got.id is not None:
                self._waiting.discard(got.id)
            if not self._waiting:
                self._none.set()

    async def answered(self) -> None:
        """Wait for the answers that are still to come."""
        while self._waiting:
            self._none = anyio.Event()
            await self._none.wait()

    def _headers(self, method: str, params: dict[str, Any]) -> dict[str, str]:
        version = (params.get("_meta") or {}).get(VERSION)
        if not isinstance(version, str):
            return {MCP_PROTOCOL_VERSION_HEADER: self._agreed} if self._agreed else {}
        headers = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: method}
        name = params.get("uri" if method == "resources/read" else "name")
        return headers | ({MCP_NAME_HEADER: encode_header_value(name)} if isinstance(name, str) else {})


async def pass_through(url: str) -> None:
    """Give the server at an address what comes by standard input, until that ends, and print what it answers."""
    async with stdio_server() as (asked, printed), printed:
        try:
            await _passed(url, asked, printed)
        except* httpx2.TransportError as group:
            (error, *_) = leaves(group)
            print(f"aws-finops-mcp: {url}: {error}; systemctl status aws-finops-mcp", file=sys.stderr, flush=True)
            os._exit(1)  # a thread waits for standard input, which nothing but its end interrupts


async def _passed(
    url: str, asked: AsyncIterable[SessionMessage | Exception], printed: ObjectSendStream[SessionMessage]
) -> None:
    passing = Passing()
    async with streamable_http_client(url) as (answers, sent), anyio.create_task_group() as group:

        async def back() -> None:
            async for answer in answers:
                if isinstance(answer, SessionMessage):
                    await printed.send(SessionMessage(answer.message))
                    passing.printed(answer)

        group.start_soon(back)
        async for message in asked:
            if isinstance(message, SessionMessage):
                await sent.send(passing.there(message))
        await passing.answered()
        group.cancel_scope.cancel()


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The exceptions of a group, also of those in it."""
    for error in group.exceptions:
        yield from leaves(error) if isinstance(error, BaseExceptionGroup) else (error,)
