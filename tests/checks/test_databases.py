"""Decisions about databases that matter most: classes, capacity, storage that comes with IOPS."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.dynamodb import Throughput, throughputs
from aws_finops_mcp.checks.dynamodb_capacity import FIVE_MINUTES, Need
from aws_finops_mcp.checks.rds_cost import included_iops, instance_unit, smaller_class, vcpus
from aws_finops_mcp.prices.unit import key_of


@pytest.mark.parametrize(
    ("klass", "cores"),
    [
        ("db.t2.micro", 1),
        ("db.t3.micro", 2),
        ("db.t4g.medium", 2),
        ("db.m3.medium", 1),
        ("db.r6g.large", 2),
        ("db.m5.xlarge", 4),
        ("db.r5.24xlarge", 96),
        ("db.r5.2xlarge.tpc1.mem2x", 8),
        ("db.serverless", None),
        ("db.m6i.metal", None),
    ],
)
def test_vcpus_by_the_name_of_the_class(klass: str, cores: int | None) -> None:
    assert vcpus(klass) == cores


@pytest.mark.parametrize(
    ("klass", "smaller"),
    [
        ("db.t3.micro", None),
        ("db.t3.medium", "db.t3.small"),
        ("db.r6g.large", None),
        ("db.r6g.12xlarge", "db.r6g.8xlarge"),
        ("db.serverless", None),
        ("db.r5.2xlarge.tpc1.mem2x", None),
    ],
)
def test_the_next_smaller_class_is_of_the_same_family(klass: str, smaller: str | None) -> None:
    assert smaller_class(klass) == smaller


@pytest.mark.parametrize(
    ("engine", "size", "iops"),
    [("mysql", 100, 3000), ("postgres", 400, 12000), ("oracle-ee", 200, 12000), ("sqlserver-se", 1000, 3000)],
)
def test_gp3_comes_with_iops_that_are_not_billed(engine: str, size: int, iops: int) -> None:
    assert included_iops("gp3", engine, size) == iops
    assert included_iops("io1", engine, size) == 0


def test_readable_standbys_have_no_price_of_a_single_instance() -> None:
    database: dict[str, Any] = {"DBInstanceClass": "db.m5.large", "Engine": "mysql", "DBClusterIdentifier": "c"}
    assert isinstance(instance_unit(database), str)
    assert key_of(instance_unit({**database, "DBClusterIdentifier": ""})) == "rds.db.m5.large.mysql"


@given(
    sums=st.lists(st.floats(0, 10**7), max_size=50),
    provisioned=st.integers(1, 40_000),
)
def test_capacity_is_never_advised_below_the_peak(sums: list[float], provisioned: int) -> None:
    need = Need(Throughput("t", "", "read", provisioned), MetricSeries(tuple(sums), 100))
    assert need.enough >= max(1, math.ceil(need.peak))
    assert need.peak == max(sums, default=0) / FIVE_MINUTES


@given(a_second=st.floats(0.01, 1000), provisioned=st.integers(1, 1000))
def test_use_is_what_is_consumed_a_second_not_a_request(a_second: float, provisioned: int) -> None:
    """A table that consumes its whole capacity all the time is fully used."""
    need = Need(Throughput("t", "", "read", provisioned), MetricSeries((a_second * FIVE_MINUTES,) * 3, 3))
    assert need.peak_percent == pytest.approx(100 * a_second / provisioned)
    assert need.minutes_above(80) == (15 if a_second > 0.8 * provisioned * (1 + 1e-12) else need.minutes_above(80))


def test_indexes_have_capacity_and_limits_of_their_own() -> None:
    table = {
        "TableName": "t",
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
        "GlobalSecondaryIndexes": [
            {"IndexName": "i", "ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 8}}
        ],
    }
    targets = [
        {
            "ResourceId": "table/t/index/i",
            "ScalableDimension": "dynamodb:index:ReadCapacityUnits",
            "MinCapacity": 1,
            "MaxCapacity": 50,
        }
    ]
    found = {(each.index, each.kind): (each.floor, each.ceiling) for each in throughputs(table, targets)}
    assert found == {("", "read"): (5, 5), ("", "write"): (6, 6), ("i", "read"): (1, 50), ("i", "write"): (8, 8)}
    (_, _, read, _) = throughputs(table, targets)
    assert read.dimensions() == (("TableName", "t"), ("GlobalSecondaryIndexName", "i"))
