"""`analyze_reserved_instance_utilization`: use, coverage and ends of reservations and Savings Plans."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import TODAY, Change, ask, error

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo import bills
from aws_finops_mcp.demo.account import EmbeddedAccount

NAME = "analyze_reserved_instance_utilization"


def test_the_company_s_commitments(engine: Engine) -> None:
    answer: Any = ask(engine, NAME)
    rows = {row.kind: row for row in answer.commitments}
    reserved, plan = rows["reservation"], rows["savings_plan"]
    assert len(answer.commitments) == 2, "a month's turn makes no second row"
    assert (reserved.item, reserved.utilization, reserved.underused) == ("1 x r6i.xlarge", 1.0, False)
    assert reserved.ends == str(TODAY + timedelta(days=365 - bills.RESERVED_AGE))
    assert plan.days_left == 365 - bills.SAVINGS_PLAN_AGE - 1
    hours = 24 * 30
    assert reserved.net_saving_usd == pytest.approx(
        Decimal(str((bills.RESERVED_ON_DEMAND - bills.RESERVED_HOURLY) * hours)), abs=Decimal("0.01")
    )
    assert answer.net_saving_usd == reserved.net_saving_usd + plan.net_saving_usd
    assert answer.unused_usd == 0
    assert answer.expiring == 1
    covered = {(one.kind, one.service): one for one in answer.coverage}
    assert covered.keys() == {
        ("reservation", "EC2"), ("savings_plan", bills.COMPUTE), ("savings_plan", bills.LAMBDA)
    }  # fmt: skip
    assert 0 < covered["reservation", "EC2"].coverage < 1
    assert answer.without_data == ()
    assert answer.calls.cost_usd == Decimal("0.12")


def test_commitments_come_in_pages_and_totals_cover_all(engine: Engine) -> None:
    whole: Any = ask(engine, NAME)
    first: Any = ask(engine, NAME, max_results=1)
    second: Any = ask(engine, NAME, max_results=1, cursor=first.next_cursor)
    assert (first.omitted, first.next_cursor, second.next_cursor) == (1, "1", "")
    assert (*first.commitments, *second.commitments) == whole.commitments
    assert first.net_saving_usd == second.net_saving_usd == whole.net_saving_usd
    assert (whole.omitted, whole.next_cursor) == (0, "")


def use(bought: str, used: str, unused_usd: str, saved: str) -> dict[str, str]:
    return {
        "PurchasedHours": bought, "TotalActualHours": used, "RICostForUnusedHours": unused_usd, "NetRISavings": saved,
    }  # fmt: skip


def test_underused_by_hand_over_two_periods(engine: Engine, change: Change) -> None:
    """r1: 100 + 300 hours bought, 40 + 200 used; r2: 10 bought, 9 used."""
    attributes = {"leaseId": "", "instanceType": "m5.large", "numberOfInstances": "4", "region": "us-east-1"}

    def groups(*rows: tuple[str, dict[str, str]]) -> dict[str, Any]:
        return {"Groups": [{"Value": value, "Attributes": attributes, "Utilization": one} for value, one in rows]}

    def recommend(parsed: dict[str, Any]) -> None:
        if parsed["UtilizationsByTime"]:
            parsed["UtilizationsByTime"] = [
                groups(("r1", use("100", "40", "6.00", "-2.00")), ("r2", use("10", "9", "0.10", "0.40"))),
                groups(("r1", use("300", "200", "10.05", "1.00"))),
            ]

    change("ce", "GetReservationUtilization", recommend)
    answer: Any = ask(engine, NAME, services=["EC2"])
    found = {row.id: row for row in answer.commitments if row.kind == "reservation"}
    assert (found["r1"].utilization, found["r1"].underused) == (0.6, True)
    assert (found["r1"].unused_usd, found["r1"].net_saving_usd) == (Decimal("16.05"), Decimal("-1.00"))
    assert (found["r2"].utilization, found["r2"].underused, found["r2"].ends) == (0.9, False, "")
    assert answer.unused_usd == Decimal("16.15")
    assert answer.underused == 1
    assert answer.commitments[0].id == "r1", "the worst first"
    strict: Any = ask(engine, NAME, services=["EC2"], threshold=95)
    assert strict.underused == 2
    assert strict.calls.cost_usd == 0


def test_a_region(engine: Engine) -> None:
    answer: Any = ask(engine, NAME, services=["EC2"], region_name="eu-west-1")
    assert [row.kind for row in answer.commitments] == ["savings_plan"], "a Compute plan holds everywhere"
    covered = {one.service: one for one in answer.coverage if one.kind == "reservation"}
    assert covered["EC2"].coverage == 0


def test_an_account_without_commitments_is_told_so_and_complete(engine: Engine, change: Change) -> None:
    for operation in ("GetReservationUtilization", "GetReservationCoverage"):
        change("ce", operation, error("DataUnavailableException", "none"))
    for operation in ("GetSavingsPlansUtilizationDetails", "GetSavingsPlansCoverage"):
        change("ce", operation, error("DataUnavailableException", "none"))
    change("savingsplans", "DescribeSavingsPlans", lambda parsed: parsed["savingsPlans"].clear())
    answer: Any = ask(engine, NAME)
    assert (answer.complete, answer.commitments, answer.unused_usd) == (True, (), 0)
    assert "No reservation and no Savings Plan was in force" in answer.summary
    assert answer.without_data == (
        *(f"reservations of {one}" for one in ("EC2", "RDS", "ElastiCache", "Redshift", "OpenSearch")),
        "Savings Plans",
    )


def test_plans_that_are_owned_but_not_told_of_are_not_none(engine: Engine, change: Change) -> None:
    change("ce", "GetSavingsPlansUtilizationDetails", error("DataUnavailableException", "not yet"))
    answer: Any = ask(engine, NAME, services=["EC2"])
    assert not answer.complete
    assert answer.unused_usd is None
    assert answer.failed_reads[0].kind == "not_available"
    assert "1 active Savings Plans" in answer.failed_reads[0].error


def test_ends_that_could_not_be_read_are_unknown(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("savingsplans:DescribeSavingsPlans")
    answer: Any = ask(engine, NAME, services=["EC2"])
    plan = next(row for row in answer.commitments if row.kind == "savings_plan")
    assert (plan.ends, plan.days_left, answer.complete) == ("", None, False)


def test_a_wrong_service(engine: Engine) -> None:
    with pytest.raises(ArgumentsError, match="Lambda: no service with reservations; there are: EC2"):
        TOOLS[NAME].parse({"services": "Lambda"})
