"""The host that is looked at: its settings, and where its parts are."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.settings import Settings

ETC = Path("/etc/aws-finops-mcp")
SECONDS = 10
"""How long one question of a probe may take."""


@dataclass(frozen=True)
class Host:
    """What probes need to know."""

    settings: Settings
    name: str = ""
    """The name that callers use; empty when the server is reached through tunnels only."""
    https_port: int = 443
    directories: tuple[Path, ...] = (
        Path("/opt/aws-finops-mcp"),
        Path("/var/lib/aws-finops-mcp"),
        Path("/var/cache/aws-finops-mcp"),
        Path("/var/log/aws-finops-mcp"),
    )
    free_mib: int = 100
    """MiB that must be free where the server writes."""

    @cached_property
    def clients(self) -> Clients:
        """The AWS clients of the accounts that the server reads."""
        return Clients(self.settings.mcp_accounts)

    def run(self, *command: str) -> str | None:
        """What a command prints; None when it is not there, or does not end."""
        try:
            done = subprocess.run(  # noqa: S603 - commands of ours
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout


def become_the_service(environment: MutableMapping[str, str] = os.environ, etc: Path = ETC) -> None:
    """Take on the environment of the server's unit, so that AWS is asked as the server asks it.

    What the caller has set already stays; files that may not be read are left out.
    """
    try:
        lines = (etc / "environment").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            environment.setdefault(name.strip(), "".join(shlex.split(value)))
    if os.access(etc / "secrets", os.R_OK | os.X_OK):
        environment.setdefault("CREDENTIALS_DIRECTORY", str(etc / "secrets"))  # what the unit's LoadCredential= reads
    if os.access(etc / "secrets" / "aws", os.R_OK):
        environment.setdefault("AWS_SHARED_CREDENTIALS_FILE", str(etc / "secrets" / "aws"))
