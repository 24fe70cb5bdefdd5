"""nginx and the server together, as the roles configure them: who gets in, who does not, and what is written down."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from tests.front.host import PASSWORD, ROLE, Host, json_of, running_host, status
from tests.server.auth.asking import basic, htpasswd

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.auth.key_file import create_key, revoke_key
from aws_finops_mcp.server.daily_budget import FILE
from aws_finops_mcp.settings import Scopes

PLAIN = {"tool": "find_unused_volumes", "arguments": {"region_name": "us-east-1"}}
JSON = b"Content-Type: application/json\r\n"


def last(host: Host, event: str) -> dict[str, object]:
    return [line for line in host.audit() if line["event"] == event][-1]


def authorization(host: Host) -> bytes:
    return b"X-API-Key: " + host.key.encode() + b"\r\n"


WHO = {
    "basic": ("alice", "basic"),
    "api-key": ("ci", "api_key"),
    "api-key-bearer": ("ci", "api_key"),
    "oauth": ("okta:alice", "oauth"),
    "aws-token": (f"aws:{ROLE}", "aws"),
    "aws-session": (f"sts:{ROLE}", "aws"),
}


def test_each_way_gets_an_answer_and_an_audit_line(host: Host) -> None:
    ways = host.ways()
    assert ways.keys() == WHO.keys()
    for way, header in ways.items():
        answer = host.post(header, body=PLAIN)
        assert answer.status_code == 200, answer.text
        line = last(host, "call")
        assert (line["who"], line["how"], line["client"]) == (*WHO[way], "127.0.0.1")


def test_strangers_are_told_what_to_send_and_where_to_log_in(host: Host) -> None:
    answer = host.post(body=PLAIN)
    assert answer.status_code == 401
    schemes = {value.split()[0] for value in answer.headers.get_list("www-authenticate")}
    assert schemes == {"Basic", "Bearer"}
    with httpx2.Client(verify=host.context()) as client:
        found = client.get(f"{host.url}/.well-known/oauth-protected-resource/mcp")
    assert found.status_code == 200
    assert found.json()["authorization_servers"] == [host.issuer.url]
    assert host.post(basic("alice", "wrong-password"), body=PLAIN).status_code == 401
    assert last(host, "refused")["why"] == "the name or the password is wrong"


@pytest.mark.parametrize(
    ("off", "without", "given", "hint", "challenge"),
    [
        ("basic", "", {"aws_finops_mcp_basic": False, "nginx_users": []}, "a name and a password", "Basic"),
        ("api_key", "", {"aws_finops_mcp_api_keys": False}, "X-API-Key", ""),
        ("oauth", "oauth", {}, "", "resource_metadata"),
        ("aws", "aws", {}, "sts-token", ""),
    ],
)
def test_each_way_can_be_switched_off(
    account: EmbeddedAccount, tmp_path: Path, off: str, without: str, given: dict[str, Any], hint: str, challenge: str
) -> None:
    """Then what was good for it is a 401 that no longer names it, and the others get in."""
    with running_host(account.environment, tmp_path, without=without, **given) as host:
        for way, header in host.ways().items():
            answer = host.post(header, body={"tool": "list_checks"})
            assert (way, answer.status_code) == (way, 401 if WHO[way][1] == off else 200)
        told = host.post(body=PLAIN)
        assert told.status_code == 401
        challenges = " ".join(told.headers.get_list("www-authenticate"))
        assert challenges
        assert not challenge or challenge not in challenges
        assert not hint or hint not in told.json()["error"]


def test_the_loopback_port_stays_open_and_names_nobody(host: Host) -> None:
    answer = httpx2.post(f"http://127.0.0.1:{host.loopback}/mcp", json=PLAIN, timeout=60)
    assert answer.status_code == 200
    assert last(host, "call")["how"] == "loopback"


def test_a_tunnel_spends_nobody_elses_budget(account: EmbeddedAccount, tmp_path: Path) -> None:
    """Nor does it write another's name or address into the audit log."""
    scopes = {"alice": {"calls_per_day": 1000}}
    with running_host(account.environment, tmp_path, aws_finops_mcp_scopes=scopes) as scoped:
        claims = {"X-Remote-User": "alice", "X-Forwarded-For": "203.0.113.99"}
        port = f"http://127.0.0.1:{scoped.loopback}/mcp"
        assert httpx2.post(port, json=PLAIN, headers=claims, timeout=60).status_code == 200
        line = last(scoped, "call")
        assert (line["who"], line["how"], line["client"]) == ("-", "loopback", "127.0.0.1")
        assert spent(scoped) == {}
        assert scoped.post(basic("alice", PASSWORD), body=PLAIN).status_code == 200
        assert spent(scoped) == {"alice": last(scoped, "call")["aws_calls"]}


