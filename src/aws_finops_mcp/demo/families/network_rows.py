"""Builders of what the network's families have in common: ids, networks, interfaces, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from aws_finops_mcp.demo.families.family import Metric
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US

VPCS: Final = {US: "vpc-0a7e11c0de0000001", EU: "vpc-0a7e11c0de0000002"}
"""The network that the families' resources are in, beside the one that moto has."""
SUBNETS: Final = {
    (region, zone): f"subnet-0a7e11c0de{number:02}0000{letter}"
    for number, region in enumerate((US, EU), start=1)
    for letter, zone in enumerate("abc", start=1)
}


def hex_of(name: str, digits: int = 17) -> str:
    """Hexadecimal digits as in AWS's ids: always the same for a name."""
    return blake2b(name.encode(), digest_size=16).hexdigest()[:digits]


def tag_list(name: str = "", **tags: str) -> list[dict[str, str]]:
    """Tags as most services list them; ``_`` in a key stands for ``:``."""
    named = {"Name": name} if name else {}
    return [{"Key": key.replace("_", ":"), "Value": value} for key, value in {**named, **tags}.items()]


def interface(
    region: str,
    name: str,
    *,
    kind: str = "interface",
    description: str = "",
    zone: str = "a",
    groups: tuple[str, ...] = (),
    public_ips: tuple[tuple[str, str], ...] = (),
    ipv6: str = "",
    vpc: str = "",
    subnet: str = "",
    instance: str = "",
    status: str = "in-use",
    requester: str = "",
) -> dict[str, Any]:
    """A network interface; ``public_ips`` are addresses with their allocations, "" for one that AWS gave."""
    private = [f"10.77.{int(hex_of(name, 2), 16)}.{number + 10}" for number in range(max(1, len(public_ips)))]
    addresses: list[dict[str, Any]] = [
        {"Primary": number == 0, "PrivateIpAddress": ip} for number, ip in enumerate(private)
    ]
    for address, (ip, allocation) in zip(addresses, public_ips, strict=False):
        association = {"PublicIp": ip, "IpOwnerId": ACCOUNT_ID if allocation else "amazon"}
        if allocation:
            association |= {"AllocationId": allocation, "AssociationId": f"eipassoc-{hex_of(ip)}"}
        address["Association"] = association
    row: dict[str, Any] = {
        "NetworkInterfaceId": f"eni-{hex_of(region + name)}",
        "Description": description,
        "InterfaceType": kind,
        "Status": status,
        "VpcId": vpc or VPCS[region],
        "SubnetId": subnet or SUBNETS[region, zone],
        "AvailabilityZone": f"{region}{zone}",
        "OwnerId": ACCOUNT_ID,
        "RequesterManaged": bool(requester),
        "PrivateIpAddress": private[0],
        "PrivateIpAddresses": addresses,
        "Groups": [{"GroupId": group, "GroupName": group} for group in groups],
        "TagSet": [],
        "Ipv6Addresses": [{"Ipv6Address": ipv6}] if ipv6 else [],
    }
    if requester:
        row["RequesterId"] = requester
    if "Association" in addresses[0]:
        row["Association"] = addresses[0]["Association"]
    if instance:
        row["Attachment"] = {"InstanceId": instance, "InstanceOwnerId": ACCOUNT_ID, "Status": "attached"}
    return row


def metrics(
    region: str,
    namespace: str,
    dimensions: Mapping[str, str],
    values: Mapping[str, float | Callable[[int], float | None]],
    samples: int | None = None,
) -> list[Metric]:
    """Metrics of one resource, one value an hour each."""
    return [Metric(region, namespace, name, dimensions, value, samples=samples) for name, value in values.items()]


def only(first: int, last: int, value: float) -> Callable[[int], float | None]:
    """A value in some hours, counted back from now, and no datapoint else."""
    return lambda ago: value if first <= ago < last else None
