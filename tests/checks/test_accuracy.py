"""Every check finds exactly what is true of the fictional company, traps included, at its price."""

from __future__ import annotations

from typing import Any

import pytest

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.accuracy import accuracy


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_precision_and_recall_are_one(engine: Engine, account: EmbeddedAccount, check: Check[Any]) -> None:
    cases = account.cases.get(check.name, ())
    result = accuracy(engine, check, cases)
    assert result.wrong == ()
    assert (result.precision, result.recall) == (1.0, 1.0)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_truth_has_findings_and_traps(account: EmbeddedAccount, check: Check[Any]) -> None:
    cases = account.cases[check.name]
    assert any(case.verdict.actionable for case in cases)
    assert any(not case.verdict.actionable for case in cases)
    assert {case.verdict for case in cases if case.verdict.actionable} <= set(check.seeks)
