"""Manual snapshots of databases that are gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.rds_cost import OTHER_SERVICES
from aws_finops_mcp.checks.rds_usage import tags_of_database
from aws_finops_mcp.checks.reads import DB_CLUSTER_SNAPSHOTS, DB_CLUSTERS, DB_INSTANCES, DB_SNAPSHOTS
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict


class UnusedRdsSnapshotsParams(RegionParams):
    """Arguments of `find_unused_rds_snapshots`."""

    min_age_days: int = Field(90, ge=0, le=3650, description="leave out snapshots made in the last N days")


def _attributes(snapshot: Any) -> Read:
    """Who else may restore a snapshot; there is no batch call."""
    kind = "DBClusterSnapshot" if "DBClusterSnapshotIdentifier" in snapshot else "DBSnapshot"
    name = snapshot[f"{kind}Identifier"]
    items = f"{kind}AttributesResult.{kind}Attributes"
    return read("rds", f"Describe{kind}Attributes", items, {f"{kind}Identifier": name}, resource=name)


def _snapshots(facts: Facts) -> list[Any]:
    clusters = [each for each in facts.maybe(DB_CLUSTER_SNAPSHOTS) or () if each["Engine"] not in OTHER_SERVICES]
    return [*facts.items(DB_SNAPSHOTS), *clusters]


def read_shares(facts: Facts, params: UnusedRdsSnapshotsParams) -> Iterator[Read]:
    """Only for those that look unused."""
    ids = _databases(facts)
    for snapshot in _snapshots(facts):
        if _verdict(facts, params, snapshot, ids)[0] is Verdict.IDLE:
            yield _attributes(snapshot)


def _databases(facts: Facts) -> frozenset[str] | None:
    """Names and resource ids of the instances and clusters that are there; None when not all are known."""
    instances, clusters = facts.maybe(DB_INSTANCES), facts.maybe(DB_CLUSTERS)
    if instances is None or clusters is None:
        return None
    # A database that is renamed keeps its resource id, one that is restored keeps its name.
    known = [(each["DBInstanceIdentifier"], each.get("DbiResourceId")) for each in instances]
    known += [(each["DBClusterIdentifier"], each.get("DbClusterResourceId")) for each in clusters]
    return frozenset(identity for both in known for identity in both if identity)


def judge_snapshots(facts: Facts, params: UnusedRdsSnapshotsParams) -> Iterator[Judgement]:
    """A manual snapshot is kept until somebody deletes it, long after its database."""
    ids = _databases(facts)
    for snapshot in _snapshots(facts):
        verdict, reason = _verdict(facts, params, snapshot, ids)
        shared: tuple[str, ...] = ()
        if verdict is Verdict.IDLE:
            attributes = facts.maybe(_attributes(snapshot))
            if attributes is None:
                verdict, reason = Verdict.UNKNOWN, f"{reason}, but whether other accounts use it could not be read"
            else:
                shared = _shares(attributes)
        yield _judgement(facts, snapshot, verdict, reason, shared)


def _verdict(
    facts: Facts, params: UnusedRdsSnapshotsParams, snapshot: Mapping[str, Any], ids: frozenset[str] | None
) -> tuple[Verdict, str]:
    name = snapshot.get("DBInstanceIdentifier") or snapshot.get("DBClusterIdentifier", "")
    age = facts.age_days(snapshot["SnapshotCreateTime"])
    if ids is None:
        return Verdict.UNKNOWN, f"whether {name} is still there could not be read"
    if {name, snapshot.get("DbiResourceId"), snapshot.get("DbClusterResourceId")} & ids:
        return Verdict.IN_USE, f"of {name}, which is there"
    if age < params.min_age_days:
        return Verdict.TOO_NEW, f"of {name}, which is gone, but made only {age} days ago"
    return Verdict.IDLE, f"made {age} days ago of {name}, which is gone"


def _shares(attributes: Any) -> tuple[str, ...]:
    accounts = [value for each in attributes if each["AttributeName"] == "restore" for value in each["AttributeValues"]]
    return tuple("every account (public)" if each == "all" else f"account {each} may restore it" for each in accounts)


def _judgement(facts: Facts, snapshot: Any, verdict: Verdict, reason: str, referred_by: tuple[str, ...]) -> Judgement:
    cluster = "DBClusterSnapshotArn" in snapshot
    prefix = "DBClusterSnapshot" if cluster else "DBSnapshot"
    evidence: dict[str, Scalar] = {
        "kind": "cluster snapshot" if cluster else "snapshot",
        "database": snapshot.get("DBInstanceIdentifier") or snapshot.get("DBClusterIdentifier"),
        "engine": snapshot["Engine"],
        "age_days": facts.age_days(snapshot["SnapshotCreateTime"]),
        "storage_gib": None if cluster else snapshot.get("AllocatedStorage"),
        "encrypted": bool(snapshot.get("Encrypted") or snapshot.get("StorageEncrypted")),
    }
    size = 0 if cluster else snapshot.get("AllocatedStorage") or 0
    return Judgement(
        resource_id=snapshot[f"{prefix}Arn"],
        name=snapshot[f"{prefix}Identifier"],
        verdict=verdict,
        reason=reason,
        evidence={key: value for key, value in evidence.items() if value is not None},
        tags=tags_of_database(snapshot),
        parts=[Part("snapshot, at most its database's size", "rds.snapshot", size)] if size else [],
        unpriced=["its storage (AWS does not tell the size of a cluster snapshot)"] if cluster else [],
        referred_by=referred_by,
    )


UNUSED_RDS_SNAPSHOTS = Check(
    name="find_unused_rds_snapshots",
    title="Manual snapshots of databases that are gone",
    noun="manual database snapshots",
    category=Category.CLEANUP,
    description=(
        "Manual RDS and Aurora snapshots whose database no longer exists, with what they cost at most. Free to ask: a "
        "call for each that is found."
    ),
    resource_type="AWS::RDS::DBSnapshot",
    params=UnusedRdsSnapshotsParams,
    inventory=(DB_SNAPSHOTS, DB_CLUSTER_SNAPSHOTS, DB_INSTANCES, DB_CLUSTERS),
    count=lambda facts, _params: sum(len(facts.maybe(wanted) or ()) for wanted in (DB_SNAPSHOTS, DB_CLUSTER_SNAPSHOTS)),
    details=(read_shares,),
    detail_actions=("rds:DescribeDBSnapshotAttributes", "rds:DescribeDBClusterSnapshotAttributes"),
    judge=judge_snapshots,
    evidence={
        "kind": "snapshot or cluster snapshot",
        "database": "DBInstanceIdentifier, DBClusterIdentifier",
        "engine": "Engine",
        "age_days": "days since SnapshotCreateTime",
        "storage_gib": "AllocatedStorage; the snapshot holds what of it was written, which AWS does not tell",
        "encrypted": "Encrypted, StorageEncrypted",
    },
    verdicts={
        Verdict.IDLE: "made by hand, its database gone by name and by resource id, and older than min_age_days",
        Verdict.TOO_NEW: "its database is gone, but it was made only now",
        Verdict.UNKNOWN: "the databases, or who it is shared with, could not be read",
    },
    remediation=(
        "Ask the owner whether it is the archive that the law wants; if so export it to S3, which costs a quarter. "
        "Else delete it. Snapshots of AWS Backup are not listed here: their plan deletes them."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.html",
        "https://aws.amazon.com/rds/pricing/",
    ),
    prices=("rds.snapshot",),
    limits=(
        "The saving is at most: AWS bills only what backup storage exceeds the size of the databases, and does not "
        "tell a snapshot's own size."
    ),
    referrers="accounts that it is shared with",
)

CHECKS = (UNUSED_RDS_SNAPSHOTS,)
