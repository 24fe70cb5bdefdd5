"""What docs/operations.md tells operators to run, run as they run it. By molecule/site/verify.yml, after effects.py.

`told` runs a playbook as the document has it, with the tests' own inventory; document.py sees that nothing is left out.

EFFECTS is JSON, as in effects.py, with the inventory and the password of the user `second`.
The tests go on from each other, in the order of this file, on the last host; removal.py and access.py have the
first meanwhile.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hosts.document import documented
from tests.hosts.effects import LIST_TOOLS, Host, basic
from tests.hosts.load import Load, slow_account
from tests.hosts.page import commands

OPERATIONS: dict[str, Any] = json.loads(os.environ["EFFECTS"])
STATE = Path(OPERATIONS["state"])
PROJECT = Path(__file__).parents[2]
HOSTS = [Host(name, address) for name, address in OPERATIONS["hosts"].items()]
FIRST, LAST = HOSTS[0], HOSTS[-1]


def told(
    command: str, *options: str, fails: bool = False, instead: Mapping[str, str] | None = None, **variables: object
) -> str:
    """Run a playbook as the document tells; `instead` has the words that stand for the reader's own."""
    given, playbook, *rest = shlex.split(documented(command).removeprefix("ansible-playbook -i "))
    assert given == "inventory/ours"
    words = [(instead or {}).get(word, word) for word in rest]
    return play(Path(playbook).stem, *options, *words, fails=fails, **variables)


