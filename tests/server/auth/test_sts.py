"""AWS identities by a signed request: what may be sent to STS, what is not, and sessions."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import anyio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from tests.conftest import running_server
from tests.server.auth.asking import Asked, Reply
from tests.test_cli import run

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.auth.authenticator import RefusedError
from aws_finops_mcp.server.auth.fetch import FetchError
from aws_finops_mcp.server.auth.presigned import AUDIENCE_HEADER, PREFIX, hosts_of, identity_of, read_presigned
from aws_finops_mcp.server.auth.principal import KEY, Caller, Principal
from aws_finops_mcp.server.auth.sessions import FILE, SECONDS, Sessions
from aws_finops_mcp.server.auth.sts import PresignedAuthenticator, SessionAuthenticator, session_answer
from aws_finops_mcp.settings import Settings, StsSettings

RESOURCE = "https://finops.example.com/mcp"
REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/finops-reader"
ASSUMED = "arn:aws:sts::123456789012:assumed-role/finops-reader/alice"
HOSTS = {"sts.eu-west-1.amazonaws.com": REGION}
SETTINGS = StsSettings(identities=("arn:aws:iam::123456789012:role/finops-*",), regions=(REGION,))


def signed(audience: str = RESOURCE) -> str:
    """What the command prints, with credentials of nobody."""
    extra = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "AWS_SESSION_TOKEN": "t/+=",
    }
    done = run("sts-token", "--audience", audience, "--region", REGION, extra=extra)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def token() -> str:
    return signed()


def url_of(token: str) -> str:
    text = token.removeprefix(PREFIX)
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def token_of(url: str) -> str:
    return PREFIX + urlsafe_b64encode(url.encode()).decode().rstrip("=")


def with_query(token: str, **changes: str | None) -> str:
    url = url_of(token)
    pairs = dict(parse_qsl(urlsplit(url).query)) | {name.replace("_", "-"): value for name, value in changes.items()}
    return token_of(f"{url.partition('?')[0]}?{urlencode({k: v for k, v in pairs.items() if v is not None})}")


class Sts:
    """AWS's STS, as far as it is asked here."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, str]]] = []
        self.arn = ASSUMED
        self.fails: FetchError | None = None

    def __call__(self, url: str, headers: Mapping[str, str], /) -> dict[str, Any]:
        self.sent.append((url, dict(headers)))
        if self.fails:
            raise self.fails
        return {"GetCallerIdentityResponse": {"GetCallerIdentityResult": {"Arn": self.arn, "Account": "123456789012"}}}


@pytest.fixture
def sts() -> Sts:
    return Sts()


@pytest.fixture
def kept(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path)


@pytest.fixture
def asked(sts: Sts, kept: Sessions, tmp_path: Path) -> Asked:
    ways = (PresignedAuthenticator(SETTINGS, RESOURCE, {}, kept, sts), SessionAuthenticator(SETTINGS, {}, kept))
    return Asked(tmp_path / "audit.jsonl", ways=ways)


def send(asked: Asked, token: str) -> Reply:
    return asked.ask(("Authorization", f"Bearer {token}"))


def test_what_the_command_signs_is_sent_to_sts_as_it_is_and_names_the_role(asked: Asked, sts: Sts, token: str) -> None:
    reply = send(asked, token)
    assert reply.caller
    assert (reply.caller.principal.name, reply.caller.principal.how) == (f"sts:{ROLE}", "aws")
    assert sts.sent == [(url_of(token), {AUDIENCE_HEADER: RESOURCE})]
    assert "hidden" not in url_of(token)


def test_a_token_is_good_once_for_all_workers(asked: Asked, sts: Sts, kept: Sessions) -> None:
    token = signed()
    assert send(asked, token).status == 200
    again = send(asked, token)
    assert (again.status, again.caller) == (401, None)
    assert "was used already" in again.error()
    other = Asked(ways=(PresignedAuthenticator(SETTINGS, RESOURCE, {}, kept, sts),))
    assert send(other, token).status == 401
    assert send(other, with_query(token, X_Amz_Security_Token="other")).status == 401  # the same signature
    assert len(sts.sent) == 1


