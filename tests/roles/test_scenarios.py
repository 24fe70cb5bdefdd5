"""docs/testing.md says which scenario exercises what; each role is in it, and what it names is there and runs."""

import re

import pytest
import yaml  # type: ignore[import-untyped]
from tests.roles.running import PROJECT
from tests.roles.test_shape import ON_HOSTS

PAGE = (PROJECT / "docs/testing.md").read_text(encoding="utf-8")
# `default` makes the hosts; it tests nothing.
SCENARIOS = {path.parent.name for path in (PROJECT / "molecule").glob("*/molecule.yml")} - {"default"}


def table(first: str) -> dict[str, tuple[str, str]]:
    """The rows of the table whose first column is called so: its scenarios, and what is named."""
    rows = PAGE.split(f"\n| {first} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {name.strip("`"): (scenarios, tests) for name, scenarios, tests in cells}


ROLES, DAYS = table("role"), table("what happens")


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def files(scenario: str) -> set[str]:
    """The files of tests that the scenario runs."""
    text = (PROJECT / f"molecule/{scenario}/verify.yml").read_text(encoding="utf-8")
    return set(re.findall(r"tests/hosts/(\w+\.py)", text))


def applied(scenario: str) -> set[str]:
    """The roles that the scenario applies: those of the playbook that it imports, and those that they include."""
    (play,) = yaml.safe_load((PROJECT / f"molecule/{scenario}/converge.yml").read_text(encoding="utf-8"))
    playbook = (PROJECT / "molecule" / scenario / play["ansible.builtin.import_playbook"]).resolve()
    found: set[str] = set()
    waiting = set(re.findall(r"(?:role|name): (\w+)$", playbook.read_text(encoding="utf-8"), re.M)) & set(ON_HOSTS)
    while waiting:
        role = waiting.pop()
        found.add(role)
        tasks = "\n".join(path.read_text("utf-8") for path in (PROJECT / "roles" / role / "tasks").glob("*.yml"))
        included = re.findall(r"include_role:\n\s+name: (\w+)", tasks)
        waiting |= set(included) - found
    return found


def test_every_role_and_every_scenario_is_in_the_tables() -> None:
    assert set(ON_HOSTS) == ROLES.keys()
    assert {name for scenarios, _ in [*ROLES.values(), *DAYS.values()] for name in quoted(scenarios)} == SCENARIOS
    for day in (
        "upgrade, rollback",
        "uninstall",
        "several hosts, rolling",
        "reboot",
        "renewal",
        "wrong key of a package",
    ):
        assert day in DAYS


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_applied_by_its_scenarios(role: str) -> None:
    for scenario in quoted(ROLES[role][0]):
        assert role in applied(scenario)


@pytest.mark.parametrize("name", [*ROLES, *DAYS])
def test_what_is_named_is_there_and_runs(name: str) -> None:
    scenarios, tests = (ROLES | DAYS)[name]
    run = {file for scenario in quoted(scenarios) for file in files(scenario)}
    named = re.findall(r"`(\w+\.py)`: ((?:`\w+`(?:, )?)+)", tests)
    assert named
    for file, functions in named:
        assert file in run
        text = (PROJECT / "tests/hosts" / file).read_text(encoding="utf-8")
        for function in quoted(functions):
            assert f"\ndef {function}(" in text, f"{file} has no {function}"


def test_every_file_of_tests_is_run_by_a_scenario() -> None:
    """A file that none runs would hold nothing; document.py is run after all scenarios."""
    run = {file for scenario in SCENARIOS for file in files(scenario)} | {"document.py"}
    there = {path.name for path in (PROJECT / "tests/hosts").glob("*.py") if "\ndef test_" in path.read_text("utf-8")}
    assert there == run
