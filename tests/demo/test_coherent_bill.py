"""The bill is that of the company's resources: what a check prices is billed, and no saving is more than that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.demo.conftest import MakeClient

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.net import Claim
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.demo.billed import charges
from aws_finops_mcp.demo.bills import TODAY_SO_FAR
from aws_finops_mcp.demo.families.backup import KEPT
from aws_finops_mcp.demo.families.charge import listed
from aws_finops_mcp.demo.inventory import REGIONS
from aws_finops_mcp.prices.unit import key_of

NOW = datetime.now(UTC)
TODAY = NOW.date()
DAYS, WEEK = 28, 7
HOURS = 730
TOLERANCE = Decimal("0.02")
"""Of what is billed: what is used varies from day to day, and checks read other days of it."""


@dataclass(frozen=True)
class Saved:
    """What a check says could be saved of one billed resource, in dollars a month by the list."""

    check: str
    name: str
    usd: Decimal


@pytest.fixture(scope="module")
def savings(clients: Clients) -> list[Saved]:
    """Of every check that saves money, in both regions."""
    engine = Engine("us-east-1", clients=clients, exempt_tag="finops:exempt", gate=Gate(Limiter(share=1000)))
    asking = engine.asking()
    answers = audit(asking, [check for check in CHECKS if check.saves], [asking.reader("us-east-1").alias], REGIONS)
    found = []
    for answer in answers:
        for finding in answer.findings:
            if finding.saving and finding.saving.counted_usd > 0:
                of = finding.resource_id or ""
                claim = Claim(of, answer.resource_type, answer.region, answer.account, finding.saving.parts)
                names = claim.billed()
                found += [
                    Saved(answer.tool, one.name if one else resource, usd)
                    for resource, (usd, _) in claim.shares().items()
                    for one in (names[resource],)
                ]
    assert len(found) > 150
    assert sum(one.usd for one in found) > 20_000
    return found


def of_export(folder: Path, resource: str, day: str, cost: str, usage: str) -> dict[str, Decimal]:
    """What each resource is billed in 730 hours by the list, as on the dearest day of the last week."""
    hours = f"CASE WHEN {day} >= '{TODAY}' THEN {24 * TODAY_SO_FAR} ELSE 24 END"
    rows = duckdb.execute(
        f"SELECT {resource}, max(hourly) FROM (SELECT {resource}, {day}, sum({cost}) / any_value({hours}) AS hourly "
        f"FROM read_parquet('{folder}/data/*/*.parquet', hive_partitioning=true) "
        f"WHERE {day} >= '{TODAY - timedelta(days=WEEK)}' AND {usage} AND {resource} IS NOT NULL "
        "GROUP BY ALL) GROUP BY 1"
    ).fetchall()
    return {name: Decimal(str(usd)) * HOURS for name, usd in rows}


@pytest.fixture(scope="module")
def billed(billing_exports: dict[str, Path]) -> dict[str, dict[str, Decimal]]:
    """By export, and by resource."""
    types = "('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')"
    return {
        "focus": of_export(
            billing_exports["focus"], "ResourceId", "ChargePeriodStart", "ListCost", "ChargeCategory = 'Usage'"
        ),
        "cur2": of_export(
            billing_exports["cur2"], "line_item_resource_id", "line_item_usage_start_date",
            "pricing_public_on_demand_cost", f"line_item_line_item_type IN {types}",
        ),
    }  # fmt: skip


def cost_of(name: str, bill: dict[str, Decimal]) -> Decimal | None:
    """What the resource is billed; of a vault's recovery points of one resource, all of them."""
    if re.fullmatch(r"[\d.]+", name):
        return next((usd for own, usd in bill.items() if own.endswith(f"public-ip/{name}")), None)
    vault, _, resource = name.partition("/arn:")
    if not resource or vault.startswith("arn:"):
        return bill.get(name)
    kept = [one for one in KEPT if (one.vault, one.arn) == (vault, f"arn:{resource}")]
    points = [row["RecoveryPointArn"] for one in kept for row in one.rows(NOW)]
    return sum((bill[point] for point in points if point in bill), Decimal(0)) or None


