"""A host made of stand-ins: systemctl, nginx, the metadata service and IAM, each as a test wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aws_finops_mcp.doctor.host import Host
from aws_finops_mcp.settings import Settings

Answer = tuple[int, str]


@dataclass
class Stand:
    """A web server that answers as it is told."""

    answers: dict[str, Answer] = field(default_factory=dict)
    """By method and path."""
    headers: dict[str, str] = field(default_factory=dict)
    decide: Callable[[str, str, dict[str, str], str], Answer] | None = None
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0)).decode()
        path = handler.path.partition("?")[0]
        self.asked.append((handler.command, path))
        given = dict(handler.headers.items())
        default = self.answers.get(f"{handler.command} {path}", (404, ""))
        code, text = self.decide(handler.command, path, given, body) if self.decide else default
        handler.send_response_only(code)
        for name, value in {"Date": handler.date_time_string(), **self.headers}.items():
            handler.send_header(name, value)
        content = b"" if handler.command == "HEAD" else text.encode()
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def serving(stand: Stand) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    for method in ("GET", "PUT", "POST", "HEAD"):
        setattr(Handler, f"do_{method}", lambda handler: stand.answer(handler))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand.port = server.server_port
    return server


@pytest.fixture
def stand() -> Iterator[Stand]:
    made = Stand()
    server = serving(made)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Systemd:
    """`systemctl show`, from a file a unit."""

    directory: Path

    def unit(
        self, name: str, active: str = "active", load: str = "loaded", result: str = "success", restarts: int = 0
    ) -> None:
        lines = f"LoadState={load}\nActiveState={active}\nSubState=x\nResult={result}\nNRestarts={restarts}\n"
        (self.directory / name).write_text(lines, encoding="utf-8")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """Every unit is active, but for those that a test says otherwise of; agents are not installed."""
    (tmp_path / "bin").mkdir()
    made = Systemd(tmp_path / "units")
    made.directory.mkdir()
    made.unit("amazon", load="not-found", active="inactive")
    made.unit("other")
    fake = tmp_path / "bin" / "systemctl"
    fake.write_text(
        f"#!/bin/sh\nfor unit; do :; done\ncd {made.directory}\n"
        "case $unit in *amazon*) other=amazon ;; *) other=other ;; esac\n"
        'if [ -f "$unit" ]; then cat "$unit"; else cat "$other"; fi\n'
    )
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return made


@pytest.fixture
def host() -> Host:
    return Host(Settings(), "finops.example.test")
