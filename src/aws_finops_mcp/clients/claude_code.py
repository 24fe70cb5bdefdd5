"""Claude Code, Anthropic's agent for the terminal."""

from __future__ import annotations

import json
import shlex

from aws_finops_mcp.clients.client import Client, Entry, Trouble, headers
from aws_finops_mcp.clients.secret import Header, braces, web_identity_token
from aws_finops_mcp.clients.target import Auth, Target

CALLBACK_PORT = 8765
"""Where Claude Code takes the answer of an OAuth login, if the client was registered beforehand."""


def _address(target: Target, header: Header | None, inline: str | None) -> Entry:
    entry: Entry = {"type": "http", "url": target.url}
    if target.auth is Auth.IAM and header is None:
        # Asked anew for each connection: a token of STS lives an hour at most.
        token = web_identity_token(target.resource)
        entry["headersHelper"] = f"""printf '{{"Authorization": "Bearer %s"}}' "$({token})\""""
    else:
        entry |= headers(header, inline, braces)
    if target.client_id:
        entry["oauth"] = {"clientId": target.client_id, "callbackPort": CALLBACK_PORT}
    return entry


def _header(header: Header) -> Header | None:
    return None if header.prefix == "Bearer " else header


def _shell(target: Target, entry: Entry, header: Header | None, inline: str | None) -> str:
    """`claude mcp add`; `add-json` for what `add` has no option for."""
    if "headersHelper" in entry or "env" in entry:
        return f"claude mcp add-json {target.name} {shlex.quote(json.dumps(entry))}\n"
    if "command" in entry:
        return f"claude mcp add {target.name} -- {shlex.join([entry['command'], *entry['args']])}\n"
    words = ["claude", "mcp", "add", "--transport", "http", target.name, entry["url"]]
    for name, value in entry.get("headers", {}).items():
        words += ["--header", f"{name}: {value}"]
    if target.client_id:
        words += ["--client-id", target.client_id, "--callback-port", str(CALLBACK_PORT)]
    return shlex.join(words) + "\n"


CLAUDE_CODE = Client(
    name="claude-code",
    title="Claude Code",
    address=_address,
    file=lambda machine: machine.directory / ".mcp.json",
    command=lambda command: {"type": "stdio", **command.entry()},
    header=_header,
    shell=_shell,
    where="`.mcp.json` in the project's directory, for all who work on it; `claude mcp add` keeps it for you alone",
    works="`claude mcp list` says `✔ Connected`",
    troubles=(
        Trouble(
            "Server rejected the configured Authorization header (HTTP 401)",
            "The name or password is wrong, or a token has expired.",
        ),
        Trouble(
            "Dynamic Client Registration rejected",
            "The server answered 401 and Claude Code tried OAuth, which is not offered: the API key is wrong, or no "
            "password was sent.",
        ),
        Trouble(
            "Missing environment variables: FINOPS_BASIC",
            "The variable is not set in the shell that started `claude`; its name was sent in its place.",
        ),
        Trouble(
            "headersHelper not run — this workspace has no persisted trust",
            "Start `claude` in that directory once and accept its question.",
        ),
        Trouble("Pending approval", "A server of `.mcp.json`: start `claude` in that directory once and accept it."),
    ),
    notes=(
        "`${NAME}` is expanded when Claude Code starts. Answers above 25,000 tokens are cut unless "
        "`MAX_MCP_OUTPUT_TOKENS` allows more."
    ),
)
