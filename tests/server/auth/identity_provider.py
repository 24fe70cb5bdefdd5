"""A small issuer of tokens on loopback: keys, OpenID configuration, and ways to misbehave."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from tests.server.auth.listening import Quiet, listening

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP384R1())


@dataclass
class Provider:
    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    """In the place of the set of keys."""
    location: str = ""
    configuration: dict[str, Any] = field(default_factory=dict)

    def token(self, key: Any = RSA_KEY, algorithm: str = "RS256", kid: Any = "rsa", **claims: Any) -> str:
        """A token that is good for `https://finops.example.com/mcp`, but for what is given; None leaves a claim out."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "sub": "alice",
            "aud": "https://finops.example.com/mcp",
            "iat": now,
            "exp": now + 300,
        }
        headers = claims.pop("headers", {}) | ({"kid": kid} if kid is not None else {})
        whole = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(whole, key, algorithm, headers)


def public(key: Any, **members: Any) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), **members}


@contextmanager
def identity_provider() -> Iterator[Provider]:
    provider = Provider()

    class Handler(Quiet):
        def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
            provider.asked.append(self.path)
            if self.path.endswith("/.well-known/openid-configuration"):
                usual = {"issuer": provider.url, "jwks_uri": f"{provider.url}/keys"}
                self._send(200, json.dumps(usual | provider.configuration).encode())
            else:
                body = json.dumps({"keys": provider.keys}).encode() if provider.body is None else provider.body
                self._send(provider.status, body)

        def _send(self, status: int, body: bytes) -> None:
            self.answer(status, body, **({"location": provider.location} if provider.location else {}))

    with listening(Handler) as provider.url:
        provider.keys = [public(RSA_KEY, kid="rsa", use="sig", alg="RS256"), public(EC_KEY, kid="ec")]
        yield provider
