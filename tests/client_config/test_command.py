"""`aws-finops-mcp client-config`, as people run it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from tests.client_config.test_configurations import BASIC, KEY
from tests.test_cli import run

from aws_finops_mcp.clients.pages import pages
from aws_finops_mcp.clients.registry import CLIENTS

URL = "https://finops.example.com/mcp"
DOCS = Path(__file__).parent.parent.parent / "docs"


def test_what_is_printed_can_be_piped(tmp_path: Path) -> None:
    done = run("client-config", "cursor", "--url", URL, extra={"HOME": str(tmp_path)})
    assert json.loads(done.stdout)["mcpServers"]["aws-finops"]["url"] == URL
    assert "FINOPS_BASIC" in done.stderr
    assert all(line.startswith("# ") for line in done.stderr.splitlines())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_tunnel_is_told(client: str, tmp_path: Path) -> None:
    done = run("client-config", client, "--ssh", "finops", "--port", "8011", extra={"HOME": str(tmp_path)})
    assert "http://localhost:8011/mcp" in done.stdout
    assert "ssh -N -L 8011:localhost:8000 finops" in done.stderr
    assert "aws-finops-mcp connect --ssh finops --port 8011" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["emacs", "--local"], "emacs: there is no such client; there are: claude-code, claude-desktop, kiro"),
        (["kiro"], "got none"),
        (["kiro", "--local", "--file", "x"], "--file: goes with --merge"),
        (["curl", "--url", URL, "--merge"], "--merge: curl has no file"),
        (["kiro", "--url", URL, "--inline"], "FINOPS_BASIC: is not set"),
        (["curl", "--local"], "curl works with:"),
    ],
)
def test_what_is_wrong_exits_with_2(arguments: list[str], wanted: str, tmp_path: Path) -> None:
    done = run("client-config", *arguments, extra={"HOME": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr


def test_merge_writes_the_clients_own_file_and_the_bridges_header(tmp_path: Path) -> None:
    extra = {"HOME": str(tmp_path), "FINOPS_API_KEY": KEY, "XDG_CONFIG_HOME": ""}
    done = run("client-config", "amazon-q", "--url", URL, "--auth", "api-key", "--merge", extra=extra)
    assert done.returncode == 0, done.stderr
    entry = json.loads((tmp_path / ".aws/amazonq/agents/default.json").read_text())["mcpServers"]["aws-finops"]
    header = Path(entry["args"][-1])
    assert header.read_text() == f"X-API-Key: {KEY}\n"
    assert stat.S_IMODE(header.stat().st_mode) == 0o600
    assert KEY not in done.stdout + done.stderr


def test_merge_into_another_file_says_where_it_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text('{"mcpServers": {"a": }}')
    done = run("client-config", "kiro", "--url", URL, "--merge", "--file", str(file), extra={"HOME": str(tmp_path)})
    assert done.returncode == 2
    assert f"{file}: line 1, column 22: a value should be here; nothing was changed" in done.stderr


def test_inline_takes_the_secret_from_its_variable_and_warns(tmp_path: Path) -> None:
    extra = {"HOME": str(tmp_path), "FINOPS_BASIC": BASIC}
    done = run("client-config", "kiro", "--url", URL, "--inline", extra=extra)
    headers = json.loads(done.stdout)["mcpServers"]["aws-finops"]["headers"]
    assert headers == {"Authorization": f"Basic {BASIC}"}
    assert "keep it from others" in done.stderr


@pytest.mark.parametrize("inline", [[], ["--inline"]])
def test_curl_gets_the_secret_on_its_standard_input(inline: list[str], tmp_path: Path) -> None:
    extra = {"HOME": str(tmp_path), "FINOPS_API_KEY": KEY}
    command = run("client-config", "curl", "--url", URL, "--auth", "api-key", *inline, extra=extra).stdout
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$HOME/arguments"\ncat >"$HOME/stdin"\n')
    fake.chmod(0o700)
    environment = {**extra, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-ec", command], env=environment, check=True)
    assert (tmp_path / "stdin").read_text() == f'header = "X-API-Key: {KEY}"\n'
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert KEY not in "".join(arguments)
    assert arguments[:4] == ["-sS", "--config", "-", URL]
    assert json.loads(arguments[-1])["tool"] == "find_unused_volumes"


@pytest.mark.parametrize("client", CLIENTS)
def test_the_page_is_that_of_the_code(client: str) -> None:
    page = (DOCS / "clients" / f"{client}.md").read_text(encoding="utf-8")
    assert page == pages()[client], "run: aws-finops-mcp client-pages docs/clients"


def test_there_is_no_page_of_another_client() -> None:
    assert {path.stem for path in (DOCS / "clients").glob("*.md")} == set(CLIENTS)
    overview = (DOCS / "clients.md").read_text(encoding="utf-8")
    assert [name for name in CLIENTS if f"(clients/{name}.md)" not in overview] == []
