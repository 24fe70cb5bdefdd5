"""Every check finds exactly what is true of the fictional company, traps included, at its price."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.accuracy import Measured, measure, report
from aws_finops_mcp.demo.other_tools import HELD_BY, other_tools, section
from aws_finops_mcp.demo.traps import excused
from aws_finops_mcp.prices.sources import priced_by

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


@pytest.fixture(scope="module")
def measured() -> dict[str, Measured]:
    """What was measured so far: the page is of the same figures."""
    return {}


def told(engine: Engine, account: EmbeddedAccount, measured: dict[str, Measured], check: Check[Any]) -> Measured:
    if check.name not in measured:
        measured[check.name] = measure(engine, check, account.cases.get(check.name, ()))
    return measured[check.name]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_precision_and_recall_are_one(
    engine: Engine, account: EmbeddedAccount, measured: dict[str, Measured], check: Check[Any]
) -> None:
    result = told(engine, account, measured, check).accuracy
    assert result.wrong == ()
    assert (result.precision, result.recall) == (1.0, 1.0)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_it_prices_with_all_that_it_declares_and_nothing_else(
    engine: Engine, account: EmbeddedAccount, measured: dict[str, Measured], check: Check[Any]
) -> None:
    priced = told(engine, account, measured, check).accuracy.priced
    assert [key for key in priced if not priced_by(check.prices, key)] == []
    assert [pattern for pattern in check.prices if not any(priced_by([pattern], key) for key in priced)] == []
    assert bool(check.prices) == check.saves


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_it_falls_into_no_trap(
    engine: Engine, account: EmbeddedAccount, measured: dict[str, Measured], check: Check[Any]
) -> None:
    """And where a trap is said not to concern it, it is tried all the same: a reason that is none any more is told."""
    traps = told(engine, account, measured, check).traps
    assert {name: one.wrong for name, one in traps.items() if one.wrong and not excused(check.name, name)} == {}
    assert [name for name, one in traps.items() if not one.findings and not excused(check.name, name)] == []
    assert [name for name, one in traps.items() if one.findings and not one.wrong and excused(check.name, name)] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_truth_has_findings_and_traps(account: EmbeddedAccount, check: Check[Any]) -> None:
    cases = account.cases[check.name]
    assert any(case.verdict.actionable for case in cases)
    assert any(not case.verdict.actionable for case in cases)
    assert {case.verdict for case in cases if case.verdict.actionable} <= set(check.seeks)


def test_the_page_of_checks_is_what_the_command_prints(
    engine: Engine, account: EmbeddedAccount, measured: dict[str, Measured]
) -> None:
    page = report([told(engine, account, measured, check) for check in CHECKS], section(engine))
    assert page == PAGE.read_text(encoding="utf-8"), "aws-finops-mcp accuracy > docs/checks.md"


def test_every_other_tool_names_the_test_that_holds_its_truth(engine: Engine) -> None:
    """And a page that is not made anew after a change of them fails here, in less than the time of all checks."""
    assert list(HELD_BY) == list(other_tools())
    for name, held_by in HELD_BY.items():
        text = (Path(__file__).parents[1] / held_by).read_text(encoding="utf-8")
        assert f'"{name}"' in text or f" {name} " in text or f"`{name}`" in text, name
    page = PAGE.read_text(encoding="utf-8")
    assert page.endswith(f"\n\n{section(engine)}"), "aws-finops-mcp accuracy > docs/checks.md"
