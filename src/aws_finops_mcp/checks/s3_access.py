"""Checks of who gets at S3 buckets: public ones, and those without default encryption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import ACCOUNT, Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.reads import BUCKETS
from aws_finops_mcp.checks.s3_reads import arn, names, of_bucket, tags_if_found, with_bucket_tags
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

ACCOUNT_BLOCK = read(
    "s3control",
    "GetPublicAccessBlock",
    "PublicAccessBlockConfiguration",
    {"AccountId": ACCOUNT},
    absent=("NoSuchPublicAccessBlockConfiguration",),
)
EVERYBODY = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everybody",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "everybody with an AWS account",
}

# --- Public buckets ---------------------------------------------------------------------------------------------


def _block(bucket: str) -> Read:
    absent = "NoSuchPublicAccessBlockConfiguration"
    return of_bucket("GetPublicAccessBlock", "PublicAccessBlockConfiguration", bucket, absent)


def _policy(bucket: str) -> Read:
    return of_bucket("GetBucketPolicyStatus", "PolicyStatus", bucket, "NoSuchBucketPolicy")


def _acl(bucket: str) -> Read:
    return of_bucket("GetBucketAcl", "Grants", bucket)


def _flag(found: Any, name: str) -> bool | None:
    """A flag of a block; None when the block could not be read, False where there is none."""
    if found is None:
        return None
    return bool(found and found[0].get(name))


def _shut(facts: Facts, bucket: str, flag: str) -> bool | None:
    """Whether the account's or the bucket's block has a flag; None when that is not known."""
    flags = [_flag(facts.maybe(ACCOUNT_BLOCK), flag)]
    if _block(bucket) in facts.details:
        flags.append(_flag(facts.maybe(_block(bucket)), flag))
    return True if True in flags else (None if None in flags else False)


def read_blocks(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """Where the account's block shuts policies and ACLs, no bucket is asked."""
    account = facts.maybe(ACCOUNT_BLOCK)
    if _flag(account, "RestrictPublicBuckets") and _flag(account, "IgnorePublicAcls"):
        return
    yield from (_block(bucket) for bucket in names(facts))


