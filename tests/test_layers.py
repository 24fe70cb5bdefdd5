"""Imports run downward only: server over audits over checks and costs over prices and aws over the vocabulary."""

import ast
from pathlib import Path

import aws_finops_mcp

ROOT = Path(aws_finops_mcp.__file__).parent

LAYERS = (
    {"__init__"},
    {"settings", "findings", "fitting", "chart"},
    {"declaration"},
    {"aws"},
    {"prices"},
    {"checks", "costs"},
    {"audits"},
    {"server", "clients", "doctor"},
    {"connect"},
    {"demo"},
    {"cli", "cli_estimate", "cli_keys", "cli_sts", "__main__"},
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(f"{node.module}.{node.names[0].name}" if node.module == "aws_finops_mcp" else str(node.module))
    return {name.split(".")[1] for name in found if name.startswith("aws_finops_mcp.") and name.split(".")[1] in LEVEL}


def test_every_part_has_a_layer() -> None:
    assert {part_of(path) for path in ROOT.rglob("*.py")} == set(LEVEL)


def test_imports_run_downward_only() -> None:
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in ROOT.rglob("*.py")
        for name in imported(path)
        if LEVEL[name] > LEVEL[part_of(path)]
    ]
    assert upward == []


def test_siblings_do_not_import_each_other() -> None:
    sideways = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in ROOT.rglob("*.py")
        for name in imported(path)
        if LEVEL[name] == LEVEL[part_of(path)] and name != part_of(path) and name != "findings"
    ]
    assert [line for line in sideways if "cli" not in line] == []


def test_nothing_below_the_demo_imports_it() -> None:
    importers = {part_of(path) for path in ROOT.rglob("*.py") if "demo" in imported(path)}
    assert importers <= {"cli", "demo"}
