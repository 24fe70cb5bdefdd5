"""The one place that lets requests in: by the listener they came in by, and by what they send to say who it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aws_finops_mcp.server.audit_log import AuditLog
from aws_finops_mcp.server.auth.authenticator import (
    Authenticator,
    ForbiddenError,
    RefusedError,
    UnavailableError,
)
from aws_finops_mcp.server.auth.credentials import Credentials, MalformedError, credentials_of
from aws_finops_mcp.server.auth.failures import Failures, TooManyError
from aws_finops_mcp.server.auth.listener import Listener, forwarded_for, listener_of, peer_of
from aws_finops_mcp.server.auth.principal import KEY, Caller, Principal, scopes_of
from aws_finops_mcp.server.problems import problem
from aws_finops_mcp.server.request_log import REQUEST_ID
from aws_finops_mcp.settings import Scopes, Settings

PUBLIC = frozenset({"/health"})
"""What anyone may ask: compared with the very path that is routed, so that no other way to write it gets through."""

WELL_KNOWN = "/.well-known/"
"""Where clients look for how to authenticate, before they can."""

LEFT = 499
"""Of a request whose client did not wait: nobody refused it."""

UNKNOWN = "?"
"""In the place of a claimed name that nobody here has."""


class NotLetInError(Exception):
    """The answer to a request that is not let in."""

    def __init__(self, response: Response, why: str, *, worth_a_line: bool = True) -> None:
        super().__init__(why)
        self.response = response
        self.why = why
        self.worth_a_line = worth_a_line


class Gate:
    """Middleware: puts the caller into the scope of each request that it lets in.

    Identity headers: a Unix socket's proxy is believed who it forwards for, and nothing else. Where there is no way to
    authenticate, `X-Remote-User` and `X-Forwarded-For` on a loopback port are what the proxy on this host says, which
    asked for the password. Anywhere else they mean nothing: whoever comes through a tunnel could write them.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, authenticators: Sequence[Authenticator], audit: AuditLog
    ) -> None:
        self._app = app
        self._loopback = settings.mcp_auth_loopback
        self._scopes = settings.mcp_auth_scopes
        self._authenticators = authenticators
        self._audit = audit
        self._failures = Failures()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            self._audit.refused(self._stranger(scope), "GET", scope["path"], 403, "nothing here speaks WebSocket")
            await send({"type": "websocket.close", "code": 1008})
            return
        caller = self._stranger(scope)
        scope[KEY] = caller
        try:
            if scope["path"] not in PUBLIC and not scope["path"].startswith(WELL_KNOWN):
                caller = scope[KEY] = await self._let_in(scope, caller)
        except NotLetInError as refusal:
            if refusal.worth_a_line:
                status = refusal.response.status_code
                self._audit.refused(scope[KEY], scope["method"], scope["path"], status, refusal.why)
            await refusal.response(scope, receive, send)
            return
        with structlog.contextvars.bound_contextvars(caller=caller.principal.name or "-"):
            await self._app(scope, receive, self._noting(scope, caller, send))

    def _noting(self, scope: Scope, caller: Caller, send: Send) -> Send:
        """A `send` that audits what is refused further on, where nothing there did."""

        async def noted(message: Message) -> None:
            status = message.get("status", 0)
            if status >= 400 and status != LEFT and not caller.audited.is_set():
                self._audit.refused(caller, scope["method"], scope["path"], status)
            await send(message)

        return noted

    def _stranger(self, scope: Scope) -> Caller:
        """What is known of a sender before it is authenticated."""
        client = peer_of(scope)
        if listener_of(scope) is Listener.SOCKET or self._proxy_authenticates(scope):
            client = forwarded_for(scope) or client
        return Caller(Principal("", "none"), client, str(scope.get(REQUEST_ID, "")))

    def _proxy_authenticates(self, scope: Scope) -> bool:
        return listener_of(scope) is Listener.LOOPBACK and not self._authenticators

    async def _let_in(self, scope: Scope, stranger: Caller) -> Caller:
        """The caller.

        Raises:
            NotLetInError: it is not let in.
        """
        listener = listener_of(scope)
        on_loopback = self._loopback if listener is Listener.LOOPBACK else "required"
        if on_loopback == "closed":
            raise _refusal(403, "calls over loopback are not served here (MCP_AUTH_LOOPBACK); use the public address")
        if on_loopback == "open" and not self._authenticators:
            return self._trusted(stranger, Headers(scope=scope).get("x-remote-user", "")[:100])
        try:
            credentials = credentials_of(scope["headers"])
        except MalformedError as error:
            raise _refusal(400, str(error)) from None
        mine = [one for one in self._authenticators if credentials and one.reads(credentials)]
        if credentials is None or not mine:
            if on_loopback == "open":
                return self._trusted(stranger)
            raise self._unauthenticated("no credentials" if credentials is None else "no credentials of a kind served")
        return replace(stranger, principal=await self._authenticated(scope, mine[0], credentials, stranger))

    def _trusted(self, stranger: Caller, name: str = "") -> Caller:
        """Who came by an open loopback port. A name that the proxy tells may do what that name may."""
        scopes = scopes_of(name, self._scopes) if name else Scopes()
        return replace(stranger, principal=Principal(name, "loopback", scopes))

    async def _authenticated(
        self, scope: Scope, way: Authenticator, credentials: Credentials, stranger: Caller
    ) -> Principal:
        claimed = way.claimed(credentials)
        # For logs: what is no name here may be a secret that was sent as one.
        shown = claimed if not claimed or way.knows(claimed) else UNKNOWN
        scope[KEY] = replace(stranger, principal=Principal(shown, way.how, credential=way.label(credentials)))
        try:
            if known := way.known(credentials):
                return known
            if way.slow:
                return await self._attempted(way, credentials, stranger.client, claimed)
            try:
                return await way.verify(credentials)
            except RefusedError:
                with self._failures.attempt(stranger.client, claimed):
                    raise
        except TooManyError as error:
            after = {"retry-after": str(error.retry_after)}
            raise NotLetInError(problem(429, str(error), after), str(error), worth_a_line=error.first) from None
        except UnavailableError as error:
            raise _refusal(503, str(error), {"retry-after": str(error.retry_after)}) from None
        except ForbiddenError as error:
            headers = {"www-authenticate": way.challenge("insufficient_scope")}
            raise _refusal(403, str(error), headers) from None
        except RefusedError as error:
            raise self._unauthenticated(str(error), way) from None

    async def _attempted(self, way: Authenticator, credentials: Credentials, client: str, claimed: str) -> Principal:
        """Verify what costs much, and so is not even begun after too many failures."""
        with self._failures.attempt(client, claimed) as attempt:
            try:
                principal = await way.verify(credentials)
            except UnavailableError:
                attempt.undecided()
                raise
            attempt.succeeded()
            return principal

    def _unauthenticated(self, why: str, tried: Authenticator | None = None) -> NotLetInError:
        ways = " or ".join(dict.fromkeys(one.hint for one in self._authenticators))
        message = f"{why}; send {ways}"
        response = problem(401, message)
        schemes = set()
        for one in self._authenticators:
            challenge = one.challenge("invalid_token" if one is tried else "")
            scheme = challenge.partition(" ")[0]
            if scheme not in schemes:  # of two for bearer tokens, clients read the first
                response.headers.append("www-authenticate", challenge)
            schemes.add(scheme)
        return NotLetInError(response, why)


def _refusal(status: int, why: str, headers: dict[str, str] | None = None) -> NotLetInError:
    return NotLetInError(problem(status, why, headers), why)
