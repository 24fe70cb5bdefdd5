"""Check of Elastic Load Balancing: load balancers of all four types through which nothing goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks import dns_names
from aws_finops_mcp.checks.addresses import addresses_on, brought
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.reads import (
    ADDRESSES,
    CLASSIC_LOAD_BALANCERS,
    ENDPOINT_SERVICES,
    HOSTED_ZONES,
    LOAD_BALANCERS,
    NETWORK_INTERFACES,
    TARGET_GROUPS,
)
from aws_finops_mcp.checks.tagging import with_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict

TAGS_AT_ONCE = 20
"""Load balancers in one DescribeTags."""


@dataclass(frozen=True)
class Kind:
    """How CloudWatch knows a type of load balancer.

    Attributes:
        activity: metrics of which any above 0 is traffic. AWS writes most of them only while there is some.
        always: the metric that AWS says it always reports; "" where it says so of none.
    """

    namespace: str
    dimension: str
    activity: tuple[tuple[str, str], ...]
    always: str = ""


KINDS: Mapping[str, Kind] = {
    # Requests that the balancer answers itself count as none of RequestCount; WebSockets are bytes for weeks.
    "application": Kind(
        "AWS/ApplicationELB",
        "LoadBalancer",
        (
            ("RequestCount", "Sum"),
            ("HTTP_Fixed_Response_Count", "Sum"),
            ("HTTP_Redirect_Count", "Sum"),
            ("ProcessedBytes", "Sum"),
        ),
        "ConsumedLCUs",
    ),
    # All protocols: TCP, UDP and TLS flows alike.
    "network": Kind(
        "AWS/NetworkELB",
        "LoadBalancer",
        (("NewFlowCount", "Sum"), ("ProcessedBytes", "Sum"), ("ActiveFlowCount", "Maximum")),
        "ActiveFlowCount",
    ),
    "gateway": Kind("AWS/GatewayELB", "LoadBalancer", (("NewFlowCount", "Sum"), ("ProcessedBytes", "Sum"))),
    "classic": Kind("AWS/ELB", "LoadBalancerName", (("RequestCount", "Sum"), ("EstimatedProcessedBytes", "Sum"))),
}


@dataclass(frozen=True)
class Balancer:
    """A load balancer of any type."""

    resource_id: str
    name: str
    kind: str
    metric_name: str
    created: datetime
    scheme: str
    dns: str
    vpc: str
    zones: int
    targets: str

    @property
    def known_as(self) -> Kind:
        return KINDS[self.kind]

    def queries(self) -> list[MetricQuery]:
        """Its activity, and what it always reports."""
        metrics = dict(self.known_as.activity)
        if self.known_as.always:
            metrics.setdefault(self.known_as.always, "Maximum")
        return [self.query(metric, statistic) for metric, statistic in metrics.items()]

    def query(self, metric: str, statistic: str) -> MetricQuery:
        dimensions = ((self.known_as.dimension, self.metric_name),)
        return MetricQuery(self.known_as.namespace, metric, dimensions, statistic, DAY)


def dimension_of(arn: str) -> str:
    """What CloudWatch calls a load balancer: app/name/id."""
    return arn.partition(":loadbalancer/")[2]


def balancers(facts: Facts) -> list[Balancer]:
    """All load balancers of the region, as far as they could be listed."""
    groups = facts.maybe(TARGET_GROUPS)
    return [_balancer(row, groups) for row in facts.items(LOAD_BALANCERS)] + [
        Balancer(
            resource_id=row["LoadBalancerName"],
            name=row["LoadBalancerName"],
            kind="classic",
            metric_name=row["LoadBalancerName"],
            created=row["CreatedTime"],
            scheme=row.get("Scheme", ""),
            dns=row.get("DNSName", ""),
            vpc=row.get("VPCId", ""),
            zones=len(row.get("AvailabilityZones", ())),
            targets=f"{len(row.get('Instances', ()))} instances",
        )
        for row in facts.maybe(CLASSIC_LOAD_BALANCERS) or ()
    ]


def _balancer(row: Any, groups: Sequence[Any] | None) -> Balancer:
    own = None if groups is None else sum(row["LoadBalancerArn"] in g.get("LoadBalancerArns", ()) for g in groups)
    return Balancer(
        resource_id=row["LoadBalancerArn"],
        name=row["LoadBalancerName"],
        kind=row["Type"],
        metric_name=dimension_of(row["LoadBalancerArn"]),
        created=row["CreatedTime"],
        scheme=row.get("Scheme", ""),
        dns=row.get("DNSName", ""),
        vpc=row.get("VpcId", ""),
        zones=len(row.get("AvailabilityZones", ())),
        targets="" if own is None else f"{own} target groups",
    )


class UnusedLoadBalancersParams(PeriodParams):
    """Arguments of `find_unused_load_balancers`."""

    period: int = Field(90, ge=1, le=455, description="days without traffic that make a load balancer unused")


def read_traffic(facts: Facts, _params: UnusedLoadBalancersParams) -> Iterator[MetricQuery]:
    """Two to five series a load balancer."""
    return (query for balancer in balancers(facts) for query in balancer.queries())


def judge_traffic(facts: Facts, params: UnusedLoadBalancersParams, balancer: Balancer) -> tuple[Verdict, str]:
    """Whether anything went through a load balancer."""
    series = {query.metric: facts.series[query] for query in balancer.queries()}
    age = facts.age_days(balancer.created)
    always = series.get(balancer.known_as.always)
    if any(value > 0 for metric, _ in balancer.known_as.activity for value in series[metric].values):
        return Verdict.IN_USE, "traffic went through it"
    if any(one.failed for one in series.values()):
        return Verdict.UNKNOWN, "its metrics could not be read"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    if always is not None and always.seen < params.period:
        what = f"{balancer.known_as.always}, which AWS always reports"
        return Verdict.UNKNOWN, f"CloudWatch has {always.coverage} daily datapoints of {what}: not measured throughout"
    return Verdict.IDLE, f"no traffic in {params.period} days; {balancer.targets or 'target groups not read'}"


def read_what_unused_ones_need(facts: Facts, params: UnusedLoadBalancersParams) -> Iterator[Read]:
    """Their tags, and what may point at them: nothing, where all are in use."""
    unused = _unused(facts, params)
    if unused:
        yield from tag_reads(unused)
        yield ENDPOINT_SERVICES
        yield from dns_names.pointer_reads(facts)


def _unused(facts: Facts, params: UnusedLoadBalancersParams) -> list[Balancer]:
    return [b for b in balancers(facts) if judge_traffic(facts, params, b)[0] is Verdict.IDLE]


def tag_reads(some: Iterable[Balancer]) -> list[Read]:
    """The tags of load balancers, 20 a call."""
    some = list(some)
    newer = [b.resource_id for b in some if b.kind != "classic"]
    classic = [b.resource_id for b in some if b.kind == "classic"]
    return [_tags("elbv2", "ResourceArns", arns) for arns in chunks(newer, TAGS_AT_ONCE)] + [
        _tags("elb", "LoadBalancerNames", names) for names in chunks(classic, TAGS_AT_ONCE)
    ]


def _tags(service: str, parameter: str, names: Sequence[str]) -> Read:
    return read(service, "DescribeTags", "TagDescriptions", {parameter: list(names)}, resource=names[0])


def group_tag_reads(arns: Sequence[str]) -> list[Read]:
    """The tags of target groups, 20 a call."""
    return [_tags("elbv2", "ResourceArns", some) for some in chunks(arns, TAGS_AT_ONCE)]


def tags_read(facts: Facts, reads: Iterable[Read]) -> dict[str, dict[str, str]]:
    """By ARN or classic name, as far as they could be read."""
    rows = [row for tag_read in reads for row in facts.maybe(tag_read) or ()]
    return {row.get("ResourceArn") or row["LoadBalancerName"]: tags_of(row) for row in rows}


def judge_load_balancers(facts: Facts, params: UnusedLoadBalancersParams) -> Iterator[Judgement]:
    """A load balancer through which nothing went is unused, whether or not targets stand behind it."""
    unused = _unused(facts, params)
    referrers = _referrers(facts) if unused else {}
    judged = (_judge_load_balancer(facts, params, balancer, referrers) for balancer in balancers(facts))
    return with_tags(judged, tags_read(facts, tag_reads(unused)))


def _judge_load_balancer(
    facts: Facts, params: UnusedLoadBalancersParams, balancer: Balancer, referrers: Mapping[str, list[str]]
) -> Judgement:
    verdict, reason = judge_traffic(facts, params, balancer)
    judgement = Judgement(balancer.resource_id, verdict, reason, _evidence(facts, balancer), balancer.name)
    if verdict is not Verdict.IDLE:
        return judgement
    parts, unpriced = _cost(facts, balancer)
    names = (balancer.resource_id, dns_names.plain(balancer.dns))
    referred_by = [what for name in names for what in referrers.get(name, ())]
    return replace(judgement, parts=parts, unpriced=unpriced, referred_by=referred_by)


def _evidence(facts: Facts, balancer: Balancer) -> dict[str, Scalar]:
    sums: dict[str, float | None] = {}
    for metric, statistic in balancer.known_as.activity:
        series = facts.series[balancer.query(metric, statistic)]
        total = max(series.values, default=0) if statistic == "Maximum" else sum(series.values)
        sums[metric] = None if series.failed else total
    first = balancer.known_as.activity[0][0]
    return {
        "type": balancer.kind,
        "requests_or_flows": sums[first],
        "bytes": sums.get("ProcessedBytes", sums.get("EstimatedProcessedBytes")),
        "scheme": balancer.scheme or None,
        "targets": balancer.targets or None,
        "zones": balancer.zones,
        "vpc": balancer.vpc or None,
        "age_days": facts.age_days(balancer.created),
        "dns_name": balancer.dns or None,
    }


def _cost(facts: Facts, balancer: Balancer) -> tuple[list[Part], list[str]]:
    """Its hours, and its public addresses, which go with it; without traffic it uses no capacity units."""
    parts = [Part(f"{balancer.kind} load balancer", f"elb.{balancer.kind}.hours", HOURS_PER_MONTH)]
    if balancer.scheme != "internet-facing":
        return parts, []
    interfaces, owned = facts.maybe(NETWORK_INTERFACES), facts.maybe(ADDRESSES)
    if interfaces is None or owned is None:
        return parts, ["its public IPv4 addresses, which could not be read"]
    free = {address.get("AllocationId") for address in owned if brought(address)}
    own = [i for i in interfaces if i.get("Description") == f"ELB {balancer.metric_name}"]
    return parts + [a.part for i in own for a in addresses_on(i) if not (a.allocation and a.allocation in free)], []


def _referrers(facts: Facts) -> Mapping[str, list[str]]:
    """By ARN, or by DNS name: what refers to it, as far as it could be read."""
    found = {name: list(what) for name, what in dns_names.pointers(facts).items()}
    for service in facts.maybe(ENDPOINT_SERVICES) or ():
        for arn in (*service.get("NetworkLoadBalancerArns", ()), *service.get("GatewayLoadBalancerArns", ())):
            found.setdefault(arn, []).append(f"VPC endpoint service {service['ServiceId']}")
    return found


UNUSED_LOAD_BALANCERS = Check(
    name="find_unused_load_balancers",
    title="Unused load balancers",
    noun="load balancers",
    category=Category.CLEANUP,
    description=(
        "Application, network, gateway and classic load balancers without traffic for `period` days, with what each "
        "costs a month and which DNS records, distributions and endpoint services still point at it. Costs $0.01 per "
        "200 load balancers to ask (CloudWatch GetMetricData)."
    ),
    resource_type="AWS::ElasticLoadBalancingV2::LoadBalancer",
    params=UnusedLoadBalancersParams,
    inventory=(
        LOAD_BALANCERS,
        CLASSIC_LOAD_BALANCERS,
        TARGET_GROUPS,
        NETWORK_INTERFACES,
        ADDRESSES,
        HOSTED_ZONES,
    ),
    count=lambda facts, _params: len(balancers(facts)),
    metrics=read_traffic,
    details=(read_what_unused_ones_need,),
    detail_actions=(
        "cloudfront:ListDistributions",
        "ec2:DescribeVpcEndpointServiceConfigurations",
        "elasticloadbalancing:DescribeTags",
        "route53:ListResourceRecordSets",
    ),
    judge=judge_load_balancers,
    evidence={
        "type": "elasticloadbalancing:DescribeLoadBalancers, Type; classic ones have an API of their own",
        "requests_or_flows": "cloudwatch:GetMetricData, RequestCount (application, classic) or NewFlowCount, sum; AWS "
        "writes no datapoint without traffic",
        "bytes": "ProcessedBytes (classic: EstimatedProcessedBytes), sum of the window",
        "scheme": "Scheme; internet-facing ones have public IPv4 addresses",
        "targets": "elasticloadbalancing:DescribeTargetGroups, groups that it forwards to; classic: its instances",
        "zones": "AvailabilityZones",
        "vpc": "VpcId",
        "age_days": "days since CreatedTime",
        "dns_name": "DNSName",
    },
    verdicts={
        Verdict.IDLE: "no request, flow or byte in the window, also none that it answers or redirects itself",
        Verdict.TOO_NEW: "no traffic, but younger than the window",
        Verdict.UNKNOWN: "its metrics or tags could not be read, or what AWS always reports has gaps",
    },
    remediation=(
        "Delete what refers to it first (a DNS record to a deleted name is an invitation), then the load balancer, "
        "then its target groups. A standby for another region may be idle on purpose."
    ),
    references=(
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/cloudwatch-metrics.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html",
        "https://aws.amazon.com/elasticloadbalancing/pricing/",
    ),
    prices=("elb.*", "ipv4.in_use"),
    limits=(
        "DNS records of other accounts and providers are not seen. Capacity units are not priced: without traffic "
        "none are used."
    ),
    referrers=f"{dns_names.REFERRERS}, VPC endpoint services",
)

CHECKS = (UNUSED_LOAD_BALANCERS,)
