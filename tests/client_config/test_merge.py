"""Merging into a client's own file: nothing of its owner's is lost, whatever it looks like and whatever fails."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.clients import jsonc
from aws_finops_mcp.clients.client import Configuration, configure
from aws_finops_mcp.clients.merge import MergeError, merge
from aws_finops_mcp.clients.places import Machine
from aws_finops_mcp.clients.registry import CLIENTS
from aws_finops_mcp.clients.target import Auth, target_of

MACHINE = Machine("linux", Path("/home/alice"), Path("/project"))


def made(client: str, auth: Auth = Auth.BASIC) -> Configuration:
    return configure(CLIENTS[client], target_of(url="https://h/mcp", auth=auth), MACHINE)


COMMENTED = """// mine
{
    "inputs": [
        {"type": "promptString", "id": "other", "description": "d", "password": true}, // keep
    ],
    "servers": {
        /* the first */ "first": {"type": "http", "url": "https://first/mcp"}, // "aws-finops": no
        "second": {
            "command": "x",  // why
        },
    },
    "more": [1, 2.5, -3e2, "a\\u00e9\\"//", null, true],
}
"""


def test_comments_order_and_other_servers_stay(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(COMMENTED, encoding="utf-8")
    done = merge(made("vscode"), file)
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    kept = [line for line in COMMENTED.splitlines() if line in lines]
    assert kept == COMMENTED.splitlines()
    value = jsonc.parse(text).value
    assert list(value["servers"]) == ["first", "second", "aws-finops"]
    assert value["servers"]["aws-finops"] == made("vscode").entry
    assert [entry["id"] for entry in value["inputs"]] == ["other", "finops-basic"]
    assert '\n        "aws-finops": {\n            "type": "http",' in text  # indented as its neighbours are
    assert done.backup is not None
    assert done.backup.read_text(encoding="utf-8") == COMMENTED


def test_a_second_merge_changes_nothing(tmp_path: Path) -> None:
    for client in ("vscode", "codex", "kiro"):
        file = tmp_path / client
        assert merge(made(client), file).changed
        before = file.read_bytes(), file.stat().st_mtime_ns
        assert not merge(made(client), file).changed
        assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codex", "kiro", "vscode"]


def test_a_server_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text('{"mcpServers": {"aws-finops": {"url": "http://old"}, "b": {}}, "c": 1}', encoding="utf-8")
    merge(made("kiro"), file)
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "mcpServers": {"aws-finops": made("kiro").entry, "b": {}},
        "c": 1,
    }


@pytest.mark.parametrize(
    "text", ["{}", "{ }", "{\n}\n", '{"a": 1}', '{"a": 1,}', "{ // nothing yet\n}", "", " \n", "\ufeff{}"]
)
def test_into_a_file_without_servers(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(text, encoding="utf-8")
    merge(made("cursor"), file)
    assert jsonc.parse(file.read_text(encoding="utf-8")).value["mcpServers"] == {"aws-finops": made("cursor").entry}


TOML = """# my settings
model = "o4"  # fast

[mcp_servers.other]
command = "x"  # why
args = ["a"]

[tui]
theme = "dark"
"""


def test_toml_keeps_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(TOML, encoding="utf-8")
    merge(made("codex"), file)
    text = file.read_text(encoding="utf-8")
    assert [line for line in TOML.splitlines() if line not in text.splitlines()] == []
    servers = tomllib.loads(text)["mcp_servers"]
    assert servers == {"other": {"command": "x", "args": ["a"]}, "aws-finops": made("codex").entry}


@pytest.mark.parametrize(
    "text", ["", 'model = "x"\n', "[mcp_servers]\n", "mcp_servers = {}\n", "mcp_servers.a.url = 'u'\n"]
)
def test_into_toml_however_it_is_written(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    merge(made("codex"), file)
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    assert document["mcp_servers"]["aws-finops"] == made("codex").entry
    before = tomlkit.parse(text).unwrap()
    assert {key: value for key, value in document.items() if key != "mcp_servers"} == {
        key: value for key, value in before.items() if key != "mcp_servers"
    }


@pytest.mark.parametrize(
    ("client", "text", "message"),
    [
        ("kiro", '{"a": 1\n "b": 2}', 'line 2, column 2: "," or "}" should be here'),
        ("kiro", '{"a": tru}', "line 1, column 7: a value should be here"),
        ("kiro", '{"a": "x', "line 1, column 7: Unterminated string"),
        ("kiro", "{'a': 1}", 'line 1, column 2: a key in double quotes or "}" should be here'),
        ("kiro", '{"a" 1}', 'line 1, column 6: ":" should be here'),
        ("kiro", '{"a": 1, "a": 2}', "line 1, column 10: the key 'a' for the second time"),
        ("kiro", "{} {}", "line 1, column 4: more after the end"),
        ("kiro", "{ /* x", "line 1, column 3: a comment that does not end"),
        ("kiro", '{"a": NaN}', "line 1, column 7: a value should be here"),
        ("kiro", '{"a":', "line 1, column 6: the document ends where a value should be"),
        ("kiro", "[" * 100_000, "nested deeper than 200"),
        ("kiro", "[]", "the file: must be an object"),
        ("kiro", '{"mcpServers": []}', "mcpServers: must be an object"),
        ("vscode", '{"inputs": {}}', "inputs: must be an array"),
        ("codex", 'a = "x\n', "line 1"),
        ("codex", "mcp_servers = 3\n", "mcp_servers: must be a table"),
    ],
)
def test_a_broken_file_is_refused_with_the_place_and_left_alone(
    client: str, text: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MergeError) as caught:
        merge(made(client), file)
    assert str(file) in str(caught.value)
    assert message in str(caught.value)
    assert file.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_bytes(b"{\xff}")
    with pytest.raises(MergeError, match="is not UTF-8 at byte 1"):
        merge(made("kiro"), file)


def test_new_file_backup_and_directories_are_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "er" / "mcp.json"
    merge(made("kiro"), file)
    file.chmod(0o644)
    backup = merge(made("kiro", Auth.API_KEY), file).backup
    assert backup is not None
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, backup)] == [0o600, 0o600]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.json", tmp_path / "mcp.json"
    real.write_text("{}", encoding="utf-8")
    link.symlink_to(real)
    merge(made("kiro"), link)
    assert link.is_symlink()
    assert "aws-finops" in real.read_text(encoding="utf-8")


def test_when_the_disk_fails_the_old_file_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mcp.json"
    file.write_text('{"a": 1}', encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MergeError, match="No space left on device"):
        merge(made("kiro"), file)
    assert file.read_text(encoding="utf-8") == '{"a": 1}'
    assert list(tmp_path.iterdir()) == [file]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from([None, 1, 2, "\t"]))
def test_reads_what_json_reads(value: Any, indent: int | str | None) -> None:
    assert jsonc.parse(json.dumps(value, indent=indent)).value == value
    assert jsonc.parse(json.dumps(value, indent=indent, ensure_ascii=False)).value == value


@given(
    st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.text(max_size=5), JSON, st.sampled_from([None, 2, "\t"])
)
def test_a_member_set_is_all_that_changes(document: Any, key: str, value: Any, indent: int | str | None) -> None:
    text = json.dumps(document, indent=indent)
    changed = jsonc.with_member(text, jsonc.parse(text), key, value)
    assert json.loads(changed) == {**document, key: value}


@given(st.text(alphabet='{}[]",:/*\n a1\\', max_size=30))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        node = jsonc.parse(text)
    except jsonc.JsoncError as error:
        place = re.match(r"line (\d+), column (\d+): ", str(error))
    else:
        place = re.match(r"(\d+) (\d+)", "1 1")
        assert text[node.start : node.end].strip() == text[node.start : node.end]
    assert place
    assert int(place[1]) <= text.count("\n") + 1
