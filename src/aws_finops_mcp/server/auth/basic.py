"""Names and passwords: a password file with bcrypt hashes, as `htpasswd -B` writes it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio
import anyio.to_thread
import bcrypt
from cachetools import TTLCache

from aws_finops_mcp.server.auth.authenticator import RefusedError, UnavailableError
from aws_finops_mcp.server.auth.credentials import Credentials
from aws_finops_mcp.server.auth.principal import Principal, scopes_of
from aws_finops_mcp.server.auth.watched_file import WatchedFile
from aws_finops_mcp.settings import Scopes

KNOWN_SECONDS = 300
"""How long a password that was right is not hashed again. A change of the file ends it at once."""

KNOWN = 1024
"""Passwords that are remembered so, as keyed digests."""

WAITING = 32
"""Passwords that may wait to be hashed; more would wait too long to be worth it."""

REST = 4
"""After a wrong password no other is hashed for so many times as long as that took: a flood of them has a fifth of one
processor at most, and calls have the others and what is left of it."""

COSTS = range(4, 15)
"""bcrypt's costs; above, one hash takes seconds."""

_HASH = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_WRONG = "the name or the password is wrong"


def parse_htpasswd(text: str) -> dict[str, bytes]:
    """The hashes by name.

    Raises:
        ValueError: naming the line, and never a hash.
    """
    users: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, digest = line.strip().partition(":")
        if not name or not colon:
            raise ValueError(f"line {number}: must be name:hash")
        if name in users:
            raise ValueError(f"line {number}: {name} is there already")
        found = _HASH.fullmatch(digest)
        if not found:
            raise ValueError(f"line {number}: the hash of {name} is not bcrypt's; make it with htpasswd -B")
        if int(found[1]) not in COSTS:
            raise ValueError(f"line {number}: the hash of {name} has cost {found[1]}; {COSTS[0]} to {COSTS[-1]} do")
        users[name] = digest.encode()
    return users


def name_and_password(value: str) -> tuple[str, bytes]:
    """What `Authorization: Basic` carries (RFC 7617).

    Raises:
        RefusedError: it is not that.
    """
    try:
        name, colon, password = base64.b64decode(value, validate=True).partition(b":")
        text = name.decode("utf-8")
    except (binascii.Error, ValueError):
        raise RefusedError("Authorization: Basic must be followed by base64 of name:password") from None
    if not colon:
        raise RefusedError("Authorization: Basic has no colon between name and password once decoded")
    if not text or not password or b"\0" in password or not text.isprintable() or len(text) > 255:
        raise RefusedError(_WRONG)
    return text, password


class BasicAuthenticator:
    """Names and passwords. Hashing is slow by intent: in a thread, one at a time, with rests, and a bounded queue."""

    how = "basic"
    hint = "Authorization: Basic with a name and a password"
    slow = True

    def __init__(
        self, file: Path, scopes: Mapping[str, Scopes], rest: Callable[[float], Awaitable[None]] = anyio.sleep
    ) -> None:
        self.file = WatchedFile(file, "MCP_AUTH_BASIC_FILE", parse_htpasswd)
        self._scopes = scopes
        self._key = secrets.token_bytes(32)
        self._right: TTLCache[bytes, bool] = TTLCache(KNOWN, KNOWN_SECONDS)
        self._rest = rest
        self._one = anyio.Lock()
        self._waiting = 0
        # Nobody's: what an unknown name is compared with, so that the time it takes does not tell that it is unknown.
        self._nobody = bcrypt.hashpw(secrets.token_bytes(24), bcrypt.gensalt(COSTS[0] + 1))

    def challenge(self, error: str = "") -> str:
        return 'Basic realm="aws-finops-mcp", charset="UTF-8"'

    def reads(self, credentials: Credentials) -> bool:
        return credentials.kind == "basic"

    def claimed(self, credentials: Credentials) -> str:
        try:
            return name_and_password(credentials.value)[0]
        except RefusedError:
            return ""

    def knows(self, name: str) -> bool:
        try:
            return name in self.file.value()
        except UnavailableError:
            return False

    def label(self, credentials: Credentials) -> str:
        return ""

    def known(self, credentials: Credentials) -> Principal | None:
        try:
            name, password = name_and_password(credentials.value)
        except RefusedError:
            return None
        digest = self.file.value().get(name)
        if digest is None or self._digest(name, password, digest) not in self._right:
            return None
        return self._principal(name)

    async def verify(self, credentials: Credentials) -> Principal:
        name, password = name_and_password(credentials.value)
        users = self.file.value()
        digest = users.get(name)
        if self._waiting >= WAITING:
            raise UnavailableError("too many passwords are waiting to be checked", retry_after=2)
        self._waiting += 1
        try:
            right = await self._hashed(password, digest or self._like(users))
        finally:
            self._waiting -= 1
        if digest is None or not right:
            raise RefusedError(_WRONG)
        self._right[self._digest(name, password, digest)] = True
        return self._principal(name)

    async def _hashed(self, password: bytes, digest: bytes) -> bool:
        """Whether it is the password. One at a time; a wrong one makes those after it wait."""
        async with self._one:
            right, seconds = await anyio.to_thread.run_sync(_matches, password, digest, abandon_on_cancel=False)
            if not right:
                with anyio.CancelScope(shield=True):  # who leaves has not rested
                    await self._rest(REST * seconds)
            return right

    def _like(self, users: Mapping[str, bytes]) -> bytes:
        """A hash that takes as long to check as those of the users."""
        cost = max((digest[4:6] for digest in users.values()), default=self._nobody[4:6])
        return self._nobody[:4] + cost + self._nobody[6:]

    def _principal(self, name: str) -> Principal:
        return Principal(name, self.how, scopes_of(name, self._scopes))

    def _digest(self, name: str, password: bytes, digest: bytes) -> bytes:
        """What is remembered in the place of a password; a change of the file's hash makes it useless."""
        text = b"\0".join((name.encode(), digest, password))
        return hmac.new(self._key, text, hashlib.sha256).digest()


def _matches(password: bytes, digest: bytes) -> tuple[bool, float]:
    """Whether it is the password, and the seconds of a processor that it took to say so."""
    begun = time.thread_time()
    # bcrypt knows 72 bytes; htpasswd and nginx leave the rest out, this library refuses it.
    right = bcrypt.checkpw(password[:72], digest)
    return right, time.thread_time() - begun
