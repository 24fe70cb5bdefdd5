"""Tasks of the roles, run by Ansible on the controller as if it were one host, or many."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]

DEBIAN = {
    "distribution": "Debian",
    "distribution_major_version": "13",
    "os_family": "Debian",
    "architecture": "x86_64",
}
AMAZON = {**DEBIAN, "distribution": "Amazon", "distribution_major_version": "2023", "os_family": "RedHat"}

# What roles cannot do without.
_USUAL: dict[str, Any] = {
    "nginx_server_name": "finops.example.com",
    "nginx_users": [{"name": "alice"}],
    "certbot_email": "ops@example.com",
    "python_interpreter": "/usr/bin/python3",
    "ansible_python_interpreter": sys.executable,
    "signed_package_name": "example",
    "signed_package_version": "1",
    "signed_package_url": "https://example.com/example.deb",
    "signed_package_key": "/nowhere/key.asc",
    "signed_package_fingerprints": ["0" * 40],
}

Case = Mapping[str, Any]
"""Variables of a host; `facts` is what it says of itself, a Debian's when not given. What is None is not given."""


@dataclass(frozen=True)
class Told:
    """What a run came to for one host."""

    failed: bool
    text: str
    """What was said of it, in one line."""
    output: str
    """All that was printed, of all hosts."""


def preflight(role: str) -> dict[str, Any]:
    """The first tasks of a role; the variables that they load stay."""
    return {"ansible.builtin.include_role": {"name": role, "tasks_from": "preflight", "public": True}}


def _run(
    directory: Path, hosts: dict[str, Case], tasks: list[dict[str, Any]], extra: Case
) -> subprocess.CompletedProcess[str]:
    inventory, playbook = directory / "inventory.json", directory / "tasks.yml"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    plays = [{"hosts": "all", "connection": "local", "gather_facts": False, "tasks": tasks}]
    playbook.write_text(json.dumps(plays), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), str(playbook)]
    return subprocess.run(
        [*command, "-e", json.dumps(extra)],
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def run_tasks(
    directory: Path, tasks: list[dict[str, Any]], facts: dict[str, str], **given: Any
) -> subprocess.CompletedProcess[str]:
    """Run tasks on one host; its variables win over the roles' own, internal ones too."""
    extra = {**_USUAL, "ansible_facts": {"all_ipv6_addresses": [], **facts}, **given}
    return _run(directory, {"localhost": {}}, tasks, extra)


def run_many(directory: Path, tasks: list[dict[str, Any]], cases: Mapping[str, Case]) -> dict[str, Told]:
    """Run tasks on a host for each case, with its variables: Ansible takes longer to start than to judge a host.

    Args:
        directory: where inventory and playbook are written.
        tasks: as in a playbook.
        cases: by a name.
    """
    hosts: dict[str, Case] = {
        f"host{number}": {
            name: value for name, value in (_USUAL | {"facts": DEBIAN} | dict(case)).items() if value is not None
        }
        for number, case in enumerate(cases.values())
    }
    extra = {"ansible_facts": "{{ {'all_ipv6_addresses': []} | combine(facts) }}"}
    done = _run(directory, hosts, tasks, extra)
    failures = dict(re.findall(r"^(host\d+) +: .*failed=(\d+)", done.stdout, re.M))
    assert failures.keys() == hosts.keys(), done.stdout + done.stderr
    said = _by_host(done.stdout)
    output = done.stdout + done.stderr
    return {
        name: Told(failures[host] != "0", " ".join(said.get(host, "").split()), output)
        for name, host in zip(cases, hosts, strict=True)
    }


def _by_host(output: str) -> dict[str, str]:
    """What Ansible printed of each host, after the name of the task that it was about.

    Reasons above that, which Ansible gives once where several hosts have the same, are not in it.
    """
    found: dict[str, str] = {}
    task = host = ""
    for line in output.splitlines():
        begins = re.match(r"(?:ok|changed|fatal|failed): \[(host\d+)", line)
        if begins:
            host = begins[1]
            found[host] = f"{found.get(host, '')}\n{task}"
        elif re.match(r"(TASK|PLAY) |\[[A-Z]+\]|skipping: |included: ", line):
            task = line.strip("* ") if line.startswith("TASK ") else task
            host = ""
        if host:
            found[host] += f"\n{line}"
    return found
