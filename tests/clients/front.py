"""A server that asks who is calling, behind TLS: what clients meet on a provisioned host."""

from __future__ import annotations

import asyncio
import base64
import datetime
import ipaddress
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import bcrypt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.conftest import RunningServer, environment, running_server

PASSWORD = "correct horse"
BASIC = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()


@dataclass(frozen=True)
class Front:
    """Where the server is reached over TLS, by which authority's certificate, and with which key."""

    url: str
    authority: Path
    key: str
    server: RunningServer
    """The server behind it, whose own port is open on loopback, as a tunnel needs it."""


def certificate(directory: Path) -> tuple[Path, Path, Path]:
    """An authority made for the test, and a certificate of its for localhost with its key."""
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = x509.Name.from_rfc4514_string("CN=test authority")
    today = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]

    def signed(name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> bytes:
        builder = x509.CertificateBuilder(root, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(today - datetime.timedelta(days=1))
        builder = builder.not_valid_after(today + datetime.timedelta(days=2))
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    files = directory / "authority.pem", directory / "certificate.pem", directory / "key.pem"
    files[0].write_bytes(signed(root, authority, ca=True))
    files[1].write_bytes(signed(x509.Name.from_rfc4514_string("CN=localhost"), own, ca=False))
    files[2].touch(0o600)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[2].write_bytes(own.private_bytes(serialization.Encoding.PEM, form, plain))
    return files


@contextmanager
def running_front(account: dict[str, str], directory: Path) -> Iterator[Front]:
    """A server over an account, with a user and a key, and TLS before the Unix socket where all must log in."""
    users, keys, socket = directory / "htpasswd", directory / "keys.json", directory / "proxy.sock"
    users.touch(0o600)
    users.write_bytes(b"alice:" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)) + b"\n")
    create = [sys.executable, "-m", "aws_finops_mcp", "keys", "create", "tests", "--file", str(keys)]
    made = subprocess.run(create, env=environment({}), capture_output=True, text=True, check=True)
    key = next(word for word in made.stdout.split() if word.count(".") == 1 and len(word) > 40)
    settings = {"MCP_AUTH_BASIC_FILE": users, "MCP_AUTH_KEYS_FILE": keys, "MCP_SERVER_SOCKET": socket}
    extra = {**account, **{name: str(path) for name, path in settings.items()}}
    with running_server(directory / "log", extra) as server, tls_before(socket, directory) as (port, authority):
        yield Front(f"https://localhost:{port}/mcp", authority, key, server)


@contextmanager
def tls_before(socket: Path, directory: Path) -> Iterator[tuple[int, Path]]:
    """TLS on a free port of localhost, in a thread: what comes is passed on to a Unix socket, byte for byte."""
    authority, certificate_file, key_file = certificate(directory)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate_file, key_file)
    loop = asyncio.new_event_loop()

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await source.read(65536):
                sink.write(part)
                await sink.drain()
        sink.close()

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_behind = await asyncio.open_unix_connection(socket)
        await asyncio.gather(copy(reader, to_behind), copy(behind, writer))

    listening = loop.run_until_complete(asyncio.start_server(passed_on, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield listening.sockets[0].getsockname()[1], authority
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)
