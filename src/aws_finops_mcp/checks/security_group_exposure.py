"""Check of security groups that let the whole internet in: by protocol and port, not by how a rule is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_network
from typing import Any

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.addresses import addresses_on
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.reads import NETWORK_INTERFACES, SECURITY_GROUPS
from aws_finops_mcp.checks.security_groups import interfaces_of
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Verdict

WIDE_V4, WIDE_V6 = 8, 16
"""Networks with a shorter prefix are the internet, however they are written: 0.0.0.0/1 and 128.0.0.0/1 are all of it.
The largest private network, 10.0.0.0/8, is none."""

ALL_PORTS = (0, 65535)

SENSITIVE_TCP: Mapping[int, str] = {
    20: "FTP",
    21: "FTP",
    22: "SSH",
    23: "Telnet",
    25: "SMTP",
    135: "Windows RPC",
    139: "NetBIOS",
    389: "LDAP",
    445: "SMB",
    636: "LDAP",
    873: "rsync",
    1433: "SQL Server",
    1521: "Oracle",
    2049: "NFS",
    2375: "Docker",
    2376: "Docker",
    2379: "etcd",
    2380: "etcd",
    3306: "MySQL",
    3389: "RDP",
    4333: "mSQL",
    5432: "PostgreSQL",
    5439: "Redshift",
    5500: "VNC",
    5601: "Kibana",
    5900: "VNC",
    5985: "WinRM",
    5986: "WinRM",
    6379: "Redis",
    7000: "Cassandra",
    7001: "Cassandra",
    8020: "HDFS",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "OpenSearch",
    9300: "OpenSearch",
    10250: "kubelet",
    11211: "memcached",
    27017: "MongoDB",
    27018: "MongoDB",
    50070: "HDFS",
}
SENSITIVE_UDP: Mapping[int, str] = {
    69: "TFTP",
    111: "portmap",
    137: "NetBIOS",
    138: "NetBIOS",
    161: "SNMP",
    389: "LDAP",
    1434: "SQL Server",
    2049: "NFS",
    11211: "memcached",
}
"""Ports of administration and of data, which are meant for few."""

MEANT_FOR_ALL = {("tcp", 80), ("tcp", 443), ("udp", 443)}
"""The web, HTTP/3 included."""

PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
HARMLESS = frozenset({"icmp", "icmpv6", "50", "51"})
"""Ping, and IPsec's own protocols."""


class Severity(IntEnum):
    """How much is open."""

    NONE = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3


@dataclass(frozen=True)
class Opening:
    """One rule that lets the internet in."""

    severity: Severity
    what: str
    source: str
    services: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.what} from {self.source}"


def is_wide(cidr: str) -> bool:
    """Whether a network is so large that it is the internet."""
    network = ip_network(cidr, strict=False)
    return network.prefixlen < (WIDE_V4 if network.version == 4 else WIDE_V6)


def weigh(protocol: str, first: int, last: int) -> tuple[Severity, str, tuple[str, ...]]:
    """How bad it is that everybody reaches some ports; in words; and which services are among them."""
    protocol = PROTOCOLS.get(protocol, protocol)
    if protocol == "-1":
        return Severity.CRITICAL, "all traffic", ()
    if protocol in HARMLESS:
        return Severity.NONE, protocol, ()
    if protocol not in ("tcp", "udp"):
        return Severity.MEDIUM, f"IP protocol {protocol}", ()
    ports = f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"
    known = SENSITIVE_TCP if protocol == "tcp" else SENSITIVE_UDP
    services = tuple(dict.fromkeys(name for port, name in known.items() if first <= port <= last))
    if first <= 1 and last >= ALL_PORTS[1]:
        return Severity.CRITICAL, f"all {protocol} ports", ()
    if services:
        return Severity.HIGH, ports, services
    if all((protocol, port) in MEANT_FOR_ALL for port in range(first, min(last, first + len(MEANT_FOR_ALL)) + 1)):
        return Severity.NONE, ports, ()
    return Severity.MEDIUM, ports, ()


def _entries_read(prefix_list: str) -> Read:
    request = {"PrefixListId": prefix_list, "MaxResults": 100}
    return read("ec2", "GetManagedPrefixListEntries", "Entries", request, resource=prefix_list)


