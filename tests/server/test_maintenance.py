"""What the timer does: old rows go and their room with them, a broken cache goes whole, a full disk is told."""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path

import pytest
from tests.test_cli import run

from aws_finops_mcp.audits.store import FILE as ANSWERS
from aws_finops_mcp.audits.store import KEEP_SECONDS as ANSWER_SECONDS
from aws_finops_mcp.costs.cache import FILE as BILLING
from aws_finops_mcp.costs.cache import KEEP_SECONDS as BILLING_SECONDS
from aws_finops_mcp.costs.cache import BillingCache
from aws_finops_mcp.prices.cache import FILE as PRICES
from aws_finops_mcp.prices.cache import KEEP_SECONDS, PriceCache
from aws_finops_mcp.prices.units import UNITS
from aws_finops_mcp.server.maintenance import maintain
from aws_finops_mcp.settings import Settings

AWS = "https://api.pricing.us-east-1.amazonaws.com"
NAT, DASHBOARD = UNITS["nat.hours"], UNITS["cloudwatch.dashboard"]
TOO_MUCH = 1 << 40


def cache_of(directory: Path) -> Path:
    """A cache with one old and one usable row of each kind, and room that nothing uses any more."""
    PriceCache(directory).put(AWS, "us-east-1", {NAT: None, DASHBOARD: None})
    with sqlite3.connect(directory / PRICES) as disk:
        disk.execute("UPDATE prices SET read_at = read_at - ? WHERE unit = ?", (KEEP_SECONDS + 60, NAT.key))
    for question in ("old", "usable"):
        BillingCache(directory).put(question, ["x" * 1000], simulated=False)
    with sqlite3.connect(directory / BILLING) as disk:
        disk.execute("UPDATE answers SET until = until - ? WHERE question = 'old'", (BILLING_SECONDS + 60,))
    with sqlite3.connect(directory / ANSWERS) as disk:
        disk.execute("CREATE TABLE answers (name TEXT PRIMARY KEY, made_at REAL NOT NULL, body TEXT NOT NULL)")
        for name, age in (("old", ANSWER_SECONDS + 60), ("usable", 0)):
            disk.execute("INSERT INTO answers VALUES (?, unixepoch() - ?, ?)", (name, age, "x" * 100_000))
    return directory


def names(file: Path, table: str, column: str) -> list[str]:
    with sqlite3.connect(file) as disk:
        return [name for (name,) in disk.execute(f"SELECT {column} FROM {table}")]


def test_what_nobody_can_use_goes_and_its_room_with_it(tmp_path: Path) -> None:
    cache = cache_of(tmp_path)
    size = (cache / ANSWERS).stat().st_size
    assert maintain(Settings(mcp_cache_dir=cache), 0, {})
    assert names(cache / PRICES, "prices", "unit") == [DASHBOARD.key]
    assert names(cache / ANSWERS, "answers", "name") == ["usable"]
    assert names(cache / BILLING, "answers", "question") == ["usable"]
    assert (cache / ANSWERS).stat().st_size < size - 90_000


def test_without_caches_it_makes_none(tmp_path: Path) -> None:
    assert maintain(Settings(mcp_cache_dir=tmp_path), 0, {})
    assert maintain(Settings(mcp_cache_dir=None), 0, {})
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_pruned_is_removed_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = cache_of(tmp_path)
    (cache / PRICES).write_bytes(b"this is no database, but long enough to be taken for one" * 100)
    assert maintain(Settings(mcp_cache_dir=cache), 0, {})
    assert not (cache / PRICES).exists()
    assert "the cache of prices cannot be pruned and is removed" in caplog.text
    assert names(cache / ANSWERS, "answers", "name") == ["usable"]


def test_a_cache_in_use_is_left_for_the_next_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aws_finops_mcp.prices.cache._BUSY_SECONDS", 0.05)
    caplog.set_level(logging.INFO)
    cache = cache_of(tmp_path)
    with sqlite3.connect(cache / PRICES, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert maintain(Settings(mcp_cache_dir=cache), 0, {})
        other.execute("ROLLBACK")
    assert "the cache of prices is in use" in caplog.text
    assert len(names(cache / PRICES, "prices", "unit")) == 2


def test_too_little_room_is_told_for_every_directory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("state", "cache", "logs"):
        (tmp_path / name).mkdir()
    environment = {"STATE_DIRECTORY": str(tmp_path / "state"), "CACHE_DIRECTORY": str(tmp_path / "cache")}
    settings = Settings(mcp_cache_dir=tmp_path / "cache", mcp_log_file=tmp_path / "logs" / "log")
    assert maintain(settings, 0, environment)
    assert caplog.text == ""
    assert not maintain(settings, TOO_MUCH, environment)
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [line.split(":")[0] for line in told] == [str(tmp_path / name) for name in ("state", "cache", "logs")]
    assert all("make room" in line for line in told)


def test_the_command_says_what_it_did_and_fails_for_too_little_room(tmp_path: Path) -> None:
    extra = {"MCP_CACHE_DIR": str(cache_of(tmp_path))}
    done = run("maintain", "--free-mib", "0", extra=extra)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert said[0] == f"removed 1 prices that nobody can use any more: {tmp_path / PRICES}"
    assert run("maintain", "--free-mib", str(TOO_MUCH), extra=extra).returncode == 1
