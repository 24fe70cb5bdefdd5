"""The pages for people, held to the code."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aws_finops_mcp.cli import app
from aws_finops_mcp.clients.target import Auth, target_of
from aws_finops_mcp.connect.tunnel import command_of
from aws_finops_mcp.settings import Scopes, Settings

ROOT = Path(__file__).parent.parent
AUTHENTICATION = (ROOT / "docs/authentication.md").read_text(encoding="utf-8")


def table_rows(page: str) -> dict[str, str]:
    """Settings that a table names, with the defaults that it tells."""
    rows: dict[str, str] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        names = re.findall(r"`((?:MCP|AWS)_\w+)`", cells[1]) if len(cells) > 3 else []
        defaults = [text.strip(" `") for text in cells[2].split(",")] if len(cells) > 3 else []
        rows |= dict(zip(names, [*defaults, *[""] * len(names)], strict=False))
    return rows


ROWS = table_rows((ROOT / "README.md").read_text(encoding="utf-8")) | table_rows(AUTHENTICATION)


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_every_setting_is_in_a_table(name: str) -> None:
    assert name in ROWS


@pytest.mark.parametrize("name", [name for name in ROWS if name.startswith(("MCP_AUTH", "MCP_SERVER", "MCP_AUDIT"))])
def test_a_table_tells_the_default(name: str) -> None:
    default = Settings.model_fields[name.lower()].get_default(call_default_factory=True, validated_data={})
    assert ROWS[name] == ("" if default in (None, {}, ()) else str(default))


def test_the_settings_that_are_shown_are_taken() -> None:
    shown = "\n".join(part.partition("```")[0] for part in AUTHENTICATION.split("```toml\n")[1:])
    settings = Settings.model_validate(tomllib.loads(shown))
    assert settings.mcp_auth_issuers.keys() == {"okta", "cognito", "aws"}
    assert settings.mcp_auth_scopes["alice"].regions == ("eu-west-1", "global")
    assert settings.mcp_auth_scopes["alice"].model_fields_set == Scopes.model_fields.keys()


WAYS = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Ways in\n")[1].split("\n## ")[0]
COMMANDS = [words.strip() for words in re.findall(r"aws-finops-mcp ((?:client-config|connect) [^`\n#]+)", WAYS)]


def test_each_way_in_has_its_command() -> None:
    assert {way for way in Auth if way is not Auth.NONE and f"--auth {way}`" in WAYS} == {*Auth} - {
        Auth.NONE,
        Auth.BASIC,
    }
    assert len(COMMANDS) == len(set(COMMANDS)) == 9


@pytest.mark.parametrize("command", COMMANDS)
def test_a_way_in_is_taken_as_it_is_printed(command: str, tmp_path: Path) -> None:
    """That clients are let in by it is held by tests/clients, over TLS, and by tests/hosts."""
    here = {"HOME": str(tmp_path), "PATH": str(tmp_path), "FINOPS_API_KEY": "id.secret"}
    here["HTTPS_PROXY"] = "http://127.0.0.1:1"
    done = CliRunner().invoke(app, shlex.split(command), env=here)
    # Nothing is there to connect to or with; 2 would be a command that is not understood.
    assert done.exit_code == (1 if command.startswith("connect") else 0), done.output
    written = "".join(file.read_text(encoding="utf-8") for file in tmp_path.rglob("*.json"))
    (address,) = re.findall(r"--(?:url|ssh|ssm) (\S+)", command)
    stands = address if "://" in address or "--stdio" in command else "localhost:8000/mcp"
    assert command.startswith("connect") or stands in done.stdout + written


def test_the_port_forwarding_of_the_readme_is_what_connect_opens() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^\| \*\*SSM port forwarding\*\* \| `(aws [^`]*)` \|", readme, re.MULTILINE)
    *words, parameters = shlex.split(printed.replace("i-…", "i-0123456789abcdef0"))
    *opened, given = command_of(target_of(ssm="i-0123456789abcdef0"), asks=False)
    assert words == opened
    assert json.loads(parameters) == json.loads(given)