def spent(host: Host) -> dict[str, int]:
    """AWS calls of today by name."""
    file = host.directory / "state" / FILE
    if not file.exists():
        return {}
    with closing(sqlite3.connect(file)) as disk:
        return dict(disk.execute("SELECT name, SUM(calls) FROM uses GROUP BY name").fetchall())


@pytest.mark.parametrize(
    "name", ["X-Remote-User", "X-Forwarded-For", "X-Real-IP", "Forwarded", "X_Remote_User", "X_Forwarded_For"]
)
def test_identity_headers_from_outside_mean_nothing(host: Host, name: str) -> None:
    assert host.post((name, "203.0.113.99"), body=PLAIN).status_code == 401
    assert last(host, "refused")["client"] == "127.0.0.1"
    assert host.post((name, "203.0.113.99"), ("X-API-Key", host.key), body=PLAIN).status_code == 200
    line = last(host, "call")
    assert (line["who"], line["client"]) == ("ci", "127.0.0.1")


@pytest.mark.parametrize(
    "headers",
    [
        b"Authorization: Basic YWxpY2U6eA==\r\nAuthorization: Basic YWxpY2U6eQ==\r\n",
        b"Authorization: Basic YWxpY2U6eA==\r\nX-API-Key: abcd.efgh\r\n",
        b"X-API-Key: abcd.efgh\r\nX-API-Key: abcd.efgh\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity, chunked\r\n",
        b"X-Folded: one\r\n two\r\nX-API-Key: abcd.efgh\r\nAuthorization: Basic YWxpY2U6eA==\r\n",
    ],
    ids=["authorization", "two-kinds", "keys", "lengths", "length-and-chunks", "codings", "folded"],
)
def test_what_can_be_read_in_two_ways_is_refused(host: Host, headers: bytes) -> None:
    request = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n" + JSON + headers
    answer = host.raw(request + b"\r\n{}")
    assert status(answer) in (400, 501)


def test_a_smuggled_request_is_never_served(host: Host) -> None:
    """The second one, inside the body of the first, would be served if the two sides counted bytes differently."""
    inner = b"GET /tools HTTP/1.1\r\nHost: localhost\r\n" + authorization(host) + b"\r\n"
    for framing in (
        b"Content-Length: %d\r\nTransfer-Encoding : chunked\r\n" % (len(inner) + 5),
        b"Content-Length: %d\r\nTransfer_Encoding: chunked\r\n" % (len(inner) + 5),
        b"Transfer-Encoding: xchunked\r\n",
    ):
        head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + JSON + authorization(host) + framing
        answer = host.raw(head + b"\r\n0\r\n\r\n" + inner)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert status(answer) in (400, 501)


