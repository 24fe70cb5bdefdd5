"""Who may reach the server, as rules of a security group."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Final

# A range of at least a sixteenth of all addresses is no list of callers.
_WIDEST_IPV4: Final = 4
_WIDEST_IPV6: Final = 7


def problems(ranges: Iterable[object], anywhere: bool = False) -> list[str]:
    """What is wrong with ranges of addresses, in words.

    Args:
        ranges: as the operator wrote them.
        anywhere: whether everybody may be meant.
    """
    found = []
    for one in ranges:
        try:
            network = ipaddress.ip_network(str(one))
        except ValueError as error:
            found.append(f"{one!r} is no range of addresses such as 203.0.113.7/32 ({error})")
            continue
        if "/" not in str(one):
            found.append(f"{one!r} lacks its length; {one}/{network.max_prefixlen} is this address alone")
        widest = _WIDEST_IPV4 if network.version == 4 else _WIDEST_IPV6
        if network.prefixlen <= widest and not anywhere:
            found.append(f"{one!r} is everybody; only aws_security_groups_anywhere: true allows that")
    return found


def rules(ranges: Iterable[str], port: int, who: str) -> list[dict[str, Any]]:
    """A rule for each range, as amazon.aws.ec2_security_group takes it."""
    return [
        {
            "proto": "tcp",
            "from_port": port,
            "to_port": port,
            "cidr_ipv6" if ":" in one else "cidr_ip": one,
            "rule_desc": who,
        }
        for one in dict.fromkeys(ranges)
    ]


class FilterModule:
    """Ansible asks for this name."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names in templates."""
        return {"aws_security_groups_problems": problems, "aws_security_groups_rules": rules}
