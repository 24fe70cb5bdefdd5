"""Cost Explorer, the Cost and Usage Report and the FOCUS export agree on every month, to the cent."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.billing_exports import write_exports
from aws_finops_mcp.demo.billing_exports.facts import PRODUCTS

Sums = dict[tuple[str, str], float]

# How analysts amortize a Cost and Usage Report.
_CUR_AMORTIZED = """
    CASE line_item_line_item_type
        WHEN 'SavingsPlanCoveredUsage' THEN savings_plan_{net}savings_plan_effective_cost
        WHEN 'SavingsPlanRecurringFee' THEN savings_plan_total_commitment_to_date - savings_plan_used_commitment
        WHEN 'SavingsPlanNegation' THEN 0
        WHEN 'SavingsPlanUpfrontFee' THEN 0
        WHEN 'DiscountedUsage' THEN reservation_{net}effective_cost
        WHEN 'RIFee' THEN reservation_{net}unused_amortized_upfront_fee_for_billing_period
            + reservation_{net}unused_recurring_fee
        ELSE line_item_{net}unblended_cost
    END"""
CUR = {
    "UnblendedCost": "line_item_unblended_cost",
    "NetUnblendedCost": "line_item_net_unblended_cost",
    "AmortizedCost": _CUR_AMORTIZED.format(net=""),
    "NetAmortizedCost": _CUR_AMORTIZED.format(net="net_"),
}
_LESS_THAN_A_CENT = 0.0001
FOCUS = {"NetUnblendedCost": "BilledCost", "NetAmortizedCost": "EffectiveCost"}


@pytest.fixture(scope="module")
def periods() -> dict[str, str]:
    """The whole months that Cost Explorer tells of, twelve of them at least."""
    today = datetime.now(UTC).date()
    first = (today.replace(day=1) - timedelta(days=365)).replace(day=1)
    return {"Start": str(first), "End": str(today + timedelta(days=1))}


def cost_explorer(client: MakeClient, periods: dict[str, str], metric: str) -> Sums:
    asked: dict[str, Any] = {
        "TimePeriod": periods,
        "Granularity": "MONTHLY",
        "Metrics": [metric],
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
    }
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    while True:
        answer = client("ce").get_cost_and_usage(**asked)
        for result in answer["ResultsByTime"]:
            month = result["TimePeriod"]["Start"][:7]
            for group in result["Groups"]:
                amount = Decimal(group["Metrics"][metric]["Amount"])
                sums[month, PRODUCTS[group["Keys"][0]].code] += amount
        if not answer.get("NextPageToken"):
            break
        asked["NextPageToken"] = answer["NextPageToken"]
    assert len({month for month, _ in sums}) >= 12
    return {key: float(amount) for key, amount in sums.items() if amount}


def of_export(folder: Path, period: str, code: str, amount: str, since: str) -> Sums:
    found = duckdb.execute(
        f"SELECT strftime({period}, '%Y-%m') AS month, {code}, sum({amount}) "
        f"FROM read_parquet('{folder}/data/*/*.parquet', hive_partitioning=true) "
        f"WHERE month >= '{since[:7]}' GROUP BY ALL"
    ).fetchall()
    return {(month, name): cost for month, name, cost in found if round(cost, 9)}


@pytest.mark.parametrize("metric", CUR)
def test_the_report_agrees_with_cost_explorer(
    client: MakeClient, billing_exports: dict[str, Path], periods: dict[str, str], metric: str
) -> None:
    told = cost_explorer(client, periods, metric)
    start = "bill_billing_period_start_date"
    found = of_export(billing_exports["cur2"], start, "line_item_product_code", CUR[metric], periods["Start"])
    assert found == pytest.approx(told, abs=_LESS_THAN_A_CENT)


@pytest.mark.parametrize("metric", FOCUS)
def test_focus_agrees_with_cost_explorer(
    client: MakeClient, billing_exports: dict[str, Path], periods: dict[str, str], metric: str
) -> None:
    told = cost_explorer(client, periods, metric)
    found = of_export(billing_exports["focus"], "BillingPeriodStart", "x_ServiceCode", FOCUS[metric], periods["Start"])
    assert found == pytest.approx(told, abs=_LESS_THAN_A_CENT)


def test_resources_of_the_bill_are_those_of_the_account(
    account: EmbeddedAccount, billing_exports: dict[str, Path]
) -> None:
    billed = {
        row[0]
        for row in duckdb.execute(
            f"SELECT DISTINCT ResourceId FROM read_parquet('{billing_exports['focus']}/data/*/*.parquet')"
        ).fetchall()
    }
    ids = account.ids
    for name in ("web-1", "search-1", "old-reports", "web-1-root", "northwind-search-rank"):
        assert ids[name] in billed, name
    assert f"arn:aws:ec2:us-east-1:123456789012:natgateway/{ids['nat-staging']}" in billed
    assert f"arn:aws:ec2:us-east-1:123456789012:elastic-ip/{ids['partner-allowlist-2023']}" in billed
    assert "arn:aws:rds:us-east-1:123456789012:db:orders" in billed


def test_the_report_has_every_kind_of_line(billing_exports: dict[str, Path]) -> None:
    found = duckdb.execute(
        f"SELECT DISTINCT line_item_line_item_type FROM read_parquet('{billing_exports['cur2']}/data/*/*.parquet')"
    ).fetchall()
    assert {row[0] for row in found} == {
        "Credit", "DiscountedUsage", "RIFee", "Refund", "SavingsPlanCoveredUsage", "SavingsPlanNegation",
        "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee", "Tax", "Usage",
    }  # fmt: skip


def test_every_line_of_the_report_is_named_once(billing_exports: dict[str, Path]) -> None:
    (total, distinct), *_ = duckdb.execute(
        "SELECT count(*), count(DISTINCT identity_line_item_id) "
        f"FROM read_parquet('{billing_exports['cur2']}/data/*/*.parquet')"
    ).fetchall()
    assert total == distinct > 50_000


def test_the_csv_says_the_same(account: EmbeddedAccount, tmp_path: Path, billing_exports: dict[str, Path]) -> None:
    written = write_exports(tmp_path, account.ids, seed=account.seed, file_format="csv", focus_version="1.0")
    query = "SELECT round(sum(BilledCost), 2), round(sum(EffectiveCost), 2), count(*) FROM {}"
    csv = duckdb.execute(query.format(f"read_csv('{written['focus']}/data/*/*.csv.gz')")).fetchall()
    assert (
        csv == duckdb.execute(query.format(f"read_parquet('{billing_exports['focus']}/data/*/*.parquet')")).fetchall()
    )
