"""Every attack gets the status that it should, and is written down where the documentation says."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import pytest
from tests.front.host import Host, status

PLAIN = b'{"tool": "find_unused_volumes", "arguments": {"region_name": "us-east-1"}}'
JSON = "Content-Type: application/json"
NONE = "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0."
"""A token of the algorithm `none`."""


@dataclass(frozen=True)
class Attack:
    """A request; `KEY` in a header becomes a good one.

    Attributes:
        status: of the answer; 0 when there must be none.
        line: what the line says that it leaves: in the server's audit log, or nginx's where nginx refuses it.
        own_framing: whether the headers say how long the body is.
    """

    status: int
    line: dict[str, Any]
    headers: tuple[str, ...] = ()
    method: str = "POST"
    path: str = "/mcp"
    body: bytes = PLAIN
    host: str = "localhost"
    by_nginx: bool = False
    own_framing: bool = False

    def request(self, name: str, key: str) -> bytes:
        head = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}", f"User-Agent: {name}", "Connection: close"]
        framing = [] if self.own_framing else [f"Content-Length: {len(self.body)}"]
        return (
            "\r\n".join([*head, *(one.replace("KEY", key) for one in self.headers), *framing, "", ""]).encode()
            + self.body
        )


def login(name: str, password: str) -> str:
    return f"Authorization: Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


ATTACKS = {
    "no credential": Attack(401, {"who": "-", "how": "none", "why": "no credentials"}, (JSON,)),
    "spoofed identity": Attack(
        401,
        {"who": "-", "client": "127.0.0.1"},
        (JSON, "X-Remote-User: alice", "X-Forwarded-For: 203.0.113.99", "X-Real-IP: 203.0.113.99"),
    ),
    "wrong password": Attack(
        401,
        {"who": "alice", "how": "basic", "why": "the name or the password is wrong"},
        (JSON, login("alice", "not-the-password")),
    ),
    "wrong name": Attack(401, {"who": "?", "how": "basic"}, (JSON, login("mallory", "not-the-password"))),
    "wrong key": Attack(
        401, {"how": "api_key", "credential": "fkaaaaaaaaaa"}, (JSON, f"X-API-Key: fkaaaaaaaaaa.{'A' * 43}")
    ),
    "padded key": Attack(401, {"how": "api_key"}, (JSON, "X-API-Key: KEY=")),
    "lengthened key": Attack(401, {"how": "api_key"}, (JSON, "X-API-Key: KEYA")),
    "token without signature": Attack(401, {"how": "oauth"}, (JSON, NONE)),
    "two credentials": Attack(400, {"how": "none"}, (JSON, "X-API-Key: KEY", login("alice", "not-the-password"))),
    "a key twice": Attack(400, {"how": "none"}, (JSON, "X-API-Key: KEY", "X-API-Key: KEY")),
    "a session without AWS": Attack(403, {"who": "ci", "path": "/session"}, ("X-API-Key: KEY",), path="/session"),
    "another site's page": Attack(
        403,
        {"who": "ci", "why": "Origin: not a name of this server; see MCP_ALLOWED_HOSTS"},
        (JSON, "X-API-Key: KEY", "Origin: https://evil.example"),
    ),
    "past /health": Attack(401, {"path": "/health/../mcp"}, (JSON,), path="/health/../mcp"),
    "past /health, encoded": Attack(401, {"path": "/health/../mcp"}, (JSON,), path="/health%2f..%2fmcp"),
    "past /.well-known": Attack(404, {"path": "/.well-known/../tools"}, method="GET", path="/.well-known%2f..%2ftools"),
    "another method": Attack(405, {"who": "ci", "method": "PUT"}, (JSON, "X-API-Key: KEY"), method="PUT"),
    "another kind of body": Attack(415, {"who": "ci"}, ("Content-Type: text/xml", "X-API-Key: KEY")),
    "no JSON": Attack(400, {"who": "ci"}, (JSON, "X-API-Key: KEY"), body=b"{"),
    "deep JSON": Attack(400, {"who": "ci"}, (JSON, "X-API-Key: KEY"), body=b"[" * 9999),
    "no tool": Attack(400, {"who": "ci"}, (JSON, "X-API-Key: KEY"), body=b"{}"),
    "no JSON-RPC": Attack(
        400,
        {"who": "ci"},
        (JSON, "X-API-Key: KEY", "Accept: application/json, text/event-stream"),
        body=b'{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}',
    ),
    "an answer that nobody can read": Attack(
        406,
        {"who": "ci"},
        (JSON, "X-API-Key: KEY", "Accept: text/html"),
        body=b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}',
    ),
    "nothing there": Attack(404, {"who": "ci", "path": "/admin"}, ("X-API-Key: KEY",), path="/admin"),
    "a tool that is none": Attack(
        404,
        {"who": "ci", "event": "call", "tool": "unknown", "outcome": "refused"},
        (JSON, "X-API-Key: KEY"),
        body=b'{"tool": "drop_tables"}',
    ),
    "another host": Attack(
        0,
        {"status": 444, "host": "other.example.com"},
        (JSON, "X-API-Key: KEY"),
        host="other.example.com",
        by_nginx=True,
    ),
    "a key in the address": Attack(400, {"path": "/mcp"}, (JSON,), path="/mcp?key=abcd.efgh", by_nginx=True),
    "too large": Attack(413, {}, (JSON, "X-API-Key: KEY", "Content-Length: 2097152"), by_nginx=True, own_framing=True),
    "two lengths": Attack(
        400,
        {},
        (JSON, "X-API-Key: KEY", f"Content-Length: {len(PLAIN)}", "Content-Length: 3"),
        by_nginx=True,
        own_framing=True,
    ),
    "length and chunks": Attack(400, {}, (JSON, "X-API-Key: KEY", "Transfer-Encoding: chunked"), by_nginx=True),
    "two codings": Attack(501, {}, (JSON, "X-API-Key: KEY", "Transfer-Encoding: identity, chunked"), by_nginx=True),
    "Authorization twice": Attack(400, {}, (JSON, login("alice", "x"), login("alice", "y")), by_nginx=True),
    "TRACE": Attack(405, {"method": "TRACE"}, ("X-API-Key: KEY",), method="TRACE", by_nginx=True),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_refused_and_written_down(host: Host, name: str) -> None:
    attack = ATTACKS[name]
    before = len(host.audit())
    answer = host.raw(attack.request(f"attack: {name}", host.key))
    assert status(answer) == attack.status
    line = host.request_of(f"attack: {name}")
    if attack.by_nginx:
        assert line["upstream_status"] == ""
        assert len(host.audit()) == before
    else:
        (line,) = host.audit()[before:]
        (request_id,) = re.findall(rb"(?i)^x-request-id: (\w+)\r$", answer, re.M)
        assert line["request_id"] == request_id.decode()
        assert line["event"] == attack.line.get("event", "refused")
    wanted = {"status": attack.status} if "event" not in attack.line else {}
    assert line.items() >= (wanted | attack.line).items()
