"""Check of Amazon Route 53: hosted zones that nobody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.checks.dns_names import OWN_RECORDS
from aws_finops_mcp.checks.reads import HOSTED_ZONES
from aws_finops_mcp.checks.tagging import findings_of, with_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Verdict

DOMAINS = read("route53domains", "ListDomains", "Domains", token=("NextPageMarker", "Marker"), region=GLOBAL_REGION)
"""The domains that are registered with Route 53 itself."""

DEARER_ZONES = 25
"""Zones of an account that cost the full price a month; each further one costs a fifth."""

_TAGS_AT_ONCE = 10


class UnusedHostedZonesParams(PeriodParams):
    """Arguments of `find_unused_route53_hosted_zones`."""

    period: int = Field(90, ge=1, le=455, description="days without a query that make a public zone unused")


def id_of(zone: Any) -> str:
    """A zone's id, as CloudWatch has it."""
    return str(zone["Id"]).removeprefix("/hostedzone/")


def _is_private(zone: Any) -> bool:
    return bool(zone.get("Config", {}).get("PrivateZone"))


def _query(zone: Any) -> MetricQuery:
    return MetricQuery("AWS/Route53", "DNSQueries", (("HostedZoneId", id_of(zone)),), "Sum", DAY)


def read_queries(facts: Facts, _params: UnusedHostedZonesParams) -> Iterator[MetricQuery]:
    """One series a public zone."""
    return (_query(zone) for zone in facts.items(HOSTED_ZONES) if not _is_private(zone))


def tag_reads(resource_type: Literal["healthcheck", "hostedzone"], ids: Sequence[str]) -> list[Read]:
    """The tags of resources, ten a call."""
    return [
        read(
            "route53",
            "ListTagsForResources",
            "ResourceTagSets",
            {"ResourceType": resource_type, "ResourceIds": list(some)},
            region=GLOBAL_REGION,
            resource=some[0],
        )
        for some in chunks(ids, _TAGS_AT_ONCE)
    ]


def tags_by_id(facts: Facts, reads: Iterable[Read]) -> dict[str, dict[str, str]]:
    """The tags of each resource that these reads told of."""
    rows = (row for one in reads for row in facts.maybe(one) or ())
    return {row["ResourceId"]: tags_of(row) for row in rows}


def tags_of_unused(facts: Facts, params: UnusedHostedZonesParams) -> list[Read]:
    """The tags of the unused zones."""
    return tag_reads("hostedzone", findings_of(_judged(facts, params)))


def judge_zones(facts: Facts, params: UnusedHostedZonesParams) -> Iterator[Judgement]:
    """A public zone is unused when nobody asked it, a private one when it has no records of its own."""
    judged = list(_judged(facts, params))
    return with_tags(judged, tags_by_id(facts, tag_reads("hostedzone", findings_of(judged))))


def _judged(facts: Facts, params: UnusedHostedZonesParams) -> Iterator[Judgement]:
    zones = facts.items(HOSTED_ZONES)
    registered = {domain["DomainName"].lower() for domain in facts.maybe(DOMAINS) or ()}
    left = len(zones)
    for zone in zones:
        verdict, reason = _judge(facts, params, zone)
        name = zone["Name"].rstrip(".")
        series = None if _is_private(zone) else facts.series[_query(zone)]
        parts = []
        if verdict is Verdict.IDLE:
            parts = [Part("hosted zone", unit_of_last(left), 1)]
            left -= 1
        yield Judgement(
            resource_id=id_of(zone),
            name=name,
            verdict=verdict,
            reason=reason,
            evidence={
                "private": _is_private(zone),
                "queries": sum(series.values) if series and not series.failed else None,
                "records": zone.get("ResourceRecordSetCount"),
                "zones_of_the_account": len(zones),
            },
            parts=parts,
            referred_by=[f"registered domain {name}"] if verdict is Verdict.IDLE and name.lower() in registered else (),
        )


def unit_of_last(zones: int) -> str:
    """What one zone less saves, of so many."""
    return "route53.hosted_zone.over_25" if zones > DEARER_ZONES else "route53.hosted_zone"


def _judge(facts: Facts, params: UnusedHostedZonesParams, zone: Mapping[str, Any]) -> tuple[Verdict, str]:
    records = int(zone.get("ResourceRecordSetCount") or 0)
    if "LinkedService" in zone:
        return Verdict.IN_USE, f"made by {zone['LinkedService'].get('ServicePrincipal', 'an AWS service')}"
    if _is_private(zone):
        if records <= OWN_RECORDS:
            return Verdict.IDLE, "private, and without a record of its own"
        return Verdict.OK, f"private, with {records} records: Route 53 does not count queries of private zones"
    series = facts.series[_query(zone)]
    if any(value > 0 for value in series.values):
        return Verdict.IN_USE, f"{sum(series.values):,.0f} queries in {params.period} days"
    if series.failed:
        return Verdict.UNKNOWN, "its metrics could not be read"
    return Verdict.IDLE, f"no query in {params.period} days; {records} records"


UNUSED_HOSTED_ZONES = Check(
    name="find_unused_route53_hosted_zones",
    title="Unused hosted zones",
    noun="hosted zones",
    category=Category.NETWORK,
    description=(
        "Public Route 53 zones that nobody asked for `period` days, and private ones without records, with what each "
        "costs a month (a fifth above 25 zones). Covers the whole account. Costs $0.01 per 1,000 zones to ask."
    ),
    resource_type="AWS::Route53::HostedZone",
    params=UnusedHostedZonesParams,
    inventory=(HOSTED_ZONES, DOMAINS),
    metrics=read_queries,
    details=(tags_of_unused,),
    detail_actions=("route53:ListTagsForResources",),
    judge=judge_zones,
    everywhere=True,
    evidence={
        "private": "route53:ListHostedZones, Config.PrivateZone",
        "queries": "cloudwatch:GetMetricData, AWS/Route53 DNSQueries, sum of the window; no datapoint means none. "
        "Empty for private zones, whose queries Route 53 does not count",
        "records": "ResourceRecordSetCount; every zone has two of its own",
        "zones_of_the_account": "of all zones: the first 25 cost the full price, so the last ones are saved first",
    },
    verdicts={
        Verdict.IDLE: "public: no query in the window; private: no record of its own",
        Verdict.OK: "private, with records: cannot be judged by queries",
        Verdict.UNKNOWN: "its metrics or tags could not be read",
    },
    remediation=(
        "Take the delegation from the parent zone or the registrar first: a delegation to a deleted zone can be taken "
        "over. Route 53 does not tell a zone's age: it may have been made just now."
    ),
    references=(
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-hosted-zones-with-cloudwatch.html",
        "https://aws.amazon.com/route53/pricing/",
    ),
    prices=("route53.hosted_zone*",),
    limits=(
        "CloudWatch keeps daily sums for 455 days. Private zones with records can't be judged by queries; domains "
        "registered elsewhere are not seen."
    ),
    referrers="domains registered with Route 53; delegations elsewhere were not looked at",
)

CHECKS = (UNUSED_HOSTED_ZONES,)
