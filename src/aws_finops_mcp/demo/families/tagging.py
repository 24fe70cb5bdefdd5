"""The truth about tags, in a region of its own: elsewhere the other families' resources come and go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.findings import Verdict

NORTH: Final = "eu-north-1"
_OWNED: Final = [{"Key": "Team", "Value": "data"}, {"Key": "Environment", "Value": "production"}]
_ONLY_AWS: Final = [{"Key": "aws:cloudformation:stack-name", "Value": "shop"}]
_EXEMPT: Final = [{"Key": "finops:exempt", "Value": "of a partner"}]
_BAD, _OK = Verdict.NONCOMPLIANT, Verdict.OK


def family(now: datetime) -> Family:
    """A few resources of several services, tagged, badly tagged, once tagged and never tagged."""
    return Family(
        rows=(
            Rows("ec2", "DescribeVolumes", "Volumes", {NORTH: [_volume(n, tags, now) for n, tags, _, _ in _VOLUMES]}),
            Rows(
                "rds",
                "DescribeDBInstances",
                "DBInstances",
                {NORTH: [_database()]},
                beside_moto=False,
            ),
            Rows("lambda", "ListFunctions", "Functions", {NORTH: [_function(name) for name in _FUNCTIONS]}),
            Rows("sqs", "ListQueues", "QueueUrls", {NORTH: [_QUEUE]}),
            Rows("ecs", "ListClusters", "clusterArns", {NORTH: [_arn("ecs", "cluster/nt-orders")]}),
            Rows("kms", "ListKeys", "Keys", {NORTH: [_key(_OWN_KEY), _key(_AWS_KEY)]}, beside_moto=False),
            Rows("kms", "ListAliases", "Aliases", {NORTH: [_AWS_ALIAS]}, beside_moto=False),
            Rows(
                "resourcegroupstaggingapi",
                "GetResources",
                "ResourceTagMappingList",
                {NORTH: _tagged()},
                _any_type,
            ),
        ),
        cases={
            "find_untagged_resources": [
                *(Case(name, NORTH, verdict, why) for name, _, verdict, why in _VOLUMES),
                *(Case(_arn("lambda", f"function:{name}"), NORTH, *told) for name, told in _FUNCTIONS.items()),
                Case(_arn("kinesis", "stream/nt-clicks"), NORTH, _BAD, "once tagged, no longer"),
                Case("nt-orders", NORTH, _OK, "a queue that is tagged, of the name of what is not"),
                Case(_arn("ecs", "cluster/nt-orders"), NORTH, _BAD, "never tagged: the queue of its name is"),
                Case(_OWN_KEY, NORTH, _BAD, "a key of the account's own, never tagged"),
                Case(_arn("rds", "db:nt-tagged"), NORTH, _OK, "tagged, by RDS's own name for the list"),
            ],
            "analyze_tag_compliance": [
                Case("ec2", NORTH, _BAD, "volumes without tags"),
                Case("lambda", NORTH, _BAD, "a function that never had a tag"),
                Case("kinesis", NORTH, _BAD, "a stream that lost its tags"),
                Case("rds", NORTH, _OK, "its only database is tagged"),
                Case("sqs", NORTH, _OK, "its only queue is tagged"),
                Case("ecs", NORTH, _BAD, "a cluster that never had a tag"),
                Case("kms", NORTH, _BAD, "a key that never had a tag; AWS's own can't have one"),
            ],
        },
    )


_VOLUMES: Final[tuple[tuple[str, list[dict[str, str]], Verdict, str], ...]] = (
    ("vol-0a99ed000000000a1", _OWNED, _OK, "tagged"),
    ("vol-0a99ed000000000a2", [], _BAD, "never tagged"),
    ("vol-0a99ed000000000a3", _ONLY_AWS, _BAD, "only AWS's own tags"),
    ("vol-0a99ed000000000a4", _EXEMPT, _OK, "the tag that exempts is a tag"),
)
_FUNCTIONS: Final[dict[str, tuple[Verdict, str]]] = {
    "nt-tagged": (_OK, "tagged: the listing does not tell, the tagging API does"),
    "nt-never": (_BAD, "never tagged: the tagging API does not know it"),
    "nt-orders": (_BAD, "never tagged: the queue of its name is"),
}
_QUEUE: Final = f"https://sqs.{NORTH}.amazonaws.com/{ACCOUNT_ID}/nt-orders"
_OWN_KEY: Final = "0c0de000-0000-4000-8000-b00000000001"
_AWS_KEY: Final = "0c0de000-0000-4000-8000-b00000000002"
_AWS_ALIAS: Final = {"AliasName": "alias/aws/s3", "TargetKeyId": _AWS_KEY}


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{NORTH}:{ACCOUNT_ID}:{resource}"


def _volume(identity: str, tags: list[dict[str, str]], now: datetime) -> dict[str, Any]:
    return {
        "VolumeId": identity,
        "Size": 10,
        "VolumeType": "gp3",
        "Iops": 3000,
        "Throughput": 125,
        "State": "in-use",
        "Attachments": [{"InstanceId": "i-0a99ed0000000001", "VolumeId": identity, "State": "attached"}],
        "AvailabilityZone": f"{NORTH}a",
        "CreateTime": now - timedelta(days=400),
        "Encrypted": True,
        "Tags": tags,
    }


def _database() -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": "nt-tagged",
        "DBInstanceArn": _arn("rds", "db:nt-tagged"),
        "DBInstanceClass": "db.t4g.micro",
        "Engine": "postgres",
        "DBInstanceStatus": "available",
        "TagList": _OWNED,
    }


def _key(identity: str) -> dict[str, Any]:
    return {"KeyId": identity, "KeyArn": _arn("kms", f"key/{identity}")}


def _function(name: str) -> dict[str, Any]:
    return {
        "FunctionName": name,
        "FunctionArn": _arn("lambda", f"function:{name}"),
        "Runtime": "python3.13",
        "MemorySize": 128,
        "LastModified": "2026-01-31T12:00:00.000+0000",
        "Architectures": ["arm64"],
    }


def _tagged() -> list[dict[str, Any]]:
    return [
        {"ResourceARN": _arn("lambda", "function:nt-tagged"), "Tags": _OWNED},
        {"ResourceARN": _arn("rds", "db:nt-tagged"), "Tags": _OWNED},
        {"ResourceARN": _arn("sqs", "nt-orders"), "Tags": _OWNED},
        {"ResourceARN": _arn("ec2", "volume/vol-0a99ed000000000a1"), "Tags": _OWNED},
        {"ResourceARN": _arn("ec2", "volume/vol-0a99ed000000000a4"), "Tags": _EXEMPT},
        # Once tagged: still known, without a tag.
        {"ResourceARN": _arn("kinesis", "stream/nt-clicks"), "Tags": []},
    ]


def _any_type(asked: Mapping[str, Any], row: Any) -> bool:
    return not asked.get("ResourceTypeFilters")
