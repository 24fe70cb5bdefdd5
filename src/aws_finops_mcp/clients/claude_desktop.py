"""Claude Desktop, which takes commands in its file, and addresses only for servers that its maker's cloud reaches."""

from __future__ import annotations

from aws_finops_mcp.clients.client import Client, Trouble
from aws_finops_mcp.clients.target import Auth, Target


def _refuses(target: Target) -> str:
    if target.auth is Auth.IAM and not target.service:
        return "a token of STS lives an hour, and this client can't fetch a new one"
    return ""


CLAUDE_DESKTOP = Client(
    name="claude-desktop",
    title="Claude Desktop",
    address=None,
    file=lambda machine: machine.applications() / "Claude" / "claude_desktop_config.json",
    references=False,
    refuses=_refuses,
    where=(
        "`~/Library/Application Support/Claude/claude_desktop_config.json` on macOS, "
        "`%APPDATA%\\Claude\\claude_desktop_config.json` on Windows; Settings > Developer > Edit Config opens it"
    ),
    works="Settings > Developer shows the server as `running`, and its tools are in the menu below the message",
    troubles=(
        Trouble("Could not attach to MCP server", "The command failed: its log says how (Settings > Developer)."),
        Trouble("spawn npx ENOENT", "Node.js (18 or newer) is not installed, or not on the desktop's PATH."),
    ),
    notes=(
        "Restart the application after a change. Its connectors (Settings > Connectors) are called from Anthropic's "
        "cloud, so they need a server that the internet reaches, and OAuth; `mcp-remote` runs on your machine."
    ),
)
