"""List prices of the simulated account: public figures where known, for two regions only.

What bills and expected savings are made of is here by name; `double.price_products` sells more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

HOURS_PER_MONTH: Final = 730
SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * 3600


@dataclass(frozen=True)
class RegionalPrices:
    """US dollars. ``iops`` holds the tiers: io2 has three, at 32,000 and at 64,000."""

    location: str
    # Usage types of older services have no prefix in us-east-1, those of newer ones have.
    prefix: str
    new_prefix: str
    storage: dict[str, float]
    iops: dict[str, tuple[float, ...]]
    gp3_throughput_mibps: float
    nat_hour: float
    nat_gib: float
    public_ipv4_hour: float
    provisioned_concurrency: dict[str, float] = field(default_factory=dict)
    snapshot: float = 0.05
    # What is not named above, as a multiple of its public price in us-east-1.
    factor: float = 1.0

    def near(self, usd: float) -> float:
        """The region's price of what costs ``usd`` in us-east-1."""
        return round(usd * self.factor, 12)


PRICES: Final[dict[str, RegionalPrices]] = {
    "us-east-1": RegionalPrices(
        location="US East (N. Virginia)",
        prefix="",
        new_prefix="USE1-",
        storage={
            "gp2": 0.10, "gp3": 0.08, "io1": 0.125, "io2": 0.125, "st1": 0.045, "sc1": 0.015, "standard": 0.05,
        },
        iops={"gp3": (0.005,), "io1": (0.065,), "io2": (0.065, 0.0455, 0.03185)},
        gp3_throughput_mibps=0.04,
        nat_hour=0.045,
        nat_gib=0.045,
        public_ipv4_hour=0.005,
        provisioned_concurrency={"x86_64": 0.0000041667, "arm64": 0.0000033334},
    ),
    "eu-west-1": RegionalPrices(
        location="EU (Ireland)",
        prefix="EU-",
        new_prefix="EU-",
        storage={
            "gp2": 0.11, "gp3": 0.088, "io1": 0.138, "io2": 0.138, "st1": 0.05, "sc1": 0.0168, "standard": 0.055,
        },
        iops={"gp3": (0.0055,), "io1": (0.072,), "io2": (0.072, 0.0504, 0.03528)},
        gp3_throughput_mibps=0.044,
        nat_hour=0.048,
        nat_gib=0.048,
        public_ipv4_hour=0.005,
        provisioned_concurrency={"x86_64": 0.0000041667, "arm64": 0.0000033334},
        factor=1.1,
    ),
}  # fmt: skip

_IO2_TIERS: Final = (32_000, 64_000)
_GP3_FREE_IOPS: Final = 3000
_GP3_FREE_MIBPS: Final = 125


def volume_month(region: str, kind: str, size_gib: int, iops: int | None = None, mibps: int | None = None) -> float:
    """What a volume costs a month, by the list."""
    prices = PRICES[region]
    cost = prices.storage[kind] * size_gib
    if kind == "gp3":
        cost += prices.iops["gp3"][0] * max(0, (iops or 0) - _GP3_FREE_IOPS)
        cost += prices.gp3_throughput_mibps * max(0, (mibps or 0) - _GP3_FREE_MIBPS)
    elif kind == "io1":
        cost += prices.iops["io1"][0] * (iops or 0)
    elif kind == "io2":
        bounds = (0, *_IO2_TIERS, 10**9)
        for price, low, high in zip(prices.iops["io2"], bounds, bounds[1:], strict=False):
            cost += price * max(0, min(iops or 0, high) - low)
    return cost


def nat_gateway_month(region: str) -> float:
    """The hours of a NAT gateway; its data comes on top."""
    return PRICES[region].nat_hour * HOURS_PER_MONTH


def public_ipv4_month(region: str) -> float:
    """An address costs the same in use or idle."""
    return PRICES[region].public_ipv4_hour * HOURS_PER_MONTH


def provisioned_concurrency_month(region: str, architecture: str, memory_mib: int, executions: int) -> float:
    """Environments kept warm all month, whether or not they are invoked."""
    rate = PRICES[region].provisioned_concurrency[architecture]
    return rate * memory_mib / 1024 * executions * SECONDS_PER_MONTH
