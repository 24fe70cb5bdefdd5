"""The tag that exempts works in every check: tagged with it, what was a finding is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aws_finops_mcp.audits.answers import reader_of, whole_answer
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.inventory import REGIONS
from aws_finops_mcp.findings import CheckAnswer, Verdict

_NONE = "none of the company's findings has a tag"
UNTRIED = {
    "find_incomplete_multipart_uploads": _NONE,
    "find_unencrypted_s3_buckets": _NONE,
    "get_s3_storage_class_recommendations": _NONE,
    "find_underutilized_ecs_services": _NONE,
    "find_untagged_resources": "what has the tag is compliant, and so no finding, unless other tags are asked for",
    "analyze_tag_compliance": "its findings are services, which have no tags",
}
"""Checks with which it is not tried, and why."""


@pytest.fixture(scope="module", autouse=True)
def still(account: EmbeddedAccount) -> Iterator[None]:
    """No test here changes the account, and each asks it the same."""
    with account.remembered.remembering():
        yield


def ask(engine: Engine, check: Check[Any], region: str) -> CheckAnswer:
    asking = engine.asking()
    params = check.params.model_validate({"region_name": region, "detail": "full"})
    return whole_answer(asking, reader_of(asking, check, params), check, params)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_finding_with_the_tag_is_exempt(engine: Engine, account: EmbeddedAccount, check: Check[Any]) -> None:
    """One that the truth says is exempt, or by a tag that one has anyway: its key is the operator's choice."""
    if check.name in UNTRIED or any(case.verdict is Verdict.EXEMPT for case in account.cases[check.name]):
        return  # tests/checks/test_accuracy.py holds each case
    told = {case.region for case in account.cases[check.name]}
    for region in [one for one in REGIONS if one in told or check.everywhere] or sorted(told):
        answer = ask(engine, check, region)
        tagged = [f for f in answer.findings if f.verdict and f.verdict.actionable and f.tags]
        if not tagged:
            continue
        finding = tagged[0]
        key = next(iter(finding.tags or {}))
        again = ask(replace_tag(engine, key), check, region)
        (same,) = [
            one
            for one in again.findings
            if (one.resource_id, one.name) == (finding.resource_id, finding.name) and one.verdict is not Verdict.OK
        ]
        assert same.verdict is Verdict.EXEMPT
        assert str(finding.verdict) in (same.reason or "")
        assert same.saving is None
        assert again.counts.found < answer.counts.found
        return
    pytest.fail("no finding has a tag, so whether one exempts was not tried")


def test_what_is_not_tried_is_a_check_without_a_case(account: EmbeddedAccount) -> None:
    names = {check.name for check in CHECKS}
    assert names >= UNTRIED.keys()
    assert not [n for n in UNTRIED if any(case.verdict is Verdict.EXEMPT for case in account.cases[n])]


def replace_tag(engine: Engine, key: str) -> Engine:
    return replace(engine, exempt_tag=key)
