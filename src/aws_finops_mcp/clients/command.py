"""The command `client-config`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from aws_finops_mcp.clients.client import Configuration, configure
from aws_finops_mcp.clients.merge import MergeError, merge, write_private
from aws_finops_mcp.clients.notes import notes
from aws_finops_mcp.clients.pages import pages
from aws_finops_mcp.clients.places import Machine
from aws_finops_mcp.clients.registry import CLIENTS
from aws_finops_mcp.clients.secret import secret_from_environment
from aws_finops_mcp.clients.target import Auth, TargetError, target_of


def client_config(
    client: Annotated[str, typer.Argument(help=f"One of: {', '.join(CLIENTS)}.")],
    url: Annotated[str, typer.Option(help="The server's address, e.g. https://finops.example.com/mcp.")] = "",
    ssh: Annotated[str, typer.Option(help="A host of your SSH configuration, or user@address: through a tunnel.")] = "",
    ssm: Annotated[str, typer.Option(help="An instance's id: through a port forwarded by Session Manager.")] = "",
    local: Annotated[bool, typer.Option("--local", help="The server on this machine, with your AWS profile.")] = False,
    stdio: Annotated[bool, typer.Option("--stdio", help="With --ssh: start the server there, without a port.")] = False,
    auth: Annotated[Auth | None, typer.Option(help="How to log in: basic for --url, none for tunnels.")] = None,
    name: Annotated[str, typer.Option(help="The server's name in the client.")] = "aws-finops",
    port: Annotated[int, typer.Option(min=1, max=65535, help="This machine's end of a tunnel.")] = 8000,
    service: Annotated[str, typer.Option(help="With --auth iam: execute-api or lambda, if one is in front.")] = "",
    region: Annotated[str, typer.Option(help="With --service: its region.")] = "",
    client_id: Annotated[str, typer.Option(help="With --auth oauth: a client registered beforehand.")] = "",
    inline: Annotated[bool, typer.Option("--inline", help="Put the secret of FINOPS_… itself into it.")] = False,
    into_file: Annotated[bool, typer.Option("--merge", help="Write it into the client's file, with a backup.")] = False,
    file: Annotated[Path | None, typer.Option(help="With --merge: another file than the client's own.")] = None,
) -> None:
    """Print what an MCP client needs to reach the server, or merge it into the client's file."""
    try:
        if client not in CLIENTS:
            raise TargetError(f"{client}: there is no such client; there are: {', '.join(CLIENTS)}")
        if file and not into_file:
            raise TargetError("--file: goes with --merge")
        target = target_of(
            url=url, ssh=ssh, ssm=ssm, local=local, stdio=stdio, auth=auth, name=name, port=port,
            service=service, region=region, client_id=client_id,
        )  # fmt: skip
        machine = Machine()
        configuration = configure(CLIENTS[client], target, machine, inline=inline)
        if into_file:
            _merge(configuration, file, machine)
        else:
            print(configuration.text(), end="")
    except (TargetError, MergeError) as error:
        for line in str(error).splitlines():
            print(f"aws-finops-mcp: {line}", file=sys.stderr)
        raise typer.Exit(2) from None
    for note in notes(configuration, merged=into_file):
        print(f"# {note}", file=sys.stderr)


def client_pages(directory: Annotated[Path, typer.Argument(help="Where to write them, e.g. docs/clients.")]) -> None:
    """Write the documentation's pages, one a client, as Markdown."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (directory / f"{name}.md").write_text(page, encoding="utf-8")


def _merge(configuration: Configuration, file: Path | None, machine: Machine) -> None:
    client = configuration.client
    if file is None and client.file is None:
        raise TargetError(f"--merge: {client.name} has no file; leave --merge away")
    header, target = configuration.header, configuration.target
    if configuration.header_file and header and os.environ.get(header.variable):
        secret = secret_from_environment(header)
        configuration.header_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(configuration.header_file, f"{header.name}: {header.value(secret)}\n".encode())
        print(f"{configuration.header_file}: written, for you alone")
    done = merge(configuration, file or (client.file(machine) if client.file else Path()))
    kept = f"; the old one is {done.backup}" if done.backup else ""
    print(f"{done.file}: {target.name} written{kept}" if done.changed else f"{done.file}: has it already")
