"""What AWS says: the clock, the instance's role, who the server is, what it may read, the price list."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from botocore.exceptions import BotoCoreError, ClientError

from aws_finops_mcp.audits.catalogue import offered
from aws_finops_mcp.audits.policy import iam_policy
from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.failures import failed_read
from aws_finops_mcp.doctor.host import SECONDS, Host
from aws_finops_mcp.doctor.probe import Finding, fail, not_read, ok, warn

WARN_SKEW, FAIL_SKEW = 30.0, 240.0
"""Seconds; AWS refuses signatures that are off by more than 300."""
METADATA = "http://169.254.169.254"
_AT_ONCE = 100
"""Actions that one simulation takes."""


def clock(host: Host) -> Iterator[Finding]:
    """The host's clock is that of AWS."""
    subject = "clock"
    try:
        address = host.clients.client("sts", host.settings.aws_region).meta.endpoint_url
        answer = httpx2.head(address, timeout=SECONDS, trust_env=True)
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx2.HTTPError, BotoCoreError, KeyError, ValueError) as error:
        yield not_read(subject, f"AWS's time is not known: {error}", "check the host's way to AWS: route, NAT, proxy")
        return
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    fix = "timedatectl; on EC2 chrony should follow 169.254.169.123"
    if skew > FAIL_SKEW:
        yield fail(subject, f"is {skew:.0f} s off: AWS refuses what is signed with it", fix)
    elif skew > WARN_SKEW:
        yield warn(subject, f"is {skew:.0f} s off", fix)
    else:
        yield ok(subject, f"is {skew:.0f} s off")


def instance_role(host: Host) -> Iterator[Finding]:
    """The instance has a role, and hands its credentials only to those who ask with a token."""
    subject, base = "instance role", os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", METADATA).rstrip("/")
    roles = f"{base}/latest/meta-data/iam/security-credentials/"
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        fix = "on an instance with a role, take it out of aws_finops_mcp_environment"
        yield not_read(subject, "is not asked for: AWS_EC2_METADATA_DISABLED is set", fix)
        return
    try:
        with httpx2.Client(timeout=2, trust_env=False) as client:
            token = client.put(f"{base}/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
            answer = client.get(roles, headers={"X-aws-ec2-metadata-token": token.text})
            without = client.get(roles)
    except httpx2.TransportError as error:
        fix = "not an EC2 instance, or its metadata service is off; other credentials are told below"
        yield not_read(subject, f"no metadata service: {error}", fix)
        return
    if answer.status_code != httpx2.codes.OK or not answer.text.strip():
        fix = "attach an instance profile with the policy of `aws-finops-mcp iam-policy`"
        yield fail(subject, f"the instance has none ({answer.status_code})", fix)
        return
    yield ok(subject, f"is {answer.text.splitlines()[0]}")
    if without.status_code == httpx2.codes.OK:
        fix = "aws ec2 modify-instance-metadata-options --http-tokens required"
        yield warn("metadata service", "answers without a token (IMDSv1)", fix)


def identity(host: Host) -> Iterator[Finding]:
    """AWS knows who the server is, in every account that it reads."""
    for account in host.clients.accounts:
        subject = f"identity in {account}"
        try:
            arn = host.clients.client("sts", host.settings.aws_region, account).get_caller_identity()["Arn"]
        except (BotoCoreError, ClientError) as error:
            failed = failed_read(error, action="sts:GetCallerIdentity", account=account, region="")
            yield fail(subject, failed.error, failed.remedy)
        else:
            yield ok(subject, arn)


def permissions(host: Host) -> Iterator[Finding]:
    """Each IAM action that the offered tools need is allowed; simulated, so that nothing is called for it."""
    (statement, *_) = iam_policy(offered(host.settings.categories).values(), {})["Statement"]
    actions: list[str] = statement["Action"]
    for account in host.clients.accounts:
        subject = f"permissions in {account}"
        try:
            arn = host.clients.client("sts", host.settings.aws_region, account).get_caller_identity()["Arn"]
            iam = host.clients.client("iam", GLOBAL_REGION, account)
            refused = sorted(_refused(iam, _principal(iam, arn), actions))
        except (BotoCoreError, ClientError) as error:
            failed = failed_read(error, action="iam:SimulatePrincipalPolicy", account=account, region="")
            fix = failed.remedy
            if failed.kind == "denied":
                fix += ", and iam:GetRole; or compare its policy with `aws-finops-mcp iam-policy`"
            yield not_read(subject, failed.error, fix)
            continue
        for action, decision in refused:
            fix = f"allow {action}: `aws-finops-mcp iam-policy` prints the whole policy"
            said = "denied by a policy" if decision == "explicitDeny" else "not allowed"
            yield fail(subject, f"{action} is {said}", fix)
        if not refused:
            yield ok(subject, f"all {len(actions)} actions that the tools need are allowed")


def _principal(iam: Any, arn: str) -> str:
    """The ARN that IAM knows a caller by: a session's role, with its path."""
    if ":assumed-role/" in arn:
        return str(iam.get_role(RoleName=arn.split("/")[1])["Role"]["Arn"])
    return arn


def _refused(iam: Any, principal: str, actions: list[str]) -> Iterator[tuple[str, str]]:
    if principal.endswith(":root"):
        return  # it may do everything, and can't be simulated
    pages = iam.get_paginator("simulate_principal_policy")
    for start in range(0, len(actions), _AT_ONCE):
        asked = actions[start : start + _AT_ONCE]
        for page in pages.paginate(PolicySourceArn=principal, ActionNames=asked):
            for result in page["EvaluationResults"]:
                if result["EvalDecision"] != "allowed":
                    yield result["EvalActionName"], result["EvalDecision"]


def price_list(host: Host) -> Iterator[Finding]:
    """The price list answers, without which savings are unpriced."""
    try:
        pricing = host.clients.client("pricing", GLOBAL_REGION)
        pricing.get_products(ServiceCode="AmazonEC2", MaxResults=1)
    except (BotoCoreError, ClientError) as error:
        failed = failed_read(error, action="pricing:GetProducts", account="", region=GLOBAL_REGION)
        yield fail("price list", failed.error, failed.remedy)
    else:
        yield ok("price list", "answers")
