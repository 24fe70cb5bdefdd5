"""Where the server is for a client: by which transport, and as whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

PORT = 8000
"""The port that the server listens on, on the host's loopback address."""
COMMAND_ON_HOST = "/opt/aws-finops-mcp/current/bin/aws-finops-mcp"
"""Where the playbooks put the server's command."""
ON_HOST = f"http://127.0.0.1:{PORT}/mcp"
"""Where the server of a provisioned host listens."""


class Auth(StrEnum):
    """Who the caller says to be."""

    BASIC = "basic"
    API_KEY = "api-key"
    OAUTH = "oauth"
    IAM = "iam"
    NONE = "none"


class Transport(StrEnum):
    """How a client reaches the server."""

    HTTPS = "https"
    SSH_TUNNEL = "ssh-tunnel"
    SSM = "ssm"
    SSH_STDIO = "ssh-stdio"
    LOCAL = "local"

    @property
    def tunnelled(self) -> bool:
        """Whether the client talks to a port of its own machine."""
        return self in (Transport.SSH_TUNNEL, Transport.SSM)

    @property
    def stdio(self) -> bool:
        """Whether the client starts a command instead of calling an address."""
        return self in (Transport.SSH_STDIO, Transport.LOCAL)


class TargetError(Exception):
    """A target is described wrongly. The message names the option, what was given, and what would be right."""


@dataclass(frozen=True)
class Target:
    """One server as one client shall reach it."""

    transport: Transport
    auth: Auth = Auth.NONE
    name: str = "aws-finops"
    """Under which the client lists it."""
    url: str = ""
    host: str = ""
    """For ssh: a name of the SSH configuration, or user@address."""
    instance: str = ""
    """For SSM: the instance's id."""
    port: int = PORT
    """The port of this machine at which a tunnel begins."""
    service: str = ""
    """For IAM: the AWS service that verifies signatures in front of the server; empty when the server asks STS."""
    region: str = ""
    """For IAM: that service's region."""
    client_id: str = ""
    """For OAuth: of a client that was registered beforehand; without one, the client registers itself."""

    @property
    def resource(self) -> str:
        """What tokens are for: the address without what comes after its path (`MCP_AUTH_RESOURCE` of the server)."""
        return urlunsplit(urlsplit(self.url)._replace(query=""))


def target_of(
    *,
    url: str = "",
    ssh: str = "",
    ssm: str = "",
    local: bool = False,
    stdio: bool = False,
    auth: Auth | None = None,
    name: str = "aws-finops",
    port: int = PORT,
    service: str = "",
    region: str = "",
    client_id: str = "",
) -> Target:
    """Make a target from what was given on the command line.

    Raises:
        TargetError: none or several ways were given, or one is described wrongly.
    """
    _match("--name", name, r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "letters, digits, - and _, e.g. aws-finops")
    given = [option for option, value in (("--url", url), ("--ssh", ssh), ("--ssm", ssm), ("--local", local)) if value]
    if len(given) != 1:
        got = f"got {' and '.join(given)}" if given else "got none"
        raise TargetError(f"one of --url, --ssh, --ssm and --local says where the server is; {got}")
    if stdio and not ssh:
        raise TargetError("--stdio: goes with --ssh only: the client then starts the server on the host through ssh")
    if client_id and auth is not Auth.OAUTH:
        raise TargetError("--client-id: goes with --auth oauth only")
    if (service or region) and auth is not Auth.IAM:
        raise TargetError("--service and --region: go with --auth iam only")
    if url:
        address, auth = _address(url), auth or Auth.BASIC
        service, region = _signed_by(address, service, region) if auth is Auth.IAM else ("", "")
        return Target(Transport.HTTPS, auth, name, address, service=service, region=region, client_id=client_id)
    auth = auth or Auth.NONE
    here = f"http://localhost:{port}/mcp"
    if ssh:
        _match("--ssh", ssh, r"([\w.+-]+@)?[A-Za-z0-9_\[][\w.:\]-]*", "a name of your SSH configuration or user@host")
        if stdio:
            return Target(Transport.SSH_STDIO, auth, name, host=ssh)
        return Target(Transport.SSH_TUNNEL, auth, name, here, host=ssh, port=port)
    if ssm:
        _match("--ssm", ssm, r"m?i-[0-9a-f]{8,17}", "an instance's id, e.g. i-0123456789abcdef0")
        return Target(Transport.SSM, auth, name, here, instance=ssm, port=port)
    return Target(Transport.LOCAL, auth, name)


def _match(option: str, given: str, pattern: str, right: str) -> None:
    if not re.fullmatch(pattern, given, re.ASCII):
        raise TargetError(f"{option}: got {given!r}; give {right}")


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise TargetError(f"--url: got {url!r}: {error}; give e.g. https://finops.example.com/mcp") from None
    if parts.username is not None or parts.password is not None:
        hidden = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        raise TargetError(f"--url: has a name or password in it; give {hidden} and --auth basic")
    if not host or not re.fullmatch(r"[\x21-\x7e]+", url) or set(url) & set("\"'`$\\<>{}"):
        raise TargetError(f"--url: got {url!r}; give e.g. https://finops.example.com/mcp")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")):
        raise TargetError(f"--url: got {url!r}; only https protects passwords and keys (http: for localhost only)")
    return urlunsplit(parts._replace(path=parts.path if parts.path not in ("", "/") else "/mcp", fragment=""))


_FRONTS = {
    "execute-api": re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$"),
    "lambda": re.compile(r"\.lambda-url\.([a-z0-9-]+)\.on\.aws$"),
}


def _signed_by(url: str, service: str, region: str) -> tuple[str, str]:
    """The AWS service that verifies signatures, and its region; both empty when the server itself asks STS."""
    host = urlsplit(url).hostname or ""
    for known, pattern in _FRONTS.items():
        if found := pattern.search(host):
            return service or known, region or found[1]
    if bool(service) != bool(region):
        raise TargetError("--service and --region: go together, e.g. --service execute-api --region eu-west-1")
    if service:
        _match("--service", service, r"[a-z][a-z0-9-]*", "execute-api or lambda")
        _match("--region", region, r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region, e.g. eu-west-1")
    return service, region
