"""What else there is to do beside a configuration, in a line each."""

from __future__ import annotations

import os
from collections.abc import Iterator

from aws_finops_mcp.clients.client import Configuration
from aws_finops_mcp.clients.secret import header_of
from aws_finops_mcp.clients.target import PORT, Target, Transport


def notes(configuration: Configuration, *, merged: bool) -> Iterator[str]:
    """What else there is to do, a line each."""
    client, target, header = configuration.client, configuration.target, configuration.header
    if client.shell is None and not merged:
        yield f"It goes into {client.where.replace('`', '')}; --merge writes it there."
    if header and configuration.header_file and not (merged and os.environ.get(header.variable)):
        yield f"The bridge reads the secret from a file of yours; make it once: {header_file_command(configuration)}"
    elif header and client.prompts:
        yield f"{client.title} asks for the secret once: what {header.make.partition('=')[0].split()[-1]} would hold."
    elif header and not configuration.header_file:
        yield f"The secret is read from {header.variable}: {header.make}"
    if configuration.inline and header_of(target):
        yield "The secret is in it: keep it from others, and out of version control."
    if target.transport.tunnelled:
        yield f"Keep this running meanwhile: {connect_command(target)}"
        yield f"or, without this project: {tunnel_command(target)}"
    yield f"It works when {client.works.replace('`', '')}."


def header_file_command(configuration: Configuration) -> str:
    """The shell command that puts the header where the bridge reads it, for its owner alone."""
    header, file = configuration.header, configuration.header_file
    if header is None or file is None:
        return ""
    value = header.value(f"${header.variable}")
    return f'(umask 077 && mkdir -p {file.parent} && echo "{header.name}: {value}" > {file})'


def connect_command(target: Target) -> str:
    """The command that opens the tunnel, keeps it open, and says what is wrong."""
    way = f"--ssh {target.host}" if target.transport is Transport.SSH_TUNNEL else f"--ssm {target.instance}"
    return f"aws-finops-mcp connect {way}" + ("" if target.port == PORT else f" --port {target.port}")


def tunnel_command(target: Target) -> str:
    """The command that opens the tunnel a client goes through."""
    if target.transport is Transport.SSH_TUNNEL:
        return f"ssh -N -L {target.port}:localhost:8000 {target.host}"
    return (
        f"aws ssm start-session --target {target.instance} --document-name AWS-StartPortForwardingSession "
        f'--parameters \'{{"portNumber":["8000"],"localPortNumber":["{target.port}"]}}\''
    )
