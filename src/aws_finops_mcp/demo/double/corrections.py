"""Where moto's answers differ from AWS's in ways that checks depend on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from moto.s3.models import s3_backends

# ListFunctions leaves the function's state out; callers must ask GetFunctionConfiguration for it.
_NOT_LISTED: Final = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
)


def _addresses(answer: dict[str, Any]) -> None:
    """AWS omits what an address does not have; moto says ''."""
    answer["Addresses"] = [
        {name: value for name, value in address.items() if value not in ("", None)}
        for address in answer.get("Addresses", [])
    ]


def _buckets(answer: dict[str, Any]) -> None:
    """Asked with any parameter, S3 tells each bucket's region."""
    for bucket in answer.get("Buckets", []):
        account, partition = s3_backends.bucket_accounts[bucket["Name"]][::-1]
        known: Any = s3_backends[account][partition]
        bucket.setdefault("BucketRegion", known.buckets[bucket["Name"]].region_name)


def _functions(answer: dict[str, Any]) -> None:
    for function in answer.get("Functions", []):
        for name in _NOT_LISTED:
            function.pop(name, None)


def _distributions(answer: dict[str, Any]) -> None:
    """The model demands a member that moto does not know."""
    for distribution in answer.get("DistributionList", {}).get("Items", []):
        distribution.setdefault("Staging", False)


def _snapshots(answer: dict[str, Any]) -> None:
    """AWS tells how much all blocks of a snapshot are; here every volume is half full.

    moto ascribes the snapshots of Amazon's images to the account.
    """
    answer["Snapshots"] = [
        one
        for one in answer.get("Snapshots", [])
        if not one.get("Description", "").startswith("Auto-created snapshot for")
    ]
    for snapshot in answer["Snapshots"]:
        snapshot.setdefault("FullSnapshotSizeInBytes", snapshot["VolumeSize"] * 2**29)


def _instances(answer: dict[str, Any]) -> None:
    """What an instance is billed as; moto leaves it out."""
    for reservation in answer.get("Reservations", []):
        for instance in reservation.get("Instances", []):
            instance.setdefault("UsageOperation", "RunInstances")
            instance.setdefault("PlatformDetails", "Linux/UNIX")


def _queue_attributes(answer: dict[str, Any]) -> None:
    """SQS tells times in whole seconds; moto adds their fractions."""
    attributes = answer.get("Attributes", {})
    for name in ("CreatedTimestamp", "LastModifiedTimestamp"):
        if name in attributes:
            attributes[name] = attributes[name].split(".")[0]


def _marked(answer: dict[str, Any]) -> None:
    """The model demands the marker of the request; moto leaves out that of the first."""
    answer.setdefault("Marker", "")


def _health_checks(answer: dict[str, Any]) -> None:
    """Members that the model demands of every page, and moto gives with none."""
    _marked(answer)
    answer.setdefault("IsTruncated", False)
    answer.setdefault("MaxItems", "100")


CORRECTIONS: Final[dict[tuple[str, str], Callable[[dict[str, Any]], None]]] = {
    ("cloudfront", "ListDistributions"): _distributions,
    ("ec2", "DescribeAddresses"): _addresses,
    ("ec2", "DescribeSnapshots"): _snapshots,
    ("ec2", "DescribeInstances"): _instances,
    ("lambda", "ListFunctions"): _functions,
    ("route53", "ListHealthChecks"): _health_checks,
    ("route53", "ListHostedZones"): _marked,
    ("s3", "ListBuckets"): _buckets,
    ("sqs", "GetQueueAttributes"): _queue_attributes,
}
