"""Check of every public IPv4 address: what has it, whether it needs it, what it costs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import Any

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.addresses import PublicAddress, addresses_on, brought
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.dns_names import NAMED_BY, RECORDS, pointers, record_reads
from aws_finops_mcp.checks.reads import (
    ADDRESSES,
    HOSTED_ZONES,
    NAT_GATEWAYS,
    NETWORK_INTERFACES,
    RESERVATIONS,
    SECURITY_GROUPS,
)
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Verdict

_NAT = re.compile(r"(nat-[0-9a-f]+)")
PRIVATE = tuple(IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
"""Networks that no public address is reached from."""

_SPEAKS_ONLY_WHEN_SPOKEN_TO = "database"


@dataclass(frozen=True)
class Owner:
    """What an interface belongs to."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


def owner_of(interface: Mapping[str, Any]) -> Owner:
    """What has an interface: by its attachment, its type, and the description that AWS's services give theirs."""
    description = str(interface.get("Description", ""))
    instance = interface.get("Attachment", {}).get("InstanceId")
    if instance:
        return Owner("instance", instance)
    nat = _NAT.search(description)
    if interface.get("InterfaceType") == "nat_gateway" or (nat and "NAT Gateway" in description):
        return Owner("NAT gateway", nat.group(1) if nat else "")
    if description.startswith("ELB "):
        return Owner("load balancer", description.removeprefix("ELB "))
    if description.startswith("arn:aws:ecs:") or ":attachment/" in description:
        return Owner("ECS task", interface.get("Attachment", {}).get("AttachmentId", ""))
    if description.startswith("RDSNetworkInterface"):
        return Owner("database", "")
    if interface.get("InterfaceType") == "global_accelerator_managed":
        return Owner("accelerator", "")
    return Owner(str(interface.get("InterfaceType", "interface")).replace("_", " "), description)


@dataclass(frozen=True)
class Place:
    """An address and what it is on, if anything."""

    address: PublicAddress
    interface: Any = None
    elastic: Any = None

    @property
    def tags(self) -> dict[str, str]:
        """Those of its interface, and its own over them."""
        on = {tag["Key"]: tag["Value"] for tag in (self.interface or {}).get("TagSet", ())}
        return on | tags_of(self.elastic or {})


def places(facts: Facts) -> list[Place]:
    """Every public address: those on interfaces, and Elastic IP addresses on none."""
    elastic = {row.get("AllocationId") or row["PublicIp"]: row for row in facts.maybe(ADDRESSES) or ()}
    found = {}
    for interface in facts.items(NETWORK_INTERFACES):
        for address in addresses_on(interface):
            known = elastic.get(address.resource_id) or elastic.get(address.ip)
            found[address.ip] = Place(address, interface, known)
    for row in elastic.values():
        if row["PublicIp"] not in found:
            address = PublicAddress(row["PublicIp"], row.get("AllocationId", ""))
            found[row["PublicIp"]] = Place(address, None, row)
    return list(found.values())


def _is_private(cidr: str) -> bool:
    network = IPv4Network(cidr, strict=False)
    return any(network.subnet_of(private) for private in PRIVATE)


def lets_nobody_in(groups: list[Any]) -> bool:
    """Whether no rule of some security groups lets in anything from outside private networks."""
    for permission in (p for group in groups for p in group.get("IpPermissions", ())):
        if permission.get("PrefixListIds"):
            return False
        if any(not _is_private(r["CidrIp"]) for r in permission.get("IpRanges", ())):
            return False
    return True


