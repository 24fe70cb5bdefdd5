"""Savings net of commitments by the rows of an export, which say what Cost Explorer says and cost nothing to ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.costs.conftest import TODAY, Change

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.net import Claim, net_of
from aws_finops_mcp.costs.billed_resources import BilledId, Bills, billed_id, billed_resources
from aws_finops_mcp.costs.exports.exports import Exports
from aws_finops_mcp.demo import bills as company
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.answers.reservations import RESERVATION
from aws_finops_mcp.demo.answers.savings_plans import PLAN_ID
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.findings import SavingPart, SavingsAnswer
from aws_finops_mcp.settings import ExportSettings

CALL = "ce:GetCostAndUsageWithResources"
LAST = TODAY - timedelta(days=2)


def with_export(engine: Engine, **export: object) -> Engine:
    settings = {"bill": ExportSettings.model_validate(export)}
    return replace(engine, exports=Exports(settings, first_account="default"))


@pytest.fixture
def wanted(account: EmbeddedAccount) -> dict[str, BilledId]:
    """Resources of the company: covered by a plan, by a reservation, by nothing."""
    kinds = {
        "web-1": "AWS::EC2::Instance",
        "search-1": "AWS::EC2::Instance",
        "search-2": "AWS::EC2::Instance",
        "old-reports": "AWS::EC2::Volume",
        "nat-production-a": "AWS::EC2::NatGateway",
    }
    found = {name: billed_id(account.ids[name], kind, "us-east-1", ACCOUNT_ID) for name, kind in kinds.items()}
    return {name: one for name, one in found.items() if one}


def bills_of(engine: Engine, wanted: dict[str, BilledId]) -> tuple[Bills, set[str]]:
    """The bills, and the paid calls to AWS that they took: who the account is, is asked once and free."""
    asking = engine.asking()
    billing = asking.billing()
    found = billed_resources(billing, wanted.values())
    return found, set(billing.reader.ledger.calls().by_action) - {"sts:GetCallerIdentity"}


@pytest.mark.parametrize("kind", ["focus", "cur2"])
def test_the_export_says_what_cost_explorer_says_and_asks_it_nothing(
    engine: Engine, billing_exports: dict[str, Path], wanted: dict[str, BilledId], kind: str
) -> None:
    asked, calls = bills_of(engine, wanted)
    exported, none = bills_of(with_export(engine, location=str(billing_exports[kind]), kind=kind), wanted)
    assert (calls, none) == ({CALL}, set())
    assert len(exported.found) == len(wanted) == 5
    for name, bill in exported.found.items():
        assert bill.by == asked.found[name].by
        assert round(bill.covered, 2) == round(asked.found[name].covered, 2)
        assert round(bill.uncovered, 2) == round(asked.found[name].uncovered, 2)
    assert (exported.first, exported.last) == (asked.first, asked.last)
    assert (exported.request, exported.metric) == ("export bill", "EffectiveCost")


@pytest.mark.parametrize("kind", ["focus", "cur2"])
def test_the_export_tells_which_commitment_it_is_and_when_that_lapses(
    engine: Engine, billing_exports: dict[str, Path], account: EmbeddedAccount, change: Change, kind: str
) -> None:
    """Of two plans and two reservations in force, the one that the rows name."""

    def another_plan(parsed: dict[str, Any]) -> None:
        parsed["savingsPlans"].append({**parsed["savingsPlans"][0], "savingsPlanId": "b", "savingsPlanArn": "arn:b"})
        parsed["savingsPlans"][-1]["end"] = "2031-01-01T00:00:00Z"

    def another_reservation(parsed: dict[str, Any]) -> None:
        own = next(one for one in parsed["ReservedInstances"] if one["State"] == "active")
        later = own["End"].replace(year=own["End"].year + 3)
        parsed["ReservedInstances"].append({**own, "ReservedInstancesId": "b", "End": later})

    change("savingsplans", "DescribeSavingsPlans", another_plan)
    change("ec2", "DescribeReservedInstances", another_reservation)
    part = SavingPart(what="x", quantity=1, usd=Decimal(70), price="x")
    claims = [
        Claim(account.ids[name], "AWS::EC2::Instance", "us-east-1", ACCOUNT_ID, (part,))
        for name in ("web-1", "search-1")
    ]
    export = with_export(engine, location=str(billing_exports[kind]), kind=kind)
    web, search = net_of(export.asking().billing(), claims)[0]
    plan_ends = TODAY - timedelta(days=company.SAVINGS_PLAN_AGE) + timedelta(days=364)
    assert web.lapses == plan_ends.isoformat()
    assert web.reason == f"covered by the Savings Plan {PLAN_ID} until {plan_ends}: saves nothing before that"
    reserved_until = TODAY - timedelta(days=company.RESERVED_AGE) + timedelta(days=365)
    assert search.lapses == reserved_until.isoformat()
    assert f"covered by the reservation {RESERVATION} until {reserved_until}:" in search.reason
    asked, _ = net_of(engine.asking().billing(), claims)[0]
    assert asked.lapses == f"{plan_ends} to 2031-01-01"
    assert "whichever it is of several" in asked.reason, "Cost Explorer does not name it"


def copied(folder: Path, rows: str, to: Path, also: str = "") -> str:
    """A FOCUS export of some rows of another."""
    to.mkdir()
    read = f"SELECT * {also} FROM read_parquet('{folder}/**/*.parquet') WHERE {rows}"
    duckdb.sql(f"COPY ({read}) TO '{to}/bill.parquet'")
    return str(to)


def test_an_export_that_is_late_is_scaled_by_the_days_that_it_has_whole(
    engine: Engine, billing_exports: dict[str, Path], wanted: dict[str, BilledId], tmp_path: Path
) -> None:
    late = LAST - timedelta(days=4)
    # Of its last day only what was written until five in the morning.
    cost = f"EffectiveCost * CASE WHEN ChargePeriodStart >= '{late}' THEN 5.0 / 24 ELSE 1 END"
    hours = f"REPLACE ({cost} AS EffectiveCost)"
    folder = copied(billing_exports["focus"], f"ChargePeriodStart <= '{late}'", tmp_path / "late", hours)
    whole, _ = bills_of(with_export(engine, location=str(billing_exports["focus"]), kind="focus"), wanted)
    found, _ = bills_of(with_export(engine, location=folder, kind="focus"), wanted)
    assert found.last == late - timedelta(days=1)
    volume = wanted["old-reports"].name
    # What a volume costs is the same each day.
    assert float(found.found[volume].uncovered) == pytest.approx(float(whole.found[volume].uncovered), rel=1e-3)


@pytest.mark.parametrize(("rows", "error"), [("ChargePeriodStart <= '{old}'", "ends on {old}"), ("false", "no usage")])
def test_an_export_without_these_days_is_a_failed_read(
    engine: Engine, billing_exports: dict[str, Path], wanted: dict[str, BilledId], tmp_path: Path, rows: str, error: str
) -> None:
    old = LAST - timedelta(days=30)
    folder = copied(billing_exports["focus"], rows.format(old=old), tmp_path / "old")
    found, _ = bills_of(with_export(engine, location=folder, kind="focus"), wanted)
    assert not found.found
    assert {one.kind for one in found.not_read.values()} == {"not_available"}
    assert error.format(old=old) in next(iter(found.not_read.values())).error


def test_nothing_is_opened_for_no_resource(engine: Engine, tmp_path: Path) -> None:
    found, calls = bills_of(with_export(engine, location=str(tmp_path / "not-there"), kind="focus"), {})
    assert (found.found, found.not_read, calls) == ({}, {}, set())


def test_find_savings_is_net_of_the_export_for_free(engine: Engine, billing_exports: dict[str, Path]) -> None:
    tool = TOOLS["find_savings"]
    params = tool.parse({"savings": "net", "checks": ["find_underutilized_ec2_instances", "find_unused_volumes"]})
    asked = tool.answer(engine.asking(), params)
    told = tool.answer(with_export(engine, location=str(billing_exports["focus"]), kind="focus").asking(), params)
    assert isinstance(asked, SavingsAnswer)
    assert isinstance(told, SavingsAnswer)
    assert asked.net
    assert told.net
    assert told.net.source.request == "export bill"
    assert told.net.monthly_usd == pytest.approx(asked.net.monthly_usd, abs=Decimal("0.02"))
    assert told.net.monthly_usd > 0
    assert CALL in asked.calls.by_action
    assert CALL not in told.calls.by_action


def test_amounts_that_are_no_dollars_are_not_compared(
    engine: Engine, billing_exports: dict[str, Path], wanted: dict[str, BilledId], tmp_path: Path
) -> None:
    folder = copied(billing_exports["focus"], "true", tmp_path / "euro", "REPLACE ('EUR' AS BillingCurrency)")
    found, _ = bills_of(with_export(engine, location=folder, kind="focus"), wanted)
    assert not found.found
    assert {one.error for one in found.not_read.values()} == {"export bill: costs are in EUR, and savings in USD"}
    assert len(found.not_read) == len(wanted)


def test_an_export_that_can_not_be_read_leaves_the_net_unknown(
    engine: Engine, wanted: dict[str, BilledId], tmp_path: Path
) -> None:
    (tmp_path / "bill.parquet").write_bytes(b"PAR1 broken")
    found, calls = bills_of(with_export(engine, location=str(tmp_path), kind="focus"), wanted)
    assert not found.found
    assert set(found.not_read) == {one.name for one in wanted.values()}
    assert "bill.parquet" in next(iter(found.not_read.values())).error + next(iter(found.not_read.values())).resource
    assert calls == set()


def test_where_athena_would_bill_for_the_question_cost_explorer_is_asked(
    engine: Engine, wanted: dict[str, BilledId]
) -> None:
    athena = {"database": "billing", "table": "bill", "results": "managed"}
    export = with_export(engine, location="s3://northwind-billing/focus", kind="focus", athena=athena)
    assert bills_of(export, wanted)[1] == {CALL}
