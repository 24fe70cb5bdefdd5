"""Checks of EBS encryption."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.reads import VOLUMES
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Verdict


def judge_encryption(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """A volume is risky when AWS says that it is not encrypted."""
    for volume in facts.items(VOLUMES):
        tags = tags_of(volume)
        encrypted = volume["Encrypted"]
        attachments = volume.get("Attachments", ())
        yield Judgement(
            resource_id=volume["VolumeId"],
            name=tags.get("Name", ""),
            verdict=Verdict.OK if encrypted else Verdict.RISKY,
            reason="encrypted" if encrypted else "not encrypted",
            evidence={
                "encrypted": encrypted,
                "state": volume["State"],
                "instance": ", ".join(one["InstanceId"] for one in attachments if "InstanceId" in one) or None,
                "device": attachments[0].get("Device") if attachments else None,
                "type": volume["VolumeType"],
                "size_gib": volume["Size"],
                "age_days": facts.age_days(volume["CreateTime"]),
            },
            tags=tags,
        )


UNENCRYPTED_VOLUMES = Check(
    name="find_unencrypted_ebs_volumes",
    title="EBS volumes that are not encrypted",
    noun="EBS volumes",
    category=Category.SECURITY,
    description="EBS volumes whose data, and whose snapshots, are not encrypted. Free to ask.",
    resource_type="AWS::EC2::Volume",
    params=RegionParams,
    inventory=(VOLUMES,),
    judge=judge_encryption,
    evidence={
        "encrypted": "ec2:DescribeVolumes, Encrypted",
        "state": "State; available means attached to nothing",
        "instance": "Attachments, InstanceId",
        "device": "Attachments, Device",
        "type": "VolumeType",
        "size_gib": "Size, GiB",
        "age_days": "days since CreateTime",
    },
    verdicts={Verdict.RISKY: "Encrypted is false"},
    remediation=(
        "Turn encryption by default on for the region, so that no more are made; replace each with a volume made from "
        "an encrypted copy of its snapshot. Encrypting costs nothing; a customer-managed KMS key has a price."
    ),
    references=("https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",),
    limits="Encryption inside the operating system is not seen. Snapshots are not listed.",
    saves=False,
)

CHECKS = (UNENCRYPTED_VOLUMES,)
