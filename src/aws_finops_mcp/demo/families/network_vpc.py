"""Endpoints, internet gateways and public addresses of VPCs, and the truth about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo import company
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.network_balancers import BALANCERS
from aws_finops_mcp.demo.families.network_groups import id_of
from aws_finops_mcp.demo.families.network_nat import GATEWAYS, subnet_of, vpc_of
from aws_finops_mcp.demo.families.network_rows import VPCS, hex_of, interface, metrics, only, tag_list
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

EXEMPT: Final = {"finops:exempt": "kept for emergencies"}
IDLE, IN_USE, OK = Verdict.IDLE, Verdict.IN_USE, Verdict.OK


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint; ``bytes`` an hour, None for no datapoint at all."""

    name: str
    service: str
    verdict: Verdict
    why: str
    bytes: float | Callable[[int], float | None] | None = None
    kind: str = "Interface"
    zones: str = "ab"
    age_days: float = 300
    region: str = US
    state: str = "Available"
    more: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    monthly_usd: float | None = None

    @property
    def endpoint_id(self) -> str:
        return f"vpce-{hex_of(self.region + self.name)}"

    @property
    def service_name(self) -> str:
        return f"com.amazonaws.{self.region}.{self.service}"

    def row(self, now: datetime) -> dict[str, Any]:
        return {
            "VpcEndpointId": self.endpoint_id,
            "VpcEndpointType": self.kind,
            "VpcId": VPCS[self.region],
            "ServiceName": self.service_name,
            "State": self.state,
            "SubnetIds": [] if self.kind == "Gateway" else [subnet_of(self.region, "main", z) for z in self.zones],
            "RequesterManaged": False,
            "CreationTimestamp": now - timedelta(days=self.age_days),
            "Tags": [*tag_list(self.name), *({"Key": k, "Value": v} for k, v in self.tags.items())],
            **self.more,
        }

    def metrics(self) -> list[Metric]:
        if self.bytes is None:
            return []
        own = {
            "Endpoint Type": self.kind,
            "Service Name": self.service_name,
            "VPC Endpoint Id": self.endpoint_id,
            "VPC Id": VPCS[self.region],
        }
        # Also by subnet: another metric, of the same name.
        by_subnet = {**own, "Subnet Id": subnet_of(self.region, "main", "a")}
        return [
            *metrics(self.region, "AWS/PrivateLinkEndpoints", own, {"BytesProcessed": self.bytes}),
            *metrics(self.region, "AWS/PrivateLinkEndpoints", by_subnet, {"BytesProcessed": self.bytes}),
        ]


INSPECTED: Final = Endpoint(
    "nb-inspected", "vpce-svc-1", IDLE, "no byte, though a route leads to it", None, "GatewayLoadBalancer", "a"
)
ENDPOINTS: Final = (
    Endpoint("nb-ssm", "ssm", IN_USE, "busy", 4.0e6),
    Endpoint("nb-audit", "kms", IN_USE, "busy for one hour, 80 days ago", only(80 * 24, 80 * 24 + 1, 900.0)),
    Endpoint("nb-ecr", "ecr.api", IDLE, "no byte", monthly_usd=14.6),
    Endpoint("nb-fresh", "sqs", Verdict.TOO_NEW, "10 days old", age_days=10),
    Endpoint("nb-guard", "guardduty-data", OK, "an AWS service's own", more={"RequesterManaged": True}),
    Endpoint("nb-lattice", "lattice", OK, "of a type that AWS does not measure", kind="Resource"),
    Endpoint("nb-unrouted", "s3", IDLE, "in no route table, free", kind="Gateway", monthly_usd=0.0),
    Endpoint("nb-refused", "vpce-svc-2", IDLE, "rejected: nothing billed", state="Rejected", monthly_usd=0.0),
    Endpoint("nb-waiting", "vpce-svc-3", IDLE, "never accepted, billed", state="PendingAcceptance", monthly_usd=14.6),
    Endpoint("nb-abroad", "vpce-svc-4", Verdict.UNKNOWN, "to another region: not measured", more={"ServiceRegion": EU}),
    Endpoint("nb-breakglass", "ssmmessages", Verdict.EXEMPT, "exempt by tag", tags=EXEMPT),
    INSPECTED,
    Endpoint("nb-ssm", "ssm", IDLE, "idle here, busy elsewhere", zones="a", region=EU, monthly_usd=8.03),
)


