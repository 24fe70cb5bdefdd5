"""A host behind a load balancer, with the modern profile: whom it believes, and whom its limits hold off."""

import json
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from tests.hosts.effects import EFFECTS, LIST_TOOLS, STATE, basic
from tests.hosts.operations import LAST, play

NGINX = "../tests/hosts/nginx"
CONNECTIONS = 3


@pytest.fixture(scope="module", autouse=True)
def behind_a_balancer() -> Iterator[None]:
    """This machine, at the gateway's address, is the balancer."""
    play(
        NGINX,
        f"--limit={LAST.name}",
        nginx_trusted_proxies=[f"{EFFECTS['gateway']}/32"],
        nginx_tls_profile="modern",
        nginx_connections=CONNECTIONS,
    )
    yield
    play(NGINX, f"--limit={LAST.name}")


def line_of(marker: str) -> dict[str, str]:
    """What nginx logged about a call."""
    for _ in range(20):
        lines = LAST.shell(f"grep {marker} /var/log/nginx/aws-finops-mcp.log || true").splitlines()
        if lines:
            found: dict[str, str] = json.loads(lines[-1])
            return found
        time.sleep(0.2)
    raise AssertionError(f"{marker} was not logged")


def test_the_caller_is_whom_the_balancer_names() -> None:
    marker = f"balanced-{time.time_ns()}"
    said = "6.6.6.6, 203.0.113.7"  # the first one is what the caller said itself
    answer = LAST.request("POST", "/mcp", LIST_TOOLS, X_Forwarded_For=said, Mcp_Method=marker)
    assert answer.status == 200
    assert line_of(marker)["client"] == "203.0.113.7"
    journal = LAST.shell("journalctl -u aws-finops-mcp -o cat -n 200")
    assert [json.loads(line)["client"] for line in journal.splitlines() if marker in line] == ["203.0.113.7"]


def test_nobody_else_is_believed() -> None:
    marker = f"stranger-{time.time_ns()}"
    headers = (f"Host: {LAST.name}", "X-Forwarded-For: 203.0.113.7", f"Mcp-Method: {marker}")
    asked = "".join(f"{line}\\r\\n" for line in ("GET /mcp HTTP/1.0", *headers, ""))
    LAST.shell(
        f"(printf '{asked}'; sleep 1) | openssl s_client -quiet -connect 127.0.0.1:443 -servername {LAST.name}",
        check=False,
    )
    assert line_of(marker)["client"] == "127.0.0.1"


def test_health_checks_need_no_name() -> None:
    context = ssl.create_default_context(cafile=str(STATE / "root.pem"))
    context.check_hostname = False

    def ask(path: str) -> bytes:
        with (
            socket.create_connection((LAST.address, 443), timeout=10) as raw,
            context.wrap_socket(raw) as connection,  # no server_hostname: no name in the handshake
        ):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {LAST.address}\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    assert b'"healthy"' in ask("/health")
    assert ask("/tools") == b""


def test_only_tls_1_3() -> None:
    with LAST.handshake(name=LAST.name) as connection:
        assert connection.version() == "TLSv1.3"
    with pytest.raises(OSError, match=r"(?i)alert|version|eof|reset"):
        LAST.handshake(name=LAST.name, versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))


@pytest.mark.parametrize(
    ("client", "same", "another"),
    [
        ("203.0.113.8", "203.0.113.8", "203.0.113.9"),
        # All addresses of a /64 are one caller's.
        ("2001:db8:0:a::8", "2001:db8:0:a:ffff::9", "2001:db8:0:b::8"),
        ("2001:db8::a0a:0:0:1", "2001:db8::1", "2001:db8:0:1::1"),
    ],
)
def test_a_client_with_too_many_calls_in_flight_waits_alone(client: str, same: str, another: str) -> None:
    """Calls whose bodies never come hold their places; another caller behind the same balancer notices nothing."""
    context = ssl.create_default_context(cafile=str(STATE / "root.pem"))
    held = []
    head = f"POST /mcp HTTP/1.1\r\nHost: {LAST.name}\r\nX-Forwarded-For: {client}\r\nContent-Length: 10\r\n"
    head += f"Authorization: {basic(EFFECTS['user'], EFFECTS['password'])}\r\n\r\n"
    for _ in range(CONNECTIONS):
        connection = context.wrap_socket(socket.create_connection((LAST.address, 443)), server_hostname=LAST.name)
        connection.sendall(head.encode())
        held.append(connection)
    time.sleep(0.5)
    try:
        assert LAST.request("POST", "/mcp", LIST_TOOLS, X_Forwarded_For=same).status == 429
        assert LAST.request("POST", "/mcp", LIST_TOOLS, X_Forwarded_For=another).status == 200
    finally:
        for connection in held:
            connection.close()
