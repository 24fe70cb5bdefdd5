"""No handler reloads or restarts what its validation refuses: each role's own handlers, with watched commands."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from tests.roles.running import DEBIAN, PROJECT
from tests.roles.test_shape import NAMES, ROLES


def handlers(role: str) -> list[dict[str, Any]]:
    file = ROLES / role / "handlers/main.yml"
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else []
    return found


TOPICS = sorted({(role, task["listen"]) for role in NAMES for task in handlers(role)})
VALIDATORS = {
    ("nginx", "Reload nginx safely"): "nginx -t",
    ("certbot", "Restart the renewal timer"): (
        "systemd-analyze verify /etc/systemd/system/certbot-renew.timer /etc/systemd/system/certbot-renew.service"
    ),
    ("cloudwatch_agent", "Restart the CloudWatch agent"): (
        "ctl -a fetch-config -m ec2 -c file:/opt/aws/amazon-cloudwatch-agent/etc/aws-finops-mcp.json"
    ),
    ("security_updates", "Reload systemd"): "systemd-analyze verify security-updates.timer",
}
ACTS = {
    ("nginx", "Reload nginx safely"): "systemctl reload nginx.service",
    ("certbot", "Restart the renewal timer"): "systemctl restart certbot-renew.timer",
    ("cloudwatch_agent", "Restart the CloudWatch agent"): "systemctl restart amazon-cloudwatch-agent.service",
    ("security_updates", "Reload systemd"): "systemctl daemon-reload",
}
CHANGING = {"reload", "restart", "start", "stop", "enable", "daemon-reload"}
# Like the real one for those who ask; everything that it is told is written down.
SYSTEMCTL = """
case "$*" in
  *MainPID*) echo $PPID ;;
  show*) printf 'LoadState=loaded\\nActiveState=active\\nUnitFileState=enabled\\n' ;;
  is-enabled*) echo enabled ;;
esac
"""


def told(tmp_path: Path, role: str, topic: str, *, refused: bool = False) -> tuple[int, list[str]]:
    """Notify the topic; how the run ended, and the commands that the handlers gave, in their order."""
    record, programs = tmp_path / "told", tmp_path / "bin"
    programs.mkdir()
    for name in ("nginx", "systemd-analyze", "ctl", "systemctl"):
        end = SYSTEMCTL if name == "systemctl" else f"exit {int(refused)}\n"
        script = programs / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >>{record}\n{end}')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    files = [ROLES / role / part for part in ("defaults/main.yml", "vars/main.yml", "vars/Amazon-2023.yml")]
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars_files": [str(file) for file in files if file.exists()],
        "tasks": [{"ansible.builtin.debug": {"msg": "x"}, "changed_when": True, "notify": topic}],
        "handlers": [{"ansible.builtin.import_tasks": str(ROLES / role / "handlers/main.yml")}],
    }
    playbook = tmp_path / "play.yml"
    playbook.write_text(json.dumps([play]))
    given = {
        "ansible_facts": {**DEBIAN, "service_mgr": "systemd"},
        "ansible_python_interpreter": sys.executable,
        "__cloudwatch_agent_ctl": "ctl",
    }
    ansible = str(Path(sys.executable).parent / "ansible-playbook")
    done = subprocess.run(
        [ansible, "-i", "localhost,", str(playbook), "-e", json.dumps(given)],
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert record.exists(), done.stdout + done.stderr
    return done.returncode, record.read_text(encoding="utf-8").splitlines()


def changing(commands: list[str]) -> list[str]:
    return [line for line in commands if line.startswith("systemctl ") and CHANGING & set(line.split())]


def test_every_topic_has_a_validation() -> None:
    """A further handler is held to the same by its lines in these tables."""
    assert set(TOPICS) == VALIDATORS.keys() == ACTS.keys()


@pytest.mark.parametrize(("role", "topic"), TOPICS)
def test_what_is_valid_is_taken_into_use_after_its_validation(tmp_path: Path, role: str, topic: str) -> None:
    code, commands = told(tmp_path, role, topic)
    assert code == 0, commands
    assert commands[0] == VALIDATORS[role, topic]
    assert ACTS[role, topic] in changing(commands)


@pytest.mark.parametrize(("role", "topic"), TOPICS)
def test_what_is_refused_changes_nothing_that_runs(tmp_path: Path, role: str, topic: str) -> None:
    code, commands = told(tmp_path, role, topic, refused=True)
    assert code != 0
    assert VALIDATORS[role, topic] in commands
    assert changing(commands) == []
