"""Every role is made alike, so that who knows one knows all of them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

PROJECT = Path(__file__).parents[2]
ROLES = PROJECT / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
# Those of the AWS side work on an account, from the controller: they know no operating systems.
ON_HOSTS = [
    name
    for name in NAMES
    if yaml.safe_load((ROLES / name / "meta/main.yml").read_text(encoding="utf-8"))["galaxy_info"]["platforms"]
]
# Parts of a template that has the line.
INCLUDED = {"sandbox.j2"}


def tasks(role: str) -> list[Path]:
    return [*(ROLES / role / "tasks").glob("*.yml"), *(ROLES / role / "handlers").glob("*.yml")]


def modules(content: Any) -> list[tuple[str, Any]]:
    """Every module with its arguments, also inside blocks."""
    found = []
    for task in content or []:
        for key in ("block", "rescue", "always"):
            found += modules(task.get(key))
        found += [(key, value) for key, value in task.items() if "." in key]
    return found


def test_the_readmes_are_those_of_the_specs() -> None:
    done = subprocess.run(
        [sys.executable, "bin/readmes", "--check"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run bin/readmes: {done.stdout}"


@pytest.mark.parametrize("role", NAMES)
def test_the_skeleton(role: str) -> None:
    for file in (
        "README.md",
        "defaults/main.yml",
        "meta/argument_specs.yml",
        "meta/main.yml",
        "tasks/main.yml",
        "tasks/preflight.yml",
        "vars/main.yml",
        *(("vars/Debian.yml", "vars/Amazon-2023.yml") if role in ON_HOSTS else ()),
    ):
        assert (ROLES / role / file).is_file(), file
    first = yaml.safe_load((ROLES / role / "tasks/main.yml").read_text(encoding="utf-8"))[0]
    # A role that can be off is one block.
    assert first.get("block", [first])[0]["ansible.builtin.import_tasks"] == "preflight.yml"


@pytest.mark.parametrize("role", ON_HOSTS)
def test_one_chain_of_operating_systems(role: str) -> None:
    """The host's release, its distribution, its family: the first that has a file in vars/ is loaded."""
    chain = yaml.safe_load((ROLES / role / "vars/main.yml").read_text(encoding="utf-8"))[f"__{role}_os_vars"]
    assert chain == {
        "files": [
            "{{ ansible_facts['distribution'] }}-{{ ansible_facts['distribution_major_version'] }}.yml",
            "{{ ansible_facts['distribution'] }}.yml",
            "{{ ansible_facts['os_family'] }}.yml",
        ],
        "paths": ["{{ role_path }}/vars"],
        "skip": True,
    }
    preflight = (ROLES / role / "tasks/preflight.yml").read_text(encoding="utf-8")
    assert preflight.count(f"lookup('ansible.builtin.first_found', __{role}_os_vars)") == 2
    assert f"The role {role} does not know" in preflight


@pytest.mark.parametrize("role", ON_HOSTS)
def test_every_system_has_the_same_data(role: str) -> None:
    keys = {
        path.name: set(yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in (ROLES / role / "vars").glob("*.yml")
        if path.name != "main.yml"
    }
    assert len({frozenset(names) for names in keys.values()}) == 1, keys
    assert all(name.startswith(f"__{role}_") for names in keys.values() for name in names)


@pytest.mark.parametrize("role", NAMES)
def test_every_template_says_who_manages_it(role: str) -> None:
    for template in (ROLES / role / "templates").rglob("*.j2"):
        if template.name not in INCLUDED:
            assert "{{ ansible_managed | comment" in template.read_text(encoding="utf-8"), template


@pytest.mark.parametrize("role", NAMES)
def test_nothing_takes_whatever_is_newest(role: str) -> None:
    for file in tasks(role):
        for module, arguments in modules(yaml.safe_load(file.read_text(encoding="utf-8"))):
            if isinstance(arguments, dict):
                assert arguments.get("state") != "latest", f"{file}: {module}"
                assert isinstance(arguments.get("mode", ""), str), f"{file}: {module}"


@pytest.mark.parametrize("role", NAMES)
def test_files_that_a_role_writes_have_an_owner_and_a_mode(role: str) -> None:
    writing = {"ansible.builtin.template", "ansible.builtin.copy"}
    for file in tasks(role):
        for module, arguments in modules(yaml.safe_load(file.read_text(encoding="utf-8"))):
            if module in writing:
                assert {"owner", "group", "mode"} <= arguments.keys(), f"{file}: {arguments.get('dest')}"
                assert re.fullmatch(r"0[0-7]{3}|\{\{.*\}\}", arguments["mode"]), f"{file}: {arguments['mode']}"


@pytest.mark.parametrize("role", NAMES)
def test_tasks_know_no_distribution(role: str) -> None:
    """What differs between operating systems is data in vars/, so a new one needs no new task."""
    for file in (ROLES / role / "tasks").glob("*.yml"):
        conditions = re.findall(r"when:.*(?:\n\s+- .*)*", file.read_text(encoding="utf-8"))
        for condition in conditions:
            assert not re.search(r"os_family|distribution", condition), f"{file}: {condition}"
