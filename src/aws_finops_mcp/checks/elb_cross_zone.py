"""Load balancers that send bytes to other zones, which AWS bills: network and gateway ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.elb import dimension_of
from aws_finops_mcp.checks.reads import LOAD_BALANCERS
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Verdict

GIB = 2**30
DIRECTIONS = 2
"""AWS bills what goes out of a zone, and what comes into the other."""
NAMESPACES = {"network": "AWS/NetworkELB", "gateway": "AWS/GatewayELB"}
"""Kinds whose traffic across zones is billed; an application load balancer's is not."""
TAGS = tags_read("elasticloadbalancing:loadbalancer")
CROSS_ZONE = "load_balancing.cross_zone.enabled"


class CrossZoneParams(PeriodParams):
    """Arguments of `find_cross_zone_load_balancers`."""

    period: int = Field(14, ge=1, le=455, description="days to look back")
    min_gib: float = Field(100, gt=0, description="GiB a month across zones that make one worth a thought")


def attributes_read(arn: str) -> Read:
    """The settings of one load balancer; nothing gives those of several."""
    return read("elbv2", "DescribeLoadBalancerAttributes", "Attributes", {"LoadBalancerArn": arn}, resource=arn)


def _billed(facts: Facts) -> Iterator[Any]:
    return (one for one in facts.items(LOAD_BALANCERS) if one["Type"] in NAMESPACES)


def read_attributes(facts: Facts, _params: object) -> Iterator[Read]:
    """A call for each of the kinds that are billed."""
    return (attributes_read(one["LoadBalancerArn"]) for one in _billed(facts))


def _crosses(facts: Facts, balancer: Any) -> bool | None:
    """Whether it sends to targets of all zones; None: not read."""
    found = facts.maybe(attributes_read(balancer["LoadBalancerArn"]))
    return None if found is None else {"Key": CROSS_ZONE, "Value": "true"} in list(found)


def _bytes(balancer: Any) -> MetricQuery:
    own = (("LoadBalancer", dimension_of(balancer["LoadBalancerArn"])),)
    return MetricQuery(NAMESPACES[balancer["Type"]], "ProcessedBytes", own, "Sum", DAY)


def read_bytes(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """A series for each that sends to other zones, or may."""
    return (_bytes(one) for one in _billed(facts) if _crosses(facts, one) is not False)


def count_billed(facts: Facts, _params: object) -> int:
    """Application load balancers are not looked at."""
    return sum(1 for _ in _billed(facts))


def judge_cross_zone(facts: Facts, params: CrossZoneParams) -> Iterator[Judgement]:
    """Costly by the share of its bytes that even spreading sends to other zones."""
    return with_listed_tags(facts, TAGS, (_judge(facts, params, one) for one in _billed(facts)))


def _judge(facts: Facts, params: CrossZoneParams, balancer: Mapping[str, Any]) -> Judgement:
    crosses, zones = _crosses(facts, balancer), len(balancer.get("AvailabilityZones", ()))
    series = None if crosses is False else facts.series[_bytes(balancer)]
    gib = None
    if series is not None and not series.failed:
        gib = sum(series.values[: params.period]) / params.period * HOURS_PER_MONTH / 24 / GIB
    across = None if gib is None or not zones else gib * (zones - 1) / zones
    verdict, reason = _verdict(facts, params, balancer, crosses, across)
    costly = verdict is Verdict.COSTLY and across
    what = "data that crosses zones, in and out, if targets are spread evenly"
    return Judgement(
        resource_id=balancer["LoadBalancerArn"],
        name=balancer["LoadBalancerName"],
        verdict=verdict,
        reason=reason,
        evidence={
            "type": balancer["Type"],
            "cross_zone": crosses,
            "zones": zones,
            "gib_a_month": None if gib is None else round(gib, 3),
            "gib_across_zones": None if across is None else round(across, 3),
            "datapoints": None if series is None else series.coverage,
            "age_days": facts.age_days(balancer["CreatedTime"]),
        },
        parts=[Part(what, "data_transfer.cross_zone", DIRECTIONS * across)] if costly and across else (),
    )


def _verdict(
    facts: Facts, params: CrossZoneParams, balancer: Mapping[str, Any], crosses: bool | None, across: float | None
) -> tuple[Verdict, str]:
    age = facts.age_days(balancer["CreatedTime"])
    if crosses is False:
        return Verdict.OK, "each zone's node sends to targets of its own zone"
    if across is None:
        return Verdict.UNKNOWN, "not read: its bytes"
    if across < params.min_gib:
        return Verdict.OK, f"{across:,.1f} GiB a month across zones at most"
    if crosses is None:
        return Verdict.UNKNOWN, "not read: whether it sends to targets of other zones"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    return Verdict.COSTLY, f"sends about {across:,.0f} GiB a month to targets of other zones"


CROSS_ZONE_BALANCERS = Check(
    name="find_cross_zone_load_balancers",
    title="Load balancers that pay for bytes between zones",
    noun="network and gateway load balancers",
    category=Category.NETWORK,
    description=(
        "Network and gateway load balancers with cross-zone load balancing, and what the bytes to targets of other "
        "zones cost, by their measured bytes if targets are spread evenly. Costs $0.01 per 1,000 to ask "
        "(GetMetricData), and a call each."
    ),
    resource_type="AWS::ElasticLoadBalancingV2::LoadBalancer",
    params=CrossZoneParams,
    inventory=(LOAD_BALANCERS, TAGS),
    follow_ups=(read_attributes,),
    detail_actions=("elasticloadbalancing:DescribeLoadBalancerAttributes",),
    metrics=read_bytes,
    judge=judge_cross_zone,
    count=count_billed,
    evidence={
        "type": "elasticloadbalancing:DescribeLoadBalancers, Type",
        "cross_zone": f"elasticloadbalancing:DescribeLoadBalancerAttributes, {CROSS_ZONE}; empty when not read",
        "zones": "AvailabilityZones",
        "gib_a_month": "cloudwatch:GetMetricData, ProcessedBytes of the window's whole days, as of a month; empty: not "
        "read",
        "gib_across_zones": "of these, the share that goes to other zones where targets are spread evenly",
        "datapoints": "daily datapoints of ProcessedBytes seen / expected; none is written without traffic",
        "age_days": "days since CreatedTime",
    },
    verdicts={
        Verdict.COSTLY: "cross-zone load balancing is on, and min_gib a month or more go to other zones",
        Verdict.OK: "it is off, or less goes there",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "its setting, bytes or tags could not be read",
    },
    remediation=(
        "Switch cross-zone load balancing off where each zone has enough targets of its own, and clients take their "
        "zone's own address (zonal affinity). Where few targets serve several zones, it is what keeps them all working."
    ),
    references=(
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html",
        "https://aws.amazon.com/ec2/pricing/on-demand/",
    ),
    prices=("data_transfer.cross_zone",),
    limits=(
        "Where targets are is not read: what crosses is worked out as if they were spread evenly. Target groups that "
        "have a setting of their own, and bytes between clients and the load balancer, are not looked at."
    ),
)

CHECKS = (CROSS_ZONE_BALANCERS,)
