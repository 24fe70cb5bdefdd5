"""Check of internet gateways that nothing can use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from aws_finops_mcp.checks.addresses import addresses_on
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.reads import INTERNET_GATEWAYS, NETWORK_INTERFACES, ROUTE_TABLES
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Verdict


def _goes_out(interface: Any) -> bool:
    """Whether an interface needs an internet gateway: whatever it belongs to, load balancer, NAT, task or function.

    Global Accelerator and CloudFront reach private interfaces through interfaces of their own, and demand a gateway.
    """
    if interface.get("InterfaceType") == "global_accelerator_managed" or "CloudFront" in interface.get(
        "Description", ""
    ):
        return True
    return bool(interface.get("Ipv6Addresses")) or next(addresses_on(interface), None) is not None


def judge_gateways(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """A gateway is unused when it is on no VPC, or no route leads to it, or its VPC has no public address."""
    interfaces, tables = facts.maybe(NETWORK_INTERFACES), facts.maybe(ROUTE_TABLES)
    public = None if interfaces is None else Counter(i["VpcId"] for i in interfaces if _goes_out(i))
    everything = [route for table in tables or () for route in table.get("Routes", ())]
    routes = None if tables is None else Counter(route.get("GatewayId", "") for route in everything)
    leads: dict[str, list[str]] = defaultdict(list)
    for table in tables or ():
        for gateway_id in dict.fromkeys(route.get("GatewayId", "") for route in table.get("Routes", ())):
            leads[gateway_id].append(f"route table {table['RouteTableId']}")
    for gateway in facts.items(INTERNET_GATEWAYS):
        gateway_id, tags = gateway["InternetGatewayId"], tags_of(gateway)
        vpcs = [attachment["VpcId"] for attachment in gateway.get("Attachments", ())]
        leading = None if routes is None else routes[gateway_id]
        using = None if public is None else sum(public[vpc] for vpc in vpcs)
        if not vpcs:
            verdict, reason = Verdict.IDLE, "attached to no VPC"
        elif leading is not None and using is not None and leading and using:
            verdict, reason = Verdict.IN_USE, f"{leading} routes lead to it, for {using} public interfaces"
        elif leading == 0:
            verdict, reason = Verdict.IDLE, "attached, but no route leads to it"
        elif using == 0:
            verdict, reason = Verdict.IDLE, "no interface of its VPC has a public IPv4 or an IPv6 address"
        else:
            verdict, reason = Verdict.UNKNOWN, "the routes or interfaces of its VPC could not be read"
        yield Judgement(
            resource_id=gateway_id,
            name=tags.get("Name", ""),
            verdict=verdict,
            reason=reason,
            evidence={"vpc": ", ".join(vpcs) or None, "routes": leading, "public_interfaces": using},
            tags=tags,
            referred_by=leads[gateway_id] if verdict is Verdict.IDLE else (),
        )


UNUSED_INTERNET_GATEWAYS = Check(
    name="find_unused_internet_gateways",
    title="Unused internet gateways",
    noun="internet gateways",
    category=Category.NETWORK,
    description=(
        "Internet gateways that are detached, that no route leads to, or whose VPC has no interface with a public IPv4 "
        "or an IPv6 address. They cost nothing, and are a way in. Free to ask."
    ),
    resource_type="AWS::EC2::InternetGateway",
    params=RegionParams,
    inventory=(INTERNET_GATEWAYS, ROUTE_TABLES, NETWORK_INTERFACES),
    judge=judge_gateways,
    referrers="routes of the region's route tables",
    saves=False,
    evidence={
        "vpc": "ec2:DescribeInternetGateways, Attachments",
        "routes": "ec2:DescribeRouteTables, routes to the gateway; empty when not read",
        "public_interfaces": "ec2:DescribeNetworkInterfaces, interfaces of its VPC with a public IPv4 or an IPv6 "
        "address, or of Global Accelerator or CloudFront; empty when not read",
    },
    verdicts={
        Verdict.IDLE: "detached, no route to it, or no public address in its VPC",
        Verdict.UNKNOWN: "attached, and routes or interfaces could not be read",
    },
    remediation="Delete the routes to it, detach it, delete it. AWS does not tell its age: it may be new.",
    references=("https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html",),
    limits="Free of charge. Whether a public address is in use is other checks' to say.",
)

CHECKS = (UNUSED_INTERNET_GATEWAYS,)
