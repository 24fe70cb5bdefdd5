"""OpenSearch and Elasticsearch versions that are, or soon will be, out of standard support."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.opensearch import DESCRIBE, DOMAIN_NAMES, TAGS, describe_domains, domains, undescribed
from aws_finops_mcp.checks.support_clock import EVIDENCE, VersionParams, clock
from aws_finops_mcp.checks.support_facts import OPENSEARCH
from aws_finops_mcp.checks.surcharges import domain_instances, domain_surcharge
from aws_finops_mcp.checks.tagging import with_listed_tags
from aws_finops_mcp.findings import Category, Scalar, Verdict


def judge_versions(facts: Facts, params: VersionParams) -> Iterator[Judgement]:
    """Outdated by AWS's published dates, which no API gives."""
    return with_listed_tags(facts, TAGS, _judge_versions(facts, params))


def _judge_versions(facts: Facts, params: VersionParams) -> Iterator[Judgement]:
    for name, domain in domains(facts):
        yield undescribed(name) if domain is None else _judge(facts, params, domain)


def _judge(facts: Facts, params: VersionParams, domain: Any) -> Judgement:
    version = domain["EngineVersion"]
    evidence: dict[str, Scalar] = {
        "version": version,
        "instances": ", ".join(f"{count} x {kind}" for kind, count in domain_instances(domain)),
    }
    verdict, reason = Verdict.OK, f"AWS has announced no end of support of {version}"
    more: dict[str, Any] = {}
    support = OPENSEARCH.get(version)
    if support:
        found = clock(facts.now, version, support, params, lambda dearer: domain_surcharge(domain, dearer=dearer))
        verdict, reason = found.verdict, found.reason
        evidence |= found.evidence
        more = {"parts": found.parts, "coming": found.coming}
    return Judgement(
        resource_id=domain["ARN"], name=domain["DomainName"], verdict=verdict, reason=reason, evidence=evidence, **more
    )


OUTDATED_OPENSEARCH_VERSIONS = Check(
    name="find_outdated_opensearch_versions",
    title="OpenSearch versions out of standard support, and what that costs",
    noun="OpenSearch domains",
    category=Category.UPGRADE,
    description=(
        "OpenSearch domains whose OpenSearch or Elasticsearch version is out of standard support or soon will be, by "
        "AWS's published dates, with the extended support surcharge a month. Free to ask."
    ),
    resource_type="AWS::OpenSearchService::Domain",
    params=VersionParams,
    inventory=(DOMAIN_NAMES, TAGS),
    follow_ups=(describe_domains,),
    detail_actions=(DESCRIBE,),
    judge=judge_versions,
    evidence={**EVIDENCE, "instances": "es:DescribeDomains, ClusterConfig: data, dedicated master and UltraWarm nodes"},
    verdicts={
        Verdict.OUTDATED: "standard support of its version ended, or ends within ahead_days",
        Verdict.UNKNOWN: "the domain or its tags could not be read",
    },
    remediation=(
        "Upgrade step by step along the supported paths, after a check of eligibility and a snapshot; AWS does it "
        "blue/green. Reindex indexes that an older major version made."
    ),
    references=(
        "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/what-is.html",
        "https://aws.amazon.com/opensearch-service/pricing/",
    ),
    prices=("opensearch.*",),
    limits="Dates are those of this release's table; instance types without normalized hours are unpriced.",
)

CHECKS = (OUTDATED_OPENSEARCH_VERSIONS,)
