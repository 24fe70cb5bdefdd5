"""OAuth from end to end: the official client, told nothing but the server's address and its own client id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider, OAuthRegistrationError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl
from tests.conftest import RunningServer, free_port, running_server
from tests.server.auth.asking import audit_lines
from tests.server.auth.authorization_server import (
    CLIENT_ID,
    SCOPE,
    AuthorizationServer,
    authorization_server,
)

from aws_finops_mcp.demo.account import EmbeddedAccount

REDIRECT = "http://localhost:8765/callback"


@dataclass
class Caller:
    """A user's machine: the client's store, and a browser in which alice is logged in."""

    client: OAuthClientInformationFull | None = None
    kept: OAuthToken | None = None
    back: str = ""
    """Where the browser was sent to."""

    async def get_tokens(self) -> OAuthToken | None:
        return self.kept

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.kept = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info

    async def browse(self, url: str) -> None:
        async with httpx2.AsyncClient() as browser:
            self.back = (await browser.get(url)).headers["location"]

    async def returned(self) -> AuthorizationCodeResult:
        assert self.back.startswith(f"{REDIRECT}?")
        query = parse_qs(urlsplit(self.back).query)
        return AuthorizationCodeResult(code=query["code"][0], state=query["state"][0])

    def call(self, url: str, mode: str = "auto", times: int = 1) -> list[dict[str, Any]]:
        """The answers of a tool."""

        async def ask() -> list[dict[str, Any]]:
            me = OAuthClientMetadata(redirect_uris=[AnyUrl(REDIRECT)], client_name="test")
            login = OAuthClientProvider(url, me, self, self.browse, self.returned)
            async with (
                httpx2.AsyncClient(auth=login, timeout=60) as http,
                Client(streamable_http_client(url, http_client=http), mode=mode) as client,
            ):
                asked = ("find_unused_volumes", {"region_name": "us-east-1"})
                return [(await client.call_tool(*asked)).structured_content or {} for _ in range(times)]

        return anyio.run(ask)


def known() -> Caller:
    """Whose client was given its id, as there is no other way to get one."""
    return Caller(OAuthClientInformationFull(client_id=CLIENT_ID, token_endpoint_auth_method="none"))


@dataclass
class Scene:
    server: RunningServer
    directory: Path
    issuer: AuthorizationServer

    @property
    def url(self) -> str:
        return f"{self.server.url}/mcp"

    def audit(self) -> list[dict[str, Any]]:
        return audit_lines(self.directory / "audit.jsonl")


@pytest.fixture(scope="module", params=["cognito", "by-the-standards"])
def scene(
    request: pytest.FixtureRequest, account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    directory, port = tmp_path_factory.mktemp("oauth"), free_port()
    resource = f"http://127.0.0.1:{port}/mcp"
    with authorization_server() as issuer:
        settings: dict[str, Any] = {"issuer": issuer.issuer, "scopes": [SCOPE], "name_claim": "username"}
        if request.param == "cognito":
            settings |= {"client_ids": [CLIENT_ID], "bridge": True}
        else:
            issuer.audience = resource
        extra = {
            "MCP_AUTH_RESOURCE": resource,
            "MCP_AUTH_ISSUERS": json.dumps({"idp": settings}),
            "MCP_AUTH_LOOPBACK": "required",
            "MCP_AUDIT_FILE": str(directory / "audit.jsonl"),
        }
        with running_server(directory / "log", account.environment | extra, port=port) as server:
            yield Scene(server, directory, issuer)


@pytest.fixture(autouse=True)
def as_before(scene: Scene) -> None:
    scene.issuer.asked.clear()
    scene.issuer.expires_in = 300


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_a_client_finds_the_way_logs_its_user_in_and_is_answered(scene: Scene, mode: str) -> None:
    before = len(scene.audit())
    (answer,) = known().call(scene.url, mode)
    assert answer["complete"] is True
    wanted = ["GET /oauth2/authorize", "POST /oauth2/token authorization_code"]
    assert [asked for asked in scene.issuer.asked if "well-known" not in asked] == wanted
    lines = [line for line in scene.audit()[before:] if line["event"] == "call"]
    assert [(line["who"], line["how"], line["outcome"]) for line in lines] == [("idp:alice", "oauth", "complete")]


def test_a_token_that_ends_is_refreshed_without_the_user(scene: Scene) -> None:
    caller = known()
    scene.issuer.expires_in = 0
    answers = caller.call(scene.url, times=2)
    assert [answer["complete"] for answer in answers] == [True, True]
    assert [asked for asked in scene.issuer.asked if "well-known" not in asked] == [
        "GET /oauth2/authorize",
        "POST /oauth2/token authorization_code",
        "POST /oauth2/token refresh_token",
    ]


def test_a_token_that_lacks_the_scope_is_stepped_up(scene: Scene) -> None:
    caller = known()
    caller.kept = OAuthToken(access_token=scene.issuer.token("openid"), scope="openid")
    (answer,) = caller.call(scene.url)
    assert answer["complete"] is True
    assert caller.kept.scope
    assert set(caller.kept.scope.split()) == {"openid", SCOPE}
    refused = [line for line in scene.audit() if line["event"] == "refused" and line["status"] == 403]
    assert f"the token lacks the scope {SCOPE}" in refused[-1]["why"]


def test_without_a_client_id_there_is_no_way_and_nobody_is_asked_to_log_in(scene: Scene) -> None:
    with pytest.RaisesGroup(OAuthRegistrationError, allow_unwrapped=True, flatten_subgroups=True):
        Caller().call(scene.url)
    assert "GET /oauth2/authorize" not in scene.issuer.asked


def test_no_log_has_what_was_given_out(scene: Scene) -> None:
    """Of the tests above, and alone of one login."""
    known().call(scene.url)
    written = scene.server.log.read_text("utf-8") + (scene.directory / "audit.jsonl").read_text("utf-8")
    assert "idp:alice" in written
    assert len(scene.issuer.secrets) >= 3
    assert [secret for secret in scene.issuer.secrets if secret in written] == []
