"""Windsurf, whose agent is Cascade."""

from __future__ import annotations

from aws_finops_mcp.clients.client import Client, Entry, Trouble, headers
from aws_finops_mcp.clients.secret import Header, env_braces
from aws_finops_mcp.clients.target import Target


def _address(target: Target, header: Header | None, inline: str | None) -> Entry:
    return {"serverUrl": target.url, **headers(header, inline, env_braces)}


def _refuses(target: Target) -> str:
    return "its file has no place for a client id: leave --client-id away" if target.client_id else ""


WINDSURF = Client(
    name="windsurf",
    title="Windsurf",
    address=_address,
    file=lambda machine: machine.home / ".codeium" / "windsurf" / "mcp_config.json",
    refuses=_refuses,
    where="`~/.codeium/windsurf/mcp_config.json`",
    works="Cascade's MCP view shows the server enabled, with its tools, after `Refresh`",
    troubles=(
        Trouble("the server is listed without tools", "The address stands under `url`: Windsurf reads `serverUrl`."),
    ),
    notes="Variables are those of the process that started Windsurf. Press `Refresh` after a change.",
)