def moved(token: str, to: str) -> str:
    return token_of(url_of(token).replace("https://sts.eu-west-1.amazonaws.com/", to))


FOREIGN = [
    "https://evil.example/",
    "https://sts.eu-west-1.amazonaws.com.evil.example/",
    "https://sts.eu-west-1.amazonaws.com@evil.example/",
    "https://evil.example#sts.eu-west-1.amazonaws.com/",
    "https://evil.example\\@sts.eu-west-1.amazonaws.com/",
    "https://sts.eu-west-1.amazonaws.com:8443/",
    "https://sts.eu-west-1.amazonaws.com./",
    "https://STS.eu-west-1.amazonaws.com/",
    "https://sts.us-east-1.amazonaws.com/",
    "https://sts.amazonaws.com/",
    "https://169.254.169.254/",
    "http://sts.eu-west-1.amazonaws.com/",
    "https://sts.eu-west-1.amazonaws.com//",
    "https://sts.eu-west-1.amazonaws.com/x/",
    "https://sts.eu-west-1.amazonaws.com/../",
    "https://sts.eu-west-1.amazonaws.com",
    " https://sts.eu-west-1.amazonaws.com/",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("to", FOREIGN)
def test_nothing_is_sent_to_another_host_or_path(asked: Asked, sts: Sts, token: str, to: str) -> None:
    reply = send(asked, moved(token, to))
    assert (reply.status, reply.caller) == (401, None)
    assert sts.sent == []


@pytest.mark.parametrize(
    "change",
    [
        {"Action": "AssumeRole"},
        {"Action": "GetCallerIdentity&Action=GetSessionToken"},
        {"Version": "2010-01-01"},
        {"X_Amz_Algorithm": "AWS4-ECDSA-P256-SHA256"},
        {"X_Amz_SignedHeaders": "host"},
        {"X_Amz_SignedHeaders": f"{AUDIENCE_HEADER};host"},
        {"X_Amz_SignedHeaders": f"host;x;{AUDIENCE_HEADER}"},
        {"X_Amz_SignedHeaders": None},
        {"X_Amz_Signature": None},
        {"X_Amz_Signature": "0" * 63},
        {"X_Amz_Credential": "AKIAIOSFODNN7EXAMPLE/20200101/eu-west-1/sts/aws4_request"},
        {"X_Amz_Credential": None},
        {"X_Amz_Expires": "901"},
        {"X_Amz_Expires": "0"},
        {"X_Amz_Expires": "-1"},
        {"X_Amz_Expires": "1e3"},
        {"X_Amz_Expires": None},
        {"X_Amz_Date": "20200101T000000Z"},
        {"X_Amz_Date": "today"},
        {"x_amz_expires": "60"},
        {"RoleArn": "arn:aws:iam::123456789012:role/x"},
        {"Action ": "x"},
    ],
)
def test_no_other_request_is_sent(asked: Asked, sts: Sts, token: str, change: dict[str, str | None]) -> None:
    reply = send(asked, with_query(token, **change))
    assert (reply.status, reply.caller) == (401, None)
    assert sts.sent == []


def test_a_parameter_twice_is_not_sent(asked: Asked, sts: Sts, token: str) -> None:
    for more in ("&Action=GetCallerIdentity", "&Action=AssumeRole", "&%41ction=AssumeRole", "&X-Amz-Expires=900"):
        assert send(asked, token_of(url_of(token) + more)).status == 401
    assert sts.sent == []


def test_a_credential_is_of_the_region_and_service_that_are_asked(token: str) -> None:
    now = datetime.now(UTC)
    for scope in ("us-east-1/sts", "eu-west-1/s3"):
        other = token_of(url_of(token).replace(quote("eu-west-1/sts", safe=""), quote(scope, safe="")))
        with pytest.raises(RefusedError, match="another region, day or service"):
            read_presigned(other, HOSTS, now)


def test_a_signature_is_good_from_its_making_to_its_end(token: str) -> None:
    until = read_presigned(token, HOSTS, datetime.now(UTC)).until
    assert until - datetime.now(UTC) <= timedelta(seconds=300)
    with pytest.raises(RefusedError, match="has expired"):
        read_presigned(token, HOSTS, until)
    with pytest.raises(RefusedError, match="of the future"):
        read_presigned(token, HOSTS, until - timedelta(seconds=300 + 301))


@given(st.text(max_size=60) | st.sampled_from(FOREIGN), st.text(max_size=60))
def test_any_text_is_refused_or_goes_to_sts(start: str, end: str) -> None:
    try:
        found = read_presigned(token_of(f"{start}?{end}"), HOSTS, datetime.now(UTC))
    except RefusedError:
        return
    assert urlsplit(found.url).hostname in HOSTS


@given(st.text(max_size=80))
def test_any_token_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        read_presigned(PREFIX + text, HOSTS, datetime.now(UTC))


@pytest.mark.parametrize(
    ("arn", "wanted"),
    [
        (ASSUMED, ROLE),
        ("arn:aws-cn:sts::123456789012:assumed-role/a/b", "arn:aws-cn:iam::123456789012:role/a"),
        ("arn:aws:iam::123456789012:user/x/alice", "arn:aws:iam::123456789012:user/x/alice"),
        ("arn:aws:iam::123456789012:root", None),
        ("arn:aws:sts::123456789012:federated-user/alice", None),
        ("arn:aws:sts::123456789012:assumed-role/a", None),
        ("arn:aws:sts::123456789012:assumed-role/a/b/c", None),
        ("arn:aws:iam::123456789012:assumed-role/a/b", None),
        ("arn:aws:iam::12345:user/alice", None),
        (None, None),
        ({}, None),
    ],
)
def test_an_identity_is_a_role_or_a_user(arn: object, wanted: str | None) -> None:
    answer = {"GetCallerIdentityResponse": {"GetCallerIdentityResult": {"Arn": arn}}}
    if wanted is None:
        with pytest.raises(RefusedError):
            identity_of(answer)
    else:
        assert identity_of(answer) == wanted
    others: tuple[dict[str, object], ...] = ({}, {"GetCallerIdentityResponse": []}, {"Arn": arn})
    for broken in others:
        with pytest.raises(RefusedError):
            identity_of(broken)


def test_who_may_not_call_is_a_403(asked: Asked, sts: Sts) -> None:
    sts.arn = "arn:aws:sts::123456789012:assumed-role/admin/alice"
    reply = send(asked, signed())
    assert (reply.status, reply.caller) == (403, None)
    assert "role/admin may not call here" in reply.error()


@pytest.mark.parametrize(("status", "wanted"), [(403, 401), (400, 401), (500, 503), (302, 503), (0, 503)])
def test_what_sts_says_decides(asked: Asked, sts: Sts, tmp_path: Path, status: int, wanted: int) -> None:
    """Signed for another server, AWS gets another audience than was signed, and refuses."""
    token = signed()
    sts.fails = FetchError(f"{url_of(token)}: HTTP {status}", status)
    reply = send(asked, token)
    assert (reply.status, reply.caller) == (wanted, None)
    signature = dict(parse_qsl(url_of(token)))["X-Amz-Signature"]
    assert signature not in reply.body.decode() + (tmp_path / "audit.jsonl").read_text(encoding="utf-8")


def exchange(kept: Sessions, principal: Principal, token: str) -> tuple[int, dict[str, Any]]:
    async def ask() -> tuple[int, dict[str, Any]]:
        headers = [(b"authorization", f"Bearer {token}".encode())]
        request = Request({"type": "http", "headers": headers, KEY: Caller(principal)})
        answer = await session_answer(kept)(request)
        return answer.status_code, json.loads(bytes(answer.body))

    return anyio.run(ask)


def test_a_session_is_had_for_a_token_and_lets_in_until_it_ends(tmp_path: Path, token: str) -> None:
    now = [datetime.now(UTC).timestamp()]
    kept = Sessions(tmp_path, lambda: now[0])
    status, body = exchange(kept, Principal(f"sts:{ROLE}", "aws"), token)
    assert (status, body["token_type"], body["expires_in"]) == (200, "Bearer", SECONDS)
    session = body["access_token"]

    def gate(settings: StsSettings = SETTINGS) -> Asked:
        return Asked(ways=(SessionAuthenticator(settings, {}, kept),))

    reply = send(gate(), session)
    assert reply.caller
    assert reply.caller.principal == Principal(f"sts:{ROLE}", "aws")
    for other in (session[:-1], f"{session}A", session.swapcase(), f"{session[:15]}{'A' * 43}", session[15:]):
        assert send(gate(), other).status == 401
    closed = StsSettings(identities=("arn:aws:iam::123456789012:role/other",), regions=(REGION,))
    assert send(gate(closed), session).status == 403
    now[0] += SECONDS
    assert send(gate(), session).status == 401
    assert session.partition(".")[2].encode() not in (tmp_path / FILE).read_bytes()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("principal", "given_token"),
    [(Principal("ci", "api_key"), "x"), (Principal("", "loopback"), PREFIX), (Principal("sts:x", "aws"), "other")],
)
def test_nobody_else_gets_a_session(kept: Sessions, principal: Principal, given_token: str) -> None:
    assert exchange(kept, principal, given_token)[0] == 403


