"""The module nginx_htpasswd: exactly the users given, and no change without a reason."""

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).parents[2] / "roles/nginx/library/nginx_htpasswd.py"
ALICE = {"name": "alice", "password": 'tricky "quotes" \\ and : colons'}
BOB = {"name": "bob", "password": "another-long-password"}

pytestmark = pytest.mark.skipif(shutil.which("htpasswd") is None, reason="needs Debian's apache2-utils")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "users"


def apply(file: Path, *users: dict[str, str], cost: int = 4, check: bool = False) -> dict[str, Any]:
    arguments = {"path": str(file), "users": users, "cost": cost, "mode": "0640", "_ansible_check_mode": check}
    done = subprocess.run(
        [sys.executable, str(MODULE)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def accepts(file: Path, name: str, password: str) -> bool:
    command = ["htpasswd", "-v", "-i", str(file), name]
    return subprocess.run(command, input=password, capture_output=True, text=True, check=False).returncode == 0


def test_it_writes_bcrypt_hashes_for_few_eyes(file: Path) -> None:
    result = apply(file, ALICE, BOB)
    assert (result["changed"], result["added"]) == (True, ["alice", "bob"])
    assert all(re.fullmatch(r"\w+:\$2y\$04\$.{53}", line) for line in file.read_text().splitlines())
    assert accepts(file, "alice", ALICE["password"])
    assert not accepts(file, "alice", "wrong")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_without_the_servers_directory_it_says_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "aws-finops-mcp/users"
    refused = apply(file, ALICE)
    assert refused["failed"]
    assert f"{file.parent} is not there" in refused["msg"]
    assert "nginx_authentication: nginx" in refused["msg"]
    assert apply(file, ALICE, check=True)["added"] == ["alice"], "the first run in check mode, before any server"


def test_a_second_run_changes_nothing(file: Path) -> None:
    apply(file, ALICE, BOB)
    before = file.read_text()
    result = apply(file, BOB, ALICE)
    assert (result["changed"], file.read_text()) == (False, before)


def test_a_new_password_replaces_the_old_one_and_no_other(file: Path) -> None:
    apply(file, ALICE, BOB)
    bob = file.read_text().splitlines()[1]
    result = apply(file, {"name": "alice", "password": "something-else"}, BOB)
    assert (result["updated"], file.read_text().splitlines()[1]) == (["alice"], bob)
    assert accepts(file, "alice", "something-else")
    assert not accepts(file, "alice", ALICE["password"])


def test_a_user_no_longer_wanted_is_gone(file: Path) -> None:
    apply(file, ALICE, BOB)
    result = apply(file, BOB)
    assert (result["removed"], accepts(file, "alice", ALICE["password"])) == (["alice"], False)
    assert file.read_text().startswith("bob:")


def test_another_cost_makes_new_hashes(file: Path) -> None:
    apply(file, ALICE)
    assert apply(file, ALICE, cost=5)["updated"] == ["alice"]
    assert "$2y$05$" in file.read_text()


def test_a_mode_that_someone_loosened_is_set_again(file: Path) -> None:
    apply(file, ALICE)
    file.chmod(0o644)
    assert apply(file, ALICE)["changed"] is True
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_check_mode_tells_and_writes_nothing(file: Path) -> None:
    assert apply(file, ALICE, check=True)["changed"] is True
    assert not file.exists()


def test_no_password_is_ever_told(file: Path) -> None:
    result = apply(file, ALICE, BOB)
    assert BOB["password"] not in json.dumps(result)
