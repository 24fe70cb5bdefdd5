"""Checks of AWS Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, Part, tags_of
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

SECRETS = read("secretsmanager", "ListSecrets", "SecretList", {"MaxResults": 100})


class UnusedSecretsParams(RegionParams):
    """Arguments of `find_unused_secrets`."""

    age_days: int = Field(90, ge=1, le=3650, description="days since the last retrieval, or the creation")


def judge_secrets(facts: Facts, params: UnusedSecretsParams) -> Iterator[Judgement]:
    """A secret that nobody retrieved for long is idle, unless it is a replica, or another service keeps it."""
    return (_judge(facts, params, secret) for secret in facts.items(SECRETS))


def _judge(facts: Facts, params: UnusedSecretsParams, secret: Mapping[str, Any]) -> Judgement:
    region = secret["ARN"].split(":")[3]
    accessed, created = secret.get("LastAccessedDate"), secret.get("CreatedDate")
    unread = None if accessed is None else facts.age_days(accessed)
    age = None if created is None else facts.age_days(created)
    evidence: dict[str, Scalar] = {
        "days_since_retrieval": unread,
        "age_days": age,
        "rotation": bool(secret.get("RotationEnabled")),
    }
    if unread is not None and unread < params.age_days:
        verdict, reason = Verdict.IN_USE, f"retrieved {unread} days ago"
    elif secret.get("OwningService"):
        verdict, reason = Verdict.IN_USE, f"made and kept by {secret['OwningService']}"
    elif secret.get("PrimaryRegion", region) != region:
        verdict, reason = Verdict.IN_USE, f"a replica of the one in {secret['PrimaryRegion']}, kept for its failure"
    elif age is not None and age < params.age_days:
        verdict, reason = Verdict.TOO_NEW, f"not retrieved, but {age} days old"
    elif unread is None and age is None:
        verdict, reason = Verdict.UNKNOWN, "Secrets Manager tells neither its age nor a retrieval"
    else:
        verdict = Verdict.IDLE
        reason = "never retrieved in this region" if unread is None else f"not retrieved in {unread} days"
    return Judgement(
        resource_id=secret["ARN"],
        name=secret["Name"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags_of(secret),
        parts=[Part("secret", "secretsmanager.secret", 1)],
        referred_by=[f"rotated by {secret['RotationLambdaARN']}"] if secret.get("RotationLambdaARN") else (),
    )


UNUSED_SECRETS = Check(
    name="find_unused_secrets",
    title="Secrets that nobody retrieves",
    noun="secrets",
    category=Category.SECURITY,
    description=(
        "Secrets of Secrets Manager that were not retrieved for `age_days`, with what each costs; replicas and those "
        "that another AWS service keeps are left out. No secret's value is read. Free to ask."
    ),
    resource_type="AWS::SecretsManager::Secret",
    params=UnusedSecretsParams,
    inventory=(SECRETS,),
    judge=judge_secrets,
    referrers="the function that rotates it; AWS does not tell what is made to retrieve it",
    evidence={
        "days_since_retrieval": "secretsmanager:ListSecrets, days since LastAccessedDate, of this region; empty: never",
        "age_days": "days since CreatedDate",
        "rotation": "RotationEnabled; the function that rotates a secret retrieves it too",
    },
    verdicts={
        Verdict.IDLE: "not retrieved for long, and not new",
        Verdict.IN_USE: "retrieved lately, a replica, or kept by another AWS service",
        Verdict.TOO_NEW: "never retrieved, but younger than that",
        Verdict.UNKNOWN: "Secrets Manager tells neither its age nor a retrieval",
    },
    remediation=(
        "Ask the owner: break-glass and disaster recovery secrets are seldom read. Then delete it with the longest "
        "recovery window, 30 days, in which it costs nothing and can be restored."
    ),
    references=(
        "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_SecretListEntry.html",
        "https://aws.amazon.com/secrets-manager/pricing/",
    ),
    prices=("secretsmanager.secret",),
    limits="Secrets Manager records a retrieval by the day. Calls to it are not priced.",
)

CHECKS = (UNUSED_SECRETS,)
