"""Where moto's answers differ from AWS's."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from tests.demo.conftest import MakeClient

ELSEWHERE = "sa-east-1"


def test_addresses_have_no_empty_members(client: MakeClient) -> None:
    ec2 = client("ec2", ELSEWHERE)
    ec2.allocate_address(Domain="vpc")
    (address,) = ec2.describe_addresses()["Addresses"]
    assert "" not in address.values()
    assert "InstanceId" not in address


def test_queues_tell_times_in_whole_seconds(client: MakeClient) -> None:
    sqs = client("sqs", ELSEWHERE)
    url = sqs.create_queue(QueueName="times")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    for name in ("CreatedTimestamp", "LastModifiedTimestamp"):
        assert attributes[name].isdigit()


@pytest.mark.parametrize("bucket", ["northwind-backups", "made-for-the-test"])
def test_buckets_are_encrypted_and_closed_until_somebody_opens_them(client: MakeClient, bucket: str) -> None:
    s3 = client("s3")
    if bucket not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket)
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    if bucket == "made-for-the-test":
        s3.delete_public_access_block(Bucket=bucket)
        with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
            s3.get_public_access_block(Bucket=bucket)
        s3.delete_bucket(Bucket=bucket)


def test_an_image_belongs_to_the_snapshot_it_was_made_from(client: MakeClient) -> None:
    ec2 = client("ec2", ELSEWHERE)
    volume = ec2.create_volume(AvailabilityZone=f"{ELSEWHERE}a", Size=8)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    before = {one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
    image = ec2.register_image(
        Name="golden", RootDeviceName="/dev/xvda",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}],
    )["ImageId"]  # fmt: skip
    (found,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert [one["Ebs"]["SnapshotId"] for one in found["BlockDeviceMappings"]] == [snapshot]
    assert {one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]} == before


def test_listed_functions_do_not_tell_their_state(client: MakeClient) -> None:
    functions = client("lambda")
    assert "State" not in functions.list_functions()["Functions"][0]
    assert functions.get_function_configuration(FunctionName="northwind-cart-add")["State"] == "Active"
