"""Networks with NAT gateways, well and badly wired, and the truth about the gateways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import NO_PRICE, Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.network_rows import VPCS, hex_of, interface, metrics, tag_list
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

GIB: Final = 2.0**30
BOTH: Final = ("s3", "dynamodb")
FILLERS: Final = 100
MONTH: Final = 730


@dataclass(frozen=True)
class Gateway:
    """A NAT gateway. ``gib`` is what it processes an hour, a fifth of it on the way out."""

    name: str
    vpc: str
    zone: str
    verdict: Verdict
    why: str
    gib: float = 2.0
    age_days: float = 200
    region: str = US
    private: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    monthly_usd: float | None = None

    @property
    def gateway_id(self) -> str:
        return f"nat-{hex_of(self.region + self.name)}"

    @property
    def vpc_id(self) -> str:
        return vpc_of(self.region, self.vpc)

    @property
    def address(self) -> tuple[str, str]:
        number = int(hex_of(self.region + self.name, 2), 16)
        return f"198.18.0.{number}", f"eipalloc-{hex_of(self.region + self.name)}"

    @property
    def eni(self) -> dict[str, Any]:
        return interface(
            self.region,
            self.name,
            kind="nat_gateway",
            description=f"Interface for NAT Gateway {self.gateway_id}",
            zone=self.zone,
            public_ips=() if self.private else (self.address,),
            vpc=self.vpc_id,
            subnet=subnet_of(self.region, self.vpc, self.zone),
            requester="amazon-nat",
        )

    def row(self, now: datetime) -> dict[str, Any]:
        ip, allocation = self.address
        address = {"NetworkInterfaceId": self.eni["NetworkInterfaceId"], "PrivateIp": "10.77.0.9"}
        return {
            "NatGatewayId": self.gateway_id,
            "State": "available",
            "VpcId": self.vpc_id,
            "SubnetId": subnet_of(self.region, self.vpc, self.zone),
            "ConnectivityType": "private" if self.private else "public",
            "CreateTime": now - timedelta(days=self.age_days),
            "NatGatewayAddresses": [
                address if self.private else {**address, "PublicIp": ip, "AllocationId": allocation}
            ],
            "Tags": [*tag_list(self.name), *({"Key": k, "Value": v} for k, v in self.tags.items())],
        }

    def metrics(self) -> list[Metric]:
        out, back = 0.2 * self.gib * GIB, 0.8 * self.gib * GIB
        values = {
            "BytesOutToDestination": out,
            "BytesInFromSource": out,
            "BytesInFromDestination": back,
            "BytesOutToSource": back,
            "ActiveConnectionCount": 60 * 12.0,
        }
        return metrics(self.region, "AWS/NATGateway", {"NatGatewayId": self.gateway_id}, values, samples=60)


def vpc_of(region: str, name: str) -> str:
    """A VPC's id; "main" is that of the families' other resources."""
    return VPCS[region] if name == "main" else f"vpc-{hex_of(region + name)}"


def subnet_of(region: str, vpc: str, zone: str) -> str:
    """The id of a VPC's subnet in a zone."""
    return f"subnet-{hex_of(region + vpc + zone)}"


@dataclass(frozen=True)
class Table:
    """A route table: to which gateway which zones' subnets are sent, and which gateway endpoints it has."""

    vpc: str
    gateway: str
    zones: str
    region: str = US
    free: tuple[str, ...] = BOTH
    main: bool = False

    @property
    def table_id(self) -> str:
        return f"rtb-{hex_of(self.region + self.vpc + self.gateway)}"

    @property
    def row(self) -> dict[str, Any]:
        subnets = [subnet_of(self.region, self.vpc, zone) for zone in self.zones]
        target = f"nat-{hex_of(self.region + self.gateway)}"
        return {
            "RouteTableId": self.table_id,
            "VpcId": vpc_of(self.region, self.vpc),
            "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": target, "State": "active"}],
            "Associations": [{"Main": True}]
            if self.main
            else [{"Main": False, "RouteTableId": self.table_id, "SubnetId": subnet} for subnet in subnets],
        }


OK, COSTLY = Verdict.OK, Verdict.COSTLY
GATEWAYS: Final = (
    Gateway("nb-nat-a", "main", "a", OK, "serves its zone, with both gateway endpoints"),
    Gateway("nb-nat-b", "main", "b", OK, "serves its zone, with both gateway endpoints"),
    Gateway("nb-crossed-a", "crossed", "a", COSTLY, "serves its zone, and b, which has one: nobody knows how much"),
    Gateway(
        "nb-crossed-b",
        "crossed",
        "b",
        COSTLY,
        "serves only c, which has one: all of it crosses",
        0.25,
        monthly_usd=3.65,
    ),
    Gateway("nb-crossed-c", "crossed", "c", OK, "serves nobody, and is alone in its zone"),
    Gateway("nb-twin-busy", "twin", "a", OK, "the busier of two in a zone"),
    Gateway("nb-twin-spare", "twin", "a", COSTLY, "the quieter of two in a zone", 0.01, monthly_usd=36.5),
    Gateway("nb-single", "single", "a", OK, "the only one of its VPC: across zones on purpose"),
    Gateway("nb-main-table", "plain", "a", COSTLY, "DynamoDB goes through it, by the main table", monthly_usd=NO_PRICE),
    Gateway("nb-transit", "transit", "a", OK, "private: no way to S3", private=True),
    Gateway("nb-fresh", "fresh", "a", Verdict.TOO_NEW, "made today", age_days=0.5),
    Gateway(
        "nb-fixed-ip",
        "kept",
        "a",
        Verdict.EXEMPT,
        "no gateway endpoints, exempt by tag",
        tags={"finops:exempt": "partners allow its address"},
    ),
    Gateway("nb-single", "single", "a", OK, "the only one of its VPC here too", region=EU),
)
TABLES: Final = (
    Table("main", "nb-nat-a", "a"),
    Table("main", "nb-nat-b", "b"),
    Table("crossed", "nb-crossed-a", "ab"),
    Table("crossed", "nb-crossed-b", "c"),
    Table("twin", "nb-twin-busy", "a"),
    Table("twin", "nb-twin-spare", "b"),
    Table("single", "nb-single", "abc"),
    Table("plain", "nb-main-table", "", free=("s3",), main=True),
    Table("transit", "nb-transit", "a", free=()),
    Table("fresh", "nb-fresh", "a", free=()),
    Table("kept", "nb-fixed-ip", "a", free=()),
    Table("single", "nb-single", "abc", region=EU),
)


