"""OpenSearch domains that nobody searches, or that are larger than their peaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery
from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import NO_REFERRERS, Check, Facts, Judgement, Part
from aws_finops_mcp.checks.peaks import PeaksParams, judge_peaks, measured, smaller_type
from aws_finops_mcp.checks.surcharges import domain_billed_now
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict
from aws_finops_mcp.prices.databases import opensearch_instance

DOMAIN_NAMES = read("opensearch", "ListDomainNames", "DomainNames")
TAGS = tags_read("es:domain")
DESCRIBE = "es:DescribeDomains"
A_CALL = 5
"""Domains that one DescribeDomains takes."""


class UnderutilizedOpensearchDomainsParams(PeaksParams):
    """Arguments of `find_underutilized_opensearch_domains`."""

    memory_percent: float = Field(40, gt=0, le=45, description="highest JVM memory pressure at which half would do")
    idle_rate: float = Field(1, ge=0, description="searches and documents a minute that are a domain's own")


def _domains_read(names: Sequence[str]) -> Read:
    return read("opensearch", "DescribeDomains", "DomainStatusList", {"DomainNames": list(names)}, resource=names[0])


def _reads(facts: Facts) -> Iterator[tuple[Sequence[str], Read]]:
    names = sorted(each["DomainName"] for each in facts.items(DOMAIN_NAMES))
    return ((some, _domains_read(some)) for some in chunks(names, A_CALL))


def describe_domains(facts: Facts, _params: object) -> Iterator[Read]:
    """All of them, five a call."""
    return (wanted for _, wanted in _reads(facts))


def domains(facts: Facts) -> Iterator[tuple[str, Any | None]]:
    """Every domain by name; None for one that could not be described."""
    for names, wanted in _reads(facts):
        described = facts.maybe(wanted)
        by_name = {each["DomainName"]: each for each in described or ()}
        for name in names:
            if described is None:
                yield name, None
            elif name in by_name and not by_name[name].get("Deleted"):
                yield name, by_name[name]


def undescribed(name: str) -> Judgement:
    """A domain of which nothing but the name is known."""
    reason = "the domain could not be described"
    return Judgement(resource_id=name, name=name, verdict=Verdict.UNKNOWN, reason=reason, evidence={})


def _query(domain: Any, metric: str) -> MetricQuery:
    account = domain["ARN"].split(":")[4]
    dimensions = (("DomainName", domain["DomainName"]), ("ClientId", account))
    return MetricQuery("AWS/ES", metric, dimensions, "Maximum", DAY)


ACTIVITY, CPU, MEMORY = ("SearchRate", "IndexingRate"), "CPUUtilization", "JVMMemoryPressure"


def read_usage(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Four series a domain."""
    for _, domain in domains(facts):
        if domain:
            yield from (_query(domain, metric) for metric in (*ACTIVITY, CPU, MEMORY))


def judge_usage(facts: Facts, params: UnderutilizedOpensearchDomainsParams) -> Iterator[Judgement]:
    """Idle without searches and documents; underused by CPU and JVM memory at their highest."""
    return with_listed_tags(facts, TAGS, _judge_usage(facts, params))


def _judge_usage(facts: Facts, params: UnderutilizedOpensearchDomainsParams) -> Iterator[Judgement]:
    for name, domain in domains(facts):
        if domain is None:
            yield undescribed(name)
            continue
        config = domain["ClusterConfig"]
        kind, count = config["InstanceType"], config["InstanceCount"]
        peaks = measured(
            [facts.series[_query(domain, metric)] for metric in ACTIVITY],
            [facts.series[_query(domain, CPU)]],
            [facts.series[_query(domain, MEMORY)]],
            params.idle_rate,
        )
        target = smaller_type(kind)
        if kind.startswith(("t2.", "t3.")):
            target = None  # AWS offers the two sizes only that hold a domain at all
        # The API does not tell when a domain was made: what it was measured for is its age.
        verdict, reason = judge_peaks(peaks, params, params.period, target, "search and no document to index")
        parts: list[Part] = []
        unpriced: list[str] = []
        if verdict is Verdict.IDLE:
            parts, unpriced = domain_cost(domain)
            parts += domain_billed_now(facts, domain)
        elif verdict is Verdict.UNDERUSED and target:
            parts = [_nodes(kind, count), _nodes(target, -count)]
        evidence: dict[str, Scalar] = {
            "version": domain.get("EngineVersion"),
            "instances": f"{count} x {kind}",
            "rate_max": peaks.activity,
            "cpu_max_percent": peaks.cpu,
            "memory_max_percent": peaks.memory,
            "datapoints": f"{peaks.days}/{peaks.expected}",
            "change_to": target if verdict is Verdict.UNDERUSED else None,
        }
        yield Judgement(
            resource_id=domain["ARN"],
            name=name,
            verdict=verdict,
            reason=reason,
            evidence={key: value for key, value in evidence.items() if value is not None},
            parts=parts,
            unpriced=unpriced,
        )


