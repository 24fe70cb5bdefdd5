"""Public list prices, for when the Price List may not be read: each of one region, with source and date.

A region that is not here has no price here: it is never given another region's.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from aws_finops_mcp.findings import Price
from aws_finops_mcp.prices.units import UNITS

_EBS = "https://aws.amazon.com/ebs/pricing/"
_VPC = "https://aws.amazon.com/vpc/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_AS_OF = "2026-10-13"

_ROWS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "us-east-1": {
        "ebs.gp3.storage": ("0.08", _EBS),
        "ebs.gp3.iops": ("0.005", _EBS),
        "ebs.gp3.throughput": ("0.04", _EBS),
        "ebs.gp2.storage": ("0.10", _EBS),
        "ebs.io1.storage": ("0.125", _EBS),
        "ebs.io1.iops": ("0.065", _EBS),
        "ebs.io2.storage": ("0.125", _EBS),
        "ebs.io2.iops.tier1": ("0.065", _EBS),
        "ebs.io2.iops.tier2": ("0.0455", _EBS),
        "ebs.io2.iops.tier3": ("0.03185", _EBS),
        "ebs.st1.storage": ("0.045", _EBS),
        "ebs.sc1.storage": ("0.015", _EBS),
        "ebs.standard.storage": ("0.05", _EBS),
        "ipv4.idle": ("0.005", _VPC),
        "ipv4.in_use": ("0.005", _VPC),
        "nat.hours": ("0.045", _VPC),
        "lambda.provisioned_concurrency.x86_64": ("0.0000041667", _LAMBDA),
        "lambda.provisioned_concurrency.arm64": ("0.0000033334", _LAMBDA),
    },
}


def public_price(key: str, region: str) -> Price | None:
    """The public list price of a unit in a region, if it is one of the few noted here."""
    row = _ROWS.get(region, {}).get(key)
    if row is None:
        return None
    usd, source = row
    return Price(usd=Decimal(usd), unit=UNITS[key].unit, region=region, source=source, as_of=_AS_OF)