def test_while_sessions_cannot_be_kept_nobody_gets_in(sts: Sts, token: str) -> None:
    kept = Sessions(Path("/proc/none"))
    ways = (PresignedAuthenticator(SETTINGS, RESOURCE, {}, kept, sts), SessionAuthenticator(SETTINGS, {}, kept))
    gate = Asked(ways=ways)
    assert send(gate, token).status == 503
    assert send(gate, "aws-session-v1." + "A" * 43).status == 503
    assert sts.sent == []


def test_a_real_server_knows_sessions_and_gives_them_to_nobody_else(account: EmbeddedAccount, tmp_path: Path) -> None:
    extra = {
        "MCP_AUTH_STS": SETTINGS.model_dump_json(),
        "MCP_AUTH_RESOURCE": RESOURCE,
        "MCP_AUTH_LOOPBACK": "required",
        "MCP_STATE_DIR": str(tmp_path / "state"),
    }
    with running_server(tmp_path / "log", account.environment | extra) as server:
        session, _ = Sessions(tmp_path / "state").create(ROLE)
        headers = {"authorization": f"Bearer {session}"}
        assert httpx2.get(f"{server.url}/tools", headers=headers).status_code == 200
        assert httpx2.post(f"{server.url}/session", headers=headers).status_code == 403
        assert httpx2.get(f"{server.url}/session", headers=headers).headers["allow"] == "POST"
        foreign = {"authorization": f"Bearer {moved(signed(), 'https://evil.example/')}"}
        assert httpx2.post(f"{server.url}/session", headers=foreign).status_code == 401
        assert session.partition(".")[2] not in server.log.read_text(encoding="utf-8")


