"""Names of Cost Explorer's that people get wrong, and what each request of $0.01 would not find."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

RECORD_TYPES = (
    "Usage",
    "DiscountedUsage",
    "SavingsPlanCoveredUsage",
    "SavingsPlanNegation",
    "SavingsPlanRecurringFee",
    "SavingsPlanUpfrontFee",
    "RIFee",
    "Recurring",
    "Upfront",
    "Fee",
    "OCBLateFee",
    "Support",
    "Tax",
    "Credit",
    "Refund",
    "Discount",
)
"""What Cost Explorer calls kinds of charges, but for discounts, which have a name for each program:
https://docs.aws.amazon.com/cost-management/latest/userguide/ce-filtering.html"""

DISCOUNT = "Discount"
"""How the names of discounts end: Enterprise Discount Program Discount, PrivateRateDiscount, ..."""

SERVICES: Mapping[str, tuple[str, ...]] = {
    "API Gateway": ("Amazon API Gateway",),
    "Athena": ("Amazon Athena",),
    "Backup": ("AWS Backup",),
    "CloudFront": ("Amazon CloudFront",),
    "CloudTrail": ("AWS CloudTrail",),
    "CloudWatch": ("AmazonCloudWatch",),
    "Config": ("AWS Config",),
    "DocumentDB": ("Amazon DocumentDB (with MongoDB compatibility)",),
    "DynamoDB": ("Amazon DynamoDB",),
    "EBS": ("EC2 - Other",),
    "EC2": ("Amazon Elastic Compute Cloud - Compute", "EC2 - Other"),
    "ECR": ("Amazon EC2 Container Registry (ECR)",),
    "ECS": ("Amazon Elastic Container Service",),
    "EFS": ("Amazon Elastic File System",),
    "EKS": ("Amazon Elastic Container Service for Kubernetes",),
    "ELB": ("Amazon Elastic Load Balancing",),
    "ElastiCache": ("Amazon ElastiCache",),
    "Fargate": ("Amazon Elastic Container Service", "Amazon Elastic Container Service for Kubernetes"),
    "FSx": ("Amazon FSx",),
    "Glue": ("AWS Glue",),
    "Kinesis": ("Amazon Kinesis",),
    "KMS": ("AWS Key Management Service",),
    "Lambda": ("AWS Lambda",),
    "MemoryDB": ("Amazon MemoryDB",),
    "MSK": ("Amazon Managed Streaming for Apache Kafka",),
    "NAT gateway": ("EC2 - Other",),
    "OpenSearch": ("Amazon OpenSearch Service",),
    "RDS": ("Amazon Relational Database Service",),
    "Redshift": ("Amazon Redshift",),
    "Route 53": ("Amazon Route 53",),
    "SageMaker": ("Amazon SageMaker",),
    "S3": ("Amazon Simple Storage Service",),
    "Secrets Manager": ("AWS Secrets Manager",),
    "SNS": ("Amazon Simple Notification Service",),
    "SQS": ("Amazon Simple Queue Service",),
    "VPC": ("Amazon Virtual Private Cloud",),
}
"""What Cost Explorer calls some services, by the name that people use. There are more, as those of sellers."""

_KNOWN = sorted({name for names in SERVICES.values() for name in names})


def check_record_types(values: Iterable[str]) -> None:
    """Refuse what is no kind of charge.

    Raises:
        ValueError: with what is meant.
    """
    for value in values:
        if value in RECORD_TYPES or value.endswith(DISCOUNT):
            continue
        folded = {name.casefold(): name for name in RECORD_TYPES}
        near = difflib.get_close_matches(value.casefold().replace(" ", ""), folded, n=2)
        hint = f"did you mean {' or '.join(folded[one] for one in near)}?" if near else ""
        hint = hint or f"there are: {', '.join(RECORD_TYPES)}, and any that ends with {DISCOUNT}"
        raise ValueError(f"record_type: {value!r} is none of Cost Explorer's; {hint}")


def check_services(values: Iterable[str]) -> None:
    """Refuse names that are certainly no service's: short ones, and known ones in another case.

    Raises:
        ValueError: with what Cost Explorer calls it.
    """
    short = {name.casefold().replace(" ", ""): names for name, names in SERVICES.items()}
    exact = {name.casefold(): (name,) for name in _KNOWN}
    for value in values:
        if value in _KNOWN:
            continue
        folded = value.casefold()
        names = exact.get(folded) or short.get(folded.replace(" ", "").removeprefix("amazon").removeprefix("aws"))
        if names:
            meant = " or ".join(map(repr, names))
            raise ValueError(f"service: Cost Explorer has no {value!r}; did you mean {meant}?")


def near_services(values: Iterable[str]) -> list[str]:
    """What may have been meant by services that nothing was billed for."""
    return [near for value in values if value not in _KNOWN for near in difflib.get_close_matches(value, _KNOWN, n=2)]
