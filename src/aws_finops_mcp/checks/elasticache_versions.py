"""ElastiCache versions that are, or soon will be, out of standard support."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.elasticache import CACHE_CLUSTERS, TAGS
from aws_finops_mcp.checks.support_clock import EVIDENCE, VersionParams, clock, newest
from aws_finops_mcp.checks.surcharges import cache_support, cache_surcharge
from aws_finops_mcp.checks.tagging import with_listed_tags
from aws_finops_mcp.findings import Category, Scalar, Verdict

ENGINE_VERSIONS = read(
    "elasticache", "DescribeCacheEngineVersions", "CacheEngineVersions", {"MaxRecords": 100}, token=("Marker", "Marker")
)


def judge_versions(facts: Facts, params: VersionParams) -> Iterator[Judgement]:
    """Outdated by AWS's published dates, which no API gives; only Redis OSS has any."""
    return with_listed_tags(facts, TAGS, _judge_versions(facts, params))


def _judge_versions(facts: Facts, params: VersionParams) -> Iterator[Judgement]:
    listed = facts.maybe(ENGINE_VERSIONS)
    offered: dict[str, list[str]] = {}
    for each in listed or ():
        offered.setdefault(each["Engine"], []).append(each["EngineVersion"])
    for cluster in facts.items(CACHE_CLUSTERS):
        yield _judge(facts, params, cluster, None if listed is None else offered)


def _judge(facts: Facts, params: VersionParams, cluster: Any, offered: Mapping[str, list[str]] | None) -> Judgement:
    engine, version = cluster["Engine"], cluster["EngineVersion"]
    support = cache_support(cluster)
    evidence: dict[str, Scalar] = {
        "engine": engine,
        "version": version,
        "newest_version": None if offered is None else newest(offered.get(engine, [])),
        "node_type": cluster["CacheNodeType"],
        "nodes": cluster["NumCacheNodes"],
        "age_days": facts.age_days(cluster["CacheClusterCreateTime"]),
        "replication_group": cluster.get("ReplicationGroupId"),
    }
    verdict, reason = Verdict.OK, f"AWS has announced no end of support of {engine} {version}"
    more: dict[str, Any] = {}
    if support:
        named = f"Redis OSS {version.split('.')[0]}"
        found = clock(facts.now, named, support, params, lambda dearer: cache_surcharge(cluster, dearer=dearer))
        verdict, reason = found.verdict, found.reason
        evidence |= {**found.evidence, "version": version}
        more = {"parts": found.parts, "coming": found.coming}
    return Judgement(
        resource_id=cluster["ARN"],
        name=cluster["CacheClusterId"],
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        **more,
    )


OUTDATED_ELASTICACHE_ENGINE_VERSIONS = Check(
    name="find_outdated_elasticache_engine_versions",
    title="ElastiCache versions out of standard support, and what that costs",
    noun="cache clusters",
    category=Category.UPGRADE,
    description=(
        "ElastiCache clusters whose Redis OSS version is out of standard support or soon will be, by AWS's published "
        "dates, with the Extended Support surcharge a month now and from which date on. Free to ask."
    ),
    resource_type="AWS::ElastiCache::CacheCluster",
    params=VersionParams,
    inventory=(CACHE_CLUSTERS, ENGINE_VERSIONS, TAGS),
    judge=judge_versions,
    evidence={
        **EVIDENCE,
        "engine": "elasticache:DescribeCacheClusters, Engine",
        "newest_version": "elasticache:DescribeCacheEngineVersions, the highest of the engine; absent: not read",
        "node_type": "CacheNodeType",
        "nodes": "NumCacheNodes",
        "age_days": "days since CacheClusterCreateTime",
        "replication_group": "ReplicationGroupId",
    },
    verdicts={
        Verdict.OUTDATED: "standard support of its major version ended, or ends within ahead_days",
        Verdict.UNKNOWN: "its tags could not be read",
    },
    remediation=(
        "Upgrade to Valkey, in place and without a change of endpoint: it also costs a fifth less a node. Reserved "
        "nodes pay the surcharge too."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support.html",
        "https://aws.amazon.com/elasticache/pricing/",
    ),
    prices=("elasticache.extended_support.*",),
    limits="Only Redis OSS has announced ends; dates are those of this release's table.",
)

CHECKS = (OUTDATED_ELASTICACHE_ENGINE_VERSIONS,)
