"""Northwind Outfitters, a fictional online shop: fills an account with it, and knows what is idle there and why.

``EXPECTED`` is the truth for tests. It follows from the declarations in ``inventory`` and the list prices in
``prices``, not from what any check finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aws_finops_mcp.demo import inventory, prices, traffic
from aws_finops_mcp.demo.double.metrics import MetricStore
from aws_finops_mcp.demo.double.provisioned_concurrency import ProvisionedConcurrency
from aws_finops_mcp.demo.seeding import Ids, Seeder

# The windows that the truth table takes for granted, in days.
VOLUME_WINDOW: Final = 1
NAT_WINDOW: Final = 7
FUNCTION_WINDOW: Final = 90


@dataclass(frozen=True)
class Expected:
    """One resource that a check must call idle, or must not although it looks so."""

    name: str
    region: str
    idle: bool
    reason: str
    # What it costs a month by the list, idle or not; 0 where only its use costs.
    monthly_usd: float


def fill(seed: int, now: datetime, metrics: MetricStore, provisioned: ProvisionedConcurrency) -> Ids:
    """Create everything; the result maps a resource's name to its id."""
    ids = Seeder(seed, now, provisioned).create_all()
    traffic.record(seed, now, metrics, ids)
    return ids


def _volumes() -> Iterator[Expected]:
    for volume in inventory.VOLUMES:
        if volume.attached_to is not None:
            continue
        idle = volume.age_days >= VOLUME_WINDOW
        reason = f"unattached, {volume.age_days:g} days old" if idle else "unattached, but created today"
        cost = prices.volume_month(volume.region, volume.kind, volume.size, volume.iops, volume.mibps)
        yield Expected(volume.name, volume.region, idle, reason, round(cost, 2))


def _addresses() -> Iterator[Expected]:
    stopped = {one.name for one in inventory.INSTANCES if one.stopped_days is not None}
    for address in inventory.ADDRESSES:
        if address.nat_gateway is not None:
            idle, reason = False, "used by a NAT gateway"
        elif address.interface is not None:
            idle, reason = True, "on a network interface that is attached to nothing"
        elif address.instance is None:
            idle, reason = True, "not associated"
        elif address.instance in stopped:
            idle, reason = True, "on a stopped instance"
        else:
            idle, reason = False, "on a running instance"
        cost = prices.public_ipv4_month(address.region)
        yield Expected(address.name, address.region, idle, reason, round(cost, 2))


def _nat_gateways() -> Iterator[Expected]:
    for gateway in inventory.NAT_GATEWAYS:
        young = gateway.age_days < NAT_WINDOW
        idle = gateway.traffic == 0 and not young
        if gateway.traffic:
            reason = "busy"
        elif young:
            reason = f"no traffic, but {gateway.age_days:g} days old"
        else:
            reason = "no traffic, and no route leads to it" if gateway.serves is None else "no traffic, though routed"
        cost = prices.nat_gateway_month(gateway.region) + prices.public_ipv4_month(gateway.region)
        yield Expected(gateway.name, gateway.region, idle, reason, round(cost, 2))


def _functions() -> Iterator[Expected]:
    for function in inventory.FUNCTIONS:
        last = function.last_invoked_days
        if last is not None and last < FUNCTION_WINDOW:
            continue
        young = function.modified_days < FUNCTION_WINDOW
        idle = not young and not function.edge
        if function.edge:
            reason = "not invoked here, but CloudFront runs its replicas elsewhere"
        elif young:
            reason = f"not invoked, but changed {function.modified_days:g} days ago"
        else:
            reason = "never invoked" if last is None else f"last invoked {last} days ago"
        cost = prices.provisioned_concurrency_month(
            function.region, function.architecture, function.memory, function.provisioned
        )
        yield Expected(function.name, function.region, idle, reason, round(cost, 2))


EXPECTED: Final[dict[str, tuple[Expected, ...]]] = {
    "volumes": tuple(_volumes()),
    "addresses": tuple(_addresses()),
    "nat_gateways": tuple(_nat_gateways()),
    "functions": tuple(_functions()),
}


def expected_idle(kind: str, region: str | None = None) -> dict[str, float]:
    """Names of what is idle, with its list price a month."""
    return {one.name: one.monthly_usd for one in EXPECTED[kind] if one.idle and region in {None, one.region}}
