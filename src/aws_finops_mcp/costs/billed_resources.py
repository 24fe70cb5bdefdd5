"""What single resources were billed in the last days, and what part of it a commitment covered.

The account's export says it, where one is configured: it has all services, and asking is free. Otherwise Cost Explorer,
which tells costs by resource of fourteen days, of the services that the account's owner switched on:
https://docs.aws.amazon.com/cost-management/latest/userguide/ce-resource-daily.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.ledger import ReadFailedError
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.exports.files import ExportError
from aws_finops_mcp.costs.exports.query import note
from aws_finops_mcp.costs.exports.resources import METRIC as EXPORTED_METRIC
from aws_finops_mcp.costs.exports.resources import resource_days
from aws_finops_mcp.findings import HOURS_PER_MONTH, FailedRead

DAYS = 14
"""How far back Cost Explorer tells costs by resource."""

BATCH = 100
"""Resources of one request: AWS names no limit of a filter's values; this keeps a request far below any."""

METRIC = "NetAmortizedCost"
"""After private discounts, with the fees of commitments spread over what they cover; FOCUS: EffectiveCost."""

COVERED: Mapping[str, str] = {"SavingsPlanCoveredUsage": "Savings Plan", "DiscountedUsage": "reservation"}
"""Cost Explorer's record types of usage that a commitment covers, and that commitment."""

IAM_ACTIONS = ("ce:GetCostAndUsageWithResources",)

RECORD_TYPES = ("Usage", *COVERED)

SERVICES: Mapping[str, tuple[str, ...]] = {
    "ApiGateway": ("Amazon API Gateway",),
    "Backup": ("AWS Backup",),
    "CloudFront": ("Amazon CloudFront",),
    "CloudTrail": ("AWS CloudTrail",),
    "CloudWatch": ("AmazonCloudWatch",),
    "DocDB": ("Amazon DocumentDB (with MongoDB compatibility)",),
    "DynamoDB": ("Amazon DynamoDB",),
    "EC2": ("Amazon Elastic Compute Cloud - Compute", "EC2 - Other", "Amazon Virtual Private Cloud"),
    "ECR": ("Amazon EC2 Container Registry (ECR)",),
    "ECS": ("Amazon Elastic Container Service",),
    "EFS": ("Amazon Elastic File System",),
    "EKS": ("Amazon Elastic Container Service for Kubernetes",),
    "ElastiCache": ("Amazon ElastiCache",),
    "ElasticLoadBalancing": ("Amazon Elastic Load Balancing",),
    "ElasticLoadBalancingV2": ("Amazon Elastic Load Balancing",),
    "FSx": ("Amazon FSx",),
    "KMS": ("AWS Key Management Service",),
    "Kinesis": ("Amazon Kinesis",),
    "Lambda": ("AWS Lambda",),
    "Logs": ("AmazonCloudWatch",),
    "MSK": ("Amazon Managed Streaming for Apache Kafka",),
    "MemoryDB": ("Amazon MemoryDB",),
    "OpenSearchService": ("Amazon OpenSearch Service",),
    "RDS": ("Amazon Relational Database Service",),
    "Redshift": ("Amazon Redshift",),
    "Route53": ("Amazon Route 53",),
    "S3": ("Amazon Simple Storage Service",),
    "SNS": ("Amazon Simple Notification Service",),
    "SQS": ("Amazon Simple Queue Service",),
    "SageMaker": ("Amazon SageMaker",),
    "SecretsManager": ("AWS Secrets Manager",),
}
"""Cost Explorer's names of the services that bill for resources, by the service in the CloudFormation type."""

_BY_HAND = "compare by hand; this server converts no currency"
_EC2_ID = re.compile(r"(vol|i|snap|eipalloc|nat|vpce)-[0-9a-f]+")
"""EC2 bills for these, also as parts of what another service finds: the instances of a node group."""
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_IMAGE = re.compile(r"[^/]+\.dkr\.ecr\.[^/]+/(.+)@sha256:[0-9a-f]+")
_LATE = "AWS renews an export daily: see whether it still does, and whether `location` is its folder"
_BY_PREFIX = {"nat-": "natgateway/", "snap-": "snapshot/", "eipalloc-": "elastic-ip/", "vpce-": "vpc-endpoint/"}
_BY_TYPE = {
    "AWS::DocDB::DBInstance": "rds:{region}:{account}:db:",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/",
    "AWS::ECR::Repository": "ecr:{region}:{account}:repository/",
    "AWS::EFS::FileSystem": "elasticfilesystem:{region}:{account}:file-system/",
    "AWS::EKS::Cluster": "eks:{region}:{account}:cluster/",
    "AWS::ElastiCache::CacheCluster": "elasticache:{region}:{account}:cluster:",
    "AWS::ElasticLoadBalancing::LoadBalancer": "elasticloadbalancing:{region}:{account}:loadbalancer/",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "elasticloadbalancing:{region}:{account}:loadbalancer/",
    "AWS::FSx::FileSystem": "fsx:{region}:{account}:file-system/",
    "AWS::KMS::Key": "kms:{region}:{account}:key/",
    "AWS::Kinesis::Stream": "kinesis:{region}:{account}:stream/",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:",
    "AWS::OpenSearchService::Domain": "es:{region}:{account}:domain/",
    "AWS::RDS::DBInstance": "rds:{region}:{account}:db:",
    "AWS::RDS::DBSnapshot": "rds:{region}:{account}:snapshot:",
    "AWS::Redshift::Cluster": "redshift:{region}:{account}:cluster:",
    "AWS::Route53::HealthCheck": "route53:::healthcheck/",
    "AWS::Route53::HostedZone": "route53:::hostedzone/",
    "AWS::SQS::Queue": "sqs:{region}:{account}:",
}
"""How bills name resources whose own id is shorter; others they name by id."""


