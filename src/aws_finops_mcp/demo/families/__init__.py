"""The families of services whose resources are declared as AWS describes them, each with the truth about its checks.

A new family is a module with a function ``family(now)``, and a line here.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from aws_finops_mcp.demo.families import (
    backup,
    cloudtrail,
    clusters,
    compute_ec2,
    compute_images,
    compute_lambda,
    containers,
    containers_images,
    dynamodb,
    eks,
    eks_nodes,
    elasticache,
    first_checks,
    kinesis,
    kms,
    messaging,
    monitoring,
    network_apis,
    network_balancing,
    network_edge,
    network_groups,
    network_nat,
    network_vpc,
    opensearch,
    rds,
    secrets_manager,
    storage_files,
    storage_logs,
    storage_s3,
    storage_snapshots,
    storage_volumes,
    tagging,
)
from aws_finops_mcp.demo.families.family import Family

FAMILIES: Final[tuple[Callable[[datetime], Family], ...]] = (
    backup.family,
    cloudtrail.family,
    clusters.family,
    compute_ec2.family,
    compute_images.family,
    compute_lambda.family,
    containers.family,
    containers_images.family,
    dynamodb.family,
    eks.family,
    eks_nodes.family,
    elasticache.family,
    first_checks.family,
    kinesis.family,
    kms.family,
    messaging.family,
    monitoring.family,
    network_apis.family,
    network_balancing.family,
    network_edge.family,
    network_groups.family,
    network_nat.family,
    network_vpc.family,
    opensearch.family,
    rds.family,
    storage_files.family,
    secrets_manager.family,
    storage_logs.family,
    storage_s3.family,
    storage_snapshots.family,
    storage_volumes.family,
    tagging.family,
)
