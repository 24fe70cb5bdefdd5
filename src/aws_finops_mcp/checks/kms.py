"""Customer managed KMS keys that nobody uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part
from aws_finops_mcp.checks.reads import DB_CLUSTERS, DB_INSTANCES, SNAPSHOTS, VOLUMES
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

_MARKER = ("NextMarker", "Marker")
KEYS = read("kms", "ListKeys", "Keys", {"Limit": 1000}, token=_MARKER)
ALIASES = read("kms", "ListAliases", "Aliases", {"Limit": 100}, token=_MARKER)
TAGS = tags_read("kms:key")

BILLED_ROTATIONS = 2
"""Each key costs the same again for its first and its second rotation, https://aws.amazon.com/kms/pricing/."""

_HOLDERS = (
    (VOLUMES, "volume", "VolumeId"),
    (SNAPSHOTS, "snapshot", "SnapshotId"),
    (DB_INSTANCES, "DB instance", "DBInstanceIdentifier"),
    (DB_CLUSTERS, "DB cluster", "DBClusterIdentifier"),
)
"""What may be encrypted with a key for years without using it: EBS asks for its data key only when it attaches."""

_DELETED = ("PendingDeletion", "PendingReplicaDeletion")
_UNUSABLE = ("Disabled", "PendingImport")


class UnusedKeysParams(RegionParams):
    """Arguments of `find_unused_kms_keys`."""

    age_days: int = Field(90, ge=1, le=3650, description="days since the last use, or the creation")


def key_read(key_id: str) -> Read:
    """One key; there is no batch call."""
    return read("kms", "DescribeKey", "KeyMetadata", {"KeyId": key_id}, resource=key_id)


def last_use_read(key_id: str) -> Read:
    """When a key last did anything."""
    return read("kms", "GetKeyLastUsage", "", {"KeyId": key_id}, resource=key_id)


def rotations_read(key_id: str) -> Read:
    """The rotations that a key has had."""
    return read("kms", "ListKeyRotations", "Rotations", {"KeyId": key_id, "Limit": 1000}, token=_MARKER,
                resource=key_id)  # fmt: skip


def aliases_by_key(facts: Facts) -> Mapping[str, Sequence[str]]:
    """Names by key id; none where they were not read."""
    names: dict[str, list[str]] = defaultdict(list)
    for alias in facts.maybe(ALIASES) or ():
        if "TargetKeyId" in alias:
            names[alias["TargetKeyId"]].append(alias["AliasName"])
    return names


def describe_keys(facts: Facts, _params: object) -> Iterator[Read]:
    """All but those that carry a name that only AWS may give: they are AWS's own, and free."""
    names = aliases_by_key(facts)
    for key in facts.items(KEYS):
        if not any(name.startswith("alias/aws/") for name in names[key["KeyId"]]):
            yield key_read(key["KeyId"])


def _described(facts: Facts) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Each key that is not AWS's own; None where it could not be described."""
    for wanted in describe_keys(facts, None):
        found = facts.maybe(wanted)
        if not found:
            yield wanted.resource, None
        elif found[0].get("KeyManager") == "CUSTOMER":
            yield wanted.resource, found[0]


def read_last_use(facts: Facts, _params: object) -> Iterator[Read]:
    """Of each key that is billed."""
    return (last_use_read(key_id) for key_id, key in _described(facts) if key and key["KeyState"] not in _DELETED)


def read_rotations(facts: Facts, params: UnusedKeysParams) -> Iterator[Read]:
    """Of findings whose key material KMS rotates: what they cost hangs on it."""
    held = _held(facts)
    for key_id, key in _described(facts):
        if key and _rotates(key) and _verdict(facts, params, key, held)[0].actionable:
            yield rotations_read(key_id)


def _rotates(key: Mapping[str, Any]) -> bool:
    return key.get("KeySpec") == "SYMMETRIC_DEFAULT" and key.get("Origin") in ("AWS_KMS", "EXTERNAL")


def _held(facts: Facts) -> Mapping[str, Sequence[str]] | None:
    """By the key's ARN: what is encrypted with it; None where some of that was not read."""
    held: dict[str, list[str]] = defaultdict(list)
    for wanted, what, identity in _HOLDERS:
        found = facts.maybe(wanted)
        if found is None:
            return None
        for row in found:
            if row.get("KmsKeyId"):
                held[row["KmsKeyId"]].append(f"{what} {row[identity]}")
    return held


def judge_keys(facts: Facts, params: UnusedKeysParams) -> Iterator[Judgement]:
    """A key without use for long, with which nothing is encrypted that KMS need not be asked for."""
    return with_listed_tags(facts, TAGS, _judge_all(facts, params))


def _judge_all(facts: Facts, params: UnusedKeysParams) -> Iterator[Judgement]:
    held, names = _held(facts), aliases_by_key(facts)
    arns = {key["KeyId"]: key["KeyArn"] for key in facts.items(KEYS)}
    for key_id, key in _described(facts):
        if key is None:
            reason = "the key could not be described"
            yield Judgement(resource_id=arns[key_id], verdict=Verdict.UNKNOWN, reason=reason, evidence={})
            continue
        verdict, reason = _verdict(facts, params, key, held)
        rotations = _rotations(facts, key) if verdict.actionable else 0
        parts = [Part("key", "kms.key", 1)]
        if rotations:
            parts.append(Part(f"{rotations} rotations of it", "kms.key", rotations))
        own = names[key_id]
        yield Judgement(
            resource_id=key["Arn"],
            name=own[0] if own else "",
            verdict=verdict,
            reason=reason,
            evidence=_evidence(facts, key, rotations),
            parts=parts if verdict.actionable else (),
            unpriced=["its rotations, which could not be read"] if rotations is None else (),
            referred_by=[f"alias {name}" for name in own] if verdict.actionable else (),
        )