def play(name: str, *options: str, fails: bool = False, **variables: object) -> str:
    """Run a playbook and return what it said."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", OPERATIONS["inventory"]]
    command += [f"playbooks/{name}.yml", "-e", json.dumps({"python_wheelhouse": True, **variables}), *options]
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
        "systemctl show --property MainPID --value aws-finops-mcp.service; "
        "find /etc/aws-finops-mcp -type f -exec sha256sum {} + | sort"
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


LIMIT = f"--limit={LAST.name}"
HOME = "/opt/aws-finops-mcp"
SITE, DEPLOY, ROLLBACK, USERS = (
    f"ansible-playbook -i inventory/ours playbooks/{name}.yml" for name in ("site", "deploy", "rollback", "users")
)


def test_what_operators_look_at_every_day() -> None:
    for command in commands("Every day") + commands("The certificate"):
        if "playbooks/" not in command and not command.startswith(("systemctl reload", "systemctl restart")):
            # 124: one that goes on until it is ended.
            ran = LAST.shell(f"timeout 3 {documented(command)}; echo $?")
            assert ran.split()[-1] in {"0", "124"}, command
    told("ansible-playbook -i inventory/ours playbooks/verify.yml", LIMIT)


def test_no_call_is_lost_by_an_upgrade_a_way_back_a_reload_or_a_restart() -> None:
    """Short calls all the while, and long ones, which are under way each time the release or the process changes."""
    first, other = release(LAST), another("other", "__init__.py", "# other")
    gateway = OPERATIONS["gateway"]
    with slow_account(gateway, 5056, 5055, 3.0) as account:
        slow: dict[str, Any] = {
            "aws_finops_mcp_environment": {"AWS_ENDPOINT_URL": account, "AWS_EC2_METADATA_DISABLED": "true"}
        }
        told(DEPLOY, LIMIT, **slow)
        assert release(LAST) == first
        # Releases that never served, the older one first; what their lock named; and what no release needs.
        old, young, stray = "releases/0.0.0-old", "releases/0.0.0-young", "environments/of-nobody"
        LAST.shell(f"cd {HOME} && mkdir {old} {young} {stray} && touch -d yesterday {old}")
        before = LAST.shell(f"ls {HOME}/releases {HOME}/environments").split()
        with Load(LAST, slow=True) as load:
            load.during(lambda: told(DEPLOY, LIMIT, aws_finops_mcp_source=str(other), **slow))
            second = release(LAST)
            assert second != first
            # Three releases are kept, and the new one shares the environment of the one before, whose lock is the same.
            gone = {"0.0.0-old", "of-nobody"}
            after = LAST.shell(f"ls {HOME}/releases {HOME}/environments").split()
            assert sorted(after) == sorted({*before, second} - gone)
            links = LAST.shell(f"cd {HOME}/releases && readlink {first}/environment {second}/environment").split()
            assert links[0] == links[1]
            LAST.shell(f"rmdir {HOME}/{young}")
            assert changes(told(f"{ROLLBACK} --check", LIMIT, **slow)) == {LAST.name: 1}
            assert release(LAST) == second
            load.during(lambda: told(ROLLBACK, LIMIT, **slow))
            assert release(LAST) == first
            for action in ("reload", "restart"):
                load.during(lambda action=action: LAST.shell(documented(f"systemctl {action} aws-finops-mcp")))  # type: ignore[misc]
        assert load.lost() == []
        print(f"answered whole: {len(load.short)} short calls, {len(load.long)} long ones")

    refused = told(ROLLBACK, LIMIT, fails=True)
    assert f"Nothing served on {LAST.name} before what serves now" in " ".join(refused.split())
    named = f"{ROLLBACK} -e aws_finops_mcp_release=0.1.0-1a2b3c4d5e6f"
    word = "aws_finops_mcp_release=0.1.0-1a2b3c4d5e6f"
    refused = told(named, LIMIT, fails=True, instead={word: "aws_finops_mcp_release=0.0.0-unknown"})
    assert f"Release 0.0.0-unknown is not on {LAST.name}" in " ".join(refused.split())
    assert release(LAST) == first
    assert second in LAST.shell(documented("ls /opt/aws-finops-mcp/releases"))
    told(named, LIMIT, instead={word: f"aws_finops_mcp_release={second}"})
    assert release(LAST) == second


CHECK_SETTINGS = "/opt/aws-finops-mcp/current/bin/aws-finops-mcp settings --config /etc/aws-finops-mcp/config.toml"


def test_the_journal_says_why_a_start_failed() -> None:
    etc, look = "/etc/aws-finops-mcp", documented("journalctl -u aws-finops-mcp -n 50")
    for damage, reason in (
        (
            f"sed -i 's/^mcp_server_workers.*/mcp_server_workers = -1/' {etc}/config.toml",
            f"aws-finops-mcp: MCP_SERVER_WORKERS: got -1 from {etc}/config.toml: Input should be greater than",
        ),
        (f"mv {etc}/secrets/aws {etc}/away", "Failed at step CREDENTIALS"),
    ):
        assert LAST.shell(f"{damage}; systemctl restart aws-finops-mcp || echo failed").endswith("failed")
        assert reason in LAST.shell(f"{look} -o cat")
        LAST.shell(f"[ ! -e {etc}/away ] || mv {etc}/away {etc}/secrets/aws")
    assert "got -1" in LAST.shell(f"{documented(CHECK_SETTINGS)} 2>&1", check=False)
    told(DEPLOY, LIMIT)
    assert "got -1" not in LAST.shell(CHECK_SETTINGS, check=False)
    assert status(LAST, OPERATIONS["user"], OPERATIONS["password"]) == 200


def test_a_new_key_of_aws_replaces_the_old_one_everywhere() -> None:
    new = "rotated-secret-of-molecule"
    keys = {"default": {"aws_access_key_id": "rotated", "aws_secret_access_key": new}}
    said = told(DEPLOY, LIMIT, aws_finops_mcp_aws_credentials=keys)
    assert new not in said
    handed = "runuser -u aws-finops-mcp -- cat /run/credentials/aws-finops-mcp.service/aws"
    assert new in LAST.shell(handed)
    assert LAST.shell(f"grep -rl '{OPERATIONS['secret']}' /etc/aws-finops-mcp /run/credentials || true") == ""
    assert new not in LAST.shell("journalctl --no-pager --output cat; cat /proc/[0-9]*/environ; ps -eo args")
    told(DEPLOY, LIMIT)
    assert OPERATIONS["secret"] in LAST.shell(handed)


def test_users_come_rotate_and_go() -> None:
    directory = STATE / "passwords"
    generated = directory / "carol"
    listed: dict[str, Any] = {
        "nginx_password_directory": str(directory),
        "nginx_users": [{"name": OPERATIONS["user"], "password": OPERATIONS["password"]}, {"name": "carol"}],
    }
    play("users", LIMIT, "--check", **listed)
    assert not generated.exists()
    said = told(USERS, LIMIT, **listed)
    password = generated.read_text().strip()
    assert len(password) == 32
    assert (generated.stat().st_mode & 0o777, directory.stat().st_mode & 0o777) == (0o600, 0o700)
    assert password not in said
    assert status(LAST, "carol", password) == 200
    assert status(LAST, "second", OPERATIONS["second"]) == 401
    assert changes(play("users", LIMIT, **listed)) == {LAST.name: 0}

    said = told(f"{USERS} -e users_rotate=carol", LIMIT, **listed)
    new = generated.read_text().strip()
    assert new not in said
    assert (status(LAST, "carol", password), status(LAST, "carol", new)) == (401, 200)
    assert "change the others in the vault" in " ".join(
        play("users", LIMIT, fails=True, users_rotate=OPERATIONS["user"], **listed).split()
    )
    for secret in (password, new):
        assert secret not in LAST.shell("journalctl --no-pager --output cat; cat /var/log/nginx/*.log; ps -eo args")

    play("users", LIMIT, nginx_password_directory=str(directory))
    assert not generated.exists()
    assert (status(LAST, "carol", new), status(LAST, "second", OPERATIONS["second"])) == (401, 200)


def test_a_certificate_is_looked_at_replaced_and_revoked() -> None:
    """What molecule/renewal does at length, once as the document has it."""
    serial = f"openssl x509 -noout -serial -in /etc/letsencrypt/live/{LAST.name}/fullchain.pem"
    before = LAST.shell(serial)
    told("ansible-playbook -i inventory/ours playbooks/verify.yml --tags certificate", LIMIT)
    told("ansible-playbook -i inventory/ours playbooks/revoke.yml -e revoke_reason=keycompromise", LIMIT)
    after = LAST.shell(serial)
    assert after != before
    told(f"""{SITE} -e '{{"certbot_absent": ["old.example.com"]}}'""", LIMIT)
    assert LAST.shell(serial) == after
    assert status(LAST, OPERATIONS["user"], OPERATIONS["password"]) == 200


def test_the_certificates_key_is_replaced() -> None:
    key = f"openssl x509 -noout -pubkey -in /etc/letsencrypt/live/{LAST.name}/fullchain.pem"
    before = LAST.shell(key)
    renew = documented("/opt/certbot/venv/bin/certbot renew --force-renewal --no-random-sleep-on-renew")
    LAST.shell(f"REQUESTS_CA_BUNDLE=/etc/ssl/acme-server.pem {renew}")
    assert LAST.shell(key) != before
    assert status(LAST, OPERATIONS["user"], OPERATIONS["password"]) == 200
