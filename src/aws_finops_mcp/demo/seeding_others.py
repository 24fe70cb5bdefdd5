"""A few resources of further services, so that tools for them find something."""

from __future__ import annotations

from collections.abc import Callable

from moto.dynamodb.models import dynamodb_backends
from moto.logs.models import logs_backends
from moto.rds.models import rds_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from aws_finops_mcp.demo import inventory
from aws_finops_mcp.demo.double.effects import secure_bucket
from aws_finops_mcp.demo.inventory import ACCOUNT_ID


def create(pin: Callable[[str], None]) -> None:
    """Create them; ``pin`` fixes moto's randomness for the named resource."""
    for bucket in inventory.BUCKETS:
        pin(f"s3/{bucket.name}")
        s3 = s3_backends[ACCOUNT_ID]["aws"]
        secure_bucket(s3.create_bucket(bucket.name, bucket.region))
    for table in inventory.TABLES:
        pin(f"dynamodb/{table.name}")
        dynamodb_backends[ACCOUNT_ID][table.region].create_table(
            table.name,
            schema=[{"AttributeName": "id", "KeyType": "HASH"}],
            throughput=None,
            attr=[{"AttributeName": "id", "AttributeType": "S"}],
            global_indexes=None,
            indexes=None,
            streams=None,
            billing_mode="PAY_PER_REQUEST",
            sse_specification=None,
            tags=[{"Key": key, "Value": value} for key, value in table.tags.items()],
            deletion_protection_enabled=True,
            warm_throughput=None,
        )
    for database, kind, engine in inventory.DATABASES:
        pin(f"rds/{database.name}")
        rds_backends[ACCOUNT_ID][database.region].create_db_instance(
            {
                "db_instance_identifier": database.name,
                "db_instance_class": kind,
                "engine": engine,
                "allocated_storage": 200,
                "storage_type": "gp3",
                "master_username": "shop",
                "master_user_password": "not-a-secret",
                "tags": [{"Key": key, "Value": value} for key, value in database.tags.items()],
            }
        )
    for queue in inventory.QUEUES:
        pin(f"sqs/{queue.name}")
        sqs_backends[ACCOUNT_ID][queue.region].create_queue(queue.name, tags=queue.tags, region=queue.region)
    for group in inventory.LOG_GROUPS:
        pin(f"logs/{group.name}")
        logs_backends[ACCOUNT_ID][group.region].create_log_group(group.name, group.tags)
