"""What is at the edge of the network: hosted zones and distributions, and the truth about them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from aws_finops_mcp.demo.families.family import Family
from aws_finops_mcp.demo.families.network_balancers import CAMPAIGN, SHOP
from aws_finops_mcp.demo.families.network_dns import Zone, alias, record, zone_operations

_HOSTS: Final = tuple(record(f"host-{number:03}.nb-shop.example.", "198.51.100.99") for number in range(310))

ZONES: Final = (
    Zone(
        "Z0NB000000000SHOP",
        "nb-shop.example.",
        records=(
            *_HOSTS,
            alias("www.nb-shop.example.", f"dualstack.{SHOP.dns}"),
            # Behind the first page of records.
            alias("zz-campaign.nb-shop.example.", f"dualstack.{CAMPAIGN.dns}"),
        ),
    ),
)


def family(_now: datetime) -> Family:
    """Zones and distributions."""
    return Family(operations=zone_operations(ZONES))