def family(now: datetime) -> Family:
    """VPCs with NAT gateways, their subnets, routes and gateway endpoints."""
    public = [gateway for gateway in GATEWAYS if not gateway.private]
    return Family(
        rows=(
            _rows("DescribeNatGateways", "NatGateways", [(g.region, g.row(now)) for g in GATEWAYS]),
            _rows("DescribeNetworkInterfaces", "NetworkInterfaces", [(g.region, g.eni) for g in GATEWAYS]),
            _rows("DescribeAddresses", "Addresses", [(g.region, _address(g)) for g in public]),
            _rows("DescribeSubnets", "Subnets", list(_subnets())),
            # The fillers are a page of their own.
            _rows("DescribeRouteTables", "RouteTables", [*_fillers(), *((t.region, t.row) for t in TABLES)]),
            _rows("DescribeVpcEndpoints", "VpcEndpoints", list(_gateway_endpoints(now))),
        ),
        metrics=[metric for gateway in GATEWAYS for metric in gateway.metrics()],
        charges=list(_charges()),
        cases={
            "get_nat_gateway_optimization_recommendations": (
                *(Case(g.gateway_id, g.region, g.verdict, g.why, g.monthly_usd) for g in GATEWAYS),
                Case("nat-production-a", US, COSTLY, "S3 and DynamoDB go through it", NO_PRICE),
                Case("nat-old-vpn", US, COSTLY, "idle, and its zone has a busy one", 36.5),
                Case("nat-staging", US, OK, "idle: another check's finding"),
            ),
            "find_unused_nat_gateways": tuple(Case(g.gateway_id, g.region, Verdict.IN_USE, g.why) for g in GATEWAYS),
        },
    )


def _charges() -> Iterator[Charge]:
    for one in GATEWAYS:
        arn = f"arn:aws:ec2:{one.region}:{ACCOUNT_ID}:natgateway/{one.gateway_id}"
        yield Charge(one.region, arn, "nat.hours", MONTH, one.age_days, one.tags)
        yield Charge(one.region, arn, "nat.bytes", one.gib * MONTH, one.age_days, one.tags)
        # What crosses zones is billed to where it goes in and out.
        yield Charge(one.region, arn, "data_transfer.cross_zone", 2 * one.gib * MONTH, one.age_days, one.tags)
        if not one.private:
            address = f"arn:aws:ec2:{one.region}:{ACCOUNT_ID}:elastic-ip/{one.address[1]}"
            yield Charge(one.region, address, "ipv4.in_use", MONTH, one.age_days, one.tags)


def _rows(operation: str, path: str, rows: list[tuple[str, dict[str, Any]]]) -> Rows:
    by_region: dict[str, list[dict[str, Any]]] = {}
    for region, row in rows:
        by_region.setdefault(region, []).append(row)
    return Rows("ec2", operation, path, by_region)


def _address(gateway: Gateway) -> dict[str, Any]:
    ip, allocation = gateway.address
    return {
        "AllocationId": allocation,
        "PublicIp": ip,
        "AssociationId": f"eipassoc-{hex_of(ip)}",
        "Domain": "vpc",
        "NetworkInterfaceId": gateway.eni["NetworkInterfaceId"],
        "PublicIpv4Pool": "amazon",
        "Tags": tag_list(f"{gateway.name}-address"),
    }


def _subnets() -> Iterator[tuple[str, dict[str, Any]]]:
    for region, vpc in sorted({(gateway.region, gateway.vpc) for gateway in GATEWAYS}):
        for number, zone in enumerate("abc"):
            yield (
                region,
                {
                    "SubnetId": subnet_of(region, vpc, zone),
                    "VpcId": vpc_of(region, vpc),
                    "AvailabilityZone": f"{region}{zone}",
                    "CidrBlock": f"10.77.{number * 16}.0/20",
                    "State": "available",
                },
            )


def _fillers() -> Iterator[tuple[str, dict[str, Any]]]:
    for number in range(FILLERS):
        row = {"RouteTableId": f"rtb-{number:017x}", "VpcId": VPCS[US], "Routes": [], "Associations": []}
        yield US, row


def _gateway_endpoints(now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    for region, vpc in sorted({(table.region, table.vpc) for table in TABLES}):
        own = [table for table in TABLES if (table.region, table.vpc) == (region, vpc)]
        for service in BOTH:
            tables = [table.table_id for table in own if service in table.free]
            if tables:
                yield (
                    region,
                    {
                        "VpcEndpointId": f"vpce-{hex_of(region + vpc + service)}",
                        "VpcEndpointType": "Gateway",
                        "VpcId": vpc_of(region, vpc),
                        "ServiceName": f"com.amazonaws.{region}.{service}",
                        "State": "Available",
                        "RouteTableIds": tables,
                        "CreationTimestamp": now - timedelta(days=200),
                        "Tags": [],
                    },
                )
