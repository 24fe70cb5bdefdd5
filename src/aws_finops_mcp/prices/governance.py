"""Units of what keeps an account in order: keys, trails, backups, and questions to its logs and bills."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.prices.unit import Unit


def governance_units() -> Iterator[Unit]:
    """A key, or one of the rotations of it that are billed, costs a month the same; an event after the first copy."""
    # The usage type begins with the region's whole name, not with its short one.
    yield Unit("kms.key", "awskms", r"[a-z]+(?:-[a-z]+)+-\d-KMS-Keys", "Keys", {"productFamily": "Encryption Key"})
    family = {"productFamily": "Management Tools - AWS CloudTrail Paid Events Recorded"}
    yield Unit("cloudtrail.management_events", "AWSCloudTrail", "PaidEventsRecorded", "Events", family)
    # A question in SQL, by what it scans; the list's DML rows are capacity that is reserved.
    family = {"productFamily": "Athena Queries"}
    yield Unit("athena.scanned", "AmazonAthena", "DataScannedInTB", "Terabytes", family)
    # Of volumes, instances and databases the backups are snapshots, and billed as such.
    family = {"productFamily": "AWS Backup Storage"}
    for key, service in (("dynamodb", "DynamoDB"), ("efs", "EFS"), ("s3", "S3")):
        yield Unit(f"backup.{key}.warm", "AWSBackup", f"WarmStorage-ByteHrs-{service}", "GB-Mo", family)
