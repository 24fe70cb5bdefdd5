"""What AWS bills for the requests of an answer is on its ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.ledger import price_of
from aws_finops_mcp.demo.account import EmbeddedAccount


@pytest.mark.parametrize(
    ("action", "usd_per_million"),
    [
        ("ce:GetCostAndUsage", 10_000),
        ("s3:ListBucket", 5),
        ("s3:ListAllMyBuckets", 5),
        ("s3:GetObject", "0.4"),
        ("s3:GetLifecycleConfiguration", "0.4"),
        ("secretsmanager:ListSecrets", 5),
        ("cloudwatch:DescribeAlarms", 0),
        ("ec2:DescribeVolumes", 0),
        ("pricing:GetProducts", 0),
    ],
)
def test_a_request_costs_what_aws_publishes(action: str, usd_per_million: str | int) -> None:
    assert price_of(action) * 1_000_000 == Decimal(usd_per_million)


def test_a_metric_costs_what_aws_publishes() -> None:
    assert price_of("cloudwatch:GetMetricData", metrics=1000) == Decimal("0.01")


def test_the_requests_of_s3_are_billed(engine: Engine, account: EmbeddedAccount) -> None:
    tool = TOOLS["find_public_s3_buckets"]
    answer = tool.answer(engine.asking(), tool.parse({}))
    of_s3 = {action: count for action, count in account.calls.by_action.items() if action.startswith("s3:")}
    listings = of_s3.pop("s3:ListAllMyBuckets")
    assert listings > 0
    assert sum(of_s3.values()) > 10
    assert answer.calls.cost_usd == listings * Decimal("0.000005") + sum(of_s3.values()) * Decimal("0.0000004")
