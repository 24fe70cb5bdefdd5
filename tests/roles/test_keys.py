"""playbooks/keys.yml, run as operators run it, over two "hosts" on this machine: keys come, rotate and go, unseen."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.roles.running import PROJECT
from tests.server.auth.asking import Asked

from aws_finops_mcp.server.auth.key_file import create_key, read_keys
from aws_finops_mcp.settings import Scopes

BIN = Path(sys.executable).parent


@dataclass
class Hosts:
    """Two hosts whose keys are files below a directory, and the controller's own files."""

    directory: Path

    def keys_of(self, host: str) -> Path:
        return self.directory / host / "keys.json"

    def play(self, *options: str, fails: bool = False, **variables: Any) -> str:
        """Run the playbook; what it said, as loud as it can be."""
        usual = {
            "nginx_server_name": "finops.example.com",
            "aws_finops_mcp_authenticates": True,
            "__aws_finops_mcp_key_file": f"{self.directory}/{{{{ inventory_hostname }}}}/keys.json",
            "__aws_finops_mcp_current": str(BIN.parent),
        }
        command = [str(BIN / "ansible-playbook"), "-i", str(self.directory / "inventory.json"), "playbooks/keys.yml"]
        done = subprocess.run(
            [*command, "-vvv", "--diff", "-e", json.dumps(usual | variables), *options],
            cwd=PROJECT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOG_PATH": str(self.directory / "ansible.log")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def let_in(self, host: str, key: str) -> bool:
        return Asked(mcp_auth_keys_file=self.keys_of(host)).ask(("X-API-Key", key)).status == 200


@pytest.fixture
def hosts(tmp_path: Path) -> Hosts:
    made = Hosts(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.keys_of(name).touch(0o600)
        made.keys_of(name).write_text('{"keys": []}', encoding="utf-8")
    local = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
    }
    group = {"hosts": {"one": {}, "two": {}}, "vars": local}
    (tmp_path / "inventory.json").write_text(json.dumps({"aws_finops_mcp": group}), encoding="utf-8")
    return made


def changes(said: str) -> list[int]:
    return [int(count) for count in re.findall(r"^\w+ +: ok=\d+ +changed=(\d+)", said, re.M)]


def test_a_key_comes_rotates_and_goes_on_all_hosts_and_is_never_said(hosts: Hosts) -> None:
    file, second = hosts.directory / "new" / "ci.key", hosts.directory / "ci-2.key"
    scopes = {"categories": ["cost", "cleanup"], "calls_per_day": 500, "usd_per_day": 2.5}
    wanted: dict[str, Any] = {"keys_create": "ci", "keys_file": str(file), "keys_days": 30, "keys_scopes": scopes}

    said = [hosts.play("--check", **wanted)]
    assert changes(said[0]) == [1, 1]
    assert not file.exists()
    assert read_keys(hosts.keys_of("one")) == {}

    said.append(hosts.play(**wanted))
    key = file.read_text(encoding="utf-8").strip()
    identity = key.partition(".")[0]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for host in ("one", "two"):
        (kept,) = read_keys(hosts.keys_of(host)).values()
        assert (kept.id, kept.name, kept.scopes.categories) == (identity, "ci", ("cost", "cleanup"))
        assert (kept.scopes.calls_per_day, str(kept.scopes.usd_per_day)) == (500, "2.5")
        assert kept.expires
        assert (kept.expires - kept.created).days == 30
        assert hosts.let_in(host, key)

    for again in ((), ("--check",)):
        said.append(hosts.play(*again, **wanted))
        assert changes(said[-1]) == [0, 0]

    rotating: dict[str, Any] = {"keys_rotate": identity, "keys_file": str(second)}
    said.append(hosts.play(**rotating))
    new = second.read_text(encoding="utf-8").strip()
    assert new != key
    for host in ("one", "two"):
        assert (hosts.let_in(host, key), hosts.let_in(host, new)) == (True, True)
        old, made = read_keys(hosts.keys_of(host)).values()
        assert (made.name, made.scopes) == (old.name, old.scopes)
    said.append(hosts.play(**rotating))
    assert changes(said[-1]) == [0, 0]

    said.append(hosts.play("--check", keys_revoke=identity))
    assert changes(said[-1]) == [1, 1]
    assert hosts.let_in("one", key)
    said.append(hosts.play(keys_revoke=key))  # pasted as a whole: only its id goes on
    for host in ("one", "two"):
        assert (hosts.let_in(host, key), hosts.let_in(host, new)) == (False, True)
    said.append(hosts.play(keys_revoke=identity))
    assert changes(said[-1]) == [0, 0]
    assert re.search(rf"{identity} +ci +revoked", said[-1])

    told = "".join(said) + (hosts.directory / "ansible.log").read_text(encoding="utf-8")
    told = told.replace(f'"keys_revoke": "{key}"', "")
    assert "list" in told
    for secret in (key, new):
        assert secret.partition(".")[2] not in told


def test_a_key_from_the_vault_is_kept_by_a_host_that_is_new(hosts: Hosts) -> None:
    file, password = hosts.directory / "ci.key", hosts.directory / "vault-password"
    key = create_key(hosts.keys_of("one"), "ci", Scopes(), None)[1]
    file.write_text(key, encoding="utf-8")
    password.write_text("vault", encoding="utf-8")
    vault = [str(BIN / "ansible-vault"), "encrypt", "--vault-password-file", str(password), str(file)]
    subprocess.run(vault, check=True, capture_output=True)
    said = hosts.play("--vault-password-file", str(password), keys_create="ci", keys_file=str(file))
    assert changes(said) == [0, 1]
    assert hosts.let_in("two", key)
    assert file.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT;")
    assert key.partition(".")[2] not in said


def test_a_key_that_cannot_be_written_down_is_good_for_nobody(hosts: Hosts) -> None:
    (hosts.directory / "file").touch()
    said = hosts.play("--limit=one", fails=True, keys_create="ci", keys_file=str(hosts.directory / "file" / "ci.key"))
    assert "It was revoked again." in " ".join(said.split())
    (kept,) = read_keys(hosts.keys_of("one")).values()
    assert kept.revoked is not None


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"aws_finops_mcp_authenticates": False}, "keys.yml needs aws_finops_mcp_authenticates"),
        ({"keys_create": "ci"}, "a path that begins with / or ~"),
        ({"keys_create": "ci", "keys_file": "/k", "keys_revoke": "fk1"}, "one of keys_create, keys_rotate"),
        ({"keys_create": "ci", "keys_file": "/k", "keys_scopes": {"tools": []}}, "keys_scopes may hold categories"),
        ({"keys_create": "two words", "keys_file": "{tmp}/k"}, "name: got 'two words'"),
        ({"keys_rotate": "fknone", "keys_file": "{tmp}/k"}, "no such key in"),
        ({"keys_revoke": "fknone"}, "no such key in"),
        ({"keys_create": "ci", "keys_file": "{tmp}/inventory.json"}, "the key: must be id.secret"),
    ],
)
def test_what_would_not_work_is_refused_with_its_reason(hosts: Hosts, given: dict[str, Any], wanted: str) -> None:
    filled = {k: v.format(tmp=hosts.directory) if isinstance(v, str) else v for k, v in given.items()}
    assert wanted in " ".join(hosts.play("--limit=one", fails=True, **filled).replace("\\n", " ").split())
    assert all(key.revoked for key in read_keys(hosts.keys_of("one")).values())
