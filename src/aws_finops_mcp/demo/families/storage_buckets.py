"""Buckets of the truth about S3, and the answers that S3 gives about each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.family import Metric
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, US

GIB: Final = 2**30
_FLAGS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
SHUT: Final = dict.fromkeys(_FLAGS, True)
ACCOUNT_BLOCK: Final = {**dict.fromkeys(_FLAGS, False), "BlockPublicAcls": True, "BlockPublicPolicy": True}
"""Of the account: nobody can open a bucket any more, but those that are open stay so."""
WHOLE: Final = "EntireBucket"
UPLOADS_A_PAGE: Final = 5
"""S3 gives a thousand; a caller that asks no second page shall miss something here."""


@dataclass(frozen=True)
class Bucket:
    """A bucket, empty unless it holds something."""

    name: str
    region: str = US
    age_days: float = 700
    # GiB by CloudWatch's storage type.
    held: dict[str, float] = field(default_factory=dict)
    objects: float = 100_000
    grows: bool = False
    rules: tuple[dict[str, Any], ...] | None = None
    block: dict[str, bool] | None = field(default_factory=lambda: dict(SHUT))
    # Whether its policy is public; None without a policy.
    public_policy: bool | None = None
    public_acl: bool = False
    encryption: str | None = "AES256"
    # Request metrics: their id, whether for the whole bucket, from and until how many days ago they were written.
    requests: str = ""
    whole: bool = True
    counted: tuple[int, int] = (0, 130)
    # GiB read and written on one day ten days ago; else only requests without any bytes.
    read_gib: float = 0
    written_gib: float = 0
    # Days ago at which uploads of a GiB were begun, and never finished.
    uploads: tuple[float, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    def row(self, now: datetime) -> dict[str, Any]:
        return {
            "Name": self.name,
            "CreationDate": now - timedelta(days=self.age_days),
            "BucketRegion": self.region,
            "BucketArn": f"arn:aws:s3:::{self.name}",
        }

    def metrics(self) -> Iterator[Metric]:
        own = {"BucketName": self.name}
        for storage_type, gib in self.held.items():
            size = self._daily(gib * GIB)
            dimensions = {**own, "StorageType": storage_type}
            yield Metric(self.region, "AWS/S3", "BucketSizeBytes", dimensions, size, "Bytes", samples=1)
        if self.held:
            dimensions = {**own, "StorageType": "AllStorageTypes"}
            yield Metric(self.region, "AWS/S3", "NumberOfObjects", dimensions, self._daily(self.objects), samples=1)
        if self.requests:
            dimensions = {**own, "FilterId": self.requests}
            for name, value in (
                ("AllRequests", lambda ago: 60.0),
                ("BytesDownloaded", self._once(self.read_gib * GIB)),
                ("BytesUploaded", self._once(self.written_gib * GIB)),
            ):
                yield Metric(self.region, "AWS/S3", name, dimensions, self._counted(value), samples=None)

    def _daily(self, value: float) -> Callable[[int], float]:
        return lambda ago: value * (2 if self.grows and ago < 20 * 24 else 1)

    def _once(self, value: float) -> Callable[[int], float]:
        return lambda ago: value if ago == 245 else 0.0

    def _counted(self, value: Callable[[int], float]) -> Callable[[int], float | None]:
        latest, oldest = self.counted
        return lambda ago: value(ago) if latest * 24 <= ago < oldest * 24 else None


class Answers:
    """What S3 says of the family's buckets; None where another bucket is meant, which moto then answers."""

    def __init__(self, buckets: tuple[Bucket, ...], now: datetime) -> None:
        self._buckets = {bucket.name: bucket for bucket in buckets}
        self._now = now

    def operations(self) -> dict[tuple[str, str], Callable[[Call], dict[str, Any] | None]]:
        answers: dict[str, Callable[[Bucket, dict[str, Any]], dict[str, Any]]] = {
            "GetBucketLifecycleConfiguration": self._lifecycle,
            "GetPublicAccessBlock": self._block,
            "GetBucketPolicyStatus": self._policy,
            "GetBucketAcl": self._acl,
            "GetBucketEncryption": self._encryption,
            "ListBucketMetricsConfigurations": self._metrics,
            "ListMultipartUploads": self._uploads,
            "ListParts": self._parts,
            "ListObjectVersions": self._versions,
        }
        found = {("s3", name): self._of(answer) for name, answer in answers.items()}
        return {**found, ("s3control", "GetPublicAccessBlock"): _account_block}

    def _of(
        self, answer: Callable[[Bucket, dict[str, Any]], dict[str, Any]]
    ) -> Callable[[Call], dict[str, Any] | None]:
        def answered(call: Call) -> dict[str, Any] | None:
            bucket = self._buckets.get(str(call.parameters.get("Bucket")))
            return None if bucket is None or call.account != ACCOUNT_ID else answer(bucket, call.parameters)

        return answered

    def _lifecycle(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        if bucket.rules is None:
            raise AwsError("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", 404)
        return {"Rules": [dict(rule) for rule in bucket.rules]}

    def _block(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        if bucket.block is None:
            message = "The public access block configuration was not found"
            raise AwsError("NoSuchPublicAccessBlockConfiguration", message, 404)
        return {"PublicAccessBlockConfiguration": dict(bucket.block)}

    def _policy(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        if bucket.public_policy is None:
            raise AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
        return {"PolicyStatus": {"IsPublic": bucket.public_policy}}

    def _acl(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        owner = {"ID": "5a"}
        grants = [{"Grantee": {"Type": "CanonicalUser", **owner}, "Permission": "FULL_CONTROL"}]
        if bucket.public_acl:
            uri = "http://acs.amazonaws.com/groups/global/AllUsers"
            grants.append({"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"})
        return {"Owner": owner, "Grants": grants}

    def _encryption(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        if bucket.encryption is None:
            message = "The server side encryption configuration was not found"
            raise AwsError("ServerSideEncryptionConfigurationNotFoundError", message, 404)
        default = {"SSEAlgorithm": bucket.encryption}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket.encryption == "aws:kms"}
        return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}

    def _metrics(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        if not bucket.requests:
            return {"IsTruncated": False}
        configuration: dict[str, Any] = {"Id": bucket.requests}
        if not bucket.whole:
            configuration["Filter"] = {"Prefix": "invoices/"}
        return {"IsTruncated": False, "MetricsConfigurationList": [configuration]}

    def _uploads(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        """By key, in pages; the last one names a next one too, as S3 does, and says that it is the last."""
        uploads = [
            {
                "Key": f"part/{number:03}",
                "UploadId": f"upload-{number:03}",
                "Initiated": self._now - timedelta(days=days),
                "StorageClass": "STANDARD",
            }
            for number, days in enumerate(bucket.uploads)
            if (f"part/{number:03}", f"upload-{number:03}")
            > (str(asked.get("KeyMarker") or ""), str(asked.get("UploadIdMarker") or ""))
        ]
        page = uploads[:UPLOADS_A_PAGE]
        answer: dict[str, Any] = {
            "Bucket": bucket.name,
            "IsTruncated": len(uploads) > len(page),
            "MaxUploads": 1000,
            "Uploads": page,
        }
        if page:
            answer |= {"NextKeyMarker": page[-1]["Key"], "NextUploadIdMarker": page[-1]["UploadId"]}
        return answer

    def _parts(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        parts = [
            {"PartNumber": number, "Size": GIB // 2, "ETag": f'"{number}"', "LastModified": self._now}
            for number in (1, 2)
        ]
        return {
            "Bucket": bucket.name,
            "Key": asked["Key"],
            "UploadId": asked["UploadId"],
            "IsTruncated": False,
            "NextPartNumberMarker": 2,
            "Parts": parts,
            "StorageClass": "STANDARD",
        }

    def _versions(self, bucket: Bucket, asked: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"Name": bucket.name, "IsTruncated": False, "MaxKeys": 1}
        if bucket.held:
            version = {"Key": "a", "VersionId": "null", "IsLatest": True, "Size": 1, "LastModified": self._now}
            answer["Versions"] = [version]
        return answer


def _account_block(call: Call) -> dict[str, Any]:
    if call.account != ACCOUNT_ID:
        message = "The public access block configuration was not found"
        raise AwsError("NoSuchPublicAccessBlockConfiguration", message, 404)
    if call.parameters.get("AccountId") != call.account:
        raise AwsError("AccessDenied", "Access Denied", 403)
    return {"PublicAccessBlockConfiguration": dict(ACCOUNT_BLOCK)}
