"""`analyze_data_transfer_costs`: which way the bytes went, by usage type."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.costs.conftest import TODAY, UseBills, ask, line

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.data_transfer import kind_of


@pytest.mark.parametrize(
    ("usage_type", "kind"),
    [
        ("DataTransfer-Out-Bytes", "internet_out"),
        ("EU-DataTransfer-Out-Bytes", "internet_out"),
        ("US-DataTransfer-Out-Bytes", "internet_out"),
        ("USE2-DataTransfer-In-Bytes", "internet_in"),
        ("USE2-DataTransfer-Regional-Bytes", "inter_zone"),
        ("DataTransfer-xAZ-In-Bytes", "inter_zone"),
        ("USE1-VpcPeering-Out-Bytes", "inter_zone"),
        ("USE2-APS3-AWS-Out-Bytes", "inter_region"),
        ("APS3-USE2-AWS-In-Bytes", "inter_region"),
        ("USE1-AWS-Out-Bytes", "inter_region"),
        ("USE1-USW2-AWS-In-ABytes", "acceleration"),
        ("EUC1-CloudFront-Out-Bytes", "cloudfront"),
        ("NatGateway-Bytes", "nat_gateway"),
        ("EU-TransitGateway-Bytes", "transit_gateway"),
        ("VpcEndpoint-Bytes", "private_link"),
        ("USE1-VpcEndpoint-GWLBE-Bytes", "private_link"),
        ("EqDC2-DataXfer-Out:dc.3", "direct_connect"),
        ("DataTransfer-Odd-Bytes", "other"),
        ("NatGateway-Hours", ""),
        ("TimedStorage-ByteHrs", ""),
        ("DataProcessing-Bytes", ""),
        ("BoxUsage:t3.large", ""),
    ],
)
def test_usage_types(usage_type: str, kind: str) -> None:
    assert kind_of(usage_type) == kind


def test_by_hand_and_over_the_turn_of_a_month_each_usage_type_is_one_row(engine: Engine, bills: UseBills) -> None:
    def back(days: int) -> Any:
        return TODAY - timedelta(days=days)

    bills([
        line("9.00", "AmazonS3", usage_type="DataTransfer-Out-Bytes", day=back(1), quantity="100"),
        line("1.80", "AmazonS3", usage_type="DataTransfer-Out-Bytes", day=back(30), quantity="20"),
        line("0.50", "EC2 - Other", "eu-west-1", usage_type="EU-DataTransfer-Regional-Bytes", day=back(2)),
        line("-0.30", "EC2 - Other", "eu-west-1", "Credit", "EU-DataTransfer-Regional-Bytes", day=back(2)),
        line("80", "AmazonS3", usage_type="TimedStorage-ByteHrs", day=back(2)),
        line("77", "AmazonS3", usage_type="DataTransfer-Out-Bytes", day=TODAY),
        line("77", "AmazonS3", usage_type="DataTransfer-Out-Bytes", day=back(31)),
    ])  # fmt: skip
    answer: Any = ask(engine, "analyze_data_transfer_costs")
    assert [(row.usage_type, row.cost_usd, row.quantity) for row in answer.rows] == [
        ("DataTransfer-Out-Bytes", Decimal("10.80"), 120.0),
        ("EU-DataTransfer-Regional-Bytes", Decimal("0.20"), 2.0),
    ]
    assert (answer.total_usd, answer.all_costs_usd) == (Decimal("11.00"), Decimal("91.00"))
    assert {kind.kind: kind.cost_usd for kind in answer.by_kind} == {
        "internet_out": Decimal("10.80"),
        "inter_zone": Decimal("0.20"),
    }
    engine.billing_cache.clear()
    there: Any = ask(engine, "analyze_data_transfer_costs", region_name="eu-west-1")
    assert (there.total_usd, there.all_costs_usd) == (Decimal("0.20"), Decimal("0.20"))


def test_an_account_that_moves_nothing(engine: Engine, bills: UseBills) -> None:
    bills([])
    answer: Any = ask(engine, "analyze_data_transfer_costs")
    assert (answer.complete, answer.total_usd, answer.rows, answer.by_kind) == (True, 0, (), ())