def read_records(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """The DNS records that may name an address."""
    return record_reads(facts)


def judge_addresses(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """An address is idle on nothing, and costly where nothing outside can reach it."""
    reservations, groups, gateways = (facts.maybe(r) for r in (RESERVATIONS, SECURITY_GROUPS, NAT_GATEWAYS))
    states = None
    if reservations is not None:
        states = {i["InstanceId"]: i["State"]["Name"] for r in reservations for i in r["Instances"]}
    known = Known(
        states,
        None if groups is None else {group["GroupId"]: group for group in groups},
        None if gateways is None else {g["VpcId"] for g in gateways if g["State"] == "available"},
    )
    whole = facts.maybe(ADDRESSES) is not None
    shares: dict[str, int] = defaultdict(int)
    for place in places(facts):
        shares[(place.interface or {}).get("NetworkInterfaceId", "")] += 1
    named = pointers(facts)
    for place in places(facts):
        judged = _judge(place, known, whole, shares)
        found = named.get(place.address.ip, ()) if judged.verdict.actionable else ()
        yield replace(judged, referred_by=tuple(found))


@dataclass(frozen=True)
class Known:
    """What is known of what addresses are on; None where it could not be read.

    Attributes:
        states: of instances.
        groups: security groups.
        with_nat: VPCs with a NAT gateway.
    """

    states: Mapping[str, str] | None
    groups: Mapping[str, Any] | None
    with_nat: set[str] | None


def _judge(place: Place, known: Known, whole: bool, shares: Mapping[str, int]) -> Judgement:
    interface = place.interface
    owner = owner_of(interface) if interface else None
    verdict, reason = _verdict(place, owner, known, whole)
    billed = not (place.elastic and brought(place.elastic))
    parts = []
    if billed and verdict is Verdict.IDLE:
        parts = [Part("idle public IPv4 address", "ipv4.idle", HOURS_PER_MONTH)]
    elif billed and verdict is Verdict.COSTLY:
        parts = [Part("public IPv4 address", "ipv4.in_use", HOURS_PER_MONTH)]
    tags = place.tags
    return Judgement(
        resource_id=place.address.resource_id,
        name=tags.get("Name", "") or place.address.ip,
        verdict=verdict,
        reason=reason,
        evidence={
            "public_ip": place.address.ip,
            "owner_kind": owner.kind if owner else None,
            "owner": owner.name if owner else None,
            "elastic": bool(place.address.allocation),
            "network_interface": interface["NetworkInterfaceId"] if interface else None,
            "addresses_of_interface": shares[interface["NetworkInterfaceId"]] if interface else None,
            "subnet": interface.get("SubnetId") if interface else None,
            "vpc": interface.get("VpcId") if interface else None,
            "billed": billed,
        },
        tags=tags,
        parts=parts,
    )


def _verdict(place: Place, owner: Owner | None, known: Known, whole: bool) -> tuple[Verdict, str]:
    interface = place.interface
    if not whole:
        return Verdict.UNKNOWN, "the Elastic IP addresses could not be read"
    if interface is None:
        if place.elastic.get("AssociationId"):
            return Verdict.IN_USE, "associated"
        return Verdict.IDLE, "an Elastic IP address that is associated with nothing"
    if owner is None or interface.get("Status") == "available":
        return Verdict.IDLE, "on a network interface that is attached to nothing"
    if owner.kind == "instance":
        state = None if known.states is None else known.states.get(owner.name, "")
        if state is None:
            return Verdict.UNKNOWN, f"the state of instance {owner.name} could not be read"
        if state == "stopped":
            return Verdict.IDLE, f"on instance {owner.name}, which is stopped: AWS bills the address all the same"
    if owner.kind not in ("instance", _SPEAKS_ONLY_WHEN_SPOKEN_TO):
        return Verdict.IN_USE, f"of {owner}"
    if known.groups is None or known.with_nat is None:
        return Verdict.UNKNOWN, f"of {owner}; whether anything outside can reach it could not be read"
    groups = [known.groups[g["GroupId"]] for g in interface.get("Groups", ()) if g["GroupId"] in known.groups]
    if not groups or not lets_nobody_in(groups):
        return Verdict.IN_USE, f"of {owner}"
    if owner.kind == _SPEAKS_ONLY_WHEN_SPOKEN_TO:
        return Verdict.COSTLY, f"of a {owner.kind} whose security groups let nothing in from outside"
    if interface.get("VpcId") in known.with_nat:
        what = "nothing outside can reach it, and its VPC has a NAT gateway for the way out"
        return Verdict.COSTLY, f"of {owner}: {what}"
    return Verdict.IN_USE, f"of {owner}, as its way out: its VPC has no NAT gateway"


PUBLIC_IPV4 = Check(
    name="find_public_ipv4_addresses",
    title="Public IPv4 addresses and what has them",
    noun="public IPv4 addresses",
    category=Category.NETWORK,
    description=(
        "Every public IPv4 address, Elastic or not, by what has it; AWS bills each by the hour. Finds those on nothing "
        "and those that nothing outside can reach; detail=full lists all. Free to ask."
    ),
    resource_type="AWS::EC2::EIP",
    params=RegionParams,
    inventory=(NETWORK_INTERFACES, ADDRESSES, RESERVATIONS, SECURITY_GROUPS, NAT_GATEWAYS, HOSTED_ZONES),
    follow_ups=(read_records,),
    detail_actions=(RECORDS,),
    referrers=NAMED_BY,
    count=lambda facts, _params: len(places(facts)),
    judge=judge_addresses,
    evidence={
        "public_ip": "ec2:DescribeNetworkInterfaces, Association.PublicIp of each private address; "
        "ec2:DescribeAddresses for those on nothing",
        "owner_kind": "what has its interface, by attachment, type and description; empty: nothing",
        "owner": "its name or id, where the interface tells",
        "elastic": "an Elastic IP address; else AWS gave it and takes it back",
        "network_interface": "NetworkInterfaceId",
        "addresses_of_interface": "public addresses on the same interface",
        "subnet": "SubnetId",
        "vpc": "VpcId",
        "billed": "false for addresses that the customer brought",
    },
    verdicts={
        Verdict.IDLE: "on nothing, on a detached interface, or on a stopped instance",
        Verdict.COSTLY: "security groups let nothing in from outside, and there is another way out, or no need of one",
        Verdict.UNKNOWN: "what it is on, or who can reach it, could not be read",
    },
    remediation=(
        "Release idle addresses. Move instances that nothing outside reaches to a private subnet behind the NAT "
        "gateway (its bytes are billed) or to IPv6; make databases not publicly accessible."
    ),
    references=(
        "https://aws.amazon.com/vpc/pricing/",
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html",
    ),
    prices=("ipv4.*",),
    limits=(
        "Reachability is by security groups and routes: network ACLs and firewalls of the host are not looked at. "
        "Addresses that one brought oneself are free."
    ),
)

CHECKS = (PUBLIC_IPV4,)
