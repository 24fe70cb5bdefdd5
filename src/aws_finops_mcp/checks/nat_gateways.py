"""Advice on NAT gateways in use: those that a zone has twice, zones that share one, traffic that could be free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.reads import NAT_GATEWAYS, ROUTE_TABLES, SUBNETS, VPC_ENDPOINTS
from aws_finops_mcp.checks.vpc import nat_cost
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

GIB = 2**30
INWARD = ("BytesInFromSource", "BytesInFromDestination")
"""What comes into a gateway, from both sides: AWS bills each byte that it processes once."""

FREE_SERVICES = ("s3", "dynamodb")
"""Services with gateway endpoints, which cost nothing."""

DIRECTIONS = 2
"""Data between zones is billed to both ends: a GB in at one is a GB out at the other."""


class NatAdviceParams(PeriodParams):
    """Arguments of `get_nat_gateway_optimization_recommendations`."""

    period: int = Field(30, ge=1, le=455, description="days of traffic to go by")


@dataclass(frozen=True)
class Network:
    """What lies around the gateways.

    Attributes:
        zones: the zone of each subnet.
        sends: by gateway, the subnets whose default route it is.
        tables: by gateway, the route tables that lead to it.
        free: by route table, the services that have a gateway endpoint in it.
    """

    zones: Mapping[str, str]
    sends: Mapping[str, set[str]] = field(default_factory=dict)
    tables: Mapping[str, set[str]] = field(default_factory=dict)
    free: Mapping[str, set[str]] = field(default_factory=dict)


def read_bytes(facts: Facts, _params: NatAdviceParams) -> Iterator[MetricQuery]:
    """Two series a gateway."""
    return (query for gateway in _available(facts.items(NAT_GATEWAYS)) for query in _queries(gateway))


def _available(gateways: Sequence[Any]) -> list[Any]:
    return [gateway for gateway in gateways if gateway["State"] == "available"]


def _queries(gateway: Any) -> list[MetricQuery]:
    dimensions = (("NatGatewayId", gateway["NatGatewayId"]),)
    return [MetricQuery("AWS/NATGateway", metric, dimensions, "Sum", DAY) for metric in INWARD]


def monthly_gib(total_bytes: float, hours: float) -> float:
    """GiB a month of so many bytes in so many hours."""
    return total_bytes / GIB / hours * HOURS_PER_MONTH if hours > 0 else 0.0


def network_of(facts: Facts) -> Network | None:
    """None when a part of it could not be read."""
    subnets, tables, endpoints = (facts.maybe(wanted) for wanted in (SUBNETS, ROUTE_TABLES, VPC_ENDPOINTS))
    if subnets is None or tables is None or endpoints is None:
        return None
    sends: dict[str, set[str]] = defaultdict(set)
    leading: dict[str, set[str]] = defaultdict(set)
    own_table = {a["SubnetId"] for table in tables for a in table.get("Associations", ()) if "SubnetId" in a}
    for table in tables:
        associations = table.get("Associations", ())
        users = {a["SubnetId"] for a in associations if "SubnetId" in a}
        if any(a.get("Main") for a in associations):
            # The main table is that of every subnet without one of its own.
            others = (s["SubnetId"] for s in subnets if s["VpcId"] == table["VpcId"])
            users |= {subnet for subnet in others if subnet not in own_table}
        for gateway in {route["NatGatewayId"] for route in table.get("Routes", ()) if "NatGatewayId" in route}:
            sends[gateway] |= users
            leading[gateway].add(table["RouteTableId"])
    free: dict[str, set[str]] = defaultdict(set)
    for endpoint in endpoints:
        service = endpoint["ServiceName"].rpartition(".")[2]
        if endpoint["VpcEndpointType"] == "Gateway" and service in FREE_SERVICES:
            for table_id in endpoint.get("RouteTableIds", ()):
                free[table_id].add(service)
    return Network({s["SubnetId"]: s["AvailabilityZone"] for s in subnets}, sends, leading, free)


@dataclass(frozen=True)
class Advice:
    """What could be better about one gateway."""

    reasons: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)
    evidence: dict[str, Scalar] = field(default_factory=dict)


def judge_nat_gateways(facts: Facts, params: NatAdviceParams) -> Iterator[Judgement]:
    """A gateway is costly when its zone has another, when zones with one of their own use it, or S3 goes through it."""
    gateways = _available(facts.items(NAT_GATEWAYS))
    network = network_of(facts)
    traffic = {gateway["NatGatewayId"]: _monthly(facts, gateway) for gateway in gateways}
    for gateway in gateways:
        gateway_id, tags = gateway["NatGatewayId"], tags_of(gateway)
        monthly = traffic[gateway_id]
        age = facts.age_days(gateway["CreateTime"])
        advice = Advice()
        if network is None or monthly is None:
            verdict, reason = Verdict.UNKNOWN, "its traffic, or the network around it, could not be read"
        elif age < 1:
            verdict, reason = Verdict.TOO_NEW, "made today"
        else:
            advice = _advise(gateway, gateways, network, traffic, monthly)
            found = "; ".join(advice.reasons)
            verdict = Verdict.COSTLY if found else Verdict.OK
            reason = found or ("nothing to be had for less" if monthly else "no traffic: see find_unused_nat_gateways")
        yield Judgement(
            resource_id=gateway_id,
            name=tags.get("Name", ""),
            verdict=verdict,
            reason=reason,
            evidence={
                "gib_a_month": None if monthly is None else round(monthly, 3),
                "age_days": age,
                "vpc": gateway.get("VpcId"),
                **advice.evidence,
            },
            tags=tags,
            parts=advice.parts,
            unpriced=advice.unpriced,
        )


def _monthly(facts: Facts, gateway: Any) -> float | None:
    """GiB a month that the gateway processes; None when not all of it could be read."""
    series = [facts.series[query] for query in _queries(gateway)]
    if facts.window is None or any(one.failed for one in series):
        return None
    since = max(facts.window.start, gateway["CreateTime"])
    hours = (facts.window.end - since).total_seconds() / 3600
    return monthly_gib(sum(value for one in series for value in one.values), hours)


def _advise(
    gateway: Any, gateways: Sequence[Any], network: Network, traffic: Mapping[str, float | None], monthly: float
) -> Advice:
    advice = Advice()
    zone = network.zones.get(gateway.get("SubnetId", ""), "")
    zonal = [g for g in gateways if g.get("AvailabilityMode") != "regional" and _alike(g, gateway)]
    advice.evidence["zone"] = zone or None
    if gateway.get("AvailabilityMode") != "regional" and zone:
        twins = [g for g in zonal if network.zones.get(g.get("SubnetId", "")) == zone]
        _twice_in_a_zone(advice, gateway, twins, traffic, zone)
        others = {network.zones.get(g.get("SubnetId", ""), "") for g in zonal} - {zone}
        _across_zones(advice, gateway, network, zone, others, monthly)
    if gateway.get("ConnectivityType", "public") == "public" and monthly:
        _free_services(advice, gateway, network, monthly)
    return advice


def _alike(one: Any, other: Any) -> bool:
    connectivity = one.get("ConnectivityType", "public") == other.get("ConnectivityType", "public")
    return connectivity and bool(one.get("VpcId") == other.get("VpcId"))


def _twice_in_a_zone(
    advice: Advice, gateway: Any, twins: Sequence[Any], traffic: Mapping[str, float | None], zone: str
) -> None:
    busiest = max(twins, key=lambda twin: (traffic[twin["NatGatewayId"]] or 0.0, twin["NatGatewayId"]))
    if gateway["NatGatewayId"] != busiest["NatGatewayId"]:
        advice.reasons.append(f"{zone} has another NAT gateway of its VPC, {busiest['NatGatewayId']}, that is busier")
        advice.parts.extend(nat_cost(gateway))


def _across_zones(advice: Advice, gateway: Any, network: Network, zone: str, others: set[str], monthly: float) -> None:
    """AWS tells no bytes by subnet: what crosses zones is known only where all that use the gateway are elsewhere."""
    users = {
        network.zones[subnet] for subnet in network.sends.get(gateway["NatGatewayId"], ()) if subnet in network.zones
    }
    elsewhere = users - {zone}
    advice.evidence["zones_that_use_it"] = ", ".join(sorted(users)) or None
    with_own = elsewhere & others
    if not with_own or not monthly:
        return
    names = ", ".join(sorted(with_own))
    advice.reasons.append(f"subnets of {names} use it across zones, though their zone has a NAT gateway")
    if users == with_own:
        quantity = DIRECTIONS * monthly
        advice.parts.append(Part("data that crosses zones, in and out", "data_transfer.cross_zone", quantity))
    else:
        advice.unpriced.append(f"what of {monthly:,.0f} GiB a month crosses zones, which AWS does not tell")


def _free_services(advice: Advice, gateway: Any, network: Network, monthly: float) -> None:
    tables = network.tables.get(gateway["NatGatewayId"], set())
    missing = [s for s in FREE_SERVICES if any(s not in network.free.get(table, ()) for table in tables)]
    advice.evidence["without_gateway_endpoint"] = ", ".join(missing) or None
    if missing:
        words = " and ".join({"s3": "S3", "dynamodb": "DynamoDB"}[service] for service in missing)
        advice.reasons.append(f"route tables that lead to it lack gateway endpoints, which are free, for {words}")
        advice.unpriced.append(f"what of {monthly:,.0f} GiB a month goes to {words}, which AWS does not tell")


NAT_ADVICE = Check(
    name="get_nat_gateway_optimization_recommendations",
    title="NAT gateways that cost more than they need",
    noun="NAT gateways",
    category=Category.COST,
    description=(
        "NAT gateways that a zone has twice, that other zones' subnets use although theirs has one, and that S3 and "
        "DynamoDB traffic goes through for want of free gateway endpoints. Costs $0.01 per 500 gateways to ask."
    ),
    resource_type="AWS::EC2::NatGateway",
    params=NatAdviceParams,
    inventory=(NAT_GATEWAYS, SUBNETS, ROUTE_TABLES, VPC_ENDPOINTS),
    metrics=read_bytes,
    judge=judge_nat_gateways,
    evidence={
        "gib_a_month": "cloudwatch:GetMetricData, AWS/NATGateway BytesInFromSource + BytesInFromDestination: what AWS "
        "bills as processed, both ways, each byte once",
        "age_days": "days since CreateTime",
        "vpc": "VpcId",
        "zone": "ec2:DescribeSubnets, zone of the gateway's subnet",
        "zones_that_use_it": "ec2:DescribeRouteTables, zones of the subnets that route to it",
        "without_gateway_endpoint": "ec2:DescribeVpcEndpoints, services without a gateway endpoint in a route table "
        "that leads to it",
    },
    verdicts={
        Verdict.COSTLY: "its zone has another; zones that have one use it; S3 or DynamoDB lack a gateway endpoint",
        Verdict.OK: "none of these",
        Verdict.UNKNOWN: "its traffic, or the network around it, could not be read",
    },
    remediation=(
        "Add the gateway endpoints first: they cost nothing. Point each zone's route table to the gateway of its zone. "
        "A second gateway in a zone may be there for its address, for ports or for bandwidth: ask before deleting it."
    ),
    references=(
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway-cloudwatch.html",
        "https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html",
        "https://aws.amazon.com/vpc/pricing/",
        "https://aws.amazon.com/ec2/pricing/on-demand/",
    ),
    prices=("nat.*", "ipv4.*", "data_transfer.cross_zone"),
    limits=(
        "Which destinations the bytes went to is not read (flow logs would tell): that S3 and DynamoDB lack a free "
        "gateway endpoint is told, not what it saves. Bytes that cross zones are priced only where all that use a "
        "gateway are in other zones."
    ),
)

CHECKS = (NAT_ADVICE,)
