"""Public IPv4 addresses of network interfaces: AWS bills each by the hour, on whatever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_finops_mcp.checks.check import Part
from aws_finops_mcp.findings import HOURS_PER_MONTH


@dataclass(frozen=True)
class PublicAddress:
    """One public address.

    Attributes:
        allocation: of an Elastic IP address; "" for one that AWS gave and takes back with the interface.
    """

    ip: str
    allocation: str = ""

    @property
    def resource_id(self) -> str:
        """What checks call it: the allocation where there is one."""
        return self.allocation or self.ip

    @property
    def part(self) -> Part:
        """What it costs."""
        return Part("its public IPv4 address", "ipv4.in_use", HOURS_PER_MONTH, self.resource_id)


def addresses_on(interface: Mapping[str, Any]) -> Iterator[PublicAddress]:
    """The public addresses of an interface: of each of its private ones."""
    associations = [private.get("Association") for private in interface.get("PrivateIpAddresses", ())]
    found = dict.fromkeys(
        PublicAddress(association["PublicIp"], association.get("AllocationId", ""))
        for association in (*associations, interface.get("Association"))
        if association and association.get("PublicIp")
    )
    return iter(found)


def brought(address: Mapping[str, Any]) -> bool:
    """Whether the customer brought an Elastic IP address: AWS bills those of its own pool only."""
    pool = address.get("PublicIpv4Pool", "amazon")
    return pool not in ("amazon", "") or bool(address.get("CustomerOwnedIp"))
