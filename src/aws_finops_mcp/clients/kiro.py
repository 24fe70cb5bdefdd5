"""Kiro: the IDE and its command line, which share a file."""

from __future__ import annotations

from aws_finops_mcp.clients.client import Client, Entry, Trouble, headers
from aws_finops_mcp.clients.secret import Header, braces
from aws_finops_mcp.clients.target import Target


def _address(target: Target, header: Header | None, inline: str | None) -> Entry:
    oauth: Entry = {}
    if target.client_id:
        oauth = {"oauth": {"clientId": target.client_id, "redirectUri": "127.0.0.1:8080"}}
    return {"url": target.url, **headers(header, inline, braces), **oauth}


KIRO = Client(
    name="kiro",
    title="Kiro",
    address=_address,
    file=lambda machine: machine.home / ".kiro" / "settings" / "mcp.json",
    where="`~/.kiro/settings/mcp.json`, or `.kiro/settings/mcp.json` for one workspace",
    works="the MCP servers view, or `kiro-cli mcp status --name aws-finops`, shows it connected, with its tools",
    troubles=(
        Trouble(
            "SSE error: Non-200 status code (405)",
            "Kiro fell back to an old transport after its first request failed: look at the password or key first.",
        ),
        Trouble(
            "Dynamic client registration failed",
            "The server answered 401 and Kiro tried OAuth: the password or key is wrong, or its variable not approved.",
        ),
    ),
    notes=(
        "The IDE expands only variables that are approved: answer its warning, or add the name to "
        "`kiroAgent.mcpApprovedEnvVars` in the settings. It takes `http:` for localhost only."
    ),
)
