"""Tokens: which are good, and every known way to forge one."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.auth.asking import Asked, Reply
from tests.server.auth.identity_provider import EC_KEY, OTHER_KEY, RSA_KEY, Provider, identity_provider, public

from aws_finops_mcp.server.auth.credentials import MAX_BYTES
from aws_finops_mcp.server.auth.jwks import PAUSE_SECONDS, STALE_SECONDS, KeySet
from aws_finops_mcp.server.auth.token import TokenAuthenticator
from aws_finops_mcp.settings import IssuerSettings, Scopes

RESOURCE = "https://finops.example.com/mcp"
PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with identity_provider() as running:
        yield running


def asked_of(provider: Provider, **issuer: Any) -> Asked:
    rules = {"issuer": provider.url, **issuer}
    scopes = {"idp:alice": Scopes(categories=("cost",)), "idp:*": Scopes(categories=("storage",))}
    return Asked(mcp_auth_resource=RESOURCE, mcp_auth_issuers={"idp": rules}, mcp_auth_scopes=scopes)


@pytest.fixture
def asked(provider: Provider) -> Asked:
    return asked_of(provider)


def send(asked: Asked, token: str) -> Reply:
    return asked.ask(("Authorization", f"Bearer {token}"))


def segment(content: object) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(text).decode().rstrip("=")


def test_a_good_token_is_let_in_with_the_scopes_of_its_name(asked: Asked, provider: Provider) -> None:
    for subject, wanted in (("alice", "cost"), ("bob", "storage")):
        reply = send(asked, provider.token(sub=subject))
        assert reply.caller
        principal = reply.caller.principal
        assert (principal.name, principal.how) == (f"idp:{subject}", "oauth")
        assert principal.scopes.categories == (wanted,)
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]


def test_a_name_of_an_issuer_is_not_that_of_a_password(asked: Asked, provider: Provider) -> None:
    """Whoever may choose a name there must not get what the same name has here."""
    gate = Asked(
        mcp_auth_resource=RESOURCE,
        mcp_auth_issuers={"idp": {"issuer": provider.url}},
        mcp_auth_scopes={"alice": Scopes(), "*": Scopes(categories=("storage",))},
    )
    reply = send(gate, provider.token())
    assert reply.caller
    assert reply.caller.principal.scopes.categories == ("storage",)


NOW = int(time.time())


@pytest.mark.parametrize(
    ("claims", "wanted"),
    [
        ({"exp": NOW - 3600}, "the token has expired"),
        ({"exp": None}, "lacks a claim"),
        ({"exp": "soon"}, "not valid"),
        ({"exp": float("inf")}, "not valid"),
        ({"nbf": NOW + 3600}, "not valid yet"),
        ({"iat": NOW + 3600}, "not valid yet"),
        ({"aud": "https://finops.example.com"}, "another audience"),
        ({"aud": "https://FINOPS.example.com/mcp"}, "another audience"),
        ({"aud": f"{RESOURCE}/"}, "another audience"),
        ({"aud": ["https://other.example"]}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"aud": {"https://finops.example.com/mcp": 1}}, "another audience"),
        ({"aud": None}, "lacks a claim"),
        ({"iss": "https://evil.example"}, "an issuer that is not accepted"),
        ({"iss": None}, "an issuer that is not accepted"),
        ({"sub": None}, "lacks a claim"),
        ({"sub": 7}, "not valid"),
        ({"sub": ""}, "no claim sub"),
        ({"sub": "a\nb"}, "no claim sub"),
        ({"sub": "x" * 300}, "no claim sub"),
        ({"token_use": "id"}, "an ID token does not let anyone call"),
    ],
)
def test_a_token_with_a_wrong_claim_is_a_401_that_says_which(
    asked: Asked, provider: Provider, claims: dict[str, Any], wanted: str
) -> None:
    reply = send(asked, provider.token(**claims))
    assert (reply.status, reply.caller) == (401, None)
    assert wanted in reply.error()


def test_an_issuer_is_compared_exactly(asked: Asked, provider: Provider) -> None:
    for issuer in (f"{provider.url}/", provider.url.upper(), f"{provider.url}/../x", f" {provider.url}"):
        assert send(asked, provider.token(iss=issuer)).status == 401


@pytest.mark.parametrize(
    "forge",
    [
        lambda p: p.token(key="", algorithm="none", kid="rsa"),
        lambda p: f"{segment({'alg': 'none', 'kid': 'rsa'})}.{p.token().split('.')[1]}.",
        lambda p: f"{segment({'alg': 'NONE', 'kid': 'rsa'})}.{p.token().split('.')[1]}.",
        lambda p: f"{segment({'alg': 'RS256', 'kid': 'rsa'})}.{p.token().split('.')[1]}.",
        lambda p: f"{segment({'kid': 'rsa'})}.{p.token().split('.')[1]}.{p.token().split('.')[2]}",
        lambda p: p.token(key=OTHER_KEY),
        lambda p: p.token(key=OTHER_KEY, headers={"jwk": public(OTHER_KEY, kid="rsa")}),
        lambda p: p.token(key=OTHER_KEY, headers={"jku": f"{p.url}/evil"}),
        lambda p: p.token(key=OTHER_KEY, headers={"x5u": f"{p.url}/evil"}),
        lambda p: p.token(key=EC_KEY, algorithm="ES384", kid="ec"),  # not one of the algorithms
        lambda p: p.token(key=EC_KEY, algorithm="ES384", kid="rsa"),
        lambda p: p.token(algorithm="RS512"),
        lambda p: p.token(algorithm="PS256"),
        lambda p: p.token(kid="../../etc/passwd"),
        lambda p: p.token(kid="rsa' OR '1'='1"),
        lambda p: p.token(kid="RSA"),
        lambda p: p.token(kid=""),
        lambda p: p.token(kid=None),
        lambda p: p.token(kid="k" * 300),
        lambda p: p.token(headers={"crit": ["exp"]}),
        lambda p: p.token(headers={"crit": ["b64"], "b64": False}),
        lambda p: p.token()[:-2],
        lambda p: p.token() + "A",
        lambda p: p.token().rpartition(".")[0] + ".",
        lambda p: "..",
        lambda p: "a.b.c",
        lambda p: f"{segment([])}.{segment([])}.x",
        lambda p: f"{segment({'alg': 'RS256', 'kid': 'rsa'})}.{segment(b'[' * 3000)}.x",
        lambda p: f"{segment({'alg': ['RS256'], 'kid': ['rsa']})}.{segment({'iss': p.url})}.x",
    ],
)
def test_a_forged_token_is_a_401(asked: Asked, provider: Provider, forge: Any) -> None:
    assert send(asked, provider.token()).status == 200
    reply = send(asked, forge(provider))
    assert (reply.status, reply.caller) == (401, None)
    assert "/evil" not in provider.asked


def test_the_public_key_is_no_shared_secret(asked: Asked, provider: Provider) -> None:
    """Algorithm confusion: signed with HMAC, whose secret is what everyone knows."""
    claims = provider.token().split(".")[1]
    head = f"{segment({'alg': 'HS256', 'kid': 'rsa', 'typ': 'JWT'})}.{claims}"
    signature = jwt.get_algorithm_by_name("HS256")
    signed = f"{head}.{segment(signature.sign(head.encode(), PEM))}"
    assert send(asked, signed).status == 401


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(
    head=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), st.text(max_size=8) | st.booleans()),
    body=st.recursive(st.none() | st.text(max_size=5) | st.floats(), lambda inner: st.dictionaries(st.text(), inner)),
    tail=st.binary(max_size=40),
)
def test_no_made_up_token_gets_in(asked: Asked, head: dict[str, Any], body: Any, tail: bytes) -> None:
    token = f"{segment(head)}.{segment(body)}.{segment(tail)}"
    reply = send(asked, token)
    assert reply.status in ((400,) if len(f"Bearer {token}") > MAX_BYTES else (401, 429))
    assert reply.caller is None


def test_another_algorithm_is_accepted_where_the_operator_says_so(provider: Provider) -> None:
    gate = asked_of(provider, algorithms=["ES384"])
    assert send(gate, provider.token(key=EC_KEY, algorithm="ES384", kid="ec")).status == 200
    assert send(gate, provider.token()).status == 401


def test_a_missing_scope_is_a_403_that_names_it(provider: Provider) -> None:
    gate = asked_of(provider, scopes=["finops/read", "finops/cost"])
    assert send(gate, provider.token(scope="finops/cost openid finops/read")).status == 200
    assert send(gate, provider.token(scp=["finops/cost", "finops/read"])).status == 200
    for claims in ({}, {"scope": "finops/cost"}, {"scope": "finops/read-all finops/cost"}, {"scope": 7}):
        reply = send(gate, provider.token(**claims))
        assert (reply.status, reply.caller) == (403, None)
        assert "finops/read" in reply.error()
        (challenge,) = reply.all("www-authenticate")
        assert 'error="insufficient_scope"' in challenge
        assert 'scope="finops/cost finops/read"' in challenge


def test_a_stranger_is_told_where_to_get_a_token(asked: Asked) -> None:
    where = 'Bearer resource_metadata="https://finops.example.com/.well-known/oauth-protected-resource/mcp"'
    assert asked.ask().all("www-authenticate") == [where]
    assert send(asked, "a.b.c").all("www-authenticate") == [f'{where}, error="invalid_token"']


def test_where_only_aws_issues_tokens_no_client_is_sent_to_log_in(provider: Provider) -> None:
    """The metadata would name no authorization server, which it must (RFC 9728 as MCP takes it)."""
    gate = asked_of(provider, kind="aws", subjects=["arn:aws:iam::123456789012:role/finops-*"])
    assert gate.ask().all("www-authenticate") == ['Bearer realm="aws-finops-mcp"']
    refused = send(gate, "a.b.c").all("www-authenticate")
    assert refused == ['Bearer realm="aws-finops-mcp", error="invalid_token"']


# --- Amazon Cognito: access tokens without an audience ---------------------------------------------------------------


@pytest.fixture
def cognito(provider: Provider) -> Asked:
    return asked_of(provider, client_ids=["our-client"], name_claim="username", scopes=["finops/read"])


def of_cognito(provider: Provider, **claims: Any) -> str:
    usual = {"aud": None, "client_id": "our-client", "token_use": "access", "username": "alice", "scope": "finops/read"}
    return provider.token(**usual | claims)


def test_cognitos_access_token_is_known_by_its_client(cognito: Asked, provider: Provider) -> None:
    reply = send(cognito, of_cognito(provider))
    assert reply.caller
    assert reply.caller.principal.name == "idp:alice"
    assert send(cognito, of_cognito(provider, aud=RESOURCE)).status == 200  # with resource binding


@pytest.mark.parametrize(
    "claims",
    [
        {"client_id": "another"},
        {"client_id": None},
        {"client_id": ["our-client"]},
        {"client_id": None, "aud": "our-client", "token_use": "id"},
        {"aud": "https://other.example"},
        {"token_use": "id"},
        {"username": None},
    ],
)
def test_cognitos_other_tokens_are_not_let_in(cognito: Asked, provider: Provider, claims: dict[str, Any]) -> None:
    reply = send(cognito, of_cognito(provider, **claims))
    assert (reply.status, reply.caller) == (401, None)


# --- AWS: tokens of STS GetWebIdentityToken --------------------------------------------------------------------------

ROLE = "arn:aws:iam::123456789012:role/finops-reader"


def test_a_role_is_let_in_by_its_arn(provider: Provider) -> None:
    gate = asked_of(provider, kind="aws", subjects=["arn:aws:iam::123456789012:role/finops-*"], algorithms=["ES384"])

    def ask(**claims: Any) -> Reply:
        return send(gate, provider.token(key=EC_KEY, algorithm="ES384", kid="ec", **claims))

    reply = ask(sub=ROLE)
    assert reply.caller
    assert (reply.caller.principal.name, reply.caller.principal.how) == (f"idp:{ROLE}", "aws")
    for other in (
        "arn:aws:iam::210987654321:role/finops-reader",
        "arn:aws:iam::123456789012:user/finops-reader",
        "arn:aws:iam::123456789012:role/x-finops-reader",
        f"x{ROLE}",
        ROLE.upper(),
    ):
        reply = ask(sub=other)
        assert (reply.status, reply.caller) == (403, None)
    assert ask(sub=ROLE, aud=None).status == 401


# --- the keys --------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clocked(provider: Provider, clock: Clock) -> Asked:
    issuers = {"idp": IssuerSettings(issuer=provider.url)}
    way = TokenAuthenticator(issuers, RESOURCE, {}, lambda issuer: KeySet(issuer, clock=clock))
    return Asked(ways=(way,))


def test_unknown_keys_are_asked_for_only_so_often(clocked: Asked, provider: Provider, clock: Clock) -> None:
    for number in range(9):
        assert send(clocked, provider.token(kid=f"unknown{number}")).status == 401
    assert provider.asked.count("/keys") == 1
    provider.keys.append(public(OTHER_KEY, kid="new"))
    token = provider.token(key=OTHER_KEY, kid="new")
    assert send(clocked, token).status == 401
    clock.now += PAUSE_SECONDS
    assert send(clocked, token).status == 200
    assert provider.asked.count("/keys") == 2


def test_a_key_that_was_withdrawn_is_not_good_after_the_next_look(
    clocked: Asked, provider: Provider, clock: Clock
) -> None:
    assert send(clocked, provider.token()).status == 200
    provider.keys = [public(OTHER_KEY, kid="other")]
    clock.now += 3600
    assert send(clocked, provider.token(sub="bob")).status == 401


def test_while_the_issuer_is_down_the_keys_stay_good_for_a_day(
    clocked: Asked, provider: Provider, clock: Clock
) -> None:
    assert send(clocked, provider.token()).status == 200
    provider.status = 500
    clock.now += 3700
    assert send(clocked, provider.token(sub="bob")).status == 200
    assert send(clocked, provider.token(kid="new")).status == 503
    clock.now += STALE_SECONDS
    assert send(clocked, provider.token(sub="carol")).status == 503


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 500},
        {"status": 302, "location": "http://127.0.0.1:1/keys"},
        {"body": b"{" + b" " * 300_000 + b'"keys": []}'},
        {"body": b"no json"},
        {"body": b"[]"},
        {"body": b'{"keys": {}}'},
        {"body": json.dumps({"keys": [{"kty": "RSA", "kid": str(n)} for n in range(101)]}).encode()},
        {"configuration": {"issuer": "https://evil.example"}},
        {"configuration": {"jwks_uri": "ftp://127.0.0.1/keys"}},
        {"configuration": {"jwks_uri": None}},
        {"configuration": {"jwks_uri": "http://127.0.0.1:1/keys"}},
    ],
)
def test_without_keys_that_can_be_used_it_is_a_503_and_nobody_gets_in(
    asked: Asked, provider: Provider, wrong: dict[str, Any]
) -> None:
    for name, value in wrong.items():
        setattr(provider, name, value)
    reply = send(asked, provider.token())
    assert (reply.status, reply.caller) == (503, None)
    assert reply.all("retry-after") == [str(PAUSE_SECONDS)]


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "kid": "rsa", "k": segment(PEM)},
        public(RSA_KEY, kid="rsa", use="enc"),
        public(RSA_KEY, kid="rsa", alg="RS512"),
        {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "kid": "rsa"},
        {"kty": "RSA", "kid": "rsa", "n": 5, "e": 7},
        {"kty": "EC", "kid": "rsa", "crv": "P-256"},
        {"kid": "rsa"},
        "rsa",
        None,
    ],
)
def test_a_key_that_is_not_for_it_is_none(asked: Asked, provider: Provider, key: Any) -> None:
    provider.keys = [key]
    assert send(asked, provider.token()).status == 401


def test_an_address_of_keys_can_be_given(provider: Provider) -> None:
    gate = asked_of(provider, jwks_url=f"{provider.url}/elsewhere")
    assert send(gate, provider.token()).status == 200
    assert provider.asked == ["/elsewhere"]


@pytest.mark.parametrize(
    ("issuers", "resource", "wanted"),
    [
        ({"idp": {"issuer": "https://idp.example"}}, "", "needs MCP_AUTH_RESOURCE too"),
        ({"idp": {"issuer": "http://idp.example"}}, RESOURCE, "issuer"),
        ({"idp": {"issuer": "https://user@idp.example"}}, RESOURCE, "issuer"),
        ({"idp": {"issuer": "https://idp.example?x=1"}}, RESOURCE, "issuer"),
        ({"idp": {"issuer": "https://idp.example", "algorithms": ["HS256"]}}, RESOURCE, "algorithms"),
        ({"idp": {"issuer": "https://idp.example", "algorithms": ["none"]}}, RESOURCE, "algorithms"),
        ({"idp": {"issuer": "https://idp.example", "scopes": ['a"b']}}, RESOURCE, "scopes"),
        ({"idp": {"issuer": "https://idp.example", "kind": "aws"}}, RESOURCE, "subjects: name the roles"),
        ({"a:b": {"issuer": "https://idp.example"}}, RESOURCE, "is no name"),
        ({"a": {"issuer": "https://i.example"}, "b": {"issuer": "https://i.example"}}, RESOURCE, "there twice"),
    ],
)
def test_a_wrong_issuer_stops_the_start(issuers: dict[str, Any], resource: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        Asked(mcp_auth_issuers=issuers, mcp_auth_resource=resource)
