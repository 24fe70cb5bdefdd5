"""Health checks of Route 53 that nothing goes by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.alarms import all_alarms
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.dns_names import RECORDS, record_reads
from aws_finops_mcp.checks.reads import ALARMS, HOSTED_ZONES
from aws_finops_mcp.checks.route53 import tag_reads, tags_by_id
from aws_finops_mcp.checks.tagging import findings_of, with_tags
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Verdict

HEALTH_CHECKS = read(
    "route53", "ListHealthChecks", "HealthChecks", token=("NextMarker", "Marker"), region=GLOBAL_REGION
)
GLOBAL_ALARMS = replace(ALARMS, region=GLOBAL_REGION)
"""Where Route 53 writes its metrics."""
OF_AWS = (".amazonaws.com", ".cloudfront.net", ".awsglobalaccelerator.com", ".awsapprunner.com")


class HealthCheckParams(RegionParams):
    """Arguments of `find_unused_route53_health_checks`."""


def read_records(facts: Facts, _params: object) -> Iterator[Read]:
    """The records of every zone: they name the health checks that they go by."""
    return record_reads(facts)


def _users(facts: Facts) -> Mapping[str, list[str]]:
    """By health check: what goes by it."""
    found: dict[str, list[str]] = defaultdict(list)
    for wanted in record_reads(facts):
        for record in facts.maybe(wanted) or ():
            if record.get("HealthCheckId"):
                found[record["HealthCheckId"]].append(f"Route 53 record {record['Name'].rstrip('.')} {record['Type']}")
    for check in facts.items(HEALTH_CHECKS):
        for child in check["HealthCheckConfig"].get("ChildHealthChecks", ()):
            found[child].append(f"calculated health check {check['Id']}")
    for alarm in all_alarms(facts.maybe(GLOBAL_ALARMS) or ()):
        for identity in _watched(alarm):
            found[identity].append(f"alarm {alarm['AlarmName']}")
    return found


def _watched(alarm: Mapping[str, Any]) -> Iterator[str]:
    stats = (metric.get("MetricStat", {}).get("Metric", {}) for metric in alarm.get("Metrics", ()))
    for metric in (alarm, *stats):
        yield from (one["Value"] for one in metric.get("Dimensions", ()) if one["Name"] == "HealthCheckId")


def read_tags(facts: Facts, params: HealthCheckParams) -> Iterable[Read]:
    """Of unused ones."""
    return tag_reads("healthcheck", findings_of(_judged(facts, params)))


def judge_health_checks(facts: Facts, params: HealthCheckParams) -> Iterator[Judgement]:
    """Idle when no record, alarm or other health check goes by it, and all of these were read."""
    judged = list(_judged(facts, params))
    for one in with_tags(judged, tags_by_id(facts, tag_reads("healthcheck", findings_of(judged)))):
        yield replace(one, name=one.tags.get("Name", one.name))


def _judged(facts: Facts, _params: HealthCheckParams) -> Iterator[Judgement]:
    users = _users(facts)
    unread = facts.maybe(HOSTED_ZONES) is None or facts.maybe(GLOBAL_ALARMS) is None
    unread = unread or any(facts.maybe(wanted) is None for wanted in record_reads(facts))
    for check in facts.items(HEALTH_CHECKS):
        config, known = check["HealthCheckConfig"], users[check["Id"]]
        endpoint = config.get("FullyQualifiedDomainName") or config.get("IPAddress") or ""
        if "LinkedService" in check:
            verdict, reason = Verdict.IN_USE, f"made by {check['LinkedService'].get('ServicePrincipal', 'a service')}"
        elif config["Type"] == "RECOVERY_CONTROL":
            verdict, reason = Verdict.IN_USE, "of a routing control of Application Recovery Controller"
        elif known:
            verdict, reason = Verdict.IN_USE, f"{known[0]} goes by it"
        elif unread:
            verdict, reason = Verdict.UNKNOWN, "nothing seen goes by it, but not all records and alarms could be read"
        else:
            verdict, reason = Verdict.IDLE, "no record, alarm or other health check goes by it"
        parts, unpriced = _cost(config, endpoint) if verdict is Verdict.IDLE else ([], [])
        yield Judgement(
            resource_id=check["Id"],
            name=endpoint,
            verdict=verdict,
            reason=reason,
            evidence={
                "type": config["Type"],
                "endpoint": endpoint or None,
                "options": ", ".join(_options(config)) or None,
                "disabled": bool(config.get("Disabled")),
            },
            parts=parts,
            unpriced=unpriced,
        )


def _options(config: Mapping[str, Any]) -> list[str]:
    """What is billed beside the check itself."""
    told = {
        "HTTPS": config["Type"].startswith("HTTPS"),
        "string matching": config["Type"].endswith("STR_MATCH"),
        "interval of 10 seconds": config.get("RequestInterval") == 10,
        "latency": bool(config.get("MeasureLatency")),
    }
    return [option for option, has in told.items() if has]


def _cost(config: Mapping[str, Any], endpoint: str) -> tuple[list[Part], list[str]]:
    if not endpoint.lower().rstrip(".").endswith(OF_AWS):
        return [], ["the health check: whether its endpoint counts as one of AWS, which costs less, is not told"]
    parts = [Part("health check of an AWS endpoint", "route53.health_check.aws", 1)]
    options = _options(config)
    if options:
        parts.append(Part(", ".join(options), "route53.health_check.aws.option", len(options)))
    return parts, []


UNUSED_HEALTH_CHECKS = Check(
    name="find_unused_route53_health_checks",
    title="Route 53 health checks that nothing goes by",
    noun="health checks",
    category=Category.NETWORK,
    description=(
        "Route 53 health checks that no DNS record, alarm or calculated health check goes by, with their options. "
        "Covers the whole account. Free to ask: a call a zone with records."
    ),
    resource_type="AWS::Route53::HealthCheck",
    params=HealthCheckParams,
    inventory=(HEALTH_CHECKS, HOSTED_ZONES, GLOBAL_ALARMS),
    follow_ups=(read_records,),
    details=(read_tags,),
    detail_actions=(RECORDS, "route53:ListTagsForResources"),
    judge=judge_health_checks,
    everywhere=True,
    evidence={
        "type": "route53:ListHealthChecks, Type",
        "endpoint": "FullyQualifiedDomainName or IPAddress; empty: of other health checks or of an alarm",
        "options": "what is billed beside it: HTTPS, string matching, an interval of 10 seconds, latency",
        "disabled": "Disabled: it is billed all the same",
    },
    verdicts={
        Verdict.IDLE: "no record of the account, alarm of us-east-1 or calculated health check names it",
        Verdict.IN_USE: "one does, or a service or a routing control has it",
        Verdict.UNKNOWN: "none seen, but zones, records, alarms or its tags could not be read",
    },
    remediation=(
        "Ask whether somebody watches it in the console, or reads its metric from elsewhere, then delete it. Route 53 "
        "does not tell its age: it may have been made just now."
    ),
    references=(
        "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-types.html",
        "https://aws.amazon.com/route53/pricing/",
    ),
    prices=("route53.health_check.*",),
    limits=(
        "Records of zones in other accounts and dashboards are not looked at. Endpoints that AWS's own names do not "
        "show as AWS's are unpriced; the first 50 of AWS are free, which is not counted."
    ),
    referrers="records of the account's Route 53 zones, alarms of us-east-1, calculated health checks",
)

CHECKS = (UNUSED_HEALTH_CHECKS,)