def _nodes(kind: str, count: int, role: str = "") -> Part:
    """A month of instances; below 0 what is billed instead."""
    what = f"{abs(count)} x {kind}{role}" + ("" if count > 0 else " in their place")
    return Part(what, opensearch_instance(kind), count * HOURS_PER_MONTH)


def domain_cost(domain: Any) -> tuple[list[Part], list[str]]:
    """What a domain is billed for a month: data nodes, dedicated masters and their volumes."""
    config, volumes = domain["ClusterConfig"], domain.get("EBSOptions", {})
    parts = [_nodes(config["InstanceType"], config["InstanceCount"])]
    if config.get("DedicatedMasterEnabled"):
        parts.append(_nodes(config["DedicatedMasterType"], config["DedicatedMasterCount"], ", dedicated masters"))
    if volumes.get("EBSEnabled"):
        size = volumes.get("VolumeSize", 0) * config["InstanceCount"]
        parts.append(Part("storage", f"opensearch.{volumes.get('VolumeType', 'gp2')}.storage", size))
    return parts, ["UltraWarm nodes and their storage"] if config.get("WarmEnabled") else []


UNDERUTILIZED_OPENSEARCH_DOMAINS = Check(
    name="find_underutilized_opensearch_domains",
    title="OpenSearch domains that are idle or too large",
    noun="OpenSearch domains",
    category=Category.DATABASE,
    description=(
        "OpenSearch domains without searches and indexing for `period` days, and those whose highest CPU and JVM "
        "memory one size down would hold, with what that saves. Costs $0.01 per 250 domains to ask (GetMetricData)."
    ),
    resource_type="AWS::OpenSearchService::Domain",
    params=UnderutilizedOpensearchDomainsParams,
    inventory=(DOMAIN_NAMES, TAGS),
    follow_ups=(describe_domains,),
    metrics=read_usage,
    detail_actions=(DESCRIBE,),
    judge=judge_usage,
    referrers=NO_REFERRERS,
    evidence={
        "version": "es:DescribeDomains, EngineVersion",
        "instances": "ClusterConfig, data nodes",
        "rate_max": "AWS/ES SearchRate and IndexingRate, the highest of both, a minute",
        "cpu_max_percent": "AWS/ES CPUUtilization, highest of all nodes and days",
        "memory_max_percent": "AWS/ES JVMMemoryPressure, highest of all nodes and days",
        "datapoints": "daily datapoints seen / expected, of the metric with the fewest",
        "change_to": "the same family, one size down",
    },
    verdicts={
        Verdict.IDLE: "SearchRate and IndexingRate never above idle_rate, which a domain's own indexes need",
        Verdict.UNDERUSED: "highest CPU and JVM memory pressure of all days at or below the thresholds",
        Verdict.UNKNOWN: "domain, metrics or tags not read, or days without datapoints; a new domain too",
    },
    remediation=(
        "Idle: take a manual snapshot to S3, then delete the domain. Underused: change the instance type; AWS does it "
        "blue/green. Count the shards first: a smaller node holds fewer."
    ),
    references=(
        "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html",
        "https://aws.amazon.com/opensearch-service/pricing/",
    ),
    prices=("opensearch.*",),
    limits=(
        "Highest values of a day decide; disk use is not looked at. Reserved instances, UltraWarm, provisioned IOPS "
        "and serverless collections are not counted."
    ),
)

CHECKS = (UNDERUTILIZED_OPENSEARCH_DOMAINS,)
