"""Amazon Q Developer: the IDE's plug-in, and the command line whose successor is Kiro's."""

from __future__ import annotations

from aws_finops_mcp.clients.client import Client, Entry, Trouble, headers
from aws_finops_mcp.clients.secret import Header, braces
from aws_finops_mcp.clients.target import Auth, Target


def _address(target: Target, header: Header | None, inline: str | None) -> Entry:
    return {"type": "http", "url": target.url, **headers(header, inline, braces)}


def _refuses(target: Target) -> str:
    if target.client_id:
        return "its file has no place for a client id: leave --client-id away"
    if target.auth is Auth.IAM and not target.service:
        return "a token of STS lives an hour, and this client can't fetch a new one"
    return ""


AMAZON_Q = Client(
    name="amazon-q",
    title="Amazon Q Developer",
    address=_address,
    file=lambda machine: machine.home / ".aws" / "amazonq" / "agents" / "default.json",
    references=False,
    refuses=_refuses,
    where=(
        "`~/.aws/amazonq/agents/default.json` for the IDE; for the command line an agent's file in "
        "`~/.aws/amazonq/cli-agents/` (`--merge --file …`)"
    ),
    works="`/tools` lists the tools under the server's name; in the IDE the tools icon does",
    troubles=(
        Trouble("the server stays at `loading`", "The address is not reached: try `curl` with the same address."),
        Trouble("the tools are listed but never used", "Add `@aws-finops` to the agent's `tools`."),
    ),
    notes=(
        "Its documentation names no way for a header to refer to a variable, so with a password or key `mcp-remote` is "
        "put between, which reads the header from a file of yours. The command line's successor is Kiro's: see kiro."
    ),
)