def _verdict(
    facts: Facts, params: UnusedKeysParams, key: Mapping[str, Any], held: Mapping[str, Sequence[str]] | None
) -> tuple[Verdict, str]:
    state, copies = key["KeyState"], key.get("MultiRegionConfiguration", {})
    if state in _DELETED:
        return Verdict.OK, "scheduled for deletion: no longer billed"
    if copies.get("MultiRegionKeyType") == "REPLICA":
        return Verdict.IN_USE, f"a replica of the one in {copies['PrimaryKey']['Region']}, kept for its failure"
    if copies.get("ReplicaKeys"):
        return Verdict.IN_USE, f"the primary of {len(copies['ReplicaKeys'])} replicas in other regions"
    found = facts.maybe(last_use_read(key["KeyId"]))
    if not found:
        return Verdict.UNKNOWN, "when it was last used could not be read"
    used = found[0].get("KeyLastUsage", {}).get("Timestamp")
    if used is not None and facts.age_days(used) < params.age_days:
        return Verdict.IN_USE, f"used {facts.age_days(used)} days ago"
    age = facts.age_days(key["CreationDate"])
    if age < params.age_days:
        return Verdict.TOO_NEW, f"not used, but made {age} days ago"
    since = found[0].get("TrackingStartDate")
    tracked = age if since is None else min(age, facts.age_days(since))
    if used is None and tracked < params.age_days:
        return Verdict.UNKNOWN, f"KMS has told of its use for {tracked} days only: less than {params.age_days}"
    if held is None:
        return Verdict.UNKNOWN, "not used, but what is encrypted with it could not be read"
    if held.get(key["Arn"]):
        return Verdict.IN_USE, f"encrypts {held[key['Arn']][0]}, which needs it to be attached or restored"
    unused = "no use recorded" if used is None else f"not used in {facts.age_days(used)} days"
    return Verdict.IDLE, f"{unused}; {'cannot be used: ' if state in _UNUSABLE else ''}state {state}"


def _rotations(facts: Facts, key: Mapping[str, Any]) -> int | None:
    """Those that are billed; None where they were not read."""
    if not _rotates(key):
        return 0
    found = facts.maybe(rotations_read(key["KeyId"]))
    return None if found is None else min(len(found), BILLED_ROTATIONS)


def _evidence(facts: Facts, key: Mapping[str, Any], rotations: int | None) -> dict[str, Scalar]:
    last = facts.maybe(last_use_read(key["KeyId"])) if key["KeyState"] not in _DELETED else None
    found = last[0] if last else {}
    used, since = found.get("KeyLastUsage", {}).get("Timestamp"), found.get("TrackingStartDate")
    return {
        "state": key["KeyState"],
        "spec": key.get("KeySpec"),
        "days_since_use": None if used is None else facts.age_days(used),
        "tracked_days": None if since is None else facts.age_days(since),
        "age_days": facts.age_days(key["CreationDate"]),
        "billed_rotations": rotations,
    }


UNUSED_KMS_KEYS = Check(
    name="find_unused_kms_keys",
    title="KMS keys that nobody uses",
    noun="customer managed KMS keys",
    category=Category.SECURITY,
    description=(
        "Customer managed KMS keys, disabled or not, that did nothing for `age_days` and encrypt no volume, snapshot "
        "or database, with what each costs. Free to ask: two calls a key."
    ),
    resource_type="AWS::KMS::Key",
    params=UnusedKeysParams,
    inventory=(KEYS, ALIASES, VOLUMES, SNAPSHOTS, DB_INSTANCES, DB_CLUSTERS, TAGS),
    follow_ups=(describe_keys, read_last_use),
    details=(read_rotations,),
    detail_actions=("kms:DescribeKey", "kms:GetKeyLastUsage", "kms:ListKeyRotations"),
    judge=judge_keys,
    evidence={
        "state": "kms:DescribeKey, KeyState; a disabled key is billed as well",
        "spec": "KeySpec",
        "days_since_use": "kms:GetKeyLastUsage, days since KeyLastUsage.Timestamp; empty: none recorded",
        "tracked_days": "days since TrackingStartDate, from which on KMS records use",
        "age_days": "days since CreationDate",
        "billed_rotations": "kms:ListKeyRotations, the first two of them; asked for findings only; empty: not read",
    },
    verdicts={
        Verdict.IDLE: "no use recorded for age_days, and no volume, snapshot or database is encrypted with it",
        Verdict.IN_USE: "used lately, one of several regions, or something at rest needs it",
        Verdict.OK: "scheduled for deletion, and so no longer billed",
        Verdict.TOO_NEW: "not used, but younger than that",
        Verdict.UNKNOWN: "its description, use or tags, or what it encrypts was not read, or KMS records too little",
    },
    remediation=(
        "Disable it first, and look in CloudTrail for DisabledException for some weeks: objects in S3, files and "
        "backups that nobody reads need it too, and are lost with it. Then schedule its deletion, 30 days ahead: it "
        "costs nothing from then on, and may be cancelled until then."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
        "https://aws.amazon.com/kms/pricing/",
    ),
    prices=("kms.key",),
    limits=(
        "Use is what KMS records; volumes, snapshots and databases are looked at, objects of S3 and other services' "
        "data are not. What is encrypted with a deleted key is lost."
    ),
    referrers="aliases",
    count=lambda facts, _params: sum(1 for _ in _described(facts)),
)

CHECKS = (UNUSED_KMS_KEYS,)
