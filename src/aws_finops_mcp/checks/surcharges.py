"""What extended support bills of a database, a cache or a domain: for its upgrade, and for what deleting it saves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import Facts, Part
from aws_finops_mcp.checks.rds_cost import SERVERLESS, is_aurora, vcpus
from aws_finops_mcp.checks.support_clock import Support, billed_now, day, third_year
from aws_finops_mcp.checks.support_facts import OPENSEARCH, REDIS_OSS
from aws_finops_mcp.findings import HOURS_PER_MONTH
from aws_finops_mcp.prices.databases import (
    elasticache_extended_support,
    opensearch_extended_support,
    opensearch_instance,
    rds_extended_support,
)

# --- RDS and Aurora --------------------------------------------------------------------------------------------------

MAJORS = read(
    "rds", "DescribeDBMajorEngineVersions", "DBMajorEngineVersions", {"MaxRecords": 100}, token=("Marker", "Marker")
)
STANDARD, EXTENDED = "open-source-rds-standard-support", "open-source-rds-extended-support"

Supports = Mapping[tuple[str, str], Support | None]
"""By engine and major version; None of engines without dates (Oracle, SQL Server, Db2)."""


def major_of(version: str, majors: Sequence[str]) -> str | None:
    """The major version that a version is of; None where AWS lists none."""
    matching = [each for each in majors if version == each or version.startswith(f"{each}.")]
    return max(matching, key=len, default=None)


def rds_supports(facts: Facts) -> Supports | None:
    """AWS's dates; None when they could not be read."""
    listed = facts.maybe(MAJORS)
    return None if listed is None else {(each["Engine"], each["MajorEngineVersion"]): _support(each) for each in listed}


def _support(major: Any) -> Support | None:
    ends = {
        each["LifecycleSupportName"]: day(each["LifecycleSupportEndDate"])
        for each in major.get("SupportedEngineLifecycles", ())
    }
    if STANDARD not in ends:
        return None
    # Aurora MySQL costs the same in every year of extended support.
    dearer = third_year(ends[STANDARD]) if EXTENDED in ends and major["Engine"] != "aurora-mysql" else None
    return Support(ends[STANDARD], ends.get(EXTENDED), dearer)


def rds_major(database: Any, supports: Supports | None) -> str | None:
    """The major version of a database, of those that AWS has dates of."""
    return major_of(
        database["EngineVersion"], [number for name, number in supports or () if name == database["Engine"]]
    )


def rds_enrolled(database: Any, cluster: Any | None) -> bool:
    """Whether AWS bills extended support, rather than upgrade it by itself: a cluster decides for its instances."""
    return bool((cluster or database).get("EngineLifecycleSupport", EXTENDED) == EXTENDED)


def rds_surcharge(database: Any, cluster: Any | None, major: str) -> Mapping[bool, Sequence[Part]]:
    """A month of extended support: by the vCPU, the standby's too, of a serverless instance by its least capacity."""
    engine, klass = database["Engine"], database["DBInstanceClass"]
    serverless = klass == SERVERLESS
    if serverless:
        units = (cluster or {}).get("ServerlessV2ScalingConfiguration", {}).get("MinCapacity")
        what = f"extended support, at least {units} ACU"
    else:
        units = vcpus(klass)
        units = units * 2 if units and database.get("MultiAZ") and not is_aurora(database) else units
        what = f"extended support, {units} vCPUs"
    if not units:
        return {False: (), True: ()}
    return {
        dearer: (
            Part(
                what,
                rds_extended_support(engine, major, third_year=dearer, serverless=serverless),
                units * HOURS_PER_MONTH,
            ),
        )
        for dearer in (False, True)
    }


def rds_billed_now(
    facts: Facts, database: Any, cluster: Any | None, supports: Supports | None
) -> tuple[Sequence[Part], Sequence[str]]:
    """What extended support of a running instance is billed now, and what of it can't be told."""
    major = rds_major(database, supports)
    support = supports.get((database["Engine"], major)) if supports and major else None
    if supports is None:
        return (), ("extended support, if it is billed (AWS's dates could not be read)",)
    if support is None or major is None:
        return (), ()
    priced = rds_surcharge(database, cluster, major)
    enrolled = rds_enrolled(database, cluster)
    parts = billed_now(facts.now, support, lambda dearer: priced[dearer], enrolled=enrolled)
    return parts, ()


# --- ElastiCache -----------------------------------------------------------------------------------------------------


def cache_support(cluster: Any) -> Support | None:
    """Until when a cluster's version is supported; only Redis OSS has an announced end."""
    return REDIS_OSS.get(cluster["EngineVersion"].split(".")[0]) if cluster["Engine"] == "redis" else None


def cache_surcharge(cluster: Any, *, dearer: bool) -> list[Part]:
    """A month of extended support, by the node."""
    node, nodes = cluster["CacheNodeType"], cluster["NumCacheNodes"]
    unit = elasticache_extended_support(node, third_year=dearer)
    return [Part(f"extended support of {nodes} x {node}", unit, nodes * HOURS_PER_MONTH)]


def cache_billed_now(facts: Facts, cluster: Any) -> Sequence[Part]:
    """What extended support of a cluster is billed now."""
    return billed_now(facts.now, cache_support(cluster), lambda dearer: cache_surcharge(cluster, dearer=dearer))


# --- OpenSearch ------------------------------------------------------------------------------------------------------

_SIZES: Mapping[str, float] = {"nano": 0.25, "micro": 0.5, "small": 1, "medium": 2, "large": 4, "xlarge": 8}


def normalized_units(instance_type: str) -> float | None:
    """Normalized instance hours of an hour of an instance, which the surcharge goes by; None: not known.

    https://aws.amazon.com/opensearch-service/pricing/: a small is 1, a large 4, each multiple of an xlarge 8.
    """
    size = instance_type.split(".")[1] if "." in instance_type else ""
    if size.endswith("xlarge") and size[: -len("xlarge")].isdigit():
        return 8 * int(size[: -len("xlarge")])
    return _SIZES.get(size)


def domain_instances(domain: Any) -> list[tuple[str, int]]:
    """The instances that a domain's surcharge is billed for: data, dedicated master and UltraWarm nodes."""
    config = domain["ClusterConfig"]
    found = [(config["InstanceType"], config["InstanceCount"])]
    if config.get("DedicatedMasterEnabled"):
        found.append((config["DedicatedMasterType"], config["DedicatedMasterCount"]))
    if config.get("WarmEnabled"):
        found.append((config["WarmType"], config["WarmCount"]))
    return found


def domain_surcharge(domain: Any, *, dearer: bool) -> list[Part]:
    """By the normalized instance hour; in the years that a version was given beyond its time, the instance's price."""
    parts = []
    for kind, count in domain_instances(domain):
        what, hours = f"extended support of {count} x {kind}", count * HOURS_PER_MONTH
        units = normalized_units(kind)
        if dearer or units is None:
            parts.append(Part(what, opensearch_instance(kind), hours))
        else:
            parts.append(Part(what, opensearch_extended_support(), units * hours))
    return parts


def domain_billed_now(facts: Facts, domain: Any) -> Sequence[Part]:
    """What extended support of a domain is billed now."""
    support = OPENSEARCH.get(domain.get("EngineVersion", ""))
    return billed_now(facts.now, support, lambda dearer: domain_surcharge(domain, dearer=dearer))
