"""A provisioned host without a host: nginx and the server as the roles configure them, on free ports of loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from tests.clients.front import certificate
from tests.conftest import environment, free_port
from tests.roles.running import DEBIAN, PROJECT, run_tasks
from tests.server.auth.asking import audit_lines, basic, htpasswd
from tests.server.auth.identity_provider import EC_KEY, Provider, identity_provider

from aws_finops_mcp.server.auth.key_file import create_key
from aws_finops_mcp.server.auth.sessions import Sessions
from aws_finops_mcp.settings import Scopes

PASSWORD = "correct-horse-4711"
ROLE = "arn:aws:iam::123456789012:role/finops-reader"
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Host:
    """What was started, and what it is called by."""

    directory: Path
    http: int
    https: int
    loopback: int
    key: str
    issuer: Provider
    aws: Provider
    """Issues the tokens that STS would (GetWebIdentityToken)."""
    server: subprocess.Popen[bytes]
    """What nginx is in front of."""

    def ways(self) -> dict[str, tuple[str, str]]:
        """A good credential of each way to log in, as a header."""
        session, _ = Sessions(self.directory / "state").create(ROLE)
        bearers = {
            "api-key-bearer": self.key,
            "oauth": self.issuer.token(scope="finops.read"),
            "aws-token": self.aws.token(EC_KEY, "ES384", "ec", sub=ROLE),
            "aws-session": session,
        }
        ways = {"basic": basic("alice", PASSWORD), "api-key": ("X-API-Key", self.key)}
        return ways | {way: ("Authorization", f"Bearer {token}") for way, token in bearers.items()}

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.directory / "authority.pem"))

    def post(self, *headers: tuple[str, str], body: object, path: str = "/mcp") -> httpx2.Response:
        with httpx2.Client(verify=self.context(), timeout=60) as client:
            return client.post(f"{self.url}{path}", json=body, headers=list(headers))

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, over TLS, and read until the connection ends or nothing more comes."""
        with (
            socket.create_connection(("127.0.0.1", self.https), timeout=40) as plain,
            self.context().wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"\r\n0\r\n\r\n") and (part := connection.recv(65536)):
                answer += part
            return answer

    def audit(self) -> list[dict[str, Any]]:
        file = self.directory / "audit.log"
        return audit_lines(file) if file.exists() else []

    def plain(self, request: bytes) -> bytes:
        """`raw`, without TLS, to the port that only redirects."""
        with socket.create_connection(("127.0.0.1", self.http), timeout=40) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def request_of(self, agent: str) -> dict[str, Any]:
        """The line of nginx's log of the only request of a user agent. nginx writes it after the answer."""
        for _ in range(100):
            lines = audit_lines(self.directory / "nginx-aws-finops-mcp.log")
            if found := [line for line in lines if line["agent"] == agent]:
                (line,) = found
                return line
            time.sleep(0.1)
        raise RuntimeError(f"nginx wrote nothing of {agent}")

    def logs(self) -> str:
        """Everything that nginx and the server wrote."""
        return "".join(file.read_text("utf-8", "replace") for file in sorted(self.directory.glob("*.log")))


def render(directory: Path, loopback: int, **given: Any) -> None:
    """The files of both roles, with the places that a test may write to."""
    templates = {
        "nginx": ("tls.conf", "proxy.conf", "site.conf"),
        "aws_finops_mcp": ("config.toml", "socket"),
    }
    tasks: list[dict[str, Any]] = []
    for role, names in templates.items():
        tasks.append({"ansible.builtin.include_role": {"name": role, "tasks_from": "preflight", "public": True}})
        for name in names:
            source = PROJECT / f"roles/{role}/templates/{name}.j2"
            to = {"src": str(source), "dest": str(directory / name), "mode": "0600"}
            tasks.append({"ansible.builtin.template": to})
    places = {
        "__nginx_directory": str(directory),
        "__nginx_version": "1.22.1",
        "__nginx_openssl": "3.0",
        "__nginx_has_certificate": True,
        "nginx_server_name": "localhost",
        "nginx_certificate": str(directory / "certificate.pem"),
        "nginx_certificate_key": str(directory / "key.pem"),
        "nginx_upstream": f"unix:{directory}/proxy.sock",
        "aws_finops_mcp_authenticates": True,
        "aws_finops_mcp_port": loopback,
        "aws_finops_mcp_workers": 1,
        "__aws_finops_mcp_proxy_socket": str(directory / "proxy.sock"),
        "__aws_finops_mcp_users": str(directory / "users"),
        "__aws_finops_mcp_key_file": str(directory / "keys.json"),
        "__aws_finops_mcp_audit_file": str(directory / "audit.log"),
    }
    done = run_tasks(directory, tasks, DEBIAN, **(places | given))
    assert done.returncode == 0, done.stdout + done.stderr


