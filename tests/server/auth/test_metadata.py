"""What clients are told of how to get a token, and a token of theirs on a real server process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from starlette.requests import Request
from tests.conftest import RunningServer, running_server
from tests.server.auth.asking import audit_lines
from tests.server.auth.identity_provider import OTHER_KEY, Provider, identity_provider

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.auth.fetch import FetchError
from aws_finops_mcp.server.auth.jwks import FRESH_SECONDS, PAUSE_SECONDS
from aws_finops_mcp.server.auth.metadata import Bridge
from aws_finops_mcp.settings import IssuerSettings

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"
HOSTED = "https://finops.auth.eu-west-1.amazoncognito.com"
COGNITOS = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{HOSTED}/oauth2/authorize",
    "token_endpoint": f"{HOSTED}/oauth2/token",
    "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
    "end_session_endpoint": f"{HOSTED}/logout",
    "userinfo_endpoint": "http://plain.example/userinfo",
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with identity_provider() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    account: EmbeddedAccount, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningServer, Path]]:
    directory = tmp_path_factory.mktemp("oauth")
    issuers = {"idp": {"issuer": provider.url, "scopes": ["finops/read"]}}
    extra = {
        "MCP_AUTH_RESOURCE": "https://finops.example.com/mcp",
        "MCP_AUTH_ISSUERS": json.dumps(issuers),
        "MCP_AUTH_LOOPBACK": "required",
        "MCP_AUDIT_FILE": str(directory / "audit.jsonl"),
    }
    with running_server(directory / "log", account.environment | extra) as running:
        yield running, directory / "audit.jsonl"


@pytest.mark.parametrize("suffix", ["", "/mcp"])
def test_the_resource_says_who_issues_its_tokens(
    server: tuple[RunningServer, Path], provider: Provider, suffix: str
) -> None:
    answer = httpx2.get(f"{server[0].url}/.well-known/oauth-protected-resource{suffix}")
    assert answer.status_code == 200
    assert answer.json() == {
        "resource": "https://finops.example.com/mcp",
        "resource_name": "AWS FinOps",
        "authorization_servers": [provider.url],
        "scopes_supported": ["finops/read"],
        "bearer_methods_supported": ["header"],
    }
    for other in ("oauth-authorization-server", "openid-configuration", "oauth-protected-resource/other"):
        assert httpx2.get(f"{server[0].url}/.well-known/{other}").status_code == 404


def test_a_token_gets_an_answer_and_an_audit_line_without_it(
    server: tuple[RunningServer, Path], provider: Provider
) -> None:
    running, audit = server
    call = {"tool": "find_unused_elastic_ips", "arguments": {}}
    good = provider.token(scope="finops/read")
    forged = provider.token(key=OTHER_KEY, scope="finops/read")
    for token, status in ((good, 200), (forged, 401), (provider.token(), 403)):
        headers = {"authorization": f"Bearer {token}"}
        assert httpx2.post(f"{running.url}/mcp", json=call, headers=headers, timeout=60).status_code == status
    lines = audit_lines(audit)
    assert [(line["event"], line["who"], line["how"]) for line in lines[-3:]] == [
        ("call", "idp:alice", "oauth"),
        ("refused", "-", "oauth"),
        ("refused", "-", "oauth"),
    ]
    written = audit.read_text(encoding="utf-8") + running.log.read_text(encoding="utf-8")
    assert not any(part in written for token in (good, forged) for part in token.split("."))


class Cognito:
    """Answers as Cognito does, or not at all."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked = 0
        self.document: dict[str, Any] | None = COGNITOS

    def fetch(self, url: str) -> dict[str, Any]:
        assert url == f"{ISSUER}/.well-known/openid-configuration"
        self.asked += 1
        if self.document is None:
            raise FetchError("down")
        return self.document

    def ask(self, bridge: Bridge, times: int = 1) -> tuple[int, dict[str, Any]]:
        async def all_of_them() -> tuple[int, dict[str, Any]]:
            for _ in range(times):
                answer = await bridge.answer(Request({"type": "http", "headers": []}))
            return answer.status_code, json.loads(bytes(answer.body))

        return anyio.run(all_of_them)


def test_a_bridge_says_what_cognito_leaves_out() -> None:
    cognito = Cognito()
    issuer = IssuerSettings(issuer=ISSUER, scopes=("finops/read",), bridge=True)
    bridge = Bridge(issuer, "https://finops.example.com", cognito.fetch, lambda: cognito.now)
    status, document = cognito.ask(bridge, times=5)
    assert (status, cognito.asked) == (200, 1)
    assert document["issuer"] == "https://finops.example.com"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_endpoint"] == f"{HOSTED}/oauth2/authorize"
    assert document["scopes_supported"] == ["finops/read"]
    assert "userinfo_endpoint" not in document
    cognito.document = None
    cognito.now += FRESH_SECONDS
    assert cognito.ask(bridge)[0] == 200


@pytest.mark.parametrize(
    "document", [None, {}, COGNITOS | {"issuer": "https://evil.example"}, COGNITOS | {"token_endpoint": "http://x"}]
)
def test_a_bridge_to_nowhere_is_a_503_and_is_tried_only_so_often(document: dict[str, Any] | None) -> None:
    cognito = Cognito()
    cognito.document = document
    bridge = Bridge(IssuerSettings(issuer=ISSUER, bridge=True), "https://x.example", cognito.fetch, lambda: cognito.now)
    assert cognito.ask(bridge, times=5)[0] == 503
    assert cognito.asked == 1
    cognito.document = COGNITOS
    cognito.now += PAUSE_SECONDS
    assert cognito.ask(bridge)[0] == 200
