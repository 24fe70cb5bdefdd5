"""What AWS does besides answering, and moto does not: defaults of new resources, and parameters that it drops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from moto.ec2.models import ec2_backends
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE
from moto.s3.models import PublicAccessBlock, s3_backends

from aws_finops_mcp.demo.double.request import Call

# DescribeTags and its filter say it in one word.
EC2_PREFIX_TO_RESOURCE["nat"] = "natgateway"


def secure_bucket(bucket: Any) -> None:
    """Since 2023 a new bucket encrypts by itself and lets nobody in; moto's does neither."""
    bucket.encryption = {
        "Rule": {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": "false",
        }
    }
    bucket.public_access_block = PublicAccessBlock("true", "true", "true", "true")


def _create_bucket(call: Call, answer: dict[str, Any]) -> None:
    secure_bucket(s3_backends[call.account]["aws"].get_bucket(str(call.parameters["Bucket"])))


def _register_image(call: Call, answer: dict[str, Any]) -> None:
    """An image belongs to the snapshot that it was registered from, not to one that moto makes up."""
    backend: Any = ec2_backends[call.account][call.region]
    mappings = call.parameters.get("BlockDeviceMappings") or []
    named = [one["Ebs"]["SnapshotId"] for one in mappings if one.get("Ebs", {}).get("SnapshotId")]
    if named and named[0] in backend.snapshots:
        image = backend.amis[answer["ImageId"]]
        backend.snapshots.pop(image.ebs_snapshot.id, None)
        image.ebs_snapshot = backend.snapshots[named[0]]


EFFECTS: Final[dict[tuple[str, str], Callable[[Call, dict[str, Any]], None]]] = {
    ("ec2", "RegisterImage"): _register_image,
    ("s3", "CreateBucket"): _create_bucket,
}
