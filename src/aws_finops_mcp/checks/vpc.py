"""Checks of Amazon VPC: public addresses and NAT gateways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.dns_names import NAMED_BY, RECORDS, pointers, record_reads
from aws_finops_mcp.checks.reads import (
    ADDRESSES,
    HOSTED_ZONES,
    NAT_GATEWAYS,
    NETWORK_INTERFACES,
    RESERVATIONS,
    ROUTE_TABLES,
)
from aws_finops_mcp.declaration import PeriodParams, RegionParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

# --- Elastic IP addresses ---------------------------------------------------------------------------------------


def read_records(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """The DNS records that may name an address."""
    return record_reads(facts)


def judge_addresses(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """An address is idle when nothing that runs answers at it."""
    reservations, interfaces = facts.maybe(RESERVATIONS), facts.maybe(NETWORK_INTERFACES)
    states = attached = None
    if reservations is not None:
        states = {i["InstanceId"]: i["State"]["Name"] for r in reservations for i in r["Instances"]}
    if interfaces is not None:
        attached = {i["NetworkInterfaceId"]: i["Status"] != "available" for i in interfaces}
    named = pointers(facts)
    for address in facts.items(ADDRESSES):
        judged = _judge_address(address, states, attached)
        found = named.get(address.get("PublicIp", ""), ()) if judged.verdict.actionable else ()
        yield replace(judged, referred_by=tuple(found))


def _judge_address(address: Any, states: dict[str, str] | None, attached: dict[str, bool] | None) -> Judgement:
    instance = address.get("InstanceId")
    interface = address.get("NetworkInterfaceId")
    tags = tags_of(address)
    evidence: dict[str, Scalar] = {
        "public_ip": address.get("PublicIp"),
        "associated": bool(address.get("AssociationId") or instance or interface),
    }
    verdict, reason = Verdict.IDLE, "associated with nothing"
    if instance:
        state = None if states is None else states.get(instance, "gone")
        evidence |= {"instance": instance, "instance_state": state}
        if state is None:
            verdict, reason = Verdict.UNKNOWN, f"the state of instance {instance} could not be read"
        elif state in ("stopped", "gone", "terminated"):
            reason = f"associated with instance {instance}, which is {state}: AWS bills the address all the same"
        else:
            verdict, reason = Verdict.IN_USE, f"associated with instance {instance}, {state}"
    elif interface:
        in_use = None if attached is None else attached.get(interface, False)
        evidence |= {"network_interface": interface, "network_interface_attached": in_use}
        if in_use is None:
            verdict, reason = Verdict.UNKNOWN, f"the state of network interface {interface} could not be read"
        elif in_use:
            verdict, reason = Verdict.IN_USE, f"on network interface {interface}, which is in use"
        else:
            reason = f"on network interface {interface}, which is attached to nothing"
    # AWS bills addresses of its own pool only, not those that a customer brought.
    own = address.get("PublicIpv4Pool", "amazon") not in ("amazon", "") or bool(address.get("CustomerOwnedIp"))
    if own:
        evidence["own_address"] = True
    billed = verdict is Verdict.IDLE and not own
    return Judgement(
        resource_id=address.get("AllocationId") or address["PublicIp"],
        name=tags.get("Name", "") or address.get("PublicIp", ""),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
        parts=[Part("idle public IPv4 address", "ipv4.idle", HOURS_PER_MONTH)] if billed else [],
    )


UNUSED_ELASTIC_IPS = Check(
    name="find_unused_elastic_ips",
    title="Unused Elastic IP addresses",
    noun="Elastic IP addresses",
    category=Category.CLEANUP,
    description=(
        "Elastic IP addresses that nothing running uses: associated with nothing, with a stopped instance, or with a "
        "network interface that is attached to nothing. AWS bills every public IPv4 address by the hour. Free to ask."
    ),
    resource_type="AWS::EC2::EIP",
    params=RegionParams,
    inventory=(ADDRESSES, RESERVATIONS, NETWORK_INTERFACES, HOSTED_ZONES),
    follow_ups=(read_records,),
    detail_actions=(RECORDS,),
    judge=judge_addresses,
    referrers=NAMED_BY,
    evidence={
        "public_ip": "ec2:DescribeAddresses, PublicIp",
        "associated": "whether the address has an association",
        "instance": "InstanceId",
        "instance_state": "ec2:DescribeInstances, State; empty when it could not be read",
        "network_interface": "NetworkInterfaceId",
        "network_interface_attached": "ec2:DescribeNetworkInterfaces, Status is not available; empty when not read",
        "own_address": "brought by the customer (PublicIpv4Pool, CustomerOwnedIp); AWS does not bill it",
    },
    verdicts={
        Verdict.IDLE: "on nothing, on an instance that does not run, or on an interface that is attached to nothing",
        Verdict.UNKNOWN: "what it is on could not be read",
    },
    remediation=(
        "Release the address, unless somebody outside allows it by number (partners' firewalls, DNS): it can't be had "
        "again. On a stopped instance, release it and give the instance a new one when it starts."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html",
        "https://aws.amazon.com/vpc/pricing/",
    ),
    prices=("ipv4.idle",),
    limits=(
        "AWS does not tell since when an address is free. Addresses that one brought oneself are free of charge; DNS "
        "of other providers is not seen."
    ),
)

# --- NAT gateways -----------------------------------------------------------------------------------------------

NAT_METRICS = (
    ("BytesOutToDestination", "Sum"),
    ("BytesInFromDestination", "Sum"),
    ("ActiveConnectionCount", "Maximum"),
)
"""A gateway without traffic reports zeros, so a gateway without datapoints was not measured: it is unknown."""


class UnusedNatGatewaysParams(PeriodParams):
    """Arguments of `find_unused_nat_gateways`."""

    period: int = Field(32, ge=1, le=455, description="days without traffic that make a gateway idle")


def read_traffic(facts: Facts, _params: UnusedNatGatewaysParams) -> Iterator[MetricQuery]:
    """Three series a gateway."""
    return (query for gateway in _available(facts) for query in _nat_queries(gateway["NatGatewayId"]))


def _available(facts: Facts) -> list[Any]:
    return [gateway for gateway in facts.items(NAT_GATEWAYS) if gateway["State"] == "available"]


def _nat_queries(gateway_id: str) -> list[MetricQuery]:
    return [
        MetricQuery("AWS/NATGateway", metric, (("NatGatewayId", gateway_id),), statistic, DAY)
        for metric, statistic in NAT_METRICS
    ]


def judge_nat_gateways(facts: Facts, params: UnusedNatGatewaysParams) -> Iterator[Judgement]:
    """A gateway through which nothing went is idle, whether or not a route still points at it."""
    tables = facts.maybe(ROUTE_TABLES)
    routes: dict[str, list[str]] | None = None if tables is None else defaultdict(list)
    if routes is not None:
        for table in tables or ():
            for route in table.get("Routes", ()):
                routes[route.get("NatGatewayId", "")].append(table["RouteTableId"])
    return (_judge_nat_gateway(facts, params, gateway, routes) for gateway in _available(facts))


def _judge_nat_gateway(
    facts: Facts, params: UnusedNatGatewaysParams, gateway: Any, routes: dict[str, list[str]] | None
) -> Judgement:
    gateway_id = gateway["NatGatewayId"]
    measured = [facts.series[query] for query in _nat_queries(gateway_id)]
    tags = tags_of(gateway)
    age = facts.age_days(gateway["CreateTime"])
    bytes_out, bytes_in, connections = measured
    covered = min(series.seen for series in measured)
    leading = (routes or {}).get(gateway_id, ())
    pointing = None if routes is None else len(leading)
    if any(value > 0 for series in measured for value in series.values):
        verdict, reason = Verdict.IN_USE, "traffic went through it"
    elif any(series.failed for series in measured):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif age < params.period:
        verdict, reason = Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    elif covered < params.period:
        verdict = Verdict.UNKNOWN
        reason = f"CloudWatch has {covered} of {connections.expected} daily datapoints: too few to call it idle"
    else:
        verdict = Verdict.IDLE
        routed = f", though routes point at it ({pointing})" if pointing else ""
        reason = f"no byte and no connection in {params.period} days{routed}"
    return Judgement(
        resource_id=gateway_id,
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence={
            "bytes_out": sum(bytes_out.values) if bytes_out.seen else None,
            "bytes_in": sum(bytes_in.values) if bytes_in.seen else None,
            "connections_max": max(connections.values, default=None),
            "datapoints": f"{covered}/{connections.expected}",
            "routes": pointing,
            "age_days": age,
            "vpc": gateway.get("VpcId"),
            "connectivity": gateway.get("ConnectivityType", "public"),
        },
        tags=tags,
        parts=nat_cost(gateway) if verdict is Verdict.IDLE else [],
        referred_by=[f"route table {one}" for one in dict.fromkeys(leading)] if verdict is Verdict.IDLE else (),
    )


def nat_cost(gateway: Any) -> list[Part]:
    """Hours of the gateway, and of the public addresses that go with it once they are released too."""
    addresses = gateway.get("NatGatewayAddresses", ())
    public = [a for a in addresses if a.get("PublicIp")]
    if gateway.get("AvailabilityMode") == "regional":
        zones = len({a.get("AvailabilityZoneId") or a.get("AvailabilityZone") for a in addresses}) or 1
        parts = [Part("regional NAT gateway, by zone", "nat.regional_hours", zones * HOURS_PER_MONTH)]
    else:
        parts = [Part("NAT gateway", "nat.hours", HOURS_PER_MONTH)]
    if public:
        parts += [
            Part("its public IPv4 address, if released too", "ipv4.in_use", HOURS_PER_MONTH, a.get("AllocationId", ""))
            for a in public
        ]
    return parts


UNUSED_NAT_GATEWAYS = Check(
    name="find_unused_nat_gateways",
    title="NAT gateways without traffic",
    noun="NAT gateways",
    category=Category.NETWORK,
    description=(
        "NAT gateways through which nothing went for `period` days, also those that routes still point at, with "
        "what each costs a month. Costs $0.01 per 333 gateways to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::EC2::NatGateway",
    params=UnusedNatGatewaysParams,
    inventory=(NAT_GATEWAYS, ROUTE_TABLES),
    metrics=read_traffic,
    referrers="routes of the region's route tables",
    judge=judge_nat_gateways,
    evidence={
        "bytes_out": "cloudwatch:GetMetricData, AWS/NATGateway BytesOutToDestination, sum of the window; empty: none",
        "bytes_in": "AWS/NATGateway BytesInFromDestination, sum of the window; empty: no data",
        "connections_max": "AWS/NATGateway ActiveConnectionCount, highest of the window; empty: no data",
        "datapoints": "daily datapoints seen / expected, of the metric with the fewest",
        "routes": "ec2:DescribeRouteTables, routes that point at the gateway; empty when not read",
        "age_days": "days since CreateTime",
        "vpc": "VpcId",
        "connectivity": "ConnectivityType",
    },
    verdicts={
        Verdict.IDLE: "no byte and no connection in the window, measured on every day of it",
        Verdict.TOO_NEW: "no traffic, but younger than the window",
        Verdict.UNKNOWN: "its metrics could not be read, or have days without datapoints",
    },
    remediation=(
        "Remove the routes that point at it (`routes` counts them), delete the gateway, then release its addresses. A "
        "gateway kept for failover of a zone may be idle on purpose."
    ),
    references=(
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway-cloudwatch.html",
        "https://aws.amazon.com/vpc/pricing/",
    ),
    prices=("nat.*", "ipv4.in_use"),
    limits="A gateway kept for a failover is idle until then. Data through it is not priced: there is none.",
)

CHECKS = (UNUSED_ELASTIC_IPS, UNUSED_NAT_GATEWAYS)