@pytest.mark.parametrize("export", ["focus", "cur2"])
def test_what_a_check_prices_is_billed(
    savings: list[Saved], billed: dict[str, dict[str, Decimal]], export: str
) -> None:
    missing = {(one.check, one.name) for one in savings if one.usd > 0 and cost_of(one.name, billed[export]) is None}
    assert missing == set()


def test_no_saving_is_more_than_what_is_billed(savings: list[Saved], billed: dict[str, dict[str, Decimal]]) -> None:
    bill = billed["focus"]
    too_much = [
        f"{one.check}: {one.name} saves {one.usd:.2f} of {cost:.2f}"
        for one in savings
        if (cost := cost_of(one.name, bill)) is not None and one.usd > cost * (1 + TOLERANCE) + Decimal("0.01")
    ]
    assert too_much == []


def test_all_savings_together_are_less_than_the_bill(
    savings: list[Saved], billed: dict[str, dict[str, Decimal]]
) -> None:
    most: dict[str, Decimal] = {}
    for one in savings:
        most[one.name] = max(most.get(one.name, Decimal(0)), one.usd)
    assert sum(most.values()) < sum(billed["focus"].values())


def test_what_is_charged_has_a_price() -> None:
    """But for what the simulated Price List does not sell, which no check prices either."""
    unpriced = {key_of(one.unit) for one in charges(NOW) if listed(one.unit, one.region) is None}
    assert unpriced == {
        "ec2.g4dn.xlarge.linux", "ec2.g5.xlarge.linux", "rds.db.r5.large.neptune", "rds.storage.gp3.mariadb",
        "rds.storage.gp3.sqlserver-se",
    }  # fmt: skip


def test_both_exports_say_the_same_of_each_resource(billed: dict[str, dict[str, Decimal]]) -> None:
    focus, cur2 = billed["focus"], billed["cur2"]
    assert set(focus) == set(cur2)
    assert max(abs(focus[name] - cur2[name]) for name in focus) < Decimal("0.0001")


def anomalies(client: MakeClient) -> Iterator[dict[str, Any]]:
    interval = {"StartDate": str(TODAY - timedelta(days=90))}
    yield from client("ce").get_anomalies(DateInterval=interval)["Anomalies"]


def test_anomalies_are_seen_in_the_rows(client: MakeClient, billing_exports: dict[str, Path]) -> None:
    found = list(anomalies(client))
    assert len(found) == 3
    for one in found:
        (cause,) = one["RootCauses"]
        first = datetime.fromisoformat(one["AnomalyStartDate"]).date()
        last = datetime.fromisoformat(one["AnomalyEndDate"]).date()
        rows = duckdb.execute(
            "SELECT line_item_usage_start_date::DATE AS day, sum(line_item_unblended_cost) FROM "
            f"read_parquet('{billing_exports['cur2']}/data/*/*.parquet') WHERE line_item_usage_type = ? "
            "AND product_region_code = ? AND product['product_name'] = ? GROUP BY 1",
            [cause["UsageType"], cause["Region"], cause["Service"]],
        ).fetchall()
        daily = dict(rows)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        before = [daily[first - timedelta(days=number)] for number in range(1, DAYS + 1)]
        usual = sum(before) / len(before)
        impact = one["Impact"]
        assert sum(daily[day] for day in days) == pytest.approx(impact["TotalActualSpend"], abs=0.01)
        assert usual * len(days) == pytest.approx(impact["TotalExpectedSpend"], abs=0.01)
        assert impact["TotalImpact"] == pytest.approx(
            impact["TotalActualSpend"] - impact["TotalExpectedSpend"], abs=0.011
        )
        assert min(daily[day] for day in days) > 1.5 * max(before), "it stands out on each of its days"
        assert impact["MaxImpact"] == pytest.approx(max(daily[day] for day in days) - usual, abs=0.011)
