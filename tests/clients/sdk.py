"""The official Python client, in a process of its own, as sdk.mjs is the TypeScript one.

python sdk.py '{"url": …, "headers": {…}, "mode": …}' or '{"command": […]}' prints the answer of one tool, as JSON.
"""

import json
import os
import ssl
import sys
from typing import Any

import anyio
import httpx2
from mcp import Client, ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

TOOL, ARGUMENTS = "find_unused_volumes", {"region_name": "us-east-1"}


async def over_http(url: str, headers: dict[str, str], mode: str) -> Any:
    context = ssl.create_default_context()  # verifies with SSL_CERT_FILE
    async with (
        httpx2.AsyncClient(headers=headers, verify=context, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        return (await client.call_tool(TOOL, ARGUMENTS)).structured_content


async def by_command(command: list[str]) -> Any:
    started = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    async with stdio_client(started) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        return (await session.call_tool(TOOL, ARGUMENTS)).structured_content


async def main(given: dict[str, Any]) -> None:
    with anyio.fail_after(60):
        asked = by_command(**given) if "command" in given else over_http(**given)
        print(json.dumps({"answer": await asked}))


anyio.run(main, json.loads(sys.argv[1]))
