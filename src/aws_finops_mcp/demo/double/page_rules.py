"""How many items AWS puts on a page, where it is not simply 100 (sources: the services' API references)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PageRule:
    """``default`` None: everything on one page unless the caller sets a limit, as EC2 does."""

    default: int | None = 100
    cap: int = 100
    minimum: int = 1


# Services whose tokens are names or maps and whose paging moto does as AWS does; ListStreams is in streams.py.
LEFT_TO_MOTO: Final = frozenset({"dynamodb", "dynamodbstreams", "kinesis", "route53", "s3", "s3control", "sqs"})

_EC2: Final = PageRule(default=None, cap=1000, minimum=5)

RULES: Final[dict[tuple[str, str], PageRule]] = {
    ("apigateway", "*"): PageRule(default=25, cap=500),
    ("autoscaling", "*"): PageRule(default=50, cap=100),
    ("backup", "*"): PageRule(default=100, cap=1000),
    ("budgets", "*"): PageRule(default=100, cap=1000),
    # CostAndUsageComparisonsMaxResults and CostComparisonDriversMaxResults of botocore's model.
    ("ce", "GetCostAndUsageComparisons"): PageRule(default=2000, cap=2000),
    ("ce", "GetCostComparisonDrivers"): PageRule(default=10, cap=10),
    ("cloudfront", "*"): PageRule(default=100, cap=100),
    ("cloudwatch", "ListMetrics"): PageRule(default=500, cap=500),
    ("cloudwatch", "DescribeAlarms"): PageRule(default=50, cap=100),
    ("ec2", "*"): _EC2,
    ("ec2", "DescribeRouteTables"): PageRule(default=None, cap=100, minimum=5),
    ("ec2", "DescribeInternetGateways"): PageRule(default=None, cap=1000, minimum=5),
    ("ecr", "*"): PageRule(default=100, cap=1000),
    ("ecs", "ListServices"): PageRule(default=10, cap=100),
    ("elbv2", "*"): PageRule(default=400, cap=400),
    ("elb", "*"): PageRule(default=400, cap=400),
    ("iam", "*"): PageRule(default=100, cap=1000),
    ("kms", "ListKeys"): PageRule(default=100, cap=1000),
    ("kms", "ListAliases"): PageRule(default=50, cap=100),
    ("kms", "ListKeyRotations"): PageRule(default=100, cap=1000),
    ("lambda", "*"): PageRule(default=50, cap=50),
    ("lambda", "ListEventSourceMappings"): PageRule(default=100, cap=100),
    ("logs", "*"): PageRule(default=50, cap=50),
    ("logs", "ListLogGroups"): PageRule(default=50, cap=1000),
    ("organizations", "*"): PageRule(default=20, cap=20),
    ("rds", "*"): PageRule(default=100, cap=100, minimum=20),
    ("resourcegroupstaggingapi", "*"): PageRule(default=50, cap=100),
}


def rule_for(service: str, operation: str) -> PageRule:
    """The operation's own rule, or its service's, or 100 a page."""
    return RULES.get((service, operation)) or RULES.get((service, "*")) or PageRule()
