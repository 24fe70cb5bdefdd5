"""What HTTP/2 can say and HTTP/1.1 cannot must not become another request behind nginx: frames written by hand."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import time
from collections.abc import Sequence

import pytest
from tests.front.host import Host

DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

Fields = Sequence[tuple[bytes, bytes]]


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value: bytes) -> bytes:
    """A string of HPACK (RFC 7541, 5.2), not compressed."""
    if len(value) < 127:
        return bytes([len(value)]) + value
    rest = len(value) - 127
    return b"\x7f" + (bytes([rest]) if rest < 128 else bytes([128 | rest & 127, rest >> 7])) + value


def block(fields: Fields) -> bytes:
    """Each field as a literal without an index (RFC 7541, 6.2.2): as it is given, right or wrong."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def send(host: Host, fields: Fields, body: bytes = b"") -> bool:
    """One request on a connection of its own; whether nginx ended its stream with an answer."""
    context = host.context()
    context.set_alpn_protocols(["h2"])
    head = frame(HEADERS, END_HEADERS | (0 if body else END_STREAM), 1, block(fields))
    tail = frame(DATA, END_STREAM, 1, body) if body else b""
    with (
        socket.create_connection(("127.0.0.1", host.https), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0, b"") + head + tail)
        return _answered(connection)


def _answered(connection: ssl.SSLSocket) -> bool:
    received = b""
    while True:
        while len(received) >= 9:
            size = int.from_bytes(received[:3], "big")
            if len(received) < 9 + size:
                break
            kind, flags = received[3], received[4]
            received = received[9 + size :]
            if kind in (RST_STREAM, GOAWAY):
                return False
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                return True
        part = connection.recv(65536)
        if not part:
            return False
        received += part


def request(host: Host, agent: str, *more: tuple[bytes, bytes], **pseudo: bytes) -> list[tuple[bytes, bytes]]:
    """A good request but for what is given."""
    first = {"method": b"POST", "scheme": b"https", "authority": b"localhost", "path": b"/mcp"} | pseudo
    usual = [(b"user-agent", agent.encode()), (b"x-api-key", host.key.encode()), (b"content-type", b"application/json")]
    return [*((b":" + name.encode(), value) for name, value in first.items()), *usual, *more]


def served(host: Host, after: int, last: str) -> list[str]:
    """The paths of the requests that reached the server, up to one that it writes down after its answer."""
    for _ in range(100):
        paths = written(host)[after:]
        if last in paths:
            return paths
        time.sleep(0.1)
    raise RuntimeError(f"the server wrote nothing of {last}: {paths}")


def written(host: Host) -> list[str]:
    """The paths that the server's log tells."""
    lines = (host.directory / "server.log").read_text("utf-8", "replace").splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    return [line["path"] for line in told if line.get("event") == "request"]


def test_a_good_request_is_served(host: Host) -> None:
    """So that the others are not refused for how they are written."""
    before = len(written(host))
    assert send(host, request(host, "http2: good", (b"content-length", b"2"), path=b"/smuggled"), b"{}")
    assert host.request_of("http2: good")["status"] == 404
    assert served(host, before, "/smuggled") == ["/smuggled"]


ATTACKS: dict[str, tuple[Fields, dict[str, bytes], bytes]] = {
    "CR and LF in a value": ([(b"x-a", b"1\r\n\r\n" + SMUGGLED)], {}, b"{}"),
    "LF in a value": ([(b"x-a", b"1\nx-b: 2")], {}, b"{}"),
    "NUL in a value": ([(b"x-a", b"1\0x")], {}, b"{}"),
    "CR and LF in a name": ([(b"x-a: 1\r\n\r\n" + SMUGGLED, b"1")], {}, b"{}"),
    "a colon in a name": ([(b"content-length: 0", b"1")], {}, b"{}"),
    "transfer-encoding": ([(b"transfer-encoding", b"chunked")], {}, b"0\r\n\r\n" + SMUGGLED),
    "connection": ([(b"connection", b"content-length")], {}, SMUGGLED),
    "upgrade": ([(b"connection", b"upgrade"), (b"upgrade", b"h2c")], {}, SMUGGLED),
    "another host": ([(b"host", b"other.example.com")], {}, b"{}"),
    "shorter than told": ([(b"content-length", b"100")], {}, SMUGGLED),
    "longer than told": ([(b"content-length", b"0")], {}, SMUGGLED),
    "two lengths": ([(b"content-length", b"2"), (b"content-length", b"0")], {}, b"{}"),
    "a space in the path": ([], {"path": b"/mcp HTTP/1.1\r\nHost: localhost\r\n\r\nGET /smuggled"}, b"{}"),
    "a space and no more": ([], {"path": b"/mcp /smuggled"}, b"{}"),
    "a request in the method": ([], {"method": SMUGGLED + b"POST"}, b"{}"),
    "CR and LF in the authority": ([], {"authority": b"localhost\r\n\r\n" + SMUGGLED}, b"{}"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_request_is_smuggled(host: Host, name: str) -> None:
    fields, pseudo, body = ATTACKS[name]
    before = len(written(host))
    send(host, request(host, f"http2: {name}", *fields, **pseudo), body)
    # One after it over the same connections between nginx and the server: it gets its own answer, and is the last.
    assert send(host, request(host, f"http2: after {name}", path=b"/after"), b"{}")
    assert host.request_of(f"http2: after {name}")["status"] == 404
    paths = served(host, before, "/after")
    assert paths in (["/after"], ["/mcp", "/after"], ["/mcp /smuggled", "/after"])
