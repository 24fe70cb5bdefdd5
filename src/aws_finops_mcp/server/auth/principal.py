"""Who calls, and what they may do."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_finops_mcp.settings import Scopes

ANYONE = "*"
"""In the place of a name in MCP_AUTH_SCOPES: everyone who is not named."""


@dataclass(frozen=True)
class Principal:
    """One who calls.

    Attributes:
        name: as logs and budgets know it; empty when nobody asked for one.
        how: the way it was authenticated: `basic`, `api_key`, `oauth`, `aws`; `loopback` or `stdio` when it was not.
        scopes: what it may do.
        credential: which of its credentials it was, e.g. the id of an API key; never a secret.
    """

    name: str
    how: str
    scopes: Scopes = field(default_factory=Scopes)
    credential: str = ""


@dataclass(frozen=True)
class Caller:
    """Who calls, and from where.

    Attributes:
        client: the address of the client, as the listener lets it be known; `-` when it is not.
        request: the id of the request, as in the log.
        audited: set when the audit log has a line of the request.
    """

    principal: Principal
    client: str = "-"
    request: str = ""
    audited: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)


LOCAL = Caller(Principal("", "stdio"))
"""Who started the server on the own machine, over standard input and output."""

KEY = "aws_finops_mcp.caller"
"""Where the caller is in the ASGI scope: nothing that a client sends can get there."""


def caller_of(scope: Mapping[str, Any] | None) -> Caller:
    """The caller of a request.

    Raises:
        RuntimeError: nobody decided who it is; it must not go on then.
    """
    if scope is None:
        return LOCAL
    caller = scope.get(KEY)
    if not isinstance(caller, Caller):
        raise RuntimeError("a request that no gate let in")
    return caller


def scopes_of(name: str, scopes: Mapping[str, Scopes]) -> Scopes:
    """What MCP_AUTH_SCOPES lets a name do: its own, else those of all of its issuer (`cognito:*`), else of everyone."""
    issuer, colon, _ = name.partition(":")
    return scopes.get(name) or (scopes.get(f"{issuer}:*") if colon else None) or scopes.get(ANYONE) or Scopes()
