"""An authorization server on loopback: logs alice in for one app client, by PKCE, and registers nobody.

As Amazon Cognito: its issuer has a path, it publishes only an OpenID configuration, which does not say that it does
PKCE, and its access tokens name no audience. With `audience`, it is one that does what the standards say.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from tests.server.auth.identity_provider import RSA_KEY, public
from tests.server.auth.listening import Quiet, listening

CLIENT_ID = "1example23456789"
SCOPE = "finops/read"


@dataclass
class AuthorizationServer:
    """What it does, and what it was asked.

    Attributes:
        audience: of its access tokens; empty for none.
        expires_in: seconds that it says the first is good for; all are for 300.
        asked: method and path of each request, and of those for tokens the kind of grant.
        secrets: all that it gave out.
    """

    audience: str = ""
    origin: str = ""
    expires_in: int = 300
    asked: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _granted: dict[str, str] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"{self.origin}/eu-west-1_EXAMPLE"

    def document(self, path: str) -> dict[str, Any] | None:
        """What is published at a path."""
        if path == "/eu-west-1_EXAMPLE/.well-known/jwks.json":
            return {"keys": [public(RSA_KEY, kid="rsa", use="sig", alg="RS256")]}
        known = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.origin}/oauth2/authorize",
            "token_endpoint": f"{self.origin}/oauth2/token",
            "jwks_uri": f"{self.issuer}/.well-known/jwks.json",
            "response_types_supported": ["code", "token"],
        }
        if path == "/.well-known/oauth-authorization-server/eu-west-1_EXAMPLE" and self.audience:
            return known | {"code_challenge_methods_supported": ["S256"]}
        return known if path == "/eu-west-1_EXAMPLE/.well-known/openid-configuration" else None

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to, once alice has typed her password."""
        assert (asked["client_id"], asked["response_type"]) == (CLIENT_ID, "code")
        assert asked["code_challenge_method"] == "S256"
        back = asked["redirect_uri"]
        assert urlsplit(back).hostname in ("localhost", "127.0.0.1")
        code = self._secret()
        self._codes[code] = asked
        return f"{back}?{urlencode({'code': code, 'state': asked['state']})}"

    def tokens(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint."""
        self.asked[-1] += f" {form['grant_type']}"
        if form["grant_type"] == "refresh_token":
            scope = self._granted.get(form["refresh_token"])
        else:
            asked = self._codes.pop(form["code"], {})
            proof = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
            scope = asked["scope"] if asked.get("code_challenge") == proof else None
        if scope is None or form["client_id"] != CLIENT_ID:
            return 400, {"error": "invalid_grant"}
        refresh = form.get("refresh_token") or self._secret()
        self._granted[refresh] = scope
        token = self.token(scope)
        return 200, {
            "access_token": token,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": 300 if form["grant_type"] == "refresh_token" else self.expires_in,
        }

    def token(self, scope: str) -> str:
        """An access token for alice."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "5e9f-alice",
            "username": "alice",
            "client_id": CLIENT_ID,
            "token_use": "access",
            "scope": scope,
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + 300,
        }
        token = jwt.encode(claims | ({"aud": self.audience} if self.audience else {}), RSA_KEY, "RS256", {"kid": "rsa"})
        self.secrets.append(token.rpartition(".")[2])
        return token

    def _secret(self) -> str:
        self.secrets.append(secrets.token_urlsafe(24))
        return self.secrets[-1]


@contextmanager
def authorization_server() -> Iterator[AuthorizationServer]:
    """One that runs."""
    one = AuthorizationServer()

    class Handler(Quiet):
        def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
            asked = urlsplit(self.path)
            one.asked.append(f"GET {asked.path}")
            if asked.path == "/oauth2/authorize":
                self.answer(302, location=one.authorize(dict(parse_qsl(asked.query))))
                return
            document = one.document(asked.path)
            self._send(404 if document is None else 200, document or {})

        def do_POST(self) -> None:  # noqa: N802
            one.asked.append(f"POST {self.path}")
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            if self.path == "/oauth2/token":
                self._send(*one.tokens(dict(parse_qsl(body))))
            else:
                self._send(404, {})

        def _send(self, status: int, document: dict[str, Any]) -> None:
            self.answer(status, json.dumps(document).encode(), content_type="application/json")

    with listening(Handler) as one.origin:
        yield one
