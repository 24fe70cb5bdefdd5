"""What clients must know to get a token: the metadata of this resource, and of an issuer that leaves some out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aws_finops_mcp.server.auth.fetch import FetchError, fetch_json
from aws_finops_mcp.server.auth.jwks import DISCOVERY, FRESH_SECONDS, PAUSE_SECONDS, Fetch
from aws_finops_mcp.server.auth.token import METADATA
from aws_finops_mcp.server.problems import problem
from aws_finops_mcp.settings import IssuerSettings, Settings

AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"

_CACHED = {"cache-control": "public, max-age=300"}
_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint", "userinfo_endpoint")


def metadata_routes(settings: Settings) -> list[Route]:
    """The metadata (RFC 9728), at the address that its resource's gives and at the root, where some clients look.

    For an issuer that is bridged, its authorization server's metadata (RFC 8414) too.
    """
    document = resource_metadata(settings)

    async def resource(request: Request) -> Response:
        return JSONResponse(document, headers=_CACHED)

    path = urlsplit(settings.mcp_auth_resource).path.rstrip("/")
    routes = [Route(address, resource) for address in dict.fromkeys((f"{METADATA}{path}", METADATA))]
    for issuer in settings.mcp_auth_issuers.values():
        if issuer.bridge:
            bridge = Bridge(issuer, origin_of(settings))
            routes += [Route(address, bridge.answer) for address in (AUTHORIZATION_SERVER, DISCOVERY)]
    return routes


def resource_metadata(settings: Settings) -> dict[str, Any]:
    """The document of RFC 9728."""
    issuers = [one for one in settings.mcp_auth_issuers.values() if one.kind == "oauth"]
    return {
        "resource": settings.mcp_auth_resource,
        "resource_name": "AWS FinOps",
        "authorization_servers": [origin_of(settings) if one.bridge else one.issuer for one in issuers],
        "scopes_supported": sorted({scope for one in issuers for scope in one.scopes}),
        "bearer_methods_supported": ["header"],
    }


def origin_of(settings: Settings) -> str:
    """This server's address without a path."""
    split = urlsplit(settings.mcp_auth_resource)
    return f"{split.scheme}://{split.netloc}"


class Bridge:
    """Tells clients where an issuer's endpoints are, in this server's name.

    Amazon Cognito does PKCE but does not say so, and clients must not go on without it being said
    (`code_challenge_methods_supported`, MCP's authorization of 2025-11-25). Tokens stay the issuer's.
    """

    def __init__(
        self,
        issuer: IssuerSettings,
        origin: str,
        fetch: Fetch = fetch_json,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._origin = origin
        self._fetch = fetch
        self._clock = clock
        self._document: dict[str, Any] | None = None
        self._ask_again_at = 0.0
        self._lock = anyio.Lock()
        self._limiter = anyio.CapacityLimiter(1)

    async def answer(self, request: Request) -> Response:
        """The document, from the issuer's own, which is asked for once in a while whoever asks."""
        async with self._lock:
            if self._clock() >= self._ask_again_at:
                url = self._issuer.issuer.rstrip("/") + DISCOVERY
                try:
                    found = await anyio.to_thread.run_sync(self._fetch, url, limiter=self._limiter)
                    self._document, pause = self._bridged(found), FRESH_SECONDS
                except FetchError:
                    pause = PAUSE_SECONDS
                self._ask_again_at = self._clock() + pause
        if self._document is None:
            why = f"the configuration of {self._issuer.issuer} cannot be had now"
            return problem(503, why, {"retry-after": str(PAUSE_SECONDS)})
        return JSONResponse(self._document, headers=_CACHED)

    def _bridged(self, found: dict[str, Any]) -> dict[str, Any]:
        schemes = ("https", urlsplit(self._issuer.issuer).scheme)
        addresses = {
            name: url
            for name in _ADDRESSES
            if isinstance(url := found.get(name), str) and urlsplit(url).scheme in schemes
        }
        if found.get("issuer") != self._issuer.issuer or not addresses.keys() >= set(_ADDRESSES[:2]):
            raise FetchError("not the configuration of this issuer, or without endpoints")
        return {
            "issuer": self._origin,
            **addresses,
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "scopes_supported": list(self._issuer.scopes),
        }
