"""AWS identities by a signed GetCallerIdentity, and the sessions that they are exchanged for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Protocol

import anyio
import anyio.to_thread
from cachetools import TTLCache
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aws_finops_mcp.server.auth import presigned, sessions
from aws_finops_mcp.server.auth.authenticator import ForbiddenError, RefusedError, UnavailableError
from aws_finops_mcp.server.auth.credentials import Credentials
from aws_finops_mcp.server.auth.fetch import FetchError, fetch_json
from aws_finops_mcp.server.auth.presigned import AUDIENCE_HEADER, hosts_of, identity_of, read_presigned
from aws_finops_mcp.server.auth.principal import Principal, caller_of, scopes_of
from aws_finops_mcp.server.auth.sessions import Sessions
from aws_finops_mcp.server.problems import problem
from aws_finops_mcp.settings import Scopes, StsSettings

KNOWN_SECONDS = 30
"""How long a session is not looked up again."""

_NO_FILE = "sessions cannot be kept or looked up now; the server's log says why"


class Fetch(Protocol):
    """Asks STS."""

    def __call__(self, url: str, headers: Mapping[str, str], /) -> dict[str, Any]: ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Aws:
    """What both ways share: how they are told apart, and who may."""

    how = "aws"
    hint = "Authorization: Bearer with a token of `aws-finops-mcp sts-token`"
    prefix = ""

    def __init__(self, settings: StsSettings, scopes: Mapping[str, Scopes]) -> None:
        self._settings = settings
        self._scopes = scopes

    def challenge(self, error: str = "") -> str:
        return 'Bearer realm="aws-finops-mcp"' + (f', error="{error}"' if error else "")

    def reads(self, credentials: Credentials) -> bool:
        return credentials.kind == "bearer" and credentials.value.startswith(self.prefix)

    def claimed(self, credentials: Credentials) -> str:
        return ""

    def knows(self, name: str) -> bool:
        return False

    def label(self, credentials: Credentials) -> str:
        return ""

    def principal(self, arn: str) -> Principal:
        """The principal of an ARN.

        Raises:
            ForbiddenError: it may not call.
        """
        if not any(fnmatchcase(arn, pattern) for pattern in self._settings.identities):
            raise ForbiddenError(f"{arn[:200]} may not call here; the operator of this server can let it")
        name = f"sts:{arn}"
        return Principal(name, self.how, scopes_of(name, self._scopes))


class PresignedAuthenticator(_Aws):
    """A signed request, good for one request here: it may be seen on its way, or kept by who should not have it."""

    prefix = presigned.PREFIX
    slow = True

    def __init__(
        self,
        settings: StsSettings,
        resource: str,
        scopes: Mapping[str, Scopes],
        kept: Sessions,
        fetch: Fetch = fetch_json,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__(settings, scopes)
        self._resource = resource
        self._hosts = hosts_of(settings.regions)
        self._kept = kept
        self._fetch = fetch
        self._now = now
        self._limiter = anyio.CapacityLimiter(2)

    def known(self, credentials: Credentials) -> Principal | None:
        return None

    async def verify(self, credentials: Credentials) -> Principal:
        return await anyio.to_thread.run_sync(self._verify, credentials.value, limiter=self._limiter)

    def _verify(self, token: str) -> Principal:
        request = read_presigned(token, self._hosts, self._now())
        try:
            if not self._kept.use(request.signature, request.until.timestamp()):
                raise RefusedError("the signed address was used already: sign another, and ask for a session with it")
        except (OSError, sqlite3.Error):
            raise UnavailableError(_NO_FILE) from None
        try:
            answer = self._fetch(request.url, {AUDIENCE_HEADER: self._resource})
        except FetchError as error:  # its text has the address, and so the signature
            if 400 <= error.status < 500:
                why = f"AWS refused the signature; it must be for {AUDIENCE_HEADER}: {self._resource}"
                raise RefusedError(why) from None
            raise UnavailableError("AWS STS cannot be asked now") from None
        return self.principal(identity_of(answer))


class SessionAuthenticator(_Aws):
    """A session."""

    prefix = sessions.PREFIX
    slow = False

    def __init__(self, settings: StsSettings, scopes: Mapping[str, Scopes], kept: Sessions) -> None:
        super().__init__(settings, scopes)
        self._kept = kept
        self._known: TTLCache[str, str] = TTLCache(1024, KNOWN_SECONDS)

    def known(self, credentials: Credentials) -> Principal | None:
        arn = self._known.get(sessions.digest(credentials.value))
        return self.principal(arn) if arn else None

    async def verify(self, credentials: Credentials) -> Principal:
        try:
            found = await anyio.to_thread.run_sync(self._kept.find, credentials.value)
        except (OSError, sqlite3.Error):
            raise UnavailableError(_NO_FILE) from None
        if found is None:
            raise RefusedError("the session is over, or never was: sign another address and ask for a session")
        arn, until = found
        principal = self.principal(arn)
        if until - _utc_now().timestamp() > KNOWN_SECONDS:
            self._known[sessions.digest(credentials.value)] = arn
        return principal


def session_answer(kept: Sessions) -> Callable[[Request], Any]:
    """The answer to `POST /session`: a session for who showed by a signed request who it is."""

    async def answer(request: Request) -> Response:
        principal = caller_of(request.scope).principal
        value = request.headers.get("authorization", "").partition(" ")[2].strip()
        if principal.how != "aws" or not value.startswith(presigned.PREFIX):
            return problem(403, "a session is for who sends a token of `aws-finops-mcp sts-token`")
        try:
            arn = principal.name.removeprefix("sts:")
            token, _ = await anyio.to_thread.run_sync(kept.create, arn)
        except (OSError, sqlite3.Error):
            return problem(503, _NO_FILE, {"retry-after": "60"})
        body = {"access_token": token, "token_type": "Bearer", "expires_in": sessions.SECONDS, "name": principal.name}
        return JSONResponse(body, headers={"cache-control": "no-store"})

    return answer
