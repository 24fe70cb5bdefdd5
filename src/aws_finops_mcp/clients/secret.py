"""The secrets that clients send, and how a configuration refers to them without having them."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from aws_finops_mcp.clients.target import Auth, Target, TargetError


@dataclass(frozen=True)
class Header:
    """A header whose value holds a secret, which is in an environment variable."""

    name: str
    prefix: str
    variable: str
    make: str
    """The shell command that sets the variable."""

    def value(self, secret: str) -> str:
        """The header's value, of the secret or of a reference to it."""
        return self.prefix + secret


def web_identity_token(audience: str) -> str:
    """The shell command that prints a JWT of STS for who runs it."""
    return (
        f"aws sts get-web-identity-token --audience {audience} --signing-algorithm RS256 --duration-seconds 3600 "
        "--query WebIdentityToken --output text"
    )


def header_of(target: Target) -> Header | None:
    """The header that a target's authentication needs; None where it needs none, or the client makes it itself."""
    if target.auth is Auth.BASIC:
        make = "export FINOPS_BASIC=$(printf '%s' 'alice:password' | base64 | tr -d '\\n')"
        return Header("Authorization", "Basic ", "FINOPS_BASIC", make)
    if target.auth is Auth.API_KEY:
        return Header("X-API-Key", "", "FINOPS_API_KEY", "export FINOPS_API_KEY='id.secret'")
    if target.auth is Auth.IAM and not target.service:
        make = f'export FINOPS_TOKEN="$({web_identity_token(target.resource)})"'
        return Header("Authorization", "Bearer ", "FINOPS_TOKEN", make)
    return None


def secret_from_environment(header: Header) -> str:
    """The secret itself, for a configuration that shall have it inline.

    Raises:
        TargetError: its variable is not set, or can't be right. The message does not repeat it.
    """
    secret = os.environ.get(header.variable, "")
    if not secret:
        raise TargetError(f"{header.variable}: is not set; set it first: {header.make}")
    if not re.fullmatch(r"[\x21-\x7e]+", secret):
        raise TargetError(f"{header.variable}: has a space, a line break or a letter that no header may have")
    if header.variable == "FINOPS_BASIC":
        try:
            plain = base64.b64decode(secret, validate=True)
        except binascii.Error:
            plain = b""
        if b":" not in plain:
            raise TargetError(f"FINOPS_BASIC: must be name:password in base64; set it so: {header.make}")
    if header.variable == "FINOPS_API_KEY" and not re.fullmatch(r"[^.]+\.[^.]+", secret):
        raise TargetError("FINOPS_API_KEY: must be id.secret, as the operator's command printed it")
    return secret


Reference = Callable[[str], str]
"""How a client's configuration names an environment variable."""


def braces(variable: str) -> str:
    """`${NAME}`."""
    return f"${{{variable}}}"


def env_braces(variable: str) -> str:
    """`${env:NAME}`."""
    return f"${{env:{variable}}}"
