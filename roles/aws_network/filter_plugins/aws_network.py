"""How a VPC's range is cut into subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_PARTS_BITS: Final = 4
_MOST_ZONES: Final = 8


def is_vpc_range(cidr: object) -> bool:
    """Whether it is a private IPv4 range, by its first address, of a size for a VPC with sixteen subnets."""
    try:
        network = ipaddress.IPv4Network(str(cidr))
    except ValueError:
        return False
    return 16 <= network.prefixlen <= 24 and network.is_private


def subnets(cidr: str, zones: Sequence[str]) -> list[dict[str, str]]:
    """A public and a private subnet for each zone."""
    parts = list(ipaddress.IPv4Network(cidr).subnets(prefixlen_diff=_PARTS_BITS))
    return [
        {"kind": kind, "zone": zone, "cidr": str(parts[first + number])}
        for kind, first in (("public", 0), ("private", _MOST_ZONES))
        for number, zone in enumerate(zones)
    ]


def first_zones(zones: Iterable[Mapping[str, str]], count: int) -> list[str]:
    """The first zones of a region that instances can be in; neither local nor wavelength zones.

    Args:
        zones: as amazon.aws.aws_az_info says them.
        count: how many.
    """
    usable = {"state": "available", "zone_type": "availability-zone"}
    names = [zone["zone_name"] for zone in zones if all(zone.get(key) == value for key, value in usable.items())]
    return sorted(names)[:count]


class FilterModule:
    """Ansible asks for this name."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names in templates."""
        return {
            "aws_network_first_zones": first_zones,
            "aws_network_is_vpc_range": is_vpc_range,
            "aws_network_subnets": subnets,
        }
