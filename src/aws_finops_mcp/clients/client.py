"""What is declared of a client, and the configuration that follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import tomlkit

from aws_finops_mcp.clients.bridge import Command, command_of, mcp_remote
from aws_finops_mcp.clients.places import Machine
from aws_finops_mcp.clients.secret import Header, Reference, header_of, secret_from_environment
from aws_finops_mcp.clients.target import Auth, Target, TargetError, Transport

Entry = dict[str, Any]
"""What a client's file says of one server."""


def supported_by_all(_: Target) -> str:
    """No reason against any target."""
    return ""


def as_it_is(header: Header) -> Header | None:
    """The header of everyone else."""
    return header


@dataclass(frozen=True)
class Trouble:
    """A message that a client shows, and what it means."""

    seen: str
    means: str


@dataclass(frozen=True)
class Client:
    """One MCP client: how it writes a server down, and what its people see."""

    name: str
    title: str
    address: Callable[[Target, Header | None, str | None], Entry] | None
    """The entry of a server at an address, of the target, its header, and the secret if it shall be inline."""
    file: Callable[[Machine], Path] | None = None
    """Its own file; None for a client that has none."""
    servers: str = "mcpServers"
    """The key of the file under which servers are."""
    language: Literal["json", "toml"] = "json"
    command: Callable[[Command], Entry] = Command.entry
    references: bool = True
    """Whether a header can refer to a variable; if not, mcp-remote reads it from a file."""
    header: Callable[[Header], Header | None] = as_it_is
    """The header as this client can refer to it; None if it gets the value by itself."""
    prompts: Callable[[Header], Entry] | None = None
    """An input for which the client asks by itself, in the place of a variable."""
    refuses: Callable[[Target], str] = supported_by_all
    """Why a target does not work here; empty when it does."""
    shell: Callable[[Target, Entry, Header | None, str | None], str] | None = None
    """A command that says the same as the file, or in its place."""
    where: str = ""
    """Where the file is, in words."""
    works: str = ""
    """What one sees when it works."""
    troubles: tuple[Trouble, ...] = ()
    notes: str = ""
    """What else to know."""


@dataclass(frozen=True)
class Configuration:
    """What one client needs for one target."""

    client: Client
    target: Target
    entry: Entry = field(repr=False)
    header: Header | None = None
    """What the entry refers to; None if there is no secret, or it is inline."""
    header_file: Path | None = None
    """The file in which the header is expected."""
    inputs: tuple[Entry, ...] = ()
    inline: str | None = field(default=None, repr=False)

    def document(self) -> Entry:
        """The client's whole file, if it had no other server."""
        inputs = {"inputs": list(self.inputs)} if self.inputs else {}
        return {**inputs, self.client.servers: {self.target.name: self.entry}}

    def text(self) -> str:
        """What to paste: a command where the client has one, else the file."""
        if self.client.shell:
            return self.client.shell(self.target, self.entry, self.header or header_of(self.target), self.inline)
        return self.file_text()

    def file_text(self) -> str:
        """The client's file."""
        if self.client.language == "toml":
            return tomlkit.dumps(self.document())
        return json.dumps(self.document(), indent=2) + "\n"


def reason_against(client: Client, target: Target) -> str:
    """Why a client can't reach a target; empty when it can."""
    if target.transport.stdio and target.auth is not Auth.NONE:
        return "the client starts the server itself, so nobody is to be told who calls"
    if target.transport.tunnelled and target.auth in (Auth.OAUTH, Auth.IAM):
        return "through a tunnel the address is localhost, for which nobody issues tokens"
    return client.refuses(target)


def configure(client: Client, target: Target, machine: Machine, *, inline: bool = False) -> Configuration:
    """Make the configuration of a client for a target.

    Args:
        inline: put the secret itself into it, from its environment variable.

    Raises:
        TargetError: the client can't reach the target, or the secret can't be had. The message says what works.
    """
    if reason := reason_against(client, target):
        raise TargetError(
            f"{client.name}: {target.transport} with --auth {target.auth} does not work: {reason}\n"
            f"{client.name} works with: {'; '.join(_in_words(client))}"
        )
    header = header_of(target)
    secret = secret_from_environment(header) if inline and header else None
    if header and secret is None:
        header = client.header(header)
    if command := command_of(target):
        return Configuration(client, target, client.command(command))
    bridged = client.address is None or (header is not None and secret is None and not client.references)
    if bridged or client.address is None:
        file = machine.headers(target.name)
        entry = client.command(mcp_remote(target, header, str(file), secret))
        if header and secret is None:
            return Configuration(client, target, entry, header, file)
        return Configuration(client, target, entry, inline=secret)
    inputs = (client.prompts(header),) if client.prompts and header and secret is None else ()
    entry = client.address(target, header, secret)
    return Configuration(client, target, entry, None if secret else header, inputs=inputs, inline=secret)


def headers(header: Header | None, inline: str | None, reference: Reference) -> Entry:
    """`headers` as most clients write them: with the secret, or a reference to it."""
    if header is None:
        return {}
    return {"headers": {header.name: header.value(reference(header.variable) if inline is None else inline)}}


def examples(client: Client) -> Iterator[Target]:
    """A target of every kind that the client can reach."""
    url, front = "https://finops.example.com/mcp", "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/mcp"
    local = "http://localhost:8000/mcp"
    targets = [Target(Transport.HTTPS, auth, url=url) for auth in Auth]
    targets += [Target(Transport.HTTPS, Auth.OAUTH, url=url, client_id="3n4b5urk1ft4fl3mg5e62d9ado")]
    targets += [Target(Transport.HTTPS, Auth.IAM, url=front, service="execute-api", region="eu-west-1")]
    for auth in (Auth.NONE, Auth.API_KEY, Auth.BASIC):
        targets.append(Target(Transport.SSH_TUNNEL, auth, url=local, host="finops"))
        targets.append(Target(Transport.SSM, auth, url=local, instance="i-0123456789abcdef0"))
    targets += [Target(Transport.SSH_STDIO, host="finops"), Target(Transport.LOCAL)]
    return (target for target in targets if not reason_against(client, target))


def _in_words(client: Client) -> Iterator[str]:
    works: dict[Transport, list[str]] = {}
    for target in examples(client):
        said = f"{target.auth} (API Gateway or Lambda in front)" if target.service else str(target.auth)
        if said not in works.setdefault(target.transport, []):
            works[target.transport].append(said)
    option = {
        Transport.HTTPS: "--url",
        Transport.SSH_TUNNEL: "--ssh",
        Transport.SSM: "--ssm",
        Transport.SSH_STDIO: "--ssh --stdio",
        Transport.LOCAL: "--local",
    }
    for transport, auths in works.items():
        yield f"{option[transport]} with {', '.join(auths)}"