Covering = tuple[str, str]
"""What covers some usage: the kind of commitment, and its ARN; empty: nothing does, or the ARN is not told."""
_Days = dict[str, dict[date, dict[Covering, Decimal]]]
"""By resource and day."""


@dataclass(frozen=True)
class BilledId:
    """A resource as bills name it, and the service that bills for it, by its CloudFormation name."""

    name: str
    service: str


@dataclass(frozen=True)
class ResourceBill:
    """What one resource is billed, in US dollars for 730 hours.

    Attributes:
        uncovered: effective cost of the usage that no commitment covers.
        covered: effective cost of the usage that one covers.
        by: the kinds of commitments that cover some of it.
        commitments: (kind, ARN) of those that cover some of it, where the bill names them: an export does.
    """

    uncovered: Decimal
    covered: Decimal
    by: frozenset[str]
    commitments: frozenset[Covering] = frozenset()


@dataclass(frozen=True)
class Bills:
    """The bills of the resources that were asked for, as far as they were read; `first` and `last` are whole days."""

    first: date
    last: date
    found: Mapping[str, ResourceBill]
    not_read: Mapping[str, FailedRead]
    request: str = IAM_ACTIONS[0]
    metric: str = METRIC


def billed_id(identity: str, resource_type: str, region: str, account: str) -> BilledId | None:
    """How the bill names a resource; None where it is not known which service bills for it."""
    service = resource_type.split("::")[1] if resource_type.count("::") == 2 else ""
    service = "EC2" if _EC2_ID.fullmatch(identity) else service
    if service not in SERVICES:
        return None
    if identity.startswith("arn:"):
        # Bills name buckets by name alone.
        return BilledId(identity.rpartition(":::")[2] if service == "S3" else identity, service)
    partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rpartition("-")[0].rpartition("-")[0], "aws")
    for prefix, rest in _BY_PREFIX.items():
        if identity.startswith(prefix):
            return BilledId(f"arn:{partition}:ec2:{region}:{account}:{rest}{identity}", service)
    if _ADDRESS.fullmatch(identity):
        return BilledId(identity, "EC2")
    if match := _IMAGE.fullmatch(identity):
        # Images are billed with their repository.
        identity = match[1]
    if resource_type in _BY_TYPE:
        start = _BY_TYPE[resource_type].format(region=region, account=account)
        return BilledId(f"arn:{partition}:{start}{identity}", service)
    return BilledId(identity, service)


def billed_resources(billing: Billing, wanted: Iterable[BilledId]) -> Bills:
    """Read the bills of some resources; what can't be read is in what is given back."""
    # Yesterday's costs are not all there yet.
    start, end = billing.today - timedelta(days=DAYS), billing.today - timedelta(days=1)
    ids = sorted(set(wanted), key=lambda one: (one.service, one.name))
    exports = billing.exports.of(billing.reader.alias)
    # Athena would bill for the question as Cost Explorer does, by what it scans.
    export = next((name for name, one in exports.items() if not one.athena), "")
    return _exported(billing, export, ids, start, end) if export else _asked(billing, ids, start, end)


def _exported(billing: Billing, export: str, ids: Sequence[BilledId], start: date, end: date) -> Bills:
    source = f"export {export}"
    if not ids:
        return Bills(start, end - timedelta(days=1), {}, {}, source, EXPORTED_METRIC)
    try:
        read_days = resource_days(billing, export, [one.name for one in ids], start, end)
    except (ExportError, ReadFailedError) as error:
        failed = note(billing, error)
        not_read = {one.name: failed for one in ids}
        return Bills(start, end - timedelta(days=1), {}, not_read, source, EXPORTED_METRIC)
    # AWS may be late, and have written the last day in part: only those before it are whole.
    if read_days.last is None or read_days.last <= start:
        until = f"ends on {read_days.last}" if read_days.last else "has no usage"
        failed = _unusable(billing, f"{source} {until}: no whole day of {start} to {end - timedelta(days=1)}", _LATE)
        return Bills(start, end - timedelta(days=1), {}, {one.name: failed for one in ids}, source, EXPORTED_METRIC)
    end = min(end, read_days.last)
    daily: _Days = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    other: dict[str, FailedRead] = {}
    for one in read_days.days:
        if one.day >= end:
            continue
        if one.currency == "USD":
            daily[one.resource_id][one.day][_kind(one.commitment_type), one.commitment_id] += one.effective_cost
        else:
            why = f"{source}: costs are in {one.currency}, and savings in USD"
            other[one.resource_id] = _unusable(billing, why, _BY_HAND)
    found = {name: _bill(days, start, end) for name, days in daily.items() if name not in other}
    return Bills(start, end - timedelta(days=1), found, other, source, EXPORTED_METRIC)


