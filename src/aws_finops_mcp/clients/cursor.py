"""Cursor."""

from __future__ import annotations

from aws_finops_mcp.clients.client import Client, Entry, Trouble, headers
from aws_finops_mcp.clients.secret import Header, env_braces
from aws_finops_mcp.clients.target import Target


def _address(target: Target, header: Header | None, inline: str | None) -> Entry:
    oauth: Entry = {"auth": {"CLIENT_ID": target.client_id}} if target.client_id else {}
    return {"url": target.url, **headers(header, inline, env_braces), **oauth}


CURSOR = Client(
    name="cursor",
    title="Cursor",
    address=_address,
    file=lambda machine: machine.home / ".cursor" / "mcp.json",
    where="`~/.cursor/mcp.json`, or `.cursor/mcp.json` for one project",
    works="Settings > Tools & MCP shows a green dot and the number of tools",
    troubles=(
        Trouble(
            "Needs authentication",
            "The server answered 401 and Cursor offers OAuth: the password or key is wrong, or its variable unset.",
        ),
    ),
    notes=(
        "Variables are those of the process that started Cursor: on macOS and Windows start it from the shell that has "
        "them (`cursor .`), or set them for the session. With OAuth and a client of yours, register "
        "`cursor://anysphere.cursor-mcp/oauth/callback` as its redirect address."
    ),
)
