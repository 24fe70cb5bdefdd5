"""Codex, OpenAI's agent: the command line, the IDE extension and the application share a file."""

from __future__ import annotations

from dataclasses import replace

from aws_finops_mcp.clients.client import Client, Entry, Trouble
from aws_finops_mcp.clients.secret import Header
from aws_finops_mcp.clients.target import Target


def _whole_value(header: Header) -> Header:
    """Codex takes a header's whole value from a variable, so that "Basic " has to be in it."""
    if header.variable != "FINOPS_BASIC":
        return header
    make = "export FINOPS_AUTHORIZATION=\"Basic $(printf '%s' 'alice:password' | base64 | tr -d '\\n')\""
    return replace(header, prefix="", variable="FINOPS_AUTHORIZATION", make=make)


def _address(target: Target, header: Header | None, inline: str | None) -> Entry:
    entry: Entry = {"url": target.url}
    if header and inline is not None:
        entry["http_headers"] = {header.name: header.value(inline)}
    elif header and header.prefix == "Bearer ":
        entry["bearer_token_env_var"] = header.variable
    elif header:
        entry["env_http_headers"] = {header.name: header.variable}
    if target.client_id:
        entry["oauth"] = {"client_id": target.client_id}
    return entry


CODEX = Client(
    name="codex",
    title="Codex",
    address=_address,
    file=lambda machine: machine.home / ".codex" / "config.toml",
    servers="mcp_servers",
    language="toml",
    header=_whole_value,
    where="`~/.codex/config.toml`, or `.codex/config.toml` in a project that Codex trusts",
    works="`codex mcp list` shows the server as `enabled`, and `/mcp` in a session lists its tools",
    troubles=(
        Trouble(
            "MCP client for `aws-finops` failed to start",
            "The server was not reached or answered 401: try `curl` with the same address and secret.",
        ),
        Trouble("no error, and a 401 in the server's log", "The key is `env_http_headers`: Codex ignores `headers`."),
    ),
    notes="With OAuth, `codex mcp login aws-finops` opens the browser.",
)