def _kind(commitment_type: str) -> str:
    """FOCUS's type of a commitment, as Cost Explorer's are called here."""
    return "reservation" if commitment_type == "Reserved" else commitment_type


def _unusable(billing: Billing, error: str, remedy: str) -> FailedRead:
    """What an export does not tell, although it was read; in the ledger once."""
    failed = FailedRead(
        call="sql",
        account=billing.reader.account,
        region=billing.reader.region,
        kind="not_available",
        error=error,
        remedy=remedy,
    )
    if failed not in billing.reader.ledger.failed_reads:
        billing.reader.ledger.fail(failed)
    return failed


def _asked(billing: Billing, ids: Sequence[BilledId], start: date, end: date) -> Bills:
    """Ask Cost Explorer, a request for each 100."""
    batches = [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
    questions = [_question(batch, start, end) for batch in batches]
    daily: _Days = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    not_read: dict[str, FailedRead] = {}
    for batch, question, pages in zip(batches, questions, billing.ask(*questions), strict=True):
        read_pages = [] if isinstance(pages, FailedRead) else pages
        failed = pages if isinstance(pages, FailedRead) else _refused(billing, question, read_pages)
        if failed is not None:
            not_read |= {one.name: failed for one in batch}
            continue
        for page in read_pages:
            _add(page, daily)
    found = {name: _bill(days, start, end) for name, days in daily.items()}
    return Bills(start, end - timedelta(days=1), found, not_read)


def _question(batch: Sequence[BilledId], start: date, end: date) -> Read:
    services = sorted({name for one in batch for name in SERVICES[one.service]})
    filters: list[tuple[str, Sequence[str]]] = [
        ("SERVICE", services),
        ("RECORD_TYPE", RECORD_TYPES),
        ("RESOURCE_ID", [one.name for one in batch]),
    ]
    request = {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": [METRIC],
        "GroupBy": [{"Type": "DIMENSION", "Key": "RESOURCE_ID"}, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}],
        "Filter": {"And": [{"Dimensions": {"Key": key, "Values": list(values)}} for key, values in filters]},
    }
    token = ("NextPageToken", "NextPageToken")
    absent = ("DataUnavailableException",)
    return read("ce", "GetCostAndUsageWithResources", "", request, token=token, region=GLOBAL_REGION, absent=absent)


def _refused(billing: Billing, question: Read, pages: Sequence[Any]) -> FailedRead | None:
    if not pages:
        return billing.fail(
            question,
            "not_opted_in",
            "DataUnavailableException: the account keeps no costs by resource",
            "the account's owner switches on: Billing and Cost Management console, Cost Management preferences, Cost "
            "Explorer, resource-level data at daily granularity, for the services wanted; the first data take a day",
        )
    groups = (g for page in pages for one in page.get("ResultsByTime", ()) for g in one.get("Groups", ()))
    other = {unit for g in groups if (unit := g["Metrics"][METRIC].get("Unit", "USD")) != "USD"}
    if other:
        error = f"costs are in {', '.join(sorted(other))}, and savings in USD"
        return billing.fail(question, "not_available", error, _BY_HAND)
    return None


def _add(page: Mapping[str, Any], daily: _Days) -> None:
    for one in page.get("ResultsByTime", ()):
        day = date.fromisoformat(one["TimePeriod"]["Start"][:10])
        for group in one.get("Groups", ()):
            name, record = group["Keys"]
            daily[name][day][COVERED.get(record, ""), ""] += Decimal(group["Metrics"][METRIC]["Amount"])


def _bill(days: Mapping[date, Mapping[Covering, Decimal]], start: date, end: date) -> ResourceBill:
    """Costs from the first whole day that was billed to the end of what was asked for, scaled to 730 hours."""
    first = min(days)
    if first > start and first + timedelta(days=1) < end:
        first += timedelta(days=1)  # made in the course of that day
    hours = (end - first).days * 24
    uncovered, covered = Decimal(0), Decimal(0)
    by: dict[Covering, Decimal] = defaultdict(Decimal)
    for day, amounts in days.items():
        if day >= first:
            for (kind, arn), amount in amounts.items():
                if kind:
                    by[kind, arn] += amount
                    covered += amount
                else:
                    uncovered += amount
    return ResourceBill(
        uncovered=uncovered * HOURS_PER_MONTH / hours,
        covered=covered * HOURS_PER_MONTH / hours,
        by=frozenset(kind for (kind, _), amount in by.items() if amount),
        commitments=frozenset((kind, arn) for (kind, arn), amount in by.items() if amount and arn),
    )
