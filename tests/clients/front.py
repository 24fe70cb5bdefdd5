"""An HTTPS front before a server, which asks for a password or a key: what clients meet on a provisioned host."""

from __future__ import annotations

import asyncio
import base64
import datetime
import hmac
import ipaddress
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.conftest import free_port

BASIC = base64.b64encode(b"alice:correct horse").decode()
KEY = "k7f3.Zm9yLXRlc3RzLW9ubHktbm90LWEtc2VjcmV0"


@dataclass(frozen=True)
class Front:
    """Where the front listens, and the authority that its certificate is from."""

    url: str
    authority: Path


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


def front_of(server: str) -> Starlette:
    """The application: 401 without the right secret, else what the server answers, as it comes."""
    client = httpx2.AsyncClient(timeout=60)

    async def forward(request: Request) -> Response:
        basic = request.headers.get("authorization", "")
        key = request.headers.get("x-api-key", "")
        if not (hmac.compare_digest(basic, f"Basic {BASIC}") or hmac.compare_digest(key, KEY)):
            return JSONResponse({"error": "who are you?"}, 401, {"WWW-Authenticate": 'Basic realm="aws-finops-mcp"'})
        kept = {
            k: v for k, v in request.headers.items() if k not in {"host", "authorization", "x-api-key", "connection"}
        }
        passed = client.build_request("POST", f"{server}/mcp", headers=kept, content=await request.body())
        answer = await client.send(passed, stream=True)

        async def body() -> AsyncIterator[bytes]:
            try:
                async for part in answer.aiter_raw():
                    yield part
            finally:
                await answer.aclose()

        wanted = {"content-type", "content-encoding", "mcp-session-id", "cache-control"}
        headers = {name: value for name, value in answer.headers.items() if name in wanted}
        return StreamingResponse(body(), answer.status_code, headers)

    return Starlette(routes=[Route("/mcp", forward, methods=["POST"])])


@contextmanager
def running_front(server: str, directory: Path) -> Iterator[Front]:
    """The front in a thread, on a free port of localhost."""
    authority, pem, private = certificate(directory)
    port = free_port()
    config = uvicorn.Config(
        front_of(server),
        port=port,
        ssl_certfile=pem,
        ssl_keyfile=private,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    front = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(front.serve()), daemon=True)
    thread.start()
    for _ in range(200):
        if front.started:
            break
        time.sleep(0.05)
    else:
        raise RuntimeError("the front did not start in 10 s")
    yield Front(f"https://localhost:{port}/mcp", authority)
    front.should_exit = True
    thread.join(timeout=10)
