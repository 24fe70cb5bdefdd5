"""A role's argument_specs are its documentation: they must say what defaults/main.yml does."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROLES = Path(__file__).parents[2] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())


def load(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def options(role: str) -> dict[str, dict[str, Any]]:
    specs = load(ROLES / role / "meta/argument_specs.yml")["argument_specs"]
    found: dict[str, dict[str, Any]] = specs["main"]["options"]
    return found


def test_there_are_roles() -> None:
    assert {"python", "aws_finops_mcp", "nginx", "certbot"} <= set(NAMES)


@pytest.mark.parametrize("role", NAMES)
def test_keys_and_defaults_agree(role: str) -> None:
    documented = options(role)
    optional = {name: option["default"] for name, option in documented.items() if not option.get("required")}
    assert optional == load(ROLES / role / "defaults/main.yml")


@pytest.mark.parametrize("role", NAMES)
def test_every_variable_is_the_roles_own_and_described(role: str) -> None:
    for name, option in options(role).items():
        assert name.startswith(f"{role}_")
        assert option["description"]
        assert option["type"]


@pytest.mark.parametrize("role", NAMES)
def test_every_variable_is_used(role: str) -> None:
    """A variable that nothing reads would be set in vain."""
    parts = ("tasks", "templates", "vars", "handlers")
    text = "\n".join(
        file.read_text(encoding="utf-8")
        for part in parts
        for file in (ROLES / role / part).rglob("*")
        if file.is_file()
    )
    # Or by the default of another one.
    text += "\n".join(str(value) for value in load(ROLES / role / "defaults/main.yml").values())
    for name in options(role):
        assert re.search(rf"\b{name}\b", text), name