@pytest.mark.parametrize(
    "path",
    [
        b"//mcp",
        b"/health/../mcp",
        b"/health/..;/mcp",
        b"/health/%2e%2e/mcp",
        b"/health%2f..%2fmcp",
        b"/HEALTH",
        b"/health;x=1",
        b"/health%00",
        b"/health/",
        b"//health/../tools",
        b"/.well-known/../tools",
        b"/.well-known/%2e%2e/tools",
        b"/.well-known%2f..%2ftools",
    ],
)
def test_no_path_gets_past_authentication(host: Host, path: bytes) -> None:
    answer = host.raw(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert status(answer) in (400, 401, 404)
    assert b'"tools"' not in answer


def test_bodies_too_large_and_hosts_unknown_are_refused(host: Host) -> None:
    head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + JSON + authorization(host)
    assert status(host.raw(head + b"Content-Length: 2097152\r\n\r\n")) == 413
    other = b"GET /tools HTTP/1.1\r\nHost: other.example.com\r\nConnection: close\r\n" + authorization(host) + b"\r\n"
    assert host.raw(other) == b""


MISUNDERSTOOD = {
    "line": (b"nonsense\r\n", 400),
    "length": (b"POST /mcp HTTP/1.1\r\nContent-Length: nine\r\n", 400),
    "headers": (b"GET /tools HTTP/1.1\r\nUser-Agent: headers\r\nX-Large: " + b"x" * 9000 + b"\r\n", 400),
    "method": (b"TRACE /tools HTTP/1.1\r\n", 405),
    "body": (b"POST /mcp HTTP/1.1\r\nContent-Length: 2097152\r\n", 413),
    "address": (b"GET /tools/" + b"x" * 9000 + b" HTTP/1.1\r\n", 414),
    "coding": (b"POST /mcp HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n", 501),
    "version": (b"GET /tools HTTP/2.5\r\n", 505),
}


@pytest.mark.parametrize("case", MISUNDERSTOOD)
def test_what_nginx_answers_itself_is_json(host: Host, case: str) -> None:
    request, expected = MISUNDERSTOOD[case]
    agent = f"User-Agent: {case}\r\n".encode()
    answer = host.raw(request + agent + b"Host: localhost\r\nConnection: close\r\n\r\n")
    assert status(answer) == expected
    assert json_of(answer)["error"]
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"content-type: application/json" in head
    assert b"strict-transport-security: " in head
    assert b"nginx/" not in head
    # Of the others nginx knows no more than that they came.
    if case in ("length", "headers", "method", "body", "coding"):
        assert host.request_of(case)["path"] == request.split()[1].decode()


def test_the_load_balancers_trace_is_in_nginxs_log(host: Host) -> None:
    trace = "Root=1-67891233-abcdef012345678912345678"
    host.post(("X-API-Key", host.key), ("User-Agent", "balanced"), ("X-Amzn-Trace-Id", trace), body=PLAIN)
    assert host.request_of("balanced")["trace"] == trace


def test_where_nginx_verifies_its_refusals_are_json_too(account: EmbeddedAccount, tmp_path: Path) -> None:
    users = {"path": str(tmp_path / "users"), "group": "root"}
    with running_host(
        account.environment, tmp_path, nginx_authentication="nginx", __nginx_users_file=users
    ) as verifying:
        for headers in ([], [basic("alice", "wrong-password")]):
            refused = verifying.post(*headers, body=PLAIN)
            assert (refused.status_code, refused.headers["content-type"]) == (401, "application/json")
            assert refused.headers["www-authenticate"] == 'Basic realm="aws-finops-mcp"'
            assert refused.headers["strict-transport-security"]
            assert "password" in refused.json()["error"]
        where = verifying.post(body=PLAIN, path="/.well-known/oauth-protected-resource/mcp")
        assert (where.status_code, where.headers["content-type"]) == (404, "application/json")
        assert where.json()["error"]


def test_a_body_that_does_not_come_is_given_up(host: Host) -> None:
    head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + JSON + authorization(host)
    answer = host.raw(head + b"User-Agent: slow\r\nContent-Length: 100\r\n\r\n{")
    assert status(answer) in (0, 408)
    assert host.request_of("slow")["status"] == 408
    assert host.post(("X-API-Key", host.key), body=PLAIN).status_code == 200


def test_who_is_taken_out_is_refused_from_the_next_request_on(host: Host) -> None:
    """Users and keys are read again when their files change, without a reload."""
    kept, key = create_key(host.directory / "keys.json", "leaver", Scopes(), None)
    assert host.post(("X-API-Key", key), body=PLAIN).status_code == 200
    revoke_key(host.directory / "keys.json", kept.id)
    assert host.post(("X-API-Key", key), body=PLAIN).status_code == 401
    assert last(host, "refused")["credential"] == kept.id
    assert host.post(basic("alice", PASSWORD), body=PLAIN).status_code == 200
    htpasswd(host.directory / "users", bob=PASSWORD)
    assert host.post(basic("alice", PASSWORD), body=PLAIN).status_code == 401
    htpasswd(host.directory / "users", alice=PASSWORD)


def test_no_secret_is_in_any_log(host: Host) -> None:
    """A whole scenario: each way right, almost right, where it does not belong, and cut off; then all logs."""
    ways = host.ways()
    for way, (name, value) in ways.items():
        # Another first character of the last part: of the last one not all bits count.
        start = max(value.rfind("."), value.rfind(" ")) + 1
        wrong = value[:start] + ("A" if value[start] != "A" else "B") + value[start + 1 :]
        assert host.post((name, value), body=PLAIN).status_code == 200, way
        assert host.post((name, value), body=PLAIN, path="/mcp?key=" + quote(value)).status_code == 400, way
        assert host.post((name, wrong), body=PLAIN).status_code == 401, way
        assert host.post((name, value), body={"tool": value, "arguments": {value: value}}).status_code in (400, 404)
        assert host.post((name, value), (name, value), body=PLAIN).status_code == 400
        assert host.post((name, value), body=PLAIN, path="/session").status_code in (400, 401, 403, 404)
        cut = f"POST /mcp HTTP/1.1\r\nHost: localhost\r\n{name}: {value}\r\nContent-Length: nine\r\n\r\n"
        assert status(host.raw(cut.encode())) == 400
    assert host.post(basic("alice", "a-password-that-is-wrong"), body=PLAIN).status_code == 401
    logs = host.logs()
    assert '"event": "refused"' in logs
    assert '"path":"/mcp"' in logs  # nginx's own
    assert "/session" in logs
    secrets = [PASSWORD, "a-password-that-is-wrong", *(re.split(r"[ .]", value)[-1] for _, value in ways.values())]
    for secret in secrets:
        # Of one that was sent with another first character, all but that.
        assert secret[1:] not in logs


def test_no_secret_is_in_any_log_when_nginx_fails_or_refuses(account: EmbeddedAccount, tmp_path: Path) -> None:
    """Its error log repeats addresses, and the name of a login may be a key, or the password."""
    with running_host(account.environment, tmp_path, nginx_rate="1r/m", nginx_burst=9) as host:
        secret = host.key.partition(".")[2]
        queries = ("", f"?key={host.key}", f"?categories={host.key}", f"?categories=cost&key={secret}")

        def ask(query: str, body: object = PLAIN, *headers: tuple[str, str]) -> int:
            return host.post(*(headers or (("X-API-Key", host.key),)), body=body, path=f"/mcp{query}").status_code

        large = "x" * (2 << 20)
        assert [ask(query, large) for query in queries] == [413, 400, 400, 400]
        assert [ask("", PLAIN, basic(name, word)) for name, word in ((host.key, "-"), (PASSWORD, "alice"))] == [401] * 2
        assert [line["who"] for line in host.audit()] == ["?", "?"]
        head = f"POST /mcp?key={host.key} HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 2097152\r\n\r\n"
        assert status(host.plain(head.replace("%s", "localhost").encode())) == 301
        assert host.plain(head.replace("%s", "other.example.com").encode()) == b""
        assert host.raw(head.replace("%s", "other.example.com").encode()) == b""
        challenge = f"GET /.well-known/acme-challenge/x?{secret} HTTP/1.1\r\nHost: localhost\r\n"
        assert status(host.plain(f"{challenge}Connection: close\r\n\r\n".encode())) == 404
        assert ask("?categories=cost,cleanup%2Cnetwork") == 200
        host.server.terminate()
        host.server.wait(timeout=30)
        assert [ask(query) for query in queries] == [502, 400, 400, 400]
        assert 429 in [ask("") for _ in range(20)]
        assert [ask(query) for query in queries] == [429, 400, 400, 400]
        error_log = (host.directory / "nginx-error.log").read_text(encoding="utf-8")
        for what in ("too large body", "connect() to unix:", "limiting requests"):
            assert what in error_log
        assert '"status":429' in host.logs()
        for text in (secret, PASSWORD):
            assert text not in host.logs()


@pytest.mark.parametrize(("loopback", "expected"), [("required", 401), ("closed", 403)])
def test_the_loopback_port_can_be_keyed_or_closed(
    account: EmbeddedAccount, tmp_path: Path, loopback: str, expected: int
) -> None:
    with running_host(account.environment, tmp_path, aws_finops_mcp_loopback=loopback) as keyed:
        port = f"http://127.0.0.1:{keyed.loopback}"
        assert httpx2.post(f"{port}/mcp", json=PLAIN, timeout=60).status_code == expected
        assert httpx2.get(f"{port}/health").status_code == 200
        with_key = httpx2.post(f"{port}/mcp", json=PLAIN, headers={"X-API-Key": keyed.key}, timeout=60)
        assert with_key.status_code == (200 if loopback == "required" else 403)
        assert keyed.post(("X-API-Key", keyed.key), body=PLAIN).status_code == 200
