"""Tokens of issuers that the operator named: OAuth 2.1 access tokens, and identities of AWS roles (both are JWTs)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import jwt
from cachetools import TTLCache

from aws_finops_mcp.server.auth.authenticator import ForbiddenError, RefusedError
from aws_finops_mcp.server.auth.credentials import Credentials
from aws_finops_mcp.server.auth.jwks import KeySet
from aws_finops_mcp.server.auth.principal import Principal, scopes_of
from aws_finops_mcp.settings import IssuerSettings, Scopes

LEEWAY = 30
"""Seconds that clocks may differ."""

KNOWN_SECONDS = 60
"""How long a token's signature is not checked again."""

KNOWN = 2048

METADATA = "/.well-known/oauth-protected-resource"
"""Where clients look for the authorization server (RFC 9728)."""

_WRONG: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidAudienceError, "the token is for another audience"),
    (jwt.MissingRequiredClaimError, "the token lacks a claim that it needs: exp, iss, sub, and aud"),
    (jwt.InvalidAlgorithmError, "the token's algorithm is not accepted"),
)


class TokenAuthenticator:
    """JWTs. Nothing that a token says chooses how it is checked, beyond which issuer's rules are held against it."""

    how = "oauth"
    hint = "Authorization: Bearer with an access token"
    slow = False

    def __init__(
        self,
        issuers: Mapping[str, IssuerSettings],
        resource: str,
        scopes: Mapping[str, Scopes],
        keys: Callable[[IssuerSettings], KeySet] = KeySet,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = {one.issuer: (name, one, keys(one)) for name, one in issuers.items()}
        self._resource = resource
        self._scopes = scopes
        self._now = now
        self._known: TTLCache[bytes, tuple[float, Principal]] = TTLCache(KNOWN, KNOWN_SECONDS)

    def challenge(self, error: str = "") -> str:
        if not any(one.kind == "oauth" for _, one, _ in self._issuers.values()):
            return 'Bearer realm="aws-finops-mcp"' + (f', error="{error}"' if error else "")
        split = urlsplit(self._resource)
        parts = [f'resource_metadata="{split.scheme}://{split.netloc}{METADATA}{split.path.rstrip("/")}"']
        if wanted := sorted({scope for _, one, _ in self._issuers.values() for scope in one.scopes}):
            parts.append(f'scope="{" ".join(wanted)}"')
        if error:
            parts.append(f'error="{error}"')
        return f"Bearer {', '.join(parts)}"

    def reads(self, credentials: Credentials) -> bool:
        return credentials.kind == "bearer" and credentials.value.count(".") == 2

    def claimed(self, credentials: Credentials) -> str:
        return ""  # signatures are not guessed

    def knows(self, name: str) -> bool:
        return False

    def label(self, credentials: Credentials) -> str:
        return ""

    def known(self, credentials: Credentials) -> Principal | None:
        until, principal = self._known.get(_digest(credentials.value), (0.0, None))
        return principal if self._now() < until else None

    async def verify(self, credentials: Credentials) -> Principal:
        token = credentials.value
        name, issuer, keys, algorithm, key_name = self._rules(token)
        key = await keys.key(key_name, algorithm)
        claims = self._claims(token, key, issuer)
        principal = self._principal(name, issuer, claims)
        self._known[_digest(token)] = (float(claims["exp"]) + LEEWAY, principal)
        return principal

    def _rules(self, token: str) -> tuple[str, IssuerSettings, KeySet, str, str]:
        """Whose token it claims to be, and so which rules are held against it.

        Raises:
            RefusedError: it is no token, or of nobody here.
        """
        try:
            parts = jwt.decode_complete(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise RefusedError("the bearer token is no JWT") from None
        header, claims = parts["header"], parts["payload"]
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._issuers:
            raise RefusedError("the token is of an issuer that is not accepted here")
        name, rules, keys = self._issuers[issuer]
        algorithm, key_name = header.get("alg"), header.get("kid")
        if algorithm not in rules.algorithms:
            raise RefusedError(f"the token's algorithm is not accepted; {', '.join(rules.algorithms)} is")
        if not isinstance(key_name, str) or not 0 < len(key_name) <= 256:
            raise RefusedError("the token names no key (kid)")
        if "crit" in header:
            raise RefusedError("the token asks for an extension (crit) that is not known here")
        return name, rules, keys, str(algorithm), key_name

    def _claims(self, token: str, key: jwt.PyJWK, issuer: IssuerSettings) -> dict[str, Any]:
        """The claims, once the signature is right and they are this issuer's, for here, and for now."""
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=list(issuer.algorithms),
                issuer=issuer.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False, "enforce_minimum_key_length": True},
            )
            if "aud" in claims or not issuer.client_ids:
                # Of a Cognito client of ours, it may lack; where it is, it must be right.
                self._check_audience(claims.get("aud"), issuer)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            known = next((text for kind, text in _WRONG if isinstance(error, kind)), "the token is not valid")
            raise RefusedError(known) from None
        if issuer.client_ids and claims.get("client_id") not in issuer.client_ids:
            raise RefusedError("the token is of a client (client_id) that is not accepted here")
        if claims.get("token_use", "access") != "access":
            raise RefusedError("an ID token does not let anyone call: send the access token")
        return claims

    def _check_audience(self, given: Any, issuer: IssuerSettings) -> None:
        if given is None:
            raise jwt.MissingRequiredClaimError("aud")
        named = given if isinstance(given, list) else [given]
        if not {one for one in named if isinstance(one, str)} & set(issuer.audiences or (self._resource,)):
            raise jwt.InvalidAudienceError

    def _principal(self, name: str, issuer: IssuerSettings, claims: dict[str, Any]) -> Principal:
        subject, claimed = claims["sub"], claims.get(issuer.name_claim)
        if not isinstance(claimed, str) or not 0 < len(claimed) <= 255 or not claimed.isprintable():
            raise RefusedError(f"the token has no claim {issuer.name_claim} that names anyone")
        if not any(fnmatchcase(subject, pattern) for pattern in issuer.subjects):
            raise ForbiddenError(f"{subject[:200]} may not call here; the operator of this server can let it")
        granted = _words(claims.get("scope")) | _words(claims.get("scp"))
        if missing := sorted(set(issuer.scopes) - granted):
            raise ForbiddenError(f"the token lacks the scope {', '.join(missing)}")
        full = f"{name}:{claimed}"
        how = "aws" if issuer.kind == "aws" else self.how
        return Principal(full, how, scopes_of(full, self._scopes))


def _words(given: Any) -> set[str]:
    """The scopes of a token: words, or a list of them."""
    if isinstance(given, str):
        return set(given.split())
    return {one for one in given if isinstance(one, str)} if isinstance(given, list) else set()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
