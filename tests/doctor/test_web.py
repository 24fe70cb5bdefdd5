"""The server, nginx and the certificate, as callers meet them."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.conftest import free_port
from tests.doctor.conftest import Stand, serving

from aws_finops_mcp.doctor.host import Host
from aws_finops_mcp.doctor.probe import State
from aws_finops_mcp.doctor.web import certificate, nginx, server
from aws_finops_mcp.settings import Settings

NAME = "finops.example.test"
Nginx = Callable[..., tuple[Host, Stand]]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Nginx]:
    """Makes an HTTPS server, which answers /health, with a certificate for some names and some days."""
    running = []

    def start(
        days: float = 60, names: tuple[str, ...] = (NAME,), issuer: str = "E7", code: int = 200
    ) -> tuple[Host, Stand]:
        stand = Stand({"GET /health": (code, '{"status":"healthy"}')})
        made = serving(stand)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*pair(tmp_path, days, names, issuer))
        made.socket = context.wrap_socket(made.socket, server_side=True)
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        running.append((made, thread))
        return Host(Settings(), NAME, https_port=stand.port), stand

    yield start
    for made, thread in running:
        made.shutdown()
        thread.join()
        made.server_close()


def pair(directory: Path, days: float, names: tuple[str, ...], issuer: str) -> tuple[Path, Path]:
    """A certificate and its key; who issued it is authority.pem beside them."""
    now, ours, theirs = datetime.datetime.now(datetime.UTC), *(ec.generate_private_key(ec.SECP256R1()) for _ in "12")
    by, of = (x509.Name.from_rfc4514_string(f"CN={name}") for name in (issuer, "x"))
    end = now + datetime.timedelta(days=days, minutes=1)

    def made(of: x509.Name, key: ec.EllipticCurvePrivateKey, end: datetime.datetime, what: x509.ExtensionType) -> bytes:
        number = x509.random_serial_number()
        begin = now - datetime.timedelta(days=90)
        builder = x509.CertificateBuilder(by, of, key.public_key(), number, begin, end)
        signed = builder.add_extension(what, critical=False).sign(theirs, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    authority = x509.BasicConstraints(ca=True, path_length=None)
    (directory / "authority.pem").write_bytes(made(by, theirs, now + datetime.timedelta(days=1), authority))
    files = directory / "cert.pem", directory / "key.pem"
    files[0].write_bytes(made(of, ours, end, x509.SubjectAlternativeName([x509.DNSName(name) for name in names])))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[1].write_bytes(ours.private_bytes(serialization.Encoding.PEM, form, plain))
    return files


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the certificate's authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.mark.parametrize(("code", "state"), [(200, State.OK), (404, State.FAIL), (500, State.FAIL)])
def test_the_server(stand: Stand, code: int, state: State) -> None:
    stand.answers["GET /health"] = (code, "")
    (found,) = server(Host(Settings(mcp_server_port=stand.port)))
    assert found.state is state


def test_a_server_that_is_down() -> None:
    (found,) = server(Host(Settings(mcp_server_port=free_port())))
    assert found.state is State.FAIL
    assert "systemctl status aws-finops-mcp.socket" in found.fix


def test_nginx_answers(served: Nginx) -> None:
    host, stand = served()
    (found,) = nginx(host)
    assert found.state is State.OK
    assert stand.asked == [("GET", "/health")]


@pytest.mark.parametrize(
    ("code", "said", "fix"),
    [
        (502, "nginx does not reach the server (502)", "systemctl status aws-finops-mcp.socket"),
        (500, "answers 500", "journalctl -u aws-finops-mcp"),
        (429, "answers 429", "/var/log/nginx/error.log"),
        (421, "answers 421", "MCP_ALLOWED_HOSTS"),
        (404, "answers 404", "nginx_server_name"),
    ],
)
def test_nginx_answers_wrongly(served: Nginx, code: int, said: str, fix: str) -> None:
    (found,) = nginx(served(code=code)[0])
    assert (found.state, found.said) == (State.FAIL, said)
    assert fix in found.fix


def test_nginx_is_down(host: Host) -> None:
    down = replace(host, https_port=free_port())
    (found,) = nginx(down)
    assert found.state is State.FAIL
    assert "nginx -t" in found.fix
    (unread,) = certificate(down)
    assert unread.state is State.NOT_READ


@pytest.mark.parametrize(
    ("days", "state", "said"),
    [
        (60, State.OK, "lives 60 more days, from E7"),
        (10, State.OK, "lives 10 more days"),
        (9, State.WARN, "expires in 9.0 days"),
        (2, State.FAIL, "expires in 2.0 days"),
        (-1, State.FAIL, "has expired"),
    ],
)
@pytest.mark.usefixtures("trusting")
def test_the_days_of_a_certificate(served: Nginx, days: float, state: State, said: str) -> None:
    (found,) = certificate(served(days=days)[0])
    assert found.state is state
    assert said in found.said


@pytest.mark.parametrize("names", [(NAME,), ("other.test", NAME.upper()), ("*.example.test",)])
@pytest.mark.usefixtures("trusting")
def test_a_certificate_for_the_name(served: Nginx, names: tuple[str, ...]) -> None:
    assert [finding.state for finding in certificate(served(names=names)[0])] == [State.OK]


def test_a_certificate_of_an_authority_that_is_not_trusted_here(served: Nginx) -> None:
    well, found = certificate(served(issuer="Fake CA")[0])
    assert (well.state, found.state) == (State.OK, State.WARN)
    assert found.said.startswith("is from Fake CA, which this host does not trust")
    assert "SSL_CERT_FILE" in found.fix


@pytest.mark.usefixtures("trusting")
def test_a_certificate_for_another_name_or_of_a_staging_authority(served: Nginx) -> None:
    other, _ = certificate(served(names=("other.test",))[0])
    assert (other.state, other.said) == (State.FAIL, "is for other.test")
    _, staging = certificate(served(issuer="(STAGING) Riddling Rhubarb R12")[0])
    assert staging.state is State.FAIL
    assert "certbot_staging: false" in staging.fix


def test_without_a_public_name_there_is_nothing_to_ask() -> None:
    host = Host(Settings())
    assert [*nginx(host), *certificate(host)] == []
