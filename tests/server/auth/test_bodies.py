"""Bodies that never end, and names that are not ours, before and behind the gate."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import anyio
import pytest
from starlette.types import Message
from tests.server.auth.asking import audit_lines
from tests.server.auth.identity_provider import identity_provider

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.server import http
from aws_finops_mcp.server.auth.fetch import fetch_json
from aws_finops_mcp.server.calls import Calls
from aws_finops_mcp.server.logs import configure_logs
from aws_finops_mcp.settings import Settings


def ask(settings: Settings, engine: Engine, *headers: tuple[bytes, bytes], at: tuple[str, int]) -> list[Message]:
    """A request whose body is announced and never arrives."""
    app = http.create_app(settings, Calls(settings, engine))
    sent: list[Message] = []

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/mcp",
            "query_string": b"",
            "server": at,
            "client": ("203.0.113.7", 1),
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"1000"), *headers],
        }
        with anyio.fail_after(20):
            await app(scope, receive, send)

    anyio.run(run)
    return sent


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "keys.json").write_text("{}", encoding="utf-8")
    (tmp_path / "keys.json").chmod(0o600)
    return Settings(mcp_auth_keys_file=tmp_path / "keys.json", mcp_audit_file=tmp_path / "audit.jsonl")


def test_a_strangers_body_is_not_waited_for(settings: Settings, engine: Engine) -> None:
    sent = ask(settings, engine, (b"host", b"localhost"), at=("10.0.0.5", 8000))
    assert sent[0]["status"] == 401


def test_a_body_that_does_not_arrive_is_given_up(
    settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.05)
    sent = ask(settings, engine, (b"host", b"localhost"), at=("127.0.0.1", 8000))
    assert sent[0]["status"] == 408
    assert "took longer than 0.05 s" in json.loads(sent[1]["body"])["error"]
    (line,) = audit_lines(tmp_path / "audit.jsonl")
    assert (line["event"], line["status"], line["why"]) == ("refused", 408, "the request did not arrive in time")


@pytest.mark.parametrize(
    ("headers", "status"),
    [([(b"host", b"evil.example")], 421), ([(b"host", b"localhost"), (b"origin", b"https://evil.example")], 403)],
)
def test_a_name_that_is_not_ours_is_refused_and_audited(
    settings: Settings, engine: Engine, tmp_path: Path, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    sent = ask(settings, engine, *headers, at=("127.0.0.1", 8000))
    assert sent[0]["status"] == status
    (line,) = audit_lines(tmp_path / "audit.jsonl")
    assert (line["event"], line["how"], line["status"]) == ("refused", "loopback", status)


def test_an_address_that_is_fetched_is_in_no_log(tmp_path: Path) -> None:
    """It may be a signed one."""
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        configure_logs(Settings(mcp_log_file=tmp_path / "log", mcp_log_level="DEBUG"))
        with identity_provider() as provider:
            fetch_json(f"{provider.url}/keys?X-Amz-Signature=hidden-4711")
            assert provider.asked == ["/keys?X-Amz-Signature=hidden-4711"]
        logging.getLogger("aws_finops_mcp").warning("the end")
    finally:
        root.handlers, root.level = before
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "the end" in text
    assert "hidden-4711" not in text
