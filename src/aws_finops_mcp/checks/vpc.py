"""Checks of Amazon VPC: public addresses and NAT gateways."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.ledger import ReadFailedError
from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries, read_metrics, window
from aws_finops_mcp.checks.check import Check, CheckContext, Judged, tags_of
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Finding, Scalar, Verdict

# --- Elastic IP addresses ---------------------------------------------------------------------------------------


def judge_addresses(context: CheckContext, params: RegionParams) -> Judged:
    """An address is idle when nothing that runs answers at it."""
    addresses = context.read.call("ec2", "DescribeAddresses")["Addresses"]
    instances = sorted({a["InstanceId"] for a in addresses if a.get("InstanceId")})
    interfaces = sorted(
        {a["NetworkInterfaceId"] for a in addresses if a.get("NetworkInterfaceId") and not a.get("InstanceId")}
    )
    states: dict[str, str] | None = {}
    attached: dict[str, bool] | None = {}
    if instances:
        try:
            states = _instance_states(context, instances)
        except ReadFailedError:
            states = None
    if interfaces:
        try:
            attached = _interfaces_in_use(context, interfaces)
        except ReadFailedError:
            attached = None
    context.prices.load(["ipv4.idle"] if addresses else [])
    return Judged([_judge_address(context, address, states, attached) for address in addresses])


def _instance_states(context: CheckContext, ids: list[str]) -> dict[str, str]:
    """State of each instance. A filter, unlike InstanceIds, does not fail for one that is gone."""
    states: dict[str, str] = {}
    for start in range(0, len(ids), 200):  # EC2 takes 200 values a filter
        reservations = context.read.pages(
            "ec2",
            "DescribeInstances",
            "Reservations",
            Filters=[{"Name": "instance-id", "Values": ids[start : start + 200]}],
            MaxResults=1000,
        )
        states |= {i["InstanceId"]: i["State"]["Name"] for r in reservations for i in r["Instances"]}
    return states


def _interfaces_in_use(context: CheckContext, ids: list[str]) -> dict[str, bool]:
    in_use: dict[str, bool] = {}
    for start in range(0, len(ids), 200):
        interfaces = context.read.pages(
            "ec2",
            "DescribeNetworkInterfaces",
            "NetworkInterfaces",
            Filters=[{"Name": "network-interface-id", "Values": ids[start : start + 200]}],
            MaxResults=1000,
        )
        in_use |= {i["NetworkInterfaceId"]: i["Status"] != "available" for i in interfaces}
    return in_use


def _judge_address(
    context: CheckContext, address: Any, states: dict[str, str] | None, attached: dict[str, bool] | None
) -> Finding:
    instance = address.get("InstanceId")
    interface = address.get("NetworkInterfaceId")
    tags = tags_of(address)
    evidence: dict[str, Scalar] = {"associated": bool(address.get("AssociationId") or instance or interface)}
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
    own = address.get("PublicIpv4Pool", "amazon") not in ("amazon", "") or bool(address.get("CustomerOwnedIp"))
    if own:
        evidence["own_address"] = True
    saving = None
    if verdict is Verdict.IDLE:
        # AWS bills addresses of its own pool only, not those that a customer brought.
        saving = context.prices.saving([] if own else [("idle public IPv4 address", "ipv4.idle", HOURS_PER_MONTH)])
    return Finding(
        resource_id=address.get("AllocationId") or address["PublicIp"],
        name=tags.get("Name", "") or address.get("PublicIp", ""),
        verdict=verdict,
        reason=reason,
        evidence={"public_ip": address.get("PublicIp"), **evidence},
        tags=tags,
        saving=saving,
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
    iam_actions=(
        "ec2:DescribeAddresses",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "pricing:GetProducts",
    ),
    params=RegionParams,
    evidence={
        "public_ip": "ec2:DescribeAddresses, PublicIp",
        "associated": "whether the address has an association",
        "instance": "InstanceId",
        "instance_state": "ec2:DescribeInstances, State; empty when it could not be read",
        "network_interface": "NetworkInterfaceId",
        "network_interface_attached": "ec2:DescribeNetworkInterfaces, Status is not available; empty when not read",
        "own_address": "brought by the customer (PublicIpv4Pool, CustomerOwnedIp); AWS does not bill it",
    },
    judge=judge_addresses,
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html",
        "https://aws.amazon.com/vpc/pricing/",
    ),
)

# --- NAT gateways -----------------------------------------------------------------------------------------------

NAT_METRICS = (
    ("BytesOutToDestination", "Sum"),
    ("BytesInFromDestination", "Sum"),
    ("ActiveConnectionCount", "Maximum"),
)
"""A gateway without traffic reports zeros, so a gateway without datapoints was not measured: it is unknown."""


class UnusedNatGatewaysParams(RegionParams):
    """Arguments of `find_unused_nat_gateways`."""

    period: int = Field(32, ge=1, le=455, description="days without traffic that make a gateway idle")


def judge_nat_gateways(context: CheckContext, params: UnusedNatGatewaysParams) -> Judged:
    """A gateway through which nothing went is idle, whether or not a route still points at it."""
    gateways = context.read.pages(
        "ec2",
        "DescribeNatGateways",
        "NatGateways",
        Filter=[{"Name": "state", "Values": ["available"]}],
        MaxResults=1000,
    )
    over = window(params.period, context.now)
    series = read_metrics(context.read, [query for g in gateways for query in _nat_queries(g["NatGatewayId"])], over)
    routes: dict[str, int] | None = {}
    if gateways:
        try:
            routes = _routes_by_gateway(context)
        except ReadFailedError:
            routes = None  # evidence only: the verdict does not hang on it
    findings = []
    for gateway in gateways:
        measured = [series[query] for query in _nat_queries(gateway["NatGatewayId"])]
        findings.append(_judge_nat_gateway(context, params, gateway, measured, routes))
    return Judged(findings, over)


def _nat_queries(gateway_id: str) -> list[MetricQuery]:
    return [
        MetricQuery("AWS/NATGateway", metric, (("NatGatewayId", gateway_id),), statistic, DAY)
        for metric, statistic in NAT_METRICS
    ]


def _routes_by_gateway(context: CheckContext) -> dict[str, int]:
    routes: dict[str, int] = defaultdict(int)
    for table in context.read.pages("ec2", "DescribeRouteTables", "RouteTables", MaxResults=100):
        for route in table.get("Routes", ()):
            if route.get("NatGatewayId"):
                routes[route["NatGatewayId"]] += 1
    return routes


def _judge_nat_gateway(
    context: CheckContext,
    params: UnusedNatGatewaysParams,
    gateway: Any,
    measured: list[MetricSeries],
    routes: dict[str, int] | None,
) -> Finding:
    gateway_id = gateway["NatGatewayId"]
    tags = tags_of(gateway)
    age = context.age_days(gateway["CreateTime"])
    bytes_out, bytes_in, connections = measured
    covered = min(series.seen for series in measured)
    evidence: dict[str, Scalar] = {
        "bytes_out": sum(bytes_out.values) if bytes_out.seen else None,
        "bytes_in": sum(bytes_in.values) if bytes_in.seen else None,
        "connections_max": max(connections.values, default=None),
        "datapoints": f"{covered}/{connections.expected}",
        "routes": None if routes is None else routes.get(gateway_id, 0),
        "age_days": age,
        "vpc": gateway.get("VpcId"),
        "connectivity": gateway.get("ConnectivityType", "public"),
    }
    saving = None
    if any(value > 0 for series in measured for value in series.values):
        verdict, reason = Verdict.IN_USE, "traffic went through it"
    elif any(series.failed for series in measured):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif age < params.period:
        verdict, reason = (
            Verdict.TOO_NEW,
            f"made {age} days ago, less than the {params.period} days looked back over",
        )
    elif covered < params.period:
        verdict = Verdict.UNKNOWN
        reason = f"CloudWatch has {covered} of {connections.expected} daily datapoints: too few to call it idle"
    else:
        verdict = Verdict.IDLE
        pointing = routes.get(gateway_id, 0) if routes else 0
        routed = f", though routes point at it ({pointing})" if pointing else ""
        reason = f"no byte and no connection in {params.period} days{routed}"
        saving = context.prices.saving(_nat_cost(gateway))
    return Finding(
        resource_id=gateway_id,
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
        saving=saving,
    )


def _nat_cost(gateway: Any) -> list[tuple[str, str, float]]:
    """Hours of the gateway, and of the public addresses that go with it once they are released too."""
    addresses = gateway.get("NatGatewayAddresses", ())
    public = [a for a in addresses if a.get("PublicIp")]
    if gateway.get("AvailabilityMode") == "regional":
        zones = len({a.get("AvailabilityZoneId") or a.get("AvailabilityZone") for a in addresses}) or 1
        parts: list[tuple[str, str, float]] = [
            ("regional NAT gateway, by zone", "nat.regional_hours", zones * HOURS_PER_MONTH)
        ]
    else:
        parts = [("NAT gateway", "nat.hours", HOURS_PER_MONTH)]
    if public:
        parts.append(("its public IPv4 addresses, if released too", "ipv4.in_use", len(public) * HOURS_PER_MONTH))
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
    iam_actions=(
        "cloudwatch:GetMetricData",
        "ec2:DescribeNatGateways",
        "ec2:DescribeRouteTables",
        "pricing:GetProducts",
    ),
    params=UnusedNatGatewaysParams,
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
    judge=judge_nat_gateways,
    references=(
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway-cloudwatch.html",
        "https://aws.amazon.com/vpc/pricing/",
    ),
)
