"""Ranges of addresses that an operator wrote: what is wrong with them, in words."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any, Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# A sixteenth of all IPv4 addresses, or more than a unicast /8 of IPv6, is no list of callers.
_WIDEST: Final = {4: 4, 6: 7}


def problems(
    ranges: Iterable[object], anywhere: bool = False, switch: str = "", versions: Sequence[int] = (4, 6)
) -> list[str]:
    """What is wrong with ranges of who may come in.

    Args:
        ranges: as the operator wrote them.
        anywhere: whether everybody may be meant.
        switch: the variable that says so.
        versions: of the internet protocol, those that what they are for can have.
    """
    found = []
    networks: list[Network] = []
    for one in ranges:
        try:
            network = ipaddress.ip_network(str(one))
        except ValueError as error:
            found.append(f"{one!r} is no range of addresses such as 203.0.113.7/32 ({error})")
            continue
        if network.version not in versions:
            found.append(f"{one!r} is of IPv{network.version}, and only ranges of IPv{versions[0]} can be had here")
            continue
        if "/" not in str(one):
            found.append(f"{one!r} lacks its length; {one}/{network.max_prefixlen} is this address alone")
        if _is_everybody([network]):
            found += [] if anywhere else [f"{one!r} is everybody; only {switch}: true allows that"]
        else:
            networks.append(network)
    if _is_everybody(networks) and not anywhere:
        found.append(f"together they are everybody; only {switch}: true allows that")
    return found


def _is_everybody(networks: Iterable[Network]) -> bool:
    """Whether ranges have so many addresses that they are no list."""
    each = list(networks)
    for version, widest in _WIDEST.items():
        own: Any = [one for one in each if one.version == version]
        number = sum(one.num_addresses for one in ipaddress.collapse_addresses(own))
        if own and number >= 2 ** (own[0].max_prefixlen - widest):
            return True
    return False


def is_ipv4(written: object, longest: int = 32, widest: int = 0) -> bool:
    """Whether it is one range of IPv4, by its first address, of no other size than /widest to /longest."""
    try:
        network = ipaddress.IPv4Network(str(written))
    except ValueError:
        return False
    return "/" in str(written) and widest <= network.prefixlen <= longest


def overlaps(one: object, other: object) -> bool:
    """Whether two ranges of IPv4 have an address in common; what is no range has none."""
    try:
        return ipaddress.IPv4Network(str(one)).overlaps(ipaddress.IPv4Network(str(other)))
    except ValueError:
        return False


def resolver(cidr: str) -> str:
    """The address of a VPC's own resolver, by the VPC's range."""
    return str(ipaddress.IPv4Network(cidr)[2])


class FilterModule:
    """Ansible asks for this name."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names in templates."""
        return {
            "aws_ranges_is_ipv4": is_ipv4,
            "aws_ranges_overlap": overlaps,
            "aws_ranges_problems": problems,
            "aws_ranges_resolver": resolver,
        }
