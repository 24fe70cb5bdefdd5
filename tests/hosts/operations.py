"""What docs/operations.md tells operators to run, run as they run it. By molecule/site/verify.yml, after effects.py.

EFFECTS is JSON, as in effects.py, with the inventory and the password of the user `second`.
The tests go on from each other, in the order of this file, on the last host; removal.py works on the first meanwhile.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.hosts.effects import LIST_TOOLS, Host, basic

OPERATIONS: dict[str, Any] = json.loads(os.environ["EFFECTS"])
STATE = Path(OPERATIONS["state"])
PROJECT = Path(__file__).parents[2]
HOSTS = [Host(name, address) for name, address in OPERATIONS["hosts"].items()]
FIRST, LAST = HOSTS[0], HOSTS[-1]


def play(name: str, *options: str, fails: bool = False, **variables: object) -> str:
    """Run a playbook and return what it said."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", OPERATIONS["inventory"]]
    command += [f"playbooks/{name}.yml", *options, "-e", json.dumps({"python_wheelhouse": True, **variables})]
    # The project's own ansible.cfg, not what molecule runs with.
    others = ("ANSIBLE_", "MOLECULE_")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(others) or key == "MOLECULE_NET"}
    clean["ANSIBLE_NOCOLOR"] = "1"
    done = subprocess.run(command, cwd=PROJECT, env=clean, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) is fails, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def changes(said: str) -> dict[str, int]:
    """How many tasks changed something, by host."""
    return {host: int(count) for host, count in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", said, re.MULTILINE)}


def serving(host: Host) -> str:
    """The release, the process that answers, and the settings that it has."""
    return host.shell(
        "readlink /opt/aws-finops-mcp/current; ls /opt/aws-finops-mcp/releases;"
        "systemctl show --property MainPID --value aws-finops-mcp.service; sha256sum /etc/aws-finops-mcp/*"
    )


def release(host: Host) -> str:
    return host.shell("basename $(readlink /opt/aws-finops-mcp/current)")


def another(name: str, file: str, line: str) -> Path:
    """Another version of the project."""
    copy = STATE / name
    shutil.rmtree(copy, ignore_errors=True)
    (copy / "requirements").mkdir(parents=True)
    for part in ("pyproject.toml", "README.md", "LICENSE", "requirements/server.txt"):
        shutil.copy2(PROJECT / part, copy / part)
    shutil.copytree(PROJECT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    with (copy / "src/aws_finops_mcp" / file).open("a") as stream:
        stream.write(f"{line}\n")
    return copy


def status(host: Host, user: str, password: str) -> int:
    return host.request("POST", "/mcp", LIST_TOOLS, login=False, Authorization=basic(user, password)).status


def test_deploy_and_rollback() -> None:
    first = release(LAST)
    other = another("other", "__init__.py", "# other")
    limit = f"--limit={LAST.name}"
    play("deploy", limit, aws_finops_mcp_source=str(other))
    second = release(LAST)
    assert second != first

    assert changes(play("rollback", limit, "--check")) == {LAST.name: 1}
    assert release(LAST) == second
    play("rollback", limit)
    assert release(LAST) == first
    assert LAST.request("GET", "/health", login=False).status == 200

    refused = play("rollback", limit, fails=True)
    assert f"Nothing served on {LAST.name} before what serves now" in " ".join(refused.split())
    refused = play("rollback", limit, fails=True, aws_finops_mcp_release="0.0.0-unknown")
    assert f"Release 0.0.0-unknown is not on {LAST.name}" in " ".join(refused.split())
    assert release(LAST) == first

    play("rollback", limit, aws_finops_mcp_release=second)
    assert release(LAST) == second


def test_users_come_rotate_and_go() -> None:
    limit = f"--limit={LAST.name}"
    directory = STATE / "passwords"
    generated = directory / "carol"
    listed: dict[str, Any] = {
        "nginx_password_directory": str(directory),
        "nginx_users": [{"name": OPERATIONS["user"], "password": OPERATIONS["password"]}, {"name": "carol"}],
    }
    play("users", limit, "--check", **listed)
    assert not generated.exists()
    said = play("users", limit, **listed)
    password = generated.read_text().strip()
    assert len(password) == 32
    assert (generated.stat().st_mode & 0o777, directory.stat().st_mode & 0o777) == (0o600, 0o700)
    assert password not in said
    assert status(LAST, "carol", password) == 200
    assert status(LAST, "second", OPERATIONS["second"]) == 401
    assert changes(play("users", limit, **listed)) == {LAST.name: 0}

    said = play("users", limit, users_rotate="carol", **listed)
    new = generated.read_text().strip()
    assert new not in said
    assert (status(LAST, "carol", password), status(LAST, "carol", new)) == (401, 200)
    assert "change the others in the vault" in " ".join(
        play("users", limit, fails=True, users_rotate=OPERATIONS["user"], **listed).split()
    )
    for secret in (password, new):
        assert secret not in LAST.shell("journalctl --no-pager --output cat; cat /var/log/nginx/*.log; ps -eo args")

    play("users", limit, nginx_password_directory=str(directory))
    assert not generated.exists()
    assert (status(LAST, "carol", new), status(LAST, "second", OPERATIONS["second"])) == (401, 200)
