"""Redis OSS nodes that cost less as Valkey."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.elasticache import CACHE_CLUSTERS, TAGS, node_hours
from aws_finops_mcp.checks.support_clock import version_key
from aws_finops_mcp.checks.tagging import with_listed_tags
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict
from aws_finops_mcp.prices.instances import elasticache_node

UPGRADABLE_FROM = (5, 0, 6)
"""https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.HowTo.html: in place from 5.0.6 on."""


def judge_engines(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """Costly where the same node is to be had as Valkey for less, without a change of endpoint."""
    return with_listed_tags(facts, TAGS, _judge(facts))


def _judge(facts: Facts) -> Iterator[Judgement]:
    for cluster in facts.items(CACHE_CLUSTERS):
        engine, version = cluster["Engine"], cluster["EngineVersion"]
        node, nodes = cluster["CacheNodeType"], cluster["NumCacheNodes"]
        parts: list[Part] = []
        if engine != "redis":
            verdict, reason = Verdict.OK, f"runs {engine}"
        elif version_key(version) < UPGRADABLE_FROM:
            verdict, reason = Verdict.OK, f"Redis OSS {version} can't be upgraded to Valkey in place"
        else:
            verdict, reason = Verdict.COSTLY, f"Redis OSS {version}, where Valkey costs less a node"
            instead = Part("as Valkey", elasticache_node(node, "valkey"), -nodes * HOURS_PER_MONTH)
            parts = [node_hours(cluster), instead]
        evidence: dict[str, Scalar] = {
            "engine": f"{engine} {version}",
            "node_type": node,
            "nodes": nodes,
            "replication_group": cluster.get("ReplicationGroupId"),
        }
        yield Judgement(
            resource_id=cluster["ARN"],
            name=cluster["CacheClusterId"],
            verdict=verdict,
            reason=reason,
            evidence={key: value for key, value in evidence.items() if value is not None},
            parts=parts,
        )


ELASTICACHE_VALKEY = Check(
    name="find_elasticache_valkey_savings",
    title="Redis OSS nodes that cost less as Valkey",
    noun="cache clusters",
    category=Category.COST,
    description=(
        "ElastiCache clusters of Redis OSS that may be upgraded to Valkey in place, with what the cheaper nodes save. "
        "Free to ask."
    ),
    resource_type="AWS::ElastiCache::CacheCluster",
    params=RegionParams,
    inventory=(CACHE_CLUSTERS, TAGS),
    judge=judge_engines,
    evidence={
        "engine": "elasticache:DescribeCacheClusters, Engine and EngineVersion",
        "node_type": "CacheNodeType",
        "nodes": "NumCacheNodes",
        "replication_group": "ReplicationGroupId: its nodes are upgraded together",
    },
    verdicts={
        Verdict.COSTLY: "Redis OSS 5.0.6 or later, whose node type has a lower list price as Valkey",
        Verdict.UNKNOWN: "its tags, or Valkey's price, could not be read",
    },
    remediation=(
        "Upgrade the replication group to Valkey 7.2 or later: in place, the endpoint stays. Reserved Redis OSS nodes "
        "go on counting, as more Valkey nodes than before."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.HowTo.html",
        "https://aws.amazon.com/elasticache/pricing/",
    ),
    prices=("elasticache.*",),
    limits=(
        "Whether a client needs what Valkey lacks is not looked at. Reserved nodes of Redis OSS carry over by AWS's "
        "own rules, which are not worked out."
    ),
)

CHECKS = (ELASTICACHE_VALKEY,)