@dataclass(frozen=True)
class InternetGateway:
    """An internet gateway; ``vpc`` is the one that it is attached to."""

    name: str
    verdict: Verdict
    why: str
    vpc: str = ""
    routed: bool = True
    region: str = US
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def gateway_id(self) -> str:
        return f"igw-{hex_of(self.region + self.name)}"

    @property
    def row(self) -> dict[str, Any]:
        vpc = vpc_of(self.region, self.vpc)
        return {
            "InternetGatewayId": self.gateway_id,
            "Attachments": [{"State": "attached", "VpcId": vpc}] if self.vpc else [],
            "Tags": [*tag_list(self.name), *({"Key": k, "Value": v} for k, v in self.tags.items())],
        }

    @property
    def route_table(self) -> dict[str, Any]:
        route = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": self.gateway_id, "State": "active"}
        return {
            "RouteTableId": f"rtb-{hex_of(self.gateway_id)}",
            "VpcId": vpc_of(self.region, self.vpc),
            "Routes": [route],
            "Associations": [],
        }


INTERNET_GATEWAYS: Final = (
    InternetGateway("nb-igw-main", IN_USE, "routed, for load balancers and NAT gateways, no instance", "main"),
    InternetGateway("nb-igw-accelerated", IN_USE, "no public address, but an accelerator", "accelerated"),
    InternetGateway("nb-igw-left", IDLE, "attached to nothing"),
    InternetGateway("nb-igw-private", IDLE, "routed, but no public address in its VPC", "inner"),
    InternetGateway("nb-igw-unrouted", IDLE, "no route leads to it", "single", routed=False),
    InternetGateway("nb-igw-kept", Verdict.EXEMPT, "exempt by tag", tags=EXEMPT),
    InternetGateway("nb-igw-main", IDLE, "attached to nothing here", region=EU),
)

_INSIDE: Final = (id_of(US, "nb-inside"),)
_WEB: Final = (id_of(US, "nb-web"),)


def _interfaces() -> list[tuple[dict[str, Any], Verdict, str, float | None]]:
    """Interfaces with a public address, and the truth about it."""
    nobody = (("192.0.2.13", ""),)
    task = "arn:aws:ecs:us-east-1:123456789012:attachment/0a7e11c0"
    kept = interface(US, "nb-kept", groups=_INSIDE, public_ips=(("192.0.2.17", ""),), instance="i-0a7e11c0de0000004")
    kept["TagSet"] = tag_list(finops_exempt="partners allow its address")
    main, plain = {"vpc": VPCS[US]}, {"vpc": "vpc-0a7e11c0de0000099"}
    made = interface
    first, second, third = (f"i-0a7e11c0de000000{number}" for number in (1, 2, 3))
    return [
        (
            made(US, "nb-i-web", groups=_WEB, public_ips=(("192.0.2.10", ""),), instance=first),
            IN_USE,
            "of an instance that the internet reaches",
            None,
        ),
        (
            made(US, "nb-i-in", groups=_INSIDE, public_ips=(("192.0.2.11", ""),), instance=second, **main),
            Verdict.COSTLY,
            "of an instance that nothing outside reaches, beside a NAT gateway",
            3.65,
        ),
        (
            made(
                US,
                "nb-i-out",
                groups=_INSIDE,
                public_ips=(("192.0.2.12", ""),),
                instance=third,
                **plain,
            ),
            IN_USE,
            "the only way out of a VPC without NAT gateway",
            None,
        ),
        (
            made(
                US,
                "nb-db",
                groups=_INSIDE,
                public_ips=nobody,
                description="RDSNetworkInterface",
                requester="amazon-rds",
            ),
            Verdict.COSTLY,
            "of a database that lets nobody in from outside",
            3.65,
        ),
        (
            made(US, "nb-task", groups=_INSIDE, public_ips=(("192.0.2.14", ""),), description=task),
            IN_USE,
            "of a task, which may need it to pull its image",
            None,
        ),
        (
            made(US, "nb-detached", public_ips=(("192.0.2.15", "eipalloc-0a7e11c0de000015"),), status="available"),
            IDLE,
            "on a detached interface",
            3.65,
        ),
        (kept, Verdict.EXEMPT, "exempt by the interface's tag", None),
    ]


