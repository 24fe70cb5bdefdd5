"""Tag checks by cost: what the resources that lack their tags are billed, the dearest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from aws_finops_mcp.checks.check import Check
from aws_finops_mcp.checks.tag_policy import TAG_COMPLIANCE, UntaggedResourcesParams
from aws_finops_mcp.costs.billed_resources import BilledId, ResourceBill, billed_id, billed_resources
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.findings import CheckAnswer, Finding, Scalar, cents

_SERVICES: Mapping[str, str] = {
    "apigateway": "ApiGateway",
    "backup": "Backup",
    "cloudfront": "CloudFront",
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "ecr": "ECR",
    "ecs": "ECS",
    "eks": "EKS",
    "elasticache": "ElastiCache",
    "elasticfilesystem": "EFS",
    "elasticloadbalancing": "ElasticLoadBalancingV2",
    "es": "OpenSearchService",
    "fsx": "FSx",
    "kinesis": "Kinesis",
    "kms": "KMS",
    "lambda": "Lambda",
    "logs": "Logs",
    "memorydb": "MemoryDB",
    "rds": "RDS",
    "redshift": "Redshift",
    "route53": "Route53",
    "s3": "S3",
    "secretsmanager": "SecretsManager",
    "sns": "SNS",
    "sqs": "SQS",
}
"""CloudFormation's names of services, by those of ARNs."""

_TYPES: Mapping[str, str] = {
    "dynamodb:table": "AWS::DynamoDB::Table",
    "eks:cluster": "AWS::EKS::Cluster",
    "elasticfilesystem:file-system": "AWS::EFS::FileSystem",
    "elasticloadbalancing:loadbalancer": "AWS::ElasticLoadBalancing::LoadBalancer",
    "fsx:file-system": "AWS::FSx::FileSystem",
    "es:domain": "AWS::OpenSearchService::Domain",
    "kms:key": "AWS::KMS::Key",
    "redshift:cluster": "AWS::Redshift::Cluster",
    "sqs:queue": "AWS::SQS::Queue",
}
"""Of what a tag check names without its ARN, and bills with it."""

BILLED = "billed_usd"
NONCOMPLIANT = "noncompliant_usd"
UNCOSTED = "uncosted"
_SOURCE = "for 730 h, {metric} of {first} to {last} by {request}"


def with_costs(
    billing: Billing, check: Check[UntaggedResourcesParams], every: CheckAnswer, whole: CheckAnswer
) -> CheckAnswer:
    """A tag check's whole answer with what is billed, ranked by what lacks its tags.

    Args:
        every: each resource, compliant or not; for a check of services `whole` is of these.
    """
    ids = {one.resource_id or "": _billed(one, every) for one in every.findings}
    bills = billed_resources(billing, [one for one in ids.values() if one])
    by_resource = {name: bills.found.get(one.name) if one else None for name, one in ids.items()}
    source = _SOURCE.format(metric=bills.metric, first=bills.first, last=bills.last, request=bills.request)
    wrong = [one for one in every.findings if one.verdict and one.verdict.actionable]
    bad = sum((_usd(by_resource[one.resource_id or ""]) for one in wrong), Decimal(0))
    unknown = sum(by_resource[one.resource_id or ""] is None for one in wrong)
    by_service = check.name == TAG_COMPLIANCE.name
    keys = (BILLED, NONCOMPLIANT, UNCOSTED) if by_service else (BILLED,)
    ranked = NONCOMPLIANT if by_service else BILLED
    if by_service:
        findings = _services(whole, every, by_resource)
    else:
        findings = [_with(one, _own(by_resource.get(one.resource_id or ""))) for one in whole.findings]
    findings.sort(key=lambda one: (not (one.verdict and one.verdict.actionable), -_number(one, ranked)))
    told = f"; what lacks them was billed ${cents(bad):,.2f} a month ({source})"
    told += f", without {unknown} of {len(wrong)} resources, whose costs are not known" if unknown else ""
    sources = {BILLED: "what it is billed a month", NONCOMPLIANT: "of this, that of resources that lack a tag"}
    sources = {key: f"{what} {source}" for key, what in sources.items()} | {UNCOSTED: "resources that are in no bill"}
    ledger = billing.reader.ledger
    return whole.model_copy(
        update={
            "findings": tuple(findings),
            "summary": f"{whole.summary.removesuffix('.')}{told}.",
            "evidence_sources": {**whole.evidence_sources, **{key: sources[key] for key in keys}},
            "complete": whole.complete and not ledger.failed_reads,
            "failed_reads": ledger.failed_reads,
            "calls": ledger.calls(),
        }
    )


def _billed(finding: Finding, answer: CheckAnswer) -> BilledId | None:
    kind = str((finding.evidence or {}).get("type", ""))
    service = _SERVICES.get(kind.partition(":")[0])
    if service is None:
        return None
    resource_type = _TYPES.get(kind, f"AWS::{service}::Resource")
    return billed_id(finding.resource_id or "", resource_type, answer.region, answer.account)


def _services(whole: CheckAnswer, every: CheckAnswer, bills: Mapping[str, ResourceBill | None]) -> list[Finding]:
    by_service: dict[str, list[Finding]] = defaultdict(list)
    for one in every.findings:
        by_service[str((one.evidence or {}).get("type", "")).partition(":")[0]].append(one)
    found = []
    for service in whole.findings:
        own = by_service[service.resource_id or ""]
        wrong = [one for one in own if one.verdict and one.verdict.actionable]
        sums = (sum((_usd(bills[one.resource_id or ""]) for one in some), Decimal(0)) for some in (own, wrong))
        billed, lacking = (cents(usd) for usd in sums)
        uncosted = sum(bills[one.resource_id or ""] is None for one in own)
        found.append(_with(service, {BILLED: billed, NONCOMPLIANT: lacking, UNCOSTED: uncosted}))
    return found


def _own(bill: ResourceBill | None) -> dict[str, Scalar]:
    return {} if bill is None else {BILLED: cents(_usd(bill))}


def _with(finding: Finding, more: Mapping[str, Scalar]) -> Finding:
    return finding.model_copy(update={"evidence": {**(finding.evidence or {}), **more}})


def _usd(bill: ResourceBill | None) -> Decimal:
    return Decimal(0) if bill is None else bill.covered + bill.uncovered


def _number(finding: Finding, key: str) -> float:
    value = (finding.evidence or {}).get(key)
    return value if isinstance(value, float) else 0.0
