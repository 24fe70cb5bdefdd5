"""What a volume costs a month, against figures worked out by hand and against properties."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.checks.ebs import volume_cost
from aws_finops_mcp.prices.facts import public_price
from aws_finops_mcp.prices.units import UNITS


def list_price(volume: dict[str, object]) -> Decimal:
    total = Decimal(0)
    for _, key, quantity, _ in volume_cost(volume):
        price = public_price(key, "us-east-1")
        assert price is not None
        total += price.usd * Decimal(str(quantity))
    return total


@pytest.mark.parametrize(
    ("volume", "usd"),
    [
        ({"VolumeType": "gp2", "Size": 500, "Iops": 1500}, "50.00"),
        ({"VolumeType": "gp3", "Size": 100, "Iops": 3000, "Throughput": 125}, "8.00"),
        # 100 x 0.08 + 3,000 x 0.005 + 375 x 0.04
        ({"VolumeType": "gp3", "Size": 100, "Iops": 6000, "Throughput": 500}, "38.00"),
        # 200 x 0.125 + 4,000 x 0.065
        ({"VolumeType": "io1", "Size": 200, "Iops": 4000}, "285.00"),
        # 100 x 0.125 + 32,000 x 0.065 + 32,000 x 0.0455 + 6,000 x 0.03185
        ({"VolumeType": "io2", "Size": 100, "Iops": 70000}, "3739.60"),
        ({"VolumeType": "st1", "Size": 500}, "22.50"),
        ({"VolumeType": "sc1", "Size": 500}, "7.50"),
        ({"VolumeType": "standard", "Size": 20}, "1.00"),
    ],
)
def test_figures_worked_out_by_hand(volume: dict[str, object], usd: str) -> None:
    assert list_price(volume) == Decimal(usd)


@given(iops=st.integers(100, 256_000))
def test_io2_tiers_add_up_to_the_provisioned_iops(iops: int) -> None:
    parts = volume_cost({"VolumeType": "io2", "Size": 1, "Iops": iops})
    assert sum(float(part.quantity) for part in parts if ".iops." in str(part.unit)) == iops


@given(
    kind=st.sampled_from(["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"]),
    size=st.integers(1, 65_536),
    iops=st.none() | st.integers(0, 256_000),
    throughput=st.none() | st.integers(0, 2000),
)
def test_every_part_is_a_known_unit_and_costs_something(
    kind: str, size: int, iops: int | None, throughput: int | None
) -> None:
    parts = volume_cost({"VolumeType": kind, "Size": size, "Iops": iops, "Throughput": throughput})
    assert all(part.unit in UNITS and part.quantity > 0 for part in parts)
    assert len({part.unit for part in parts}) == len(parts)