def family(now: datetime) -> Family:
    """Endpoints, internet gateways, addresses."""
    addressed = _interfaces()
    accelerator = interface(US, "nb-ga", kind="global_accelerator_managed", vpc=vpc_of(US, "accelerated"))
    inner = interface(US, "nb-inner", vpc=vpc_of(US, "inner"))
    tables = [gateway.route_table for gateway in INTERNET_GATEWAYS if gateway.routed and gateway.vpc]
    inspected = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": INSPECTED.endpoint_id, "State": "active"}
    tables.append(
        {"RouteTableId": "rtb-0a7e11c0de00000fe", "VpcId": VPCS[US], "Routes": [inspected], "Associations": []}
    )
    brought = {
        "AllocationId": "eipalloc-0a7e11c0de000016",
        "PublicIp": "192.0.2.16",
        "Domain": "vpc",
        "PublicIpv4Pool": "ipv4pool-ec2-0a7e11c0de0000001",
        "Tags": tag_list("nb-own-address"),
    }
    detached = {
        "AllocationId": "eipalloc-0a7e11c0de000015",
        "PublicIp": "192.0.2.15",
        "Domain": "vpc",
        "AssociationId": "eipassoc-0a7e11c0de000015",
        "NetworkInterfaceId": addressed[5][0]["NetworkInterfaceId"],
        "PublicIpv4Pool": "amazon",
        "Tags": tag_list("nb-detached-address"),
    }
    endpoints = {r: [e.row(now) for e in ENDPOINTS if e.region == r] for r in (US, EU)}
    gateways = {r: [g.row for g in INTERNET_GATEWAYS if g.region == r] for r in (US, EU)}
    interfaces = {US: [accelerator, inner, *(row for row, *_ in addressed)]}
    return Family(
        rows=(
            Rows("ec2", "DescribeVpcEndpoints", "VpcEndpoints", endpoints),
            Rows("ec2", "DescribeInternetGateways", "InternetGateways", gateways),
            Rows("ec2", "DescribeRouteTables", "RouteTables", {US: tables}),
            Rows("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", interfaces),
            Rows("ec2", "DescribeAddresses", "Addresses", {US: [brought, detached]}),
        ),
        metrics=[metric for endpoint in ENDPOINTS for metric in endpoint.metrics()],
        charges=list(_charges(addressed)),
        cases={
            "find_unused_vpc_endpoints": tuple(
                Case(e.endpoint_id, e.region, e.verdict, e.why, e.monthly_usd) for e in ENDPOINTS
            ),
            "find_unused_internet_gateways": tuple(
                Case(g.gateway_id, g.region, g.verdict, g.why) for g in INTERNET_GATEWAYS
            ),
            "find_public_ipv4_addresses": _address_cases(addressed),
            "find_unused_elastic_ips": (
                Case("eipalloc-0a7e11c0de000016", US, IDLE, "associated with nothing; brought, so not billed", 0.0),
                Case("eipalloc-0a7e11c0de000015", US, IDLE, "on a detached interface", 3.65),
            ),
        },
    )


def _charges(addressed: list[tuple[dict[str, Any], Verdict, str, float | None]]) -> Iterator[Charge]:
    kinds = {"Interface": "interface", "GatewayLoadBalancer": "gateway_load_balancer"}
    for one in ENDPOINTS:
        if one.kind in kinds and one.state != "Rejected":
            arn = f"arn:aws:ec2:{one.region}:{ACCOUNT_ID}:vpc-endpoint/{one.endpoint_id}"
            unit, hours = f"vpc_endpoint.{kinds[one.kind]}.hours", len(one.zones) * 730
            yield Charge(one.region, arn, unit, hours, one.age_days, one.tags)
    for row, *_ in addressed:
        allocation = row["Association"].get("AllocationId")
        name = f"elastic-ip/{allocation}" if allocation else f"public-ip/{row['Association']['PublicIp']}"
        unit = "ipv4.in_use" if row["Status"] == "in-use" else "ipv4.idle"
        yield Charge(US, f"arn:aws:ec2:{US}:{ACCOUNT_ID}:{name}", unit, 730)


def _address_cases(addressed: list[tuple[dict[str, Any], Verdict, str, float | None]]) -> tuple[Case, ...]:
    own = [
        Case(association.get("AllocationId", association["PublicIp"]), US, verdict, why, usd)
        for row, verdict, why, usd in addressed
        for association in (row["Association"],)
    ]
    own.append(Case("eipalloc-0a7e11c0de000016", US, IDLE, "associated with nothing; brought, so not billed", 0.0))
    for balancer in BALANCERS:
        own += [Case(i or ip, balancer.region, IN_USE, "of a load balancer") for ip, i in balancer.public_ips]
    own += [Case(g.address[1], g.region, IN_USE, "of a NAT gateway") for g in GATEWAYS if not g.private]
    return (*own, *(_seeded_case(one) for one in company.EXPECTED["addresses"]))


def _seeded_case(one: company.Expected) -> Case:
    if one.idle:
        return Case(one.name, one.region, IDLE, one.reason, one.monthly_usd)
    if one.reason == "on a running instance":
        why = "its default security group lets nobody in, and its VPC has a NAT gateway"
        return Case(one.name, one.region, Verdict.COSTLY, why, one.monthly_usd)
    return Case(one.name, one.region, IN_USE, one.reason)
