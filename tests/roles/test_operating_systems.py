"""Each role finds its data for the systems it is for, and refuses another by name before it changes anything."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
ROLES = ("python", "aws_finops_mcp", "nginx", "certbot", "security_updates")


def preflight(tmp_path: Path, roles: tuple[str, ...], **facts: Any) -> subprocess.CompletedProcess[str]:
    """Only the first tasks of the roles, on a host that says it is such a system."""
    tasks = [{"ansible.builtin.include_role": {"name": role, "tasks_from": "preflight"}} for role in roles]
    plays = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    playbook = tmp_path / "preflight.yml"
    playbook.write_text(json.dumps(plays))
    variables = {
        "ansible_facts": {"all_ipv6_addresses": [], **facts},
        "nginx_server_name": "finops.example.com",
        "nginx_users": [{"name": "alice"}],
        "certbot_email": "ops@example.com",
        "python_interpreter": "/usr/bin/python3",
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(playbook)]
    return subprocess.run(
        [*command, "-e", json.dumps(variables)],
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("system", [("Debian", "12"), ("Debian", "13"), ("Ubuntu", "24"), ("Ubuntu", "26")])
def test_every_role_has_data_for_it(tmp_path: Path, system: tuple[str, str]) -> None:
    done = preflight(tmp_path, ROLES, distribution=system[0], distribution_major_version=system[1], os_family="Debian")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("role", ROLES)
def test_every_role_refuses_another_by_name(tmp_path: Path, role: str) -> None:
    done = preflight(tmp_path, (role,), distribution="Gentoo", distribution_major_version="2", os_family="Gentoo")
    assert done.returncode != 0
    assert f"The role {role} does not know Gentoo" in " ".join(done.stdout.split())
