"""Tag checks by cost: dollars as billed, the dearest first, and what is in no bill is told, not zero."""

from __future__ import annotations

import re

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.billed_resources import billed_id, billed_resources
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.findings import CheckAnswer, Finding, cents

EU = "eu-west-1"
TYPES = {"lambda": "AWS::Lambda::Function", "rds": "AWS::RDS::DBInstance"}


def ask(engine: Engine, check: str, savings: str = "net", **arguments: object) -> CheckAnswer:
    tool = TOOLS["run_check"]
    wanted = {"region_name": EU, "max_results": 500, **arguments}
    answer = tool.answer(engine.asking(), tool.parse({"check": check, "arguments": wanted, "savings": savings}))
    assert isinstance(answer, CheckAnswer)
    return answer


def evidence(finding: Finding, key: str) -> float:
    value = (finding.evidence or {}).get(key, 0.0)
    assert isinstance(value, (int, float))
    return float(value)


def test_what_lacks_a_tag_is_ranked_by_what_it_is_billed(engine: Engine) -> None:
    answer = ask(engine, "find_untagged_resources", required_tags=["CostCentre"])
    assert answer.complete
    findings, cursor = list(answer.findings), answer.next_cursor
    while cursor:
        page = ask(engine, "find_untagged_resources", cursor=cursor)
        findings += page.findings
        cursor = page.next_cursor
    costs = [evidence(finding, "billed_usd") for finding in findings]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > 0
    known = [finding for finding in findings if "billed_usd" in (finding.evidence or {})]
    assert 0 < len(known) < len(findings)
    for finding in known:
        service = str((finding.evidence or {})["type"]).partition(":")[0]
        own = billed_id(finding.resource_id or "", TYPES.get(service, "AWS::EC2::Instance"), EU, ACCOUNT_ID)
        assert own
        if service in ("ec2", *TYPES):
            bill = billed_resources(engine.asking().billing(), [own]).found[own.name]
            assert evidence(finding, "billed_usd") == cents(bill.covered + bill.uncovered)
    found = re.search(r"was billed \$([\d,.]+) a month .* without (\d+) of (\d+) resources", answer.summary)
    assert found
    assert float(found[1].replace(",", "")) == pytest.approx(sum(costs), abs=0.01 * len(known))
    assert int(found[2]) == int(found[3]) - len(known)
    assert "NetAmortizedCost" in answer.evidence_sources["billed_usd"]


def test_services_tell_how_much_of_their_costs_lacks_a_tag(engine: Engine) -> None:
    single = ask(engine, "find_untagged_resources", required_tags=["Team"])
    answer = ask(engine, "analyze_tag_compliance", required_tags=["Team"], detail="full")
    for service in answer.findings:
        own = [
            one for one in single.findings if str((one.evidence or {})["type"]).startswith(f"{service.resource_id}:")
        ]
        total = sum(evidence(one, "billed_usd") for one in own)
        assert evidence(service, "noncompliant_usd") == pytest.approx(total, abs=0.01 * len(own) + 0.001)
        assert evidence(service, "noncompliant_usd") <= evidence(service, "billed_usd") + 0.001
        assert evidence(service, "uncosted") <= evidence(service, "resources")
    assert any(evidence(service, "billed_usd") > evidence(service, "noncompliant_usd") for service in answer.findings)
    lacking = [evidence(one, "noncompliant_usd") for one in answer.findings if one.verdict and one.verdict.actionable]
    assert lacking == sorted(lacking, reverse=True)


def test_costs_that_could_not_be_read_make_the_answer_incomplete(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("ce:GetCostAndUsageWithResources")
    answer = ask(engine, "find_untagged_resources", required_tags=["CostCentre"])
    assert not answer.complete
    assert "ce:GetCostAndUsageWithResources" in {read.call for read in answer.failed_reads}
    assert not any("billed_usd" in (finding.evidence or {}) for finding in answer.findings)
    assert answer.findings


def test_costs_are_asked_for_only_when_wanted(engine: Engine, account: EmbeddedAccount) -> None:
    account.calls.reset()
    answer = ask(engine, "find_untagged_resources", savings="list", required_tags=["CostCentre"])
    assert not account.calls.count("ce:GetCostAndUsageWithResources")
    assert "billed" not in answer.summary
