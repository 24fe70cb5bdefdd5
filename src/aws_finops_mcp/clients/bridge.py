"""Commands that a client starts instead of calling an address: ssh, the server itself, and bridges to an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_finops_mcp.clients.secret import Header
from aws_finops_mcp.clients.target import COMMAND_ON_HOST, ON_HOST, Auth, Target, Transport

MCP_REMOTE = "mcp-remote@0.15.1"
PROXY_FOR_AWS = "mcp-proxy-for-aws@1.7.0"


@dataclass(frozen=True)
class Command:
    """A command that speaks MCP over standard input and output."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()

    def entry(self) -> dict[str, Any]:
        """As most clients write it."""
        environment = {"env": dict(self.env)} if self.env else {}
        return {"command": self.command, "args": list(self.args), **environment}


def command_of(target: Target) -> Command | None:
    """The command for a target that no client can reach by address; None for the others."""
    if target.transport is Transport.SSH_STDIO:
        # BatchMode: a client has no terminal in which ssh could ask for a password.
        # Through the server that runs there: who logs in may read neither its settings nor its accounts.
        on_host = (COMMAND_ON_HOST, "stdio", "--through", ON_HOST)
        return Command("ssh", ("-T", "-o", "BatchMode=yes", target.host, *on_host))
    if target.transport is Transport.LOCAL:
        env = (("AWS_PROFILE", "finops-readonly"), ("AWS_REGION", "eu-west-1"))
        return Command("aws-finops-mcp", ("stdio",), env)
    if target.auth is Auth.IAM and target.service:
        options = ("--service", target.service, "--region", target.region)
        return Command("uvx", (PROXY_FOR_AWS, target.url, *options), (("AWS_PROFILE", "finops"),))
    return None


def mcp_remote(target: Target, header: Header | None, header_file: str, inline: str | None) -> Command:
    """The bridge for clients that take only commands, or whose headers can't refer to a variable.

    Args:
        header: what the authentication needs.
        header_file: where that header is kept, if not inline; arguments are for every user of the machine to see.
        inline: the secret itself, when it shall be in the configuration.
    """
    options: tuple[str, ...] = ("--transport", "http-only")
    env: tuple[tuple[str, str], ...] = ()
    if header and inline is not None:
        # No space in an argument: npx on Windows would split it.
        options += ("--header", f"{header.name}:${{FINOPS_HEADER}}")
        env = (("FINOPS_HEADER", header.value(inline)),)
    elif header:
        options += ("--header-file", header_file)
    if target.client_id:
        options += ("--static-oauth-client-info", f'{{"client_id":"{target.client_id}"}}')
    return Command("npx", ("-y", MCP_REMOTE, target.url, *options), env)
