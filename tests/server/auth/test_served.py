"""Authentication on a real server process: what it does not start with, what the wire lets through, what is logged."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.conftest import RunningServer, free_port, running_server
from tests.server.auth.asking import audit_lines, basic, htpasswd
from tests.server.test_serve import start, wait_until

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.server.auth.key_file import create_key, revoke_key
from aws_finops_mcp.settings import Scopes

PASSWORD = "correct-horse-4711"
PLAIN = {"tool": "find_unused_volumes", "arguments": {"region_name": "us-east-1"}}


@dataclass
class Keyed:
    """A server whose loopback port asks for a credential."""

    server: RunningServer
    key: str
    keys: Path
    audit: Path
    socket: Path

    def post(self, *headers: tuple[str, str], body: object = PLAIN, path: str = "/mcp") -> httpx2.Response:
        return httpx2.post(f"{self.server.url}{path}", json=body, headers=list(headers), timeout=60)

    def last_call(self) -> dict[str, object]:
        return [line for line in audit_lines(self.audit) if line["event"] == "call"][-1]


@pytest.fixture(scope="module")
def keyed(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    directory = tmp_path_factory.mktemp("keyed")
    _, key = create_key(directory / "keys.json", "ci", Scopes(), None)
    extra = {
        "MCP_AUTH_BASIC_FILE": str(htpasswd(directory / "users", alice=PASSWORD)),
        "MCP_AUTH_KEYS_FILE": str(directory / "keys.json"),
        "MCP_AUTH_LOOPBACK": "required",
        "MCP_AUDIT_FILE": str(directory / "audit.jsonl"),
        "MCP_SERVER_SOCKET": str(directory / "proxy.sock"),
    }
    with running_server(directory / "log", account.environment | extra) as server:
        yield Keyed(server, key, directory / "keys.json", directory / "audit.jsonl", directory / "proxy.sock")


def test_each_way_gets_an_answer_and_an_audit_line(keyed: Keyed) -> None:
    for header, who, how in (
        (("X-API-Key", keyed.key), "ci", "api_key"),
        (("Authorization", f"Bearer {keyed.key}"), "ci", "api_key"),
        (basic("alice", PASSWORD), "alice", "basic"),
    ):
        answer = keyed.post(header, ("X-Request-ID", "audited"))
        assert answer.status_code == 200
        line = keyed.last_call()
        assert (line["who"], line["how"], line["client"]) == (who, how, "127.0.0.1")
        assert (line["tool"], line["outcome"], line["request_id"]) == ("find_unused_volumes", "complete", "audited")
        assert line["arguments"] == {"region_name": "us-east-1"}
        assert line["account"] == answer.json()["account"]
        assert line["regions"] == ["us-east-1"]
        assert line["rows"] == len(answer.json()["findings"]) > 0
        assert line["aws_calls"] == answer.json()["calls"]["total"]
        assert line["cost_usd"] == answer.json()["calls"]["cost_usd"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_mcp_client_of_either_era_is_known_by_its_key(keyed: Keyed, mode: str) -> None:
    async def ask() -> object:
        async with httpx2.AsyncClient(headers={"X-API-Key": keyed.key}, timeout=60) as http:
            transport = streamable_http_client(f"{keyed.server.url}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                return (await client.call_tool("find_unused_elastic_ips", {})).structured_content

    assert anyio.run(ask)
    line = keyed.last_call()
    assert (line["who"], line["how"], line["tool"]) == ("ci", "api_key", "find_unused_elastic_ips")


def test_the_unix_socket_is_served_and_believed_who_it_forwards_for(keyed: Keyed) -> None:
    with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(keyed.socket)), base_url="http://localhost") as proxy:
        refused = proxy.post("/mcp", json=PLAIN, headers={"X-Forwarded-For": "203.0.113.9"})
        assert refused.status_code == 401
        assert audit_lines(keyed.audit)[-1]["client"] == "203.0.113.9"
        good = {"X-Forwarded-For": "192.0.2.1, 203.0.113.9", "X-API-Key": keyed.key}
        assert proxy.post("/mcp", json=PLAIN, headers=good, timeout=60).status_code == 200
    assert keyed.last_call()["client"] == "203.0.113.9"
    assert keyed.socket.stat().st_mode & 0o777 == 0o660


def test_a_stranger_gets_json_that_says_what_to_send(keyed: Keyed) -> None:
    for path in ("/mcp", "/tools", "/anything"):
        answer = keyed.post(path=path)
        assert answer.status_code == 401
        assert "X-API-Key: id.secret" in answer.json()["error"]
        assert answer.headers.get_list("www-authenticate") == [
            'Basic realm="aws-finops-mcp", charset="UTF-8"',
            'Bearer realm="aws-finops-mcp"',
        ]
    assert httpx2.get(f"{keyed.server.url}/health").status_code == 200
    for path in ("/.well-known/oauth-protected-resource", "/.well-known/openid-configuration"):
        assert httpx2.get(f"{keyed.server.url}{path}").status_code == 404


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET /health/../mcp", "", 401),
        ("GET /%68ealth", "", 200),
        ("GET /health%2f..%2fmcp", "", 401),
        ("GET //health", "", 401),
        ("GET http://localhost/health", "", (200, 401)),
        ("GET http://localhost/tools", "", 401),
        ("GET /tools?/health", "", 401),
        ("POST /mcp", "Authorization: Basic {good}\r\nAuthorization: Bearer x\r\n", 400),
        ("POST /mcp", "X-Remote-User: alice\r\nX-Forwarded-For: 127.0.0.1\r\n", 401),
        ("POST /mcp", "Authorization : Basic {good}\r\n", (400, 401)),
        ("POST /mcp", "X: y\r\n Authorization: Basic {good}\r\n", (400, 401)),
        ("POST /mcp", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", (400, 401)),
        ("POST /mcp", "Content-Length: 3\r\nContent-Length: 4\r\n", (400, 401)),
    ],
)
def test_nothing_is_smuggled_past(keyed: Keyed, request_line: str, headers: str, status: int | tuple[int, ...]) -> None:
    where = urlsplit(keyed.server.url)
    good = basic("alice", PASSWORD)[1].partition(" ")[2]
    text = f"{request_line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers.format(good=good)}\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(text.encode())
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    assert reply.count(b"HTTP/1.1 ") == 1
    assert int(reply.split()[1]) in (status if isinstance(status, tuple) else (status,))
    assert b"find_unused" not in reply


def test_a_key_is_good_from_its_making_to_its_revocation_without_a_reload(keyed: Keyed) -> None:
    made, text = create_key(keyed.keys, "guest", Scopes(), None)
    tools = f"{keyed.server.url}/tools"
    # Each on a connection of its own, so that both workers are asked.
    assert {httpx2.get(tools, headers={"X-API-Key": text}).status_code for _ in range(10)} == {200}
    revoke_key(keyed.keys, made.id)
    assert {httpx2.get(tools, headers={"X-API-Key": text}).status_code for _ in range(10)} == {401}


def test_an_argument_that_may_be_a_secret_is_audited_by_its_name_only(keyed: Keyed) -> None:
    nested = {"tool": "run_check", "arguments": {"check": "find_unused_volumes", "arguments": {"password": "s-4711"}}}
    for body in ({"tool": "find_unused_volumes", "arguments": {"aws_secret_access_key": "s-4711"}}, nested):
        assert keyed.post(("X-API-Key", keyed.key), body=body).status_code == 400
        assert keyed.last_call()["outcome"] == "refused"
    assert "s-4711" not in keyed.audit.read_text(encoding="utf-8")
    assert keyed.last_call()["arguments"] == {"names": ["check", "arguments"]}


def test_no_secret_is_in_any_log_and_none_is_readable_by_others(keyed: Keyed) -> None:
    keyed.post(basic("alice", "wrong-4711"))
    keyed.post(("X-API-Key", keyed.key[:-1]))
    text = keyed.server.log.read_text(encoding="utf-8") + keyed.audit.read_text(encoding="utf-8")
    assert '"status": 401' in text
    secret = keyed.key.partition(".")[2]
    encoded = basic("alice", PASSWORD)[1].partition(" ")[2]
    for hidden in (PASSWORD, "wrong-4711", secret, secret[:-1], encoded):
        assert hidden not in text
    for file in (keyed.audit, keyed.keys):
        assert file.stat().st_mode & 0o007 == 0
    assert PASSWORD.encode() not in Path(f"/proc/{keyed.server.process.pid}/environ").read_bytes()


def test_the_log_has_the_caller_in_both_lines(keyed: Keyed) -> None:
    keyed.post(("X-API-Key", keyed.key), ("X-Request-ID", "by-ci"), ("X-Remote-User", "root"))

    def mine() -> list[dict[str, object]]:
        lines = [json.loads(line) for line in keyed.server.log_lines()]
        return [line for line in lines if line.get("request_id") == "by-ci"]

    wait_until(lambda: len(mine()) == 2)
    assert {line["caller"] for line in mine()} == {"ci"}


def test_eight_flooding_clients_do_not_keep_others_out(keyed: Keyed) -> None:
    """Their passwords are hashed in a thread, a few times; then they are sent away."""
    stop = threading.Event()
    statuses: list[int] = []

    def flood(number: int) -> None:
        with httpx2.Client(headers=[basic("alice", f"guess{number}")]) as client:
            while not stop.is_set():
                statuses.append(client.get(f"{keyed.server.url}/tools").status_code)

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        with httpx2.Client(headers={"X-API-Key": keyed.key}) as client:
            assert [client.get(f"{keyed.server.url}/tools").status_code for _ in range(20)] == [200] * 20
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(statuses) <= {401, 429, 503}
    assert statuses.count(429) > statuses.count(401)


def test_without_a_way_to_authenticate_it_does_not_serve_strangers() -> None:
    for host in ("0.0.0.0", "::"):  # noqa: S104 - what must be refused
        done = start("serve", MCP_SERVER_HOST=host, MCP_SERVER_PORT=str(free_port()))
        assert done.returncode == 2
        assert f"MCP_SERVER_HOST: {host} is reached by others than this host" in done.stderr
        assert "MCP_AUTH_KEYS_FILE" in done.stderr


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [
        ({"MCP_AUTH_LOOPBACK": "required"}, "MCP_AUTH_LOOPBACK: got required, but nobody could call then"),
        ({"MCP_AUTH_LOOPBACK": "closed"}, "MCP_AUTH_LOOPBACK: got closed, but nobody could call then"),
        ({"MCP_SERVER_SOCKET": "{tmp}/s"}, "MCP_SERVER_SOCKET: {tmp}/s is reached by others"),
        ({"MCP_AUTH_KEYS_FILE": "{tmp}/none"}, "MCP_AUTH_KEYS_FILE: {tmp}/none: No such file"),
        ({"MCP_AUTH_BASIC_FILE": "{tmp}/apr1"}, "the hash of alice is not bcrypt's; make it with htpasswd -B"),
        ({"MCP_AUTH_BASIC_FILE": "{tmp}/open"}, "has mode 0644: others may read it"),
        ({"MCP_AUDIT_FILE": "{tmp}/none/audit"}, "MCP_AUDIT_FILE: {tmp}/none/audit: No such file"),
        ({"MCP_AUTH_SCOPES": '{{"a": {{"category": ["cost"]}}}}'}, "there is no such setting"),
        ({"MCP_AUTH_SCOPES": '{{"a": {{"regions": ["moon-1"]}}}}'}, "not an AWS region"),
    ],
)
def test_what_would_let_in_all_or_none_stops_the_start(tmp_path: Path, extra: dict[str, str], wanted: str) -> None:
    htpasswd(tmp_path / "open", alice="pw").chmod(0o644)
    (tmp_path / "apr1").write_text("alice:$apr1$secret$0123456789\n", encoding="utf-8")
    (tmp_path / "apr1").chmod(0o600)
    filled = {name: value.format(tmp=tmp_path) for name, value in extra.items()}
    done = start("serve", MCP_SERVER_PORT=str(free_port()), **filled)
    assert done.returncode == 2
    assert wanted.format(tmp=tmp_path) in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reload_that_would_open_the_server_is_refused(account: EmbeddedAccount, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("", encoding="utf-8")
    with running_server(tmp_path / "log", account.environment, "--config", str(config)) as server:
        config.write_text('mcp_server_host = "0.0.0.0"\n', encoding="utf-8")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any("reload refused" in line and "MCP_SERVER_HOST" in line for line in server.log_lines()))
        assert httpx2.get(f"{server.url}/tools").status_code == 200


def test_with_a_way_to_authenticate_it_serves_the_network(account: EmbeddedAccount, tmp_path: Path) -> None:
    """Bound to every address, loopback is still what our end of the connection says."""
    _, key = create_key(tmp_path / "keys.json", "ci", Scopes(), None)
    others = [entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    address = next((str(one) for one in others if not str(one).startswith("127.")), "")
    extra = {"MCP_SERVER_HOST": "0.0.0.0", "MCP_AUTH_KEYS_FILE": str(tmp_path / "keys.json")}  # noqa: S104
    extra["MCP_ALLOWED_HOSTS"] = address
    with running_server(tmp_path / "log", account.environment | extra) as server:
        assert httpx2.get(f"{server.url}/tools").status_code == 200
        if not address:
            pytest.skip("this host has no address but loopback")
        url = server.url.replace("127.0.0.1", address)
        assert httpx2.get(f"{url}/tools", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
        assert httpx2.get(f"{url}/tools", headers={"X-API-Key": key}).status_code == 200