def prefix_lists(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """The entries of each prefix list that an inbound rule names."""
    groups = facts.items(SECURITY_GROUPS)
    named = {p["PrefixListId"] for g in groups for rule in g.get("IpPermissions", ()) for p in _lists(rule)}
    return (_entries_read(prefix_list) for prefix_list in sorted(named))


def _lists(permission: Any) -> list[Any]:
    found: list[Any] = permission.get("PrefixListIds", [])
    return found


def openings(group: Any, wide_lists: Mapping[str, bool | None]) -> list[Opening]:
    """What a group's inbound rules open to the internet, the worst first.

    Args:
        wide_lists: of each prefix list, whether it holds the internet; None where it could not be read.
    """
    found = []
    for permission in group.get("IpPermissions", ()):
        sources = [r["CidrIp"] for r in permission.get("IpRanges", ()) if is_wide(r["CidrIp"])]
        sources += [r["CidrIpv6"] for r in permission.get("Ipv6Ranges", ()) if is_wide(r["CidrIpv6"])]
        sources += [p["PrefixListId"] for p in _lists(permission) if wide_lists.get(p["PrefixListId"])]
        protocol = permission["IpProtocol"]
        severity, what, services = weigh(protocol, permission.get("FromPort", 0), permission.get("ToPort", 65535))
        if severity is not Severity.NONE:
            found += [Opening(severity, what, source, services) for source in sources]
    return sorted(found, key=lambda opening: (-opening.severity, opening.what, opening.source))


def judge_exposure(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """A group is too open when everybody reaches more than the web through it."""
    wide_lists = {entries.resource: _is_wide_list(facts.maybe(entries)) for entries in prefix_lists(facts, _params)}
    interfaces = interfaces_of(facts)
    for group in facts.items(SECURITY_GROUPS):
        own = None if interfaces is None else interfaces.get(group["GroupId"], [])
        public = None if own is None else sum(_has_public_address(interface) for interface in own)
        found = openings(group, wide_lists)
        unread = [p["PrefixListId"] for r in group.get("IpPermissions", ()) for p in _lists(r)]
        unread = [prefix_list for prefix_list in unread if wide_lists[prefix_list] is None]
        if found:
            verdict, reason = Verdict.RISKY, f"open to the internet: {found[0]}{_rest(found)}; {_use(own, public)}"
        elif unread:
            verdict, reason = Verdict.UNKNOWN, f"prefix list {unread[0]}, which a rule names, could not be read"
        else:
            verdict, reason = Verdict.OK, "lets the internet in nowhere but on the web's ports"
        tags = tags_of(group)
        yield Judgement(
            resource_id=group["GroupId"],
            name=group["GroupName"],
            verdict=verdict,
            reason=reason,
            evidence={
                "severity": found[0].severity.name.lower() if found else None,
                "open_rules": "; ".join(str(opening) for opening in found[:10]) or None,
                "services": ", ".join(dict.fromkeys(s for opening in found for s in opening.services)) or None,
                "network_interfaces": None if own is None else len(own),
                "public_interfaces": public,
                "vpc": group.get("VpcId"),
            },
            tags=tags,
            weight=found[0].severity + (0.5 if public else 0) if found else 0,
        )


def _is_wide_list(entries: Any) -> bool | None:
    return None if entries is None else any(is_wide(entry["Cidr"]) for entry in entries)


def _has_public_address(interface: Any) -> bool:
    return bool(interface.get("Ipv6Addresses")) or next(addresses_on(interface), None) is not None


def _rest(found: list[Opening]) -> str:
    return f" and {len(found) - 1} more" if len(found) > 1 else ""


def _use(own: list[Any] | None, public: int | None) -> str:
    if own is None:
        return "what uses it could not be read"
    if not own:
        return "nothing uses it now"
    return f"on {len(own)} network interfaces, {public} of them with a public or IPv6 address"


OVERLY_PERMISSIVE = Check(
    name="find_overly_permissive_security_groups",
    title="Security groups open to the internet",
    noun="security groups",
    category=Category.SECURITY,
    description=(
        "Security groups that let the whole internet (IPv4, IPv6, prefix lists) reach more than the web's ports, by "
        "severity, and whether anything with a public address uses them. Free to ask."
    ),
    resource_type="AWS::EC2::SecurityGroup",
    params=RegionParams,
    inventory=(SECURITY_GROUPS, NETWORK_INTERFACES),
    follow_ups=(prefix_lists,),
    detail_actions=("ec2:GetManagedPrefixListEntries",),
    judge=judge_exposure,
    saves=False,
    evidence={
        "severity": "critical: all traffic, or all ports; high: a port of administration or of data is among them; "
        "medium: any other port but the web's",
        "open_rules": "ec2:DescribeSecurityGroups, inbound rules whose source is the internet (a network larger than "
        "/8, or /16 in IPv6, also in a prefix list), the worst first",
        "services": "what usually listens on the ports of the rules of high severity",
        "network_interfaces": "ec2:DescribeNetworkInterfaces, interfaces with the group; empty when not read",
        "public_interfaces": "those of them with a public IPv4 or an IPv6 address; empty when not read",
        "vpc": "VpcId",
    },
    verdicts={
        Verdict.RISKY: "an inbound rule lets the internet reach more than TCP 80, 443, UDP 443, ping or IPsec",
        Verdict.UNKNOWN: "a prefix list that a rule names could not be read",
    },
    remediation=(
        "Replace the source by the networks, groups or prefix lists that need the port; for administration use Session "
        "Manager, which needs no open port. Where no interface has a public address, the rule opens nothing yet."
    ),
    references=(
        "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html",
    ),
    limits=(
        "Network ACLs, firewalls and what listens on the port are not looked at; rules of other groups and ranges "
        "that are not the whole internet are no finding."
    ),
)

CHECKS = (OVERLY_PERMISSIVE,)
