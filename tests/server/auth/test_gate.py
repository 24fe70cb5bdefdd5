"""Which requests get in, by the listener and by what they claim."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope
from tests.server.auth.asking import LOOPBACK, NETWORK, SOCKET, Asked, audit_lines, basic, htpasswd

from aws_finops_mcp.server.auth.failures import PER_CLIENT
from aws_finops_mcp.server.auth.key_file import create_key
from aws_finops_mcp.server.auth.listener import Listener, forwarded_for, is_loopback, listener_of
from aws_finops_mcp.server.auth.principal import Principal, caller_of
from aws_finops_mcp.settings import Scopes

CLAIMS = [
    ("X-Remote-User", "root"),
    ("X-Forwarded-User", "root"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Real-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1;host=localhost"),
    ("X-Auth-Subject", "root"),
    ("X-Original-URL", "/health"),
    ("X-Rewrite-URL", "/health"),
    ("Host", "localhost"),
]


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def both(tmp_path: Path, audit: Path) -> Asked:
    create_key(tmp_path / "keys.json", "ci", Scopes(), None)
    users = htpasswd(tmp_path / "users", alice="correct horse")
    return Asked(audit, mcp_auth_basic_file=users, mcp_auth_keys_file=tmp_path / "keys.json")


@pytest.mark.parametrize("at", [NETWORK, SOCKET, None])
@pytest.mark.parametrize("headers", [[], CLAIMS, [("Authorization", "Digest username=root")]])
def test_no_header_stands_in_for_a_credential(
    both: Asked, at: tuple[str, int | None] | None, headers: list[tuple[str, str]]
) -> None:
    reply = both.ask(*headers, at=at)
    assert (reply.status, reply.caller) == (401, None)
    assert len(reply.all("www-authenticate")) == 2
    assert "X-API-Key: id.secret" in reply.error()


def test_an_open_loopback_port_needs_none_and_a_wrong_one_is_refused_there_too(both: Asked) -> None:
    reply = both.ask(at=LOOPBACK, peer="127.0.0.1")
    assert reply.caller
    assert (reply.caller.principal.how, reply.caller.client) == ("loopback", "127.0.0.1")
    assert both.ask(basic("alice", "wrong"), at=LOOPBACK).status == 401
    reply = both.ask(basic("alice", "correct horse"), at=LOOPBACK)
    assert reply.caller
    assert reply.caller.principal.how == "basic"


def test_a_tunnel_cannot_name_itself_where_the_server_authenticates(tmp_path: Path, audit: Path) -> None:
    users = htpasswd(tmp_path / "users", alice="correct horse")
    scopes = {"alice": Scopes(categories=("cost",), calls_per_day=10)}
    gate = Asked(audit, mcp_auth_basic_file=users, mcp_auth_scopes=scopes)
    headers = [("X-Remote-User", "alice"), ("X-Forwarded-For", "203.0.113.9")]
    reply = gate.ask(*headers, at=LOOPBACK, peer="127.0.0.1")
    assert reply.caller
    assert reply.caller.principal == Principal("", "loopback")
    assert reply.caller.client == "127.0.0.1"
    assert gate.ask(*headers, basic("bob", "wrong"), at=LOOPBACK, peer="127.0.0.1").status == 401
    assert audit_lines(audit)[-1]["client"] == "127.0.0.1"


def test_without_any_way_the_loopback_port_is_as_it_was() -> None:
    """nginx asks for passwords, and says whose it was."""
    gate = Asked(mcp_auth_scopes={"alice": Scopes(categories=("cost",))})
    headers = [("X-Remote-User", "alice"), ("X-Forwarded-For", "203.0.113.9"), basic("x", "y"), ("X-API-Key", "z")]
    reply = gate.ask(*headers, at=LOOPBACK, peer="127.0.0.1")
    assert reply.caller
    assert (reply.caller.principal.name, reply.caller.principal.how) == ("alice", "loopback")
    assert reply.caller.client == "203.0.113.9"
    assert reply.caller.principal.scopes.categories == ("cost",)
    reply = gate.ask(at=LOOPBACK)
    assert reply.caller
    assert reply.caller.principal.scopes == Scopes()


def test_a_loopback_port_can_be_keyed(tmp_path: Path) -> None:
    gate = Asked(mcp_auth_basic_file=htpasswd(tmp_path / "users", alice="pw"), mcp_auth_loopback="required")
    assert gate.ask(*CLAIMS, at=LOOPBACK, peer="127.0.0.1").status == 401
    reply = gate.ask(*CLAIMS, basic("alice", "pw"), at=LOOPBACK, peer="127.0.0.1")
    assert reply.caller
    assert (reply.caller.principal.name, reply.caller.client) == ("alice", "127.0.0.1")


def test_a_loopback_port_can_be_closed(tmp_path: Path) -> None:
    gate = Asked(mcp_auth_basic_file=htpasswd(tmp_path / "users", alice="pw"), mcp_auth_loopback="closed")
    reply = gate.ask(basic("alice", "pw"), at=LOOPBACK)
    assert (reply.status, reply.caller) == (403, None)
    assert "MCP_AUTH_LOOPBACK" in reply.error()
    assert gate.ask(basic("alice", "pw"), at=SOCKET).status == 200
    assert gate.ask(at=LOOPBACK, path="/health").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/health/",
        "//health",
        "/health/../mcp",
        "/mcp/../health",
        "/./health",
        "/Health",
        "/health;x",
        "/health%2f",
        "/health\0",
        "/healthz",
        "/mcp#/health",
        "/.well-known",
        "/x/.well-known/y",
        "",
    ],
)
def test_only_the_very_path_of_health_is_public(both: Asked, path: str) -> None:
    assert both.ask(path=path).status == 401
    assert both.ask(path="/health").status == 200


def test_a_forwarded_address_is_believed_of_the_socket_only_and_only_the_proxys_own(both: Asked, audit: Path) -> None:
    forged = ("X-Forwarded-For", "192.0.2.66, 203.0.113.9")
    for at, wanted in ((NETWORK, "198.51.100.1"), (SOCKET, "203.0.113.9")):
        both.ask(forged, at=at, peer="198.51.100.1")
        assert audit_lines(audit)[-1]["client"] == wanted


def test_another_forged_address_each_time_does_not_help_guessing(both: Asked) -> None:
    replies = [
        both.ask(basic("alice", f"guess{n}"), ("X-Forwarded-For", f"192.0.2.{n}"), at=NETWORK)
        for n in range(PER_CLIENT + 1)
    ]
    assert [reply.status for reply in replies] == [401] * PER_CLIENT + [429]
    assert 1 <= int(replies[-1].all("retry-after")[0]) <= 60


def test_a_flood_of_wrong_keys_is_limited_and_the_right_one_of_the_same_client_gets_in(
    tmp_path: Path, audit: Path
) -> None:
    text = create_key(tmp_path / "keys.json", "ci", Scopes(), None)[1]
    gate = Asked(audit, mcp_auth_keys_file=tmp_path / "keys.json")
    statuses = [gate.ask(("X-API-Key", f"fkwrong00000.{'A' * 43}")).status for _ in range(PER_CLIENT + 9)]
    assert statuses.count(429) == 9
    assert gate.ask(("X-API-Key", text)).status == 200
    # Nine that were sent away are one line: a flood must not fill the disk.
    assert [line["status"] for line in audit_lines(audit)] == [401] * PER_CLIENT + [429]


def test_a_refusal_is_audited_with_the_name_that_was_claimed_and_without_the_secret(both: Asked, audit: Path) -> None:
    both.ask(basic("alice", "hidden-4711"), path="/mcp")
    both.ask(("X-API-Key", f"fkaaaaaaaaaa.{'hidden-4711' + 'A' * 32}"), path="/tools")
    both.ask(("Authorization", "Bearer hidden-4711"), ("Authorization", "Bearer hidden-4711"))
    lines = audit_lines(audit)
    assert [(line["status"], line["who"], line["how"], line["path"]) for line in lines] == [
        (401, "alice", "basic", "/mcp"),
        (401, "-", "api_key", "/tools"),
        (400, "-", "none", "/mcp"),
    ]
    assert lines[1]["credential"] == "fkaaaaaaaaaa"
    assert "hidden-4711" not in audit.read_text(encoding="utf-8")
    assert "YWxpY2U" not in audit.read_text(encoding="utf-8")


def test_a_secret_sent_as_a_name_is_in_no_log(both: Asked, audit: Path) -> None:
    """`curl -u "$KEY:"`, or name and password swapped: logs tell only names that there are."""
    for name, password in (("hidden-4711", "-"), ("hidden-4711", "alice"), ("bob", "x")):
        assert both.ask(basic(name, password)).status == 401
    assert [line["who"] for line in audit_lines(audit)] == ["?", "?", "?"]


def test_a_name_is_not_told_while_nobody_knows_whether_it_is_one(both: Asked, audit: Path, tmp_path: Path) -> None:
    (tmp_path / "users").unlink()
    assert both.ask(basic("hidden-4711", "-")).status == 503
    assert [line["who"] for line in audit_lines(audit)] == ["?"]


def test_two_credentials_are_a_400(both: Asked) -> None:
    assert both.ask(basic("alice", "correct horse"), ("X-API-Key", "a.b")).status == 400
    assert both.ask(basic("alice", "correct horse"), basic("alice", "correct horse")).status == 400


def test_a_websocket_gets_nowhere(both: Asked) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def connect() -> None:
        scope: Scope = {"type": "websocket", "path": "/mcp", "server": LOOPBACK, "client": LOOPBACK, "headers": []}
        await both.app(scope, receive, send)

    anyio.run(connect)
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_request_that_no_gate_let_in_has_no_caller() -> None:
    with pytest.raises(RuntimeError, match="no gate"):
        caller_of({"type": "http", "headers": [(b"aws_finops_mcp.caller", b"root")]})


@pytest.mark.parametrize(
    ("server", "wanted"),
    [
        (("127.0.0.1", 8000), Listener.LOOPBACK),
        (("127.9.9.9", 8000), Listener.LOOPBACK),
        (("::1", 8000), Listener.LOOPBACK),
        (("::ffff:127.0.0.1", 8000), Listener.LOOPBACK),
        (("0.0.0.0", 8000), Listener.NETWORK),  # noqa: S104 - not bound
        (("::", 8000), Listener.NETWORK),
        (("10.0.0.5", 8000), Listener.NETWORK),
        (("::ffff:10.0.0.5", 8000), Listener.NETWORK),
        (("fe80::1%lo", 8000), Listener.NETWORK),
        (("/run/x.sock", None), Listener.SOCKET),
        (None, Listener.NETWORK),
    ],
)
def test_the_listener_is_told_by_our_end_of_the_connection(
    server: tuple[str, int | None] | None, wanted: Listener
) -> None:
    assert listener_of({"server": server}) is wanted


def test_a_name_is_loopback_when_all_its_addresses_are() -> None:
    assert is_loopback("localhost")
    assert not is_loopback("no-such-host.invalid")


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=40), max_size=3))
def test_whatever_is_forwarded_is_an_address_or_nothing(values: list[str]) -> None:
    found = forwarded_for({"headers": [(b"x-forwarded-for", value.encode("latin-1")) for value in values]})
    assert set(found) <= set("0123456789abcdef.:")