def test_hosts_are_those_of_the_partition() -> None:
    assert hosts_of(["us-east-1", "cn-north-1"]) == {
        "sts.us-east-1.amazonaws.com": "us-east-1",
        "sts.cn-north-1.amazonaws.com.cn": "cn-north-1",
    }


@pytest.mark.parametrize(
    ("sts", "resource", "wanted"),
    [
        ({"identities": [ROLE], "regions": [REGION]}, "", "needs MCP_AUTH_RESOURCE too"),
        ({"identities": ["*"], "regions": [REGION]}, RESOURCE, "identities"),
        ({"identities": [], "regions": [REGION]}, RESOURCE, "identities"),
        ({"identities": [ROLE], "regions": ["moon-1"]}, RESOURCE, "not an AWS region"),
        ({"identities": [ROLE], "regions": []}, RESOURCE, "regions"),
    ],
)
def test_wrong_settings_stop_the_start(sts: dict[str, Any], resource: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        Settings.model_validate({"mcp_auth_sts": sts, "mcp_auth_resource": resource})


def test_the_command_says_what_it_lacks() -> None:
    none = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    assert "no region: say --region" in run("sts-token", "--audience", RESOURCE, extra=none).stderr
    done = run("sts-token", "--audience", RESOURCE, "--region", REGION, extra=none)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no credentials" in done.stderr
