"""Engine versions of RDS and Aurora that are, or soon will be, out of standard support."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.rds_usage import STOPPED, databases, tags_of_database
from aws_finops_mcp.checks.reads import DB_CLUSTERS, DB_INSTANCES
from aws_finops_mcp.checks.support_clock import EVIDENCE, VersionParams, clock, newest
from aws_finops_mcp.checks.surcharges import (
    MAJORS,
    Supports,
    major_of,
    rds_enrolled,
    rds_major,
    rds_supports,
    rds_surcharge,
)
from aws_finops_mcp.findings import Category, Scalar, Verdict


def _versions(engine: str) -> Read:
    return read(
        "rds",
        "DescribeDBEngineVersions",
        "DBEngineVersions",
        {"Engine": engine, "MaxRecords": 100},
        token=("Marker", "Marker"),
        resource=engine,
    )


def read_versions(facts: Facts, _params: VersionParams) -> Iterator[Read]:
    """What AWS offers of each engine that is there."""
    return (_versions(engine) for engine in sorted({each["Engine"] for each in databases(facts)}))


def judge_versions(facts: Facts, params: VersionParams) -> Iterator[Judgement]:
    """Outdated by AWS's own dates, or because AWS no longer offers the version."""
    supports, clusters = rds_supports(facts), facts.maybe(DB_CLUSTERS)
    by_name = None if clusters is None else {each["DBClusterIdentifier"]: each for each in clusters}
    for database in databases(facts):
        yield _judge(facts, params, database, supports, by_name)


def _judge(
    facts: Facts,
    params: VersionParams,
    database: Any,
    supports: Supports | None,
    clusters: Mapping[str, Any] | None,
) -> Judgement:
    engine, version = database["Engine"], database["EngineVersion"]
    offered = facts.maybe(_versions(engine))
    major = rds_major(database, supports)
    support = supports.get((engine, major)) if supports and major else None
    cluster = (clusters or {}).get(database.get("DBClusterIdentifier", ""))
    retired = offered is not None and bool(offered) and version not in [each["EngineVersion"] for each in offered]
    evidence: dict[str, Scalar] = {"version": version, "support_dates": support is not None}
    parts: Sequence[Part] = ()
    coming: Mapping[str, Sequence[Part]] = {}
    unpriced: tuple[str, ...] = ()
    if supports is None:
        verdict, reason = Verdict.UNKNOWN, "until when its version is supported could not be read"
    elif support and major:
        priced = rds_surcharge(database, cluster, major)
        enrolled = rds_enrolled(database, cluster)
        found = clock(facts.now, f"{engine} {major}", support, params, lambda dearer: priced[dearer], enrolled=enrolled)
        verdict, reason, parts, coming = found.verdict, found.reason, found.parts, found.coming
        evidence |= {**found.evidence, "version": version}
        if clusters is None and database.get("DBClusterIdentifier") and verdict.actionable:
            verdict, reason = Verdict.UNKNOWN, f"{reason}; but what its cluster is enrolled in could not be read"
        elif verdict.actionable and enrolled and support.extended_ends and not priced[False]:
            unpriced = ("extended support (its vCPUs or capacity units are not known)",)
        if database["DBInstanceStatus"] in STOPPED and parts:
            parts, reason = (), f"{reason}, while it runs; it is stopped"
    elif offered is None:
        verdict, reason = Verdict.UNKNOWN, "which versions AWS offers could not be read"
    else:
        verdict, reason = Verdict.OK, "AWS publishes no end of support for it"
    if retired and verdict is Verdict.OK:
        verdict, reason = (
            Verdict.OUTDATED,
            f"AWS no longer offers {engine} {version}: it may be upgraded without asking",
        )
    return Judgement(
        resource_id=database["DBInstanceArn"],
        name=database["DBInstanceIdentifier"],
        verdict=verdict,
        reason=reason,
        evidence=evidence | _more(database, offered, major),
        tags=tags_of_database(database),
        parts=parts,
        coming=coming,
        unpriced=unpriced,
    )


def _more(database: Any, offered: Sequence[Any] | None, major: str | None) -> dict[str, Scalar]:
    own = [each for each in offered or () if each["EngineVersion"] == database["EngineVersion"]]
    targets = [target["EngineVersion"] for each in own for target in each.get("ValidUpgradeTarget", ())]
    same = [each["EngineVersion"] for each in offered or () if major_of(each["EngineVersion"], [major or ""])]
    found: dict[str, Scalar] = {
        "engine": database["Engine"],
        "class": database["DBInstanceClass"],
        "newest_minor": newest(same) if major else None,
        "upgrade_to": newest(targets),
        "multi_az": bool(database.get("MultiAZ")),
    }
    return {key: value for key, value in found.items() if value is not None}


OUTDATED_RDS_ENGINE_VERSIONS = Check(
    name="find_outdated_rds_engine_versions",
    title="RDS and Aurora versions out of standard support, and what that costs",
    noun="database instances",
    category=Category.UPGRADE,
    description=(
        "RDS and Aurora instances whose engine version is out of standard support or soon will be, by AWS's own dates, "
        "with the Extended Support surcharge a month now and from which date on. Free to ask."
    ),
    resource_type="AWS::RDS::DBInstance",
    params=VersionParams,
    inventory=(DB_INSTANCES, MAJORS, DB_CLUSTERS),
    follow_ups=(read_versions,),
    detail_actions=("rds:DescribeDBEngineVersions",),
    judge=judge_versions,
    evidence={
        **EVIDENCE,
        "support_dates": "whether rds:DescribeDBMajorEngineVersions has dates for it (open-source engines only)",
        "engine": "Engine",
        "class": "DBInstanceClass",
        "newest_minor": "rds:DescribeDBEngineVersions, the highest of its major version",
        "upgrade_to": "the highest that AWS lists as its upgrade target",
        "multi_az": "MultiAZ: the standby's vCPUs are billed too",
    },
    verdicts={
        Verdict.OUTDATED: "standard support ended or ends within ahead_days, or AWS no longer offers the version",
        Verdict.UNKNOWN: "AWS's dates, or what a cluster is enrolled in, could not be read",
    },
    remediation=(
        "Try the upgrade on a restored snapshot, then use a blue/green deployment. Where extended support is off, AWS "
        "upgrades in the maintenance window after the end of standard support: better on a day of your choice."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support-charges.html",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support-viewing-support-dates.html",
        "https://aws.amazon.com/rds/mysql/pricing/",
    ),
    prices=("rds.extended_support.*",),
    limits=(
        "Minor versions that are behind, but supported, are no finding. Engines without extended support have no "
        "surcharge, and an upgrade by AWS instead."
    ),
)

CHECKS = (OUTDATED_RDS_ENGINE_VERSIONS,)
