"""Visual Studio Code with GitHub Copilot."""

from __future__ import annotations

from aws_finops_mcp.clients.client import Client, Entry, Trouble, headers
from aws_finops_mcp.clients.secret import Header
from aws_finops_mcp.clients.target import Target

_ASKED = {
    "FINOPS_BASIC": "base64 of name:password for the AWS FinOps server",
    "FINOPS_API_KEY": "API key (id.secret) for the AWS FinOps server",
    "FINOPS_TOKEN": "token of aws sts get-web-identity-token for the AWS FinOps server",
}


def _identifier(variable: str) -> str:
    return variable.lower().replace("_", "-")


def _reference(variable: str) -> str:
    """`${input:…}`: VS Code asks once and keeps the answer encrypted."""
    return f"${{input:{_identifier(variable)}}}"


def _prompts(header: Header) -> Entry:
    description = _ASKED[header.variable]
    return {
        "type": "promptString",
        "id": _identifier(header.variable),
        "description": description,
        "password": True,
    }


def _address(target: Target, header: Header | None, inline: str | None) -> Entry:
    oauth: Entry = {"oauth": {"clientId": target.client_id}} if target.client_id else {}
    return {"type": "http", "url": target.url, **headers(header, inline, _reference), **oauth}


VSCODE = Client(
    name="vscode",
    title="VS Code",
    address=_address,
    file=lambda machine: machine.applications() / "Code" / "User" / "mcp.json",
    servers="servers",
    command=lambda command: {"type": "stdio", **command.entry()},
    prompts=_prompts,
    where=("the user's `mcp.json` (command `MCP: Open User Configuration`), or `.vscode/mcp.json` for one workspace"),
    works="`MCP: List Servers` shows the server as `Running`; the tools are in the chat's tool picker, in agent mode",
    troubles=(
        Trouble(
            "a login window of the browser, or `Dynamic Client Registration not supported`",
            "The server answered 401: what was typed is wrong. Run `MCP: List Servers`, choose the server, then "
            "`Clear Authentication` or edit the stored input.",
        ),
    ),
    notes="At most 128 tools are sent with a request; the server's short list (the default) is far below.",
)
