"""The documentation's pages, one a client: examples are what `client-config` prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aws_finops_mcp.clients.client import Client, Trouble, configure, examples
from aws_finops_mcp.clients.notes import connect_command, header_file_command, tunnel_command
from aws_finops_mcp.clients.places import Machine
from aws_finops_mcp.clients.registry import CLIENTS
from aws_finops_mcp.clients.target import Auth, Target, Transport

COMMON = (
    Trouble("401", "No or wrong name, password, key or token; the answer's `WWW-Authenticate` says what is taken."),
    Trouble("403", "Logged in, but this tool, account or region is outside what the caller may ask."),
    Trouble(
        "421 `Host: not a name of this server; see MCP_ALLOWED_HOSTS`",
        "The name in the address is not in `MCP_ALLOWED_HOSTS` of the server.",
    ),
    Trouble("429", "Too many requests, or too many wrong passwords: wait, then look at the client's secret."),
    Trouble("502", "nginx runs, the server behind it does not: `systemctl status aws-finops-mcp` on the host."),
    Trouble("connection refused at localhost:8000", "The tunnel is not open."),
    Trouble(
        "certificate has expired, or is not trusted", "`certbot renew` on the host; or it is a staging certificate."
    ),
)

_TITLES = {
    (Transport.HTTPS, Auth.BASIC): "HTTPS, with name and password",
    (Transport.HTTPS, Auth.API_KEY): "HTTPS, with an API key",
    (Transport.HTTPS, Auth.OAUTH): "HTTPS, with OAuth",
    (Transport.HTTPS, Auth.IAM): "HTTPS, with your AWS identity",
    (Transport.SSH_TUNNEL, Auth.NONE): "Through an SSH tunnel",
    (Transport.SSM, Auth.NONE): "Through SSM port forwarding",
    (Transport.SSH_STDIO, Auth.NONE): "Over SSH, without a port",
    (Transport.LOCAL, Auth.NONE): "On your own machine, with your own AWS profile",
}


def pages() -> dict[str, str]:
    """Every client's page, by the client's name."""
    return {client.name: "\n".join(_page(client)) + "\n" for client in CLIENTS.values()}


def _page(client: Client) -> Iterator[str]:
    yield f"# {client.title}"
    yield ""
    yield "<!-- Made by `aws-finops-mcp client-pages docs/clients`. -->"
    yield ""
    yield (
        f"`aws-finops-mcp client-config {client.name} …` prints what is below for your own address"
        + ("; `--merge` writes it into the file, beside what is there, with a backup." if client.file else ".")
    )
    if client.where:
        yield f"Its file is {client.where}."
    yield ""
    yield f"**It works** when {client.works}."
    if client.notes:
        yield ""
        yield client.notes
    for target in examples(client):
        if (target.transport, target.auth) in _TITLES:
            yield from _section(client, target)
    yield ""
    yield "## When it does not connect"
    yield ""
    yield "`aws-finops-mcp connect` finds out what is wrong with the way to the server: [connect](../connect.md)."
    yield ""
    yield "| you see | it means |"
    yield "|---|---|"
    for trouble in (*client.troubles, *COMMON):
        yield f"| {trouble.seen} | {trouble.means} |"


def _section(client: Client, target: Target) -> Iterator[str]:
    title = _TITLES[target.transport, target.auth]
    if target.service:
        title += ", API Gateway in front"
    if target.client_id:
        title += ", as a client that was registered beforehand"
    configuration = configure(client, target, Machine("linux", Path("/home/alice"), Path("/home/alice/project")))
    yield ""
    yield f"## {title}"
    yield ""
    yield "```bash"
    yield f"aws-finops-mcp client-config {client.name} {' '.join(_options(target))}"
    yield "```"
    yield ""
    if target.transport is Transport.SSM:
        yield "prints the same as for the SSH tunnel."
    else:
        yield f"```{'bash' if client.shell else client.language}"
        yield configuration.text().rstrip()
        yield "```"
    header = configuration.header
    if header and client.prompts:
        yield ""
        yield f"{client.title} asks for the secret once and keeps it: the value that this would set."
    elif header and configuration.header_file:
        yield ""
        yield "The bridge reads the secret from a file of yours. Make it once (`--merge` does, if the variable is set):"
    elif header:
        yield ""
        yield "The secret is in a variable, set before the client starts:"
    if header:
        yield ""
        yield "```bash"
        yield header.make
        if configuration.header_file:
            yield header_file_command(configuration)
        yield "```"
    if target.transport.tunnelled:
        yield ""
        yield "Keep the tunnel open meanwhile. If the operator keyed the port, add `--auth api-key` or `basic`."
        yield ""
        yield "```bash"
        yield connect_command(target)
        yield f"{tunnel_command(target)}    # or, without this project"
        yield "```"


def _options(target: Target) -> Iterator[str]:
    if target.transport is Transport.HTTPS:
        yield f"--url {target.url}"
        if target.auth is not Auth.BASIC:
            yield f"--auth {target.auth}"
        if target.client_id:
            yield f"--client-id {target.client_id}"
    elif target.transport is Transport.SSM:
        yield f"--ssm {target.instance}"
    elif target.transport is Transport.LOCAL:
        yield "--local"
    else:
        yield f"--ssh {target.host}"
        if target.transport is Transport.SSH_STDIO:
            yield "--stdio"
