"""Every client that there is a declaration of."""

from __future__ import annotations

from aws_finops_mcp.clients.amazon_q import AMAZON_Q
from aws_finops_mcp.clients.claude_code import CLAUDE_CODE
from aws_finops_mcp.clients.claude_desktop import CLAUDE_DESKTOP
from aws_finops_mcp.clients.codex import CODEX
from aws_finops_mcp.clients.curl import CURL
from aws_finops_mcp.clients.cursor import CURSOR
from aws_finops_mcp.clients.kiro import KIRO
from aws_finops_mcp.clients.vscode import VSCODE
from aws_finops_mcp.clients.windsurf import WINDSURF

CLIENTS = {
    client.name: client
    for client in (CLAUDE_CODE, CLAUDE_DESKTOP, KIRO, CURSOR, VSCODE, WINDSURF, AMAZON_Q, CODEX, CURL)
}
"""By name, as `client-config` lists them."""
