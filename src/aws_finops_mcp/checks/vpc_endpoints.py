"""Check of VPC endpoints through which nothing goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.reads import ROUTE_TABLES, SUBNETS, VPC_ENDPOINTS
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Verdict

BILLED_BY_THE_HOUR = {
    "Interface": "vpc_endpoint.interface.hours",
    "GatewayLoadBalancer": "vpc_endpoint.gateway_load_balancer.hours",
}
"""The types that CloudWatch measures, and what an hour of one zone is billed as. Gateway endpoints are free."""

NOT_WORKING = frozenset({"rejected", "failed", "expired"})
"""States in which AWS bills no hours."""

GONE = frozenset({"deleting", "deleted"})


class UnusedVpcEndpointsParams(PeriodParams):
    """Arguments of `find_unused_vpc_endpoints`."""

    period: int = Field(90, ge=1, le=455, description="days without traffic that make an endpoint unused")


def _query(endpoint: Any) -> MetricQuery:
    """All four dimensions: CloudWatch has nothing for fewer."""
    dimensions = (
        ("Endpoint Type", endpoint["VpcEndpointType"]),
        ("Service Name", endpoint["ServiceName"]),
        ("VPC Endpoint Id", endpoint["VpcEndpointId"]),
        ("VPC Id", endpoint["VpcId"]),
    )
    return MetricQuery("AWS/PrivateLinkEndpoints", "BytesProcessed", dimensions, "Sum", DAY)


def _is_measured(endpoint: Any) -> bool:
    return endpoint["VpcEndpointType"] in BILLED_BY_THE_HOUR


def read_bytes(facts: Facts, _params: UnusedVpcEndpointsParams) -> Iterator[MetricQuery]:
    """One series an endpoint."""
    return (_query(endpoint) for endpoint in facts.items(VPC_ENDPOINTS) if _is_measured(endpoint))


def judge_endpoints(facts: Facts, params: UnusedVpcEndpointsParams) -> Iterator[Judgement]:
    """An endpoint is unused when no byte went through it, a gateway endpoint when no route table has it."""
    subnets, tables = facts.maybe(SUBNETS), facts.maybe(ROUTE_TABLES)
    zones = None if subnets is None else {s["SubnetId"]: s["AvailabilityZone"] for s in subnets}
    routes: dict[str, list[str]] = defaultdict(list)
    for table in tables or ():
        for route in table.get("Routes", ()):
            routes[route.get("GatewayId", "")].append(f"route in {table['RouteTableId']}")
    for endpoint in facts.items(VPC_ENDPOINTS):
        if endpoint["State"].lower() in GONE:
            continue
        verdict, reason = _judge(facts, params, endpoint, zones)
        idle = verdict is Verdict.IDLE
        subnet_ids = endpoint.get("SubnetIds", ())
        series = facts.series[_query(endpoint)] if _is_measured(endpoint) else None
        tags = tags_of(endpoint)
        yield Judgement(
            resource_id=endpoint["VpcEndpointId"],
            name=tags.get("Name", ""),
            verdict=verdict,
            reason=reason,
            evidence={
                "type": endpoint["VpcEndpointType"],
                "service": endpoint["ServiceName"],
                "state": endpoint["State"],
                "bytes": sum(series.values) if series and not series.failed else None,
                "zones": len(subnet_ids),
                "route_tables": len(endpoint.get("RouteTableIds", ())),
                "age_days": facts.age_days(endpoint["CreationTimestamp"]),
                "vpc": endpoint["VpcId"],
            },
            tags=tags,
            parts=_cost(endpoint) if idle else (),
            referred_by=routes.get(endpoint["VpcEndpointId"], ()) if idle else (),
        )


def _cost(endpoint: Any) -> list[Part]:
    unit = BILLED_BY_THE_HOUR.get(endpoint["VpcEndpointType"])
    zones = len(endpoint.get("SubnetIds", ()))
    if unit is None or not zones or endpoint["State"].lower() in NOT_WORKING:
        return []
    return [Part("VPC endpoint, by zone", unit, zones * HOURS_PER_MONTH)]


def _judge(
    facts: Facts, params: UnusedVpcEndpointsParams, endpoint: Any, zones: Mapping[str, str] | None
) -> tuple[Verdict, str]:
    age = facts.age_days(endpoint["CreationTimestamp"])
    kind, state = endpoint["VpcEndpointType"], endpoint["State"].lower()
    if endpoint.get("RequesterManaged"):
        return Verdict.OK, "made and kept by an AWS service"
    if kind == "Gateway":
        if endpoint.get("RouteTableIds"):
            return Verdict.IN_USE, f"in {len(endpoint['RouteTableIds'])} route tables"
        return (Verdict.TOO_NEW, "made today") if age < 1 else (Verdict.IDLE, "in no route table")
    if kind not in BILLED_BY_THE_HOUR:
        return Verdict.OK, f"AWS does not measure endpoints of type {kind}: not judged"
    series = facts.series[_query(endpoint)]
    if any(value > 0 for value in series.values):
        return Verdict.IN_USE, "traffic went through it"
    if series.failed:
        return Verdict.UNKNOWN, "its metrics could not be read"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    if state in NOT_WORKING:
        return Verdict.IDLE, f"{state}: nothing can go through it"
    if _is_elsewhere(endpoint, zones) is not False:
        return (
            Verdict.UNKNOWN,
            "no traffic was measured, but AWS does not measure endpoints to another region's service",
        )
    return Verdict.IDLE, f"no byte in {params.period} days, in {len(endpoint.get('SubnetIds', ()))} zones"


def _is_elsewhere(endpoint: Any, zones: Mapping[str, str] | None) -> bool | None:
    """Whether its service is in another region; None where that could not be read."""
    service_region = endpoint.get("ServiceRegion")
    if not service_region:
        return False
    if zones is None:
        return None
    own = [zones[subnet] for subnet in endpoint.get("SubnetIds", ()) if subnet in zones]
    return any(not zone.startswith(service_region) for zone in own)


UNUSED_VPC_ENDPOINTS = Check(
    name="find_unused_vpc_endpoints",
    title="Unused VPC endpoints",
    noun="VPC endpoints",
    category=Category.NETWORK,
    description=(
        "Interface and Gateway Load Balancer endpoints without a byte for `period` days, with what each costs a month "
        "by zone, and gateway endpoints in no route table. Costs $0.01 per 1,000 endpoints to ask (GetMetricData)."
    ),
    resource_type="AWS::EC2::VPCEndpoint",
    params=UnusedVpcEndpointsParams,
    inventory=(VPC_ENDPOINTS, SUBNETS, ROUTE_TABLES),
    metrics=read_bytes,
    judge=judge_endpoints,
    evidence={
        "type": "ec2:DescribeVpcEndpoints, VpcEndpointType",
        "service": "ServiceName",
        "state": "State",
        "bytes": "cloudwatch:GetMetricData, AWS/PrivateLinkEndpoints BytesProcessed, sum of the window; AWS writes no "
        "datapoint without traffic. Empty for types that AWS does not measure",
        "zones": "SubnetIds: billed by the hour for each",
        "route_tables": "RouteTableIds, of gateway endpoints",
        "age_days": "days since CreationTimestamp",
        "vpc": "VpcId",
    },
    verdicts={
        Verdict.IDLE: "no byte in the window; a gateway endpoint: in no route table",
        Verdict.TOO_NEW: "no byte, but younger than the window",
        Verdict.UNKNOWN: "its metrics could not be read, or AWS does not measure it: its service is in another region",
        Verdict.OK: "kept by an AWS service, or of a type that AWS does not measure",
    },
    remediation=(
        "Delete the endpoint; with private DNS its service's name then leads out through the NAT or internet gateway "
        "again. Some are there for emergencies (Session Manager): ask the owner."
    ),
    references=(
        "https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-cloudwatch-metrics.html",
        "https://aws.amazon.com/privatelink/pricing/",
    ),
    prices=("vpc_endpoint.*",),
    limits=(
        "CloudWatch measures endpoints only of services of the same region. Policies and DNS names of the endpoint "
        "are not looked at."
    ),
    referrers="routes of the region's route tables",
)

CHECKS = (UNUSED_VPC_ENDPOINTS,)
