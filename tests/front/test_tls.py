"""What the role's TLS settings let in: rendered for each OpenSSL and nginx, and in handshakes with the nginx here."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.clients.front import certificate
from tests.conftest import free_port
from tests.front.host import SYSTEM, started
from tests.roles.aws.templates import rendered

HYBRID = "X25519MLKEM768"
GROUPS = "X25519:prime256v1:secp384r1"
NGINX = str(shutil.which("nginx", path=SYSTEM))
OPENSSL = str(shutil.which("openssl", path=SYSTEM))


def version(*command: str) -> str:
    """What a program says of itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"(?:OpenSSL |nginx/)([0-9.]+)", done.stdout + done.stderr)
    assert found
    return found[1]


def settings(*, openssl: str = "", nginx: str = "", profile: str = "intermediate") -> str:
    """The role's file, for these versions; for those that are here when none are given."""
    versions = {
        "__nginx_openssl": openssl or version(OPENSSL, "version"),
        "__nginx_version": nginx or version(NGINX, "-v"),
    }
    return rendered("nginx", "tls.conf.j2", nginx_tls_profile=profile, **versions)


def directive(name: str, text: str) -> str | None:
    found = re.search(rf"^{name} (.+);$", text, re.M)
    return found and found[1]


@pytest.mark.parametrize(
    ("openssl", "groups"),
    [
        ("3.0.13", GROUPS),  # Ubuntu 24.04
        ("3.0.22", GROUPS),  # Debian 12
        ("3.2.2", GROUPS),  # Amazon Linux 2023
        ("3.5", f"{HYBRID}:{GROUPS}"),
        ("3.5.7", f"{HYBRID}:{GROUPS}"),  # Debian 13, Ubuntu 26.04
        ("3.10.0", f"{HYBRID}:{GROUPS}"),
    ],
)
def test_the_hybrid_group_is_first_where_openssl_knows_it(openssl: str, groups: str) -> None:
    assert directive("ssl_ecdh_curve", settings(openssl=openssl)) == groups


def test_profiles_and_tickets() -> None:
    intermediate, modern = settings(nginx="1.22.1"), settings(nginx="1.26.3", profile="modern")
    assert directive("ssl_protocols", intermediate) == "TLSv1.2 TLSv1.3"
    assert directive("ssl_protocols", modern) == "TLSv1.3"
    assert directive("ssl_ciphers", modern) is None
    # Before 1.23.2 the key of the tickets never changes.
    assert directive("ssl_session_tickets", intermediate) == "off"
    assert directive("ssl_session_tickets", modern) is None


def configuration(directory: Path, text: str, port: int) -> Path:
    certificate(directory)
    (directory / "tls.conf").write_text(text, encoding="utf-8")
    main = directory / "nginx.conf"
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{name}_temp_path {directory}/{name};" for name in names)
    main.write_text(
        f"daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/error.log notice;\n"
        f"events {{}} http {{ access_log off; {places} server {{ listen 127.0.0.1:{port} ssl;\n"
        f"include {directory}/tls.conf;"
        f"ssl_certificate {directory}/certificate.pem; ssl_certificate_key {directory}/key.pem; return 204; }} }}\n",
        encoding="utf-8",
    )
    return main


def test_nginx_takes_the_group_exactly_where_the_role_offers_it(tmp_path: Path) -> None:
    """An OpenSSL that does not know it refuses the whole list, so nginx would not start."""
    known = HYBRID in settings()
    for text, taken in ((settings(), True), (settings(openssl="3.5"), known)):
        main = configuration(tmp_path, text, free_port())
        done = subprocess.run([NGINX, "-t", "-c", str(main)], capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is taken, done.stderr


@contextmanager
def serving(directory: Path, profile: str) -> Iterator[int]:
    port = free_port()
    main = configuration(directory, settings(profile=profile), port)
    with started([NGINX, "-c", str(main)], directory / "nginx.log"):
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port


def handshake(port: int, *options: str) -> str:
    """What a client with only these options agrees on with nginx; empty where they find nothing."""
    command = [OPENSSL, "s_client", "-brief", "-connect", f"127.0.0.1:{port}", *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr if done.returncode == 0 else ""


OLD = "DEFAULT@SECLEVEL=0"  # otherwise the client refuses, not nginx


def test_what_intermediate_agrees_on(tmp_path: Path) -> None:
    with serving(tmp_path, "intermediate") as port:
        assert "TLSv1.3" in handshake(port)
        offered = f"{HYBRID}:X25519" if HYBRID in settings() else "X25519"
        assert (HYBRID if HYBRID in settings() else "X25519") in handshake(port, "-groups", offered)
        assert "TLSv1.2" in handshake(port, "-tls1_2")
        assert handshake(port, "-groups", "X448") == ""
        assert handshake(port, "-groups", "P-521") == ""
        assert handshake(port, "-tls1_2", "-cipher", "ECDHE+AES+SHA1:@SECLEVEL=0") == ""
        assert handshake(port, "-tls1_2", "-cipher", "AES128-GCM-SHA256") == ""
        assert handshake(port, "-tls1_1", "-cipher", OLD) == ""


def test_what_modern_agrees_on(tmp_path: Path) -> None:
    with serving(tmp_path, "modern") as port:
        assert "TLSv1.3" in handshake(port)
        assert handshake(port, "-tls1_2") == ""
