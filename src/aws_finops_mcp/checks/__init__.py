"""What to look for: a file per AWS service, a declaration and a function per check.

A new check is a section in its service's file and its name in that file's `CHECKS`; a new file is a line here.
"""

from typing import Any

from aws_finops_mcp.checks import (
    awslambda,
    ebs,
    ebs_encryption,
    ebs_performance,
    ebs_snapshots,
    ebs_types,
    ebs_use,
    ec2_generations,
    ec2_overuse,
    ec2_schedule,
    ec2_sizing,
    ec2_stopped,
    elb,
    elb_target_group_health,
    elb_target_groups,
    events,
    logs,
    rds_load,
    rds_protection,
    rds_snapshots,
    rds_usage,
    security_group_exposure,
    security_groups,
    sns,
    sqs,
    vpc,
)
from aws_finops_mcp.checks.check import Check

CHECKS: tuple[Check[Any], ...] = (
    *awslambda.CHECKS,
    *ebs.CHECKS,
    *ebs_encryption.CHECKS,
    *ebs_performance.CHECKS,
    *ebs_snapshots.CHECKS,
    *ebs_types.CHECKS,
    *ebs_use.CHECKS,
    *ec2_generations.CHECKS,
    *ec2_overuse.CHECKS,
    *ec2_schedule.CHECKS,
    *ec2_sizing.CHECKS,
    *ec2_stopped.CHECKS,
    *elb.CHECKS,
    *elb_target_group_health.CHECKS,
    *elb_target_groups.CHECKS,
    *events.CHECKS,
    *logs.CHECKS,
    *rds_load.CHECKS,
    *rds_protection.CHECKS,
    *rds_snapshots.CHECKS,
    *rds_usage.CHECKS,
    *security_group_exposure.CHECKS,
    *security_groups.CHECKS,
    *sns.CHECKS,
    *sqs.CHECKS,
    *vpc.CHECKS,
)
