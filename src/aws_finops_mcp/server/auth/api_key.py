"""API keys: `id.secret`, in a header of their own or as a bearer token."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aws_finops_mcp.server.auth.authenticator import RefusedError
from aws_finops_mcp.server.auth.credentials import Credentials
from aws_finops_mcp.server.auth.key_file import FORM, ApiKey, digest_of, parse_keys
from aws_finops_mcp.server.auth.principal import Principal
from aws_finops_mcp.server.auth.watched_file import WatchedFile

_NOBODYS = "0" * 64


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ApiKeyAuthenticator:
    """API keys. A digest is all that it takes to check one, so nothing is remembered and a revocation holds at once."""

    how = "api_key"
    hint = "X-API-Key: id.secret (or Authorization: Bearer id.secret)"
    slow = False

    def __init__(self, file: Path, now: Callable[[], datetime] = _utc_now) -> None:
        self.file = WatchedFile(file, "MCP_AUTH_KEYS_FILE", parse_keys)
        self._now = now

    def challenge(self, error: str = "") -> str:
        return 'Bearer realm="aws-finops-mcp"' + (f', error="{error}"' if error else "")

    def reads(self, credentials: Credentials) -> bool:
        if credentials.kind != "bearer":
            return credentials.kind == "api_key"
        # One with two dots is a JWT; those of AWS identities begin as no id of a key does.
        return credentials.value.count(".") == 1 and "-" not in credentials.value.partition(".")[0]

    def claimed(self, credentials: Credentials) -> str:
        return ""  # nobody guesses 256 bits, so nobody has to be kept from guessing those of one key

    def knows(self, name: str) -> bool:
        return False

    def label(self, credentials: Credentials) -> str:
        form = FORM.fullmatch(credentials.value)
        return form[1] if form else ""

    def known(self, credentials: Credentials) -> Principal | None:
        return None

    async def verify(self, credentials: Credentials) -> Principal:
        key = self._key(credentials.value)
        if key is None:
            raise RefusedError("the API key is wrong: no key of this id and secret is known here")
        state = key.state(self._now())
        if state != "active":
            raise RefusedError(f"the API key {key.id} is {state}: ask the operator for another")
        return Principal(key.name, self.how, key.scopes, key.id)

    def _key(self, text: str) -> ApiKey | None:
        """The key, if its secret is the right one, whatever its state."""
        form = FORM.fullmatch(text)
        keys = self.file.value()
        key = keys.get(form[1]) if form else None
        same = hmac.compare_digest(digest_of(text), key.sha256 if key else _NOBODYS)
        return key if same else None
