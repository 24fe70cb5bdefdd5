"""A way to authenticate: what each has to offer, and how it says no."""

from __future__ import annotations

from typing import Protocol

from aws_finops_mcp.server.auth.credentials import Credentials
from aws_finops_mcp.server.auth.principal import Principal


class RefusedError(Exception):
    """The credential is not good. The message says what would be right, and nothing that helps guessing."""


class ForbiddenError(Exception):
    """The credential is good, but does not do for this server."""


class UnavailableError(Exception):
    """It cannot be said now whether the credential is good; nobody gets in then."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Authenticator(Protocol):
    """One way to authenticate."""

    how: str
    """Its name in logs."""
    hint: str
    """What to send, for people."""
    slow: bool
    """Whether `verify` costs so much that it must not be had for the asking. Others are never limited when right."""

    def challenge(self, error: str = "") -> str:
        """What `WWW-Authenticate` says.

        Args:
            error: OAuth's code of what is wrong (RFC 6750, 3.1); empty when nothing was sent.
        """

    def reads(self, credentials: Credentials) -> bool:
        """Whether a credential is of this kind."""

    def claimed(self, credentials: Credentials) -> str:
        """The name that a credential claims, not verified; empty when it has none that could be guessed at."""

    def knows(self, name: str) -> bool:
        """Whether a claimed name is one of this way's: logs tell no other."""

    def label(self, credentials: Credentials) -> str:
        """What of a credential logs may tell, not verified; empty when nothing of it is safe to tell."""

    def known(self, credentials: Credentials) -> Principal | None:
        """Who it is, where that costs next to nothing to say; None when `verify` must be asked.

        Raises:
            UnavailableError: it cannot be said now.
        """

    async def verify(self, credentials: Credentials) -> Principal:
        """Who it is, without holding up the event loop.

        Raises:
            RefusedError, ForbiddenError, UnavailableError: it is nobody, not for this server, or cannot be said now.
        """
