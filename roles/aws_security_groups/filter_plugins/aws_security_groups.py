"""Who may reach the server, as rules of a security group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


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
        return {"aws_security_groups_rules": rules}