def read_doors(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """The policy and the ACL of each bucket, but for what a block shuts."""
    for bucket in names(facts):
        if _shut(facts, bucket, "RestrictPublicBuckets") is not True:
            yield _policy(bucket)
        if _shut(facts, bucket, "IgnorePublicAcls") is not True:
            yield _acl(bucket)


def _judge_public(facts: Facts) -> list[Judgement]:
    return [_judge_one(facts, bucket) for bucket in facts.items(BUCKETS)]


def _judge_one(facts: Facts, row: Any) -> Judgement:
    bucket = row["Name"]
    restricted, ignored = (_shut(facts, bucket, flag) for flag in ("RestrictPublicBuckets", "IgnorePublicAcls"))
    policy = False if restricted else _public_policy(facts, bucket)
    grants = "" if ignored else _public_grants(facts, bucket)
    evidence: dict[str, Scalar] = {
        "account_block": _words(facts.maybe(ACCOUNT_BLOCK)),
        "bucket_block": _words(facts.maybe(_block(bucket))) if _block(bucket) in facts.details else "not asked",
        "public_policy": policy,
        "public_grants": grants,
        "age_days": facts.age_days(row["CreationDate"]),
    }
    sure = (policy and restricted is False) or (grants and ignored is False)
    if sure:
        ways = [*(["its policy"] if policy else []), *([f"its ACL ({grants})"] if grants else [])]
        verdict, reason = Verdict.RISKY, f"public by {' and '.join(ways)}, and no block shuts it"
    elif policy is None or grants is None or (policy and restricted is None) or (grants and ignored is None):
        verdict, reason = Verdict.UNKNOWN, "its policy, its ACL or a block could not be read"
    elif restricted and ignored:
        verdict, reason = Verdict.OK, "a block shuts public policies and ACLs"
    else:
        verdict, reason = Verdict.OK, "neither its policy nor its ACL is public"
    return Judgement(arn(bucket), verdict, reason, evidence, name=bucket)


def _public_policy(facts: Facts, bucket: str) -> bool | None:
    found = facts.maybe(_policy(bucket)) if _policy(bucket) in facts.details else None
    return None if found is None else any(status.get("IsPublic") for status in found)


def _public_grants(facts: Facts, bucket: str) -> str | None:
    found = facts.maybe(_acl(bucket)) if _acl(bucket) in facts.details else None
    if found is None:
        return None
    given = (f"{grant['Permission']} to {EVERYBODY[uri]}" for grant in found if (uri := _group(grant)) in EVERYBODY)
    return ", ".join(sorted(given))


def _group(grant: Mapping[str, Any]) -> str:
    return str(grant.get("Grantee", {}).get("URI", ""))


def _words(block: Any) -> str | None:
    if block is None:
        return None
    return ", ".join(name for name, on in sorted(block[0].items()) if on) or "none" if block else "none"


def read_public_tags(facts: Facts, _params: RegionParams) -> Iterator[Read]:
    """The tags, if there is a finding."""
    return tags_if_found(facts, _judge_public(facts))


def judge_public(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """A bucket is public when its policy or its ACL is, and neither its own nor the account's block shuts that."""
    return with_bucket_tags(facts, _judge_public(facts))


PUBLIC_BUCKETS = Check(
    name="find_public_s3_buckets",
    title="S3 buckets that are open to the public",
    noun="S3 buckets",
    category=Category.SECURITY,
    description=(
        "S3 buckets that the public gets at by policy or ACL, the account's and the bucket's blocks considered. Free "
        "to ask; up to three calls a bucket, none where the account's block shuts all."
    ),
    resource_type="AWS::S3::Bucket",
    params=RegionParams,
    inventory=(BUCKETS, ACCOUNT_BLOCK),
    follow_ups=(read_blocks, read_doors, read_public_tags),
    detail_actions=(
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketPolicyStatus",
        "s3:GetBucketAcl",
        "tag:GetResources",
    ),
    judge=judge_public,
    evidence={
        "account_block": "s3:GetAccountPublicAccessBlock, the flags that are on; empty when not read",
        "bucket_block": "s3:GetBucketPublicAccessBlock, the flags that are on; empty when not read",
        "public_policy": "s3:GetBucketPolicyStatus, IsPublic; false where a block shuts it; empty when not read",
        "public_grants": "s3:GetBucketAcl, what everybody may; empty: nothing, or a block ignores it; null: not read",
        "age_days": "days since s3:ListAllMyBuckets, CreationDate",
    },
    verdicts={
        Verdict.RISKY: "its policy or ACL is public, and no block of the bucket or the account shuts that",
        Verdict.UNKNOWN: "its policy, ACL, block or tags, or the account's block could not be read",
    },
    remediation=(
        "Turn the account's block on, but for buckets that are meant to be public; serve websites by CloudFront with "
        "origin access control instead."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html",
    ),
    limits="Access points, and objects' own ACLs under a bucket that allows them, are not looked at.",
    saves=False,
)

# --- Buckets without default encryption -------------------------------------------------------------------------


class EncryptionParams(RegionParams):
    """Arguments of `find_unencrypted_s3_buckets`."""

    require_kms: bool = Field(False, description="find buckets too that encrypt by S3's own keys, not by KMS")


def _encryption(bucket: str) -> Read:
    path, absent = "ServerSideEncryptionConfiguration.Rules", "ServerSideEncryptionConfigurationNotFoundError"
    return of_bucket("GetBucketEncryption", path, bucket, absent)


def read_encryption(facts: Facts, _params: EncryptionParams) -> Iterator[Read]:
    """One question a bucket: there is no listing of it."""
    return (_encryption(bucket) for bucket in names(facts))


def _judge_encryption(facts: Facts, params: EncryptionParams) -> Iterator[Judgement]:
    for row in facts.items(BUCKETS):
        bucket = row["Name"]
        rules = facts.maybe(_encryption(bucket))
        rule = rules[0] if rules else {}
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        algorithm = default.get("SSEAlgorithm")
        if rules is None:
            verdict, reason = Verdict.UNKNOWN, "its encryption could not be read"
        elif algorithm is None:
            verdict, reason = Verdict.RISKY, "no default encryption"
        elif params.require_kms and not algorithm.startswith("aws:kms"):
            verdict, reason = Verdict.NONCOMPLIANT, f"encrypts by {algorithm}, not by KMS"
        else:
            verdict, reason = Verdict.OK, f"encrypts by {algorithm}"
        evidence: dict[str, Scalar] = {
            "algorithm": algorithm,
            "kms_key": default.get("KMSMasterKeyID"),
            "bucket_key": rule.get("BucketKeyEnabled"),
            "age_days": facts.age_days(row["CreationDate"]),
        }
        yield Judgement(arn(bucket), verdict, reason, evidence, name=bucket)


def read_encryption_tags(facts: Facts, params: EncryptionParams) -> Iterator[Read]:
    """The tags, if there is a finding."""
    return tags_if_found(facts, _judge_encryption(facts, params))


def judge_encryption(facts: Facts, params: EncryptionParams) -> Iterator[Judgement]:
    """Since 2023 AWS encrypts every new object; a bucket without a default is older, or of another store than AWS's."""
    return with_bucket_tags(facts, list(_judge_encryption(facts, params)))


UNENCRYPTED_BUCKETS = Check(
    name="find_unencrypted_s3_buckets",
    title="S3 buckets without default encryption",
    noun="S3 buckets",
    category=Category.SECURITY,
    description=(
        "S3 buckets without default encryption, or, with `require_kms`, without KMS. Objects from before 2023 may be "
        "unencrypted all the same: S3 tells that of each object only. Free to ask; one call a bucket."
    ),
    resource_type="AWS::S3::Bucket",
    params=EncryptionParams,
    inventory=(BUCKETS,),
    follow_ups=(read_encryption, read_encryption_tags),
    detail_actions=("s3:GetEncryptionConfiguration", "tag:GetResources"),
    judge=judge_encryption,
    evidence={
        "algorithm": "s3:GetEncryptionConfiguration, SSEAlgorithm",
        "kms_key": "KMSMasterKeyID",
        "bucket_key": "BucketKeyEnabled: without it each object asks KMS, which is billed",
        "age_days": "days since s3:ListAllMyBuckets, CreationDate",
    },
    verdicts={
        Verdict.RISKY: "no default encryption",
        Verdict.NONCOMPLIANT: "encrypted, but not by KMS, which require_kms asks for",
        Verdict.UNKNOWN: "its encryption or its tags could not be read",
    },
    remediation=(
        "Set a default encryption; encrypt what is older by copying it in place (S3 Batch Operations). With KMS turn "
        "the bucket key on."
    ),
    references=(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html",
    ),
    limits="What single objects are encrypted with is not read: that is a call an object.",
    saves=False,
)

CHECKS = (PUBLIC_BUCKETS, UNENCRYPTED_BUCKETS)