def listeners(directory: Path) -> list[str]:
    """What systemd would listen on."""
    return re.findall(r"^ListenStream=(.+)$", (directory / "socket").read_text(encoding="utf-8"), re.M)


def nginx_conf(directory: Path, http: int, https: int, workers: int) -> Path:
    """A main file around the role's site, which listens on loopback only and logs where the test reads."""
    site = (directory / "site.conf").read_text(encoding="utf-8")
    for port, free in (("80", http), ("443", https)):
        site = re.sub(rf"listen {port}\b", f"listen 127.0.0.1:{free}", site)
    site = site.replace("/var/log/nginx/", f"{directory}/nginx-")
    (directory / "site.conf").write_text(site, encoding="utf-8")
    temporary = "".join(
        f"{name}_temp_path {directory}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = directory / "nginx.conf"
    user = "user root; " if os.geteuid() == 0 else ""  # the directory is nobody else's
    processes = f"{user}worker_processes {workers};" if workers else "master_process off;"
    main.write_text(
        f"daemon off; {processes} pid {directory}/nginx.pid; error_log {directory}/nginx-error.log notice;\n"
        f"events {{}} http {{ {temporary} include {directory}/site.conf; }}\n",
        encoding="utf-8",
    )
    return main


@contextmanager
def started(command: list[str], log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def running_host(
    account: dict[str, str], directory: Path, nginx_workers: int = 0, without: str = "", port: int = 0, **given: Any
) -> Iterator[Host]:
    """nginx and the server, the latter started by its sockets as systemd does it.

    Args:
        nginx_workers: processes of nginx beside its master; 0 is one process that is all.
        without: `oauth` or `aws`, a way that is left out.
        port: of HTTPS; a free one when not given.
        given: variables of the roles.
    """
    http, https, loopback = free_port(), port or free_port(), free_port()
    certificate(directory)
    htpasswd(directory / "users", alice=PASSWORD)
    _, key = create_key(directory / "keys.json", "ci", Scopes(), None)
    with identity_provider() as issuer, identity_provider() as aws:
        roles = ["arn:aws:iam::123456789012:role/finops-*"]
        okta = {"issuer": issuer.url, "scopes": ["finops.read"]}
        web = {"issuer": aws.url, "kind": "aws", "subjects": roles, "algorithms": ["ES384"]}
        tokens = {
            "aws_finops_mcp_resource": "https://finops.example.com/mcp",
            "aws_finops_mcp_issuers": ({} if without == "oauth" else {"okta": okta})
            | ({} if without == "aws" else {"aws": web}),
            "aws_finops_mcp_sts": {} if without == "aws" else {"identities": roles, "regions": ["eu-west-1"]},
            "aws_finops_mcp_settings": {"mcp_state_dir": str(directory / "state")},
        }
        render(directory, loopback, **(tokens | given))
        env = environment(account)
        sockets = [f"--listen={address}" for address in listeners(directory)]
        passed = [f"--setenv={name}" for name in env]
        serve = [sys.executable, "-m", "aws_finops_mcp", "serve", "--config", str(directory / "config.toml")]
        activate = [str(shutil.which("systemd-socket-activate")), *sockets, *passed, *serve]
        nginx = [str(shutil.which("nginx", path=SYSTEM)), "-c", str(nginx_conf(directory, http, https, nginx_workers))]
        with (
            started(activate, directory / "server.log", env) as server,
            started(nginx, directory / "nginx.log"),
        ):
            host = Host(directory, http, https, loopback, key, issuer, aws, server)
            wait_for_health(host)
            yield host


def wait_for_health(host: Host) -> None:
    for _ in range(200):
        try:
            with httpx2.Client(verify=host.context(), timeout=60) as client:
                if client.get(f"{host.url}/health").status_code == 200:
                    return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the host did not become healthy in 20 s: {host.logs()}")


def status(answer: bytes) -> int:
    """Of the first answer on a connection; 0 when there is none."""
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def rpc(method: str = "tools/list") -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}


def json_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])
