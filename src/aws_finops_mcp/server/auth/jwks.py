"""The keys of an issuer of tokens: kept, and asked for anew at times that no sender of tokens can choose."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import jwt

from aws_finops_mcp.server.auth.authenticator import RefusedError, UnavailableError
from aws_finops_mcp.server.auth.fetch import FetchError, fetch_json
from aws_finops_mcp.settings import IssuerSettings

log = logging.getLogger("aws_finops_mcp.auth")

FRESH_SECONDS = 3600
"""After so long the keys are asked for anew."""

STALE_SECONDS = 86_400
"""So long the keys are good while they cannot be had anew."""

PAUSE_SECONDS = 30
"""Between two attempts to have them: tokens that name keys which there are not must not become requests."""

MAX_KEYS = 100
RSA_BITS = 2048

DISCOVERY = "/.well-known/openid-configuration"

Fetch = Callable[[str], dict[str, Any]]


class KeySet:
    """The public keys of one issuer."""

    def __init__(
        self, issuer: IssuerSettings, fetch: Fetch = fetch_json, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, dict[str, Any]] = {}
        self._made: dict[tuple[str, str], jwt.PyJWK] = {}
        self._had_at: float | None = None
        self._tried_at: float | None = None
        self._failed = False
        self._lock = anyio.Lock()
        self._limiter = anyio.CapacityLimiter(1)  # not the threads of the tools, which may all be busy

    async def key(self, name: str, algorithm: str) -> jwt.PyJWK:
        """The key of a name, to check signatures of an algorithm with.

        Raises:
            RefusedError: the issuer has no such key.
            UnavailableError: the keys cannot be had.
        """
        if name not in self._keys or not self._younger(FRESH_SECONDS):
            async with self._lock:
                if (name not in self._keys or not self._younger(FRESH_SECONDS)) and self._may_try():
                    await self._refresh()
        if not self._younger(STALE_SECONDS) or (name not in self._keys and self._failed):
            raise UnavailableError(f"the keys of {self._issuer.issuer} cannot be had now", PAUSE_SECONDS)
        if name not in self._keys:
            raise RefusedError("the token is signed by a key that its issuer does not have")
        found = self._keys[name]
        try:
            if found.get("alg", algorithm) != algorithm:
                raise ValueError("the key is for another algorithm")
            if (name, algorithm) not in self._made:
                self._made[name, algorithm] = jwt.PyJWK(found, algorithm)
            return self._made[name, algorithm]
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            raise RefusedError(f"the token's algorithm {algorithm} is not that of the key that it names") from None

    def _younger(self, seconds: float) -> bool:
        return self._had_at is not None and self._clock() - self._had_at < seconds

    def _may_try(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at >= PAUSE_SECONDS

    async def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            keys = await anyio.to_thread.run_sync(self._read, limiter=self._limiter)
        except FetchError as error:
            self._failed = True
            log.warning("keys of an issuer of tokens cannot be had: %s", error)
            return
        self._keys, self._made, self._had_at, self._failed = keys, {}, self._clock(), False

    def _read(self) -> dict[str, dict[str, Any]]:
        keys = self._fetch(self._issuer.jwks_url or self._discovered()).get("keys")
        if not isinstance(keys, list) or len(keys) > MAX_KEYS:
            raise FetchError(f"{self._issuer.issuer}: no set of keys, or one of more than {MAX_KEYS}")
        return dict(_usable(keys))

    def _discovered(self) -> str:
        """Where the issuer says that its keys are: with TLS, unless the issuer itself does without."""
        issuer = self._issuer.issuer
        document = self._fetch(issuer.rstrip("/") + DISCOVERY)
        url = document.get("jwks_uri")
        if document.get("issuer") != issuer:
            raise FetchError(f"{issuer}: its OpenID configuration is of another issuer")
        if not isinstance(url, str) or urlsplit(url).scheme not in ("https", urlsplit(issuer).scheme):
            raise FetchError(f"{issuer}: its OpenID configuration names no https address of keys")
        return url


def _usable(keys: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The public keys that can be told apart and are for signatures."""
    for key in keys:
        if not isinstance(key, dict) or not isinstance(key.get("kid"), str) or "d" in key:
            continue
        if key.get("kty") not in ("RSA", "EC", "OKP") or key.get("use", "sig") != "sig":
            continue
        modulus = key.get("n", "")
        if key["kty"] == "RSA" and (not isinstance(modulus, str) or len(modulus) * 6 < RSA_BITS):
            continue
        yield key["kid"], key
