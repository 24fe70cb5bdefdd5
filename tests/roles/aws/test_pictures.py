"""docs/aws.md shows what inventories, roles and templates say, and names nothing that there is not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

PROJECT = Path(__file__).parents[3]
PAGE = (PROJECT / "docs/aws.md").read_text(encoding="utf-8")
INVENTORIES = sorted((PROJECT / "inventory").glob("aws_*.yml"))


DRAWN = ("single", "production", "enterprise")


def variables_of_roles() -> set[str]:
    specs = [yaml.safe_load(file.read_text()) for file in (PROJECT / "roles").glob("*/meta/argument_specs.yml")]
    return {name for spec in specs for entry in spec["argument_specs"].values() for name in entry.get("options", {})}


def test_the_drawings_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "bin/pictures", "--check"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run bin/pictures: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("file", [file for file in INVENTORIES if file.stem != "aws_ec2"], ids=lambda file: file.stem)
def test_an_inventory_sets_variables_that_there_are(file: Path) -> None:
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    assert content["all"]["vars"].keys() <= variables_of_roles()


def test_the_page_names_what_there_is() -> None:
    named = set(re.findall(r"`(aws_[a-z_]+)(?::[^`]*)?`", PAGE))
    roles = {path.name for path in (PROJECT / "roles").iterdir()}
    assert named <= variables_of_roles() | roles
    for path in re.findall(r"`((?:inventory|playbooks|bin)/[\w./]+)`", PAGE):
        assert (PROJECT / path).exists() or path == "inventory/ours.yml", path


def test_endpoints_are_drawn_where_an_inventory_asks_for_some() -> None:
    pictures = [yaml.safe_load((PROJECT / f"inventory/aws_{name}.yml").read_text())["all"]["vars"] for name in DRAWN]
    drawn = PAGE.count("aws_endpoints[aws_endpoints]")
    assert drawn == sum(bool(given.get("aws_endpoints_services")) for given in pictures) > 0
