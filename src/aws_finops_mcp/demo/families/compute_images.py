"""Images, launch templates and auto scaling groups: unused, and used in ways that are easily overlooked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict

_GIB: Final = 2**30
_IDLE, _USED, _NEW, _OK = Verdict.IDLE, Verdict.IN_USE, Verdict.TOO_NEW, Verdict.OK
_FLEET: Final = "fleet-0c0de000-0000-4000-8000-00000000c0de"
_SPOT_FLEET: Final = "sfr-0c0de000-0000-4000-8000-00000000c0de"


@dataclass(frozen=True)
class Image:
    """An image with one snapshot, and what ``find_unused_amis`` must say of it."""

    name: str
    number: int
    verdict: Verdict
    why: str
    region: str = US
    made_days: int = 400
    launched_days: int | None = None
    full_gib: int = 20
    tags: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    shared_with: tuple[str, ...] = ()
    # Type and ARN of what names it.
    named_by: tuple[str, str] | None = None

    @property
    def identity(self) -> str:
        # The first is that of the instances beside.
        return "ami-0c0de00000000c0de" if self.number == 1 else f"ami-0c0{self.number:014x}"

    @property
    def charge(self) -> Charge:
        """What its snapshot is billed."""
        arn = f"arn:aws:ec2:{self.region}:{ACCOUNT_ID}:snapshot/{_snapshot(self)}"
        return Charge(self.region, arn, "ebs.snapshot.standard", self.full_gib, self.made_days, self.tags)


_TEMPLATE_ARN: Final = f"arn:aws:ec2:{US}:{ACCOUNT_ID}:launch-template/lt-0c000000000000003"
IMAGES: Final = (
    Image("cmi-base", 1, _USED, "instances run it"),
    Image("cmi-idle", 2, _IDLE, "nothing uses it", full_gib=22, launched_days=300),
    Image("cmi-idle", 2, _IDLE, "of the same id and name in another region", EU, full_gib=22),
    Image("cmi-pinned", 3, _USED, "a group without instances names the version of a template"),
    Image("cmi-configured", 4, _USED, "a launch configuration names it"),
    Image("cmi-fleet", 5, _USED, "an override of an EC2 fleet names it"),
    Image("cmi-spot-fleet", 6, _USED, "a Spot fleet's specification names it"),
    Image("cmi-shared", 7, _USED, "another account may launch it", shared_with=("210987654321",)),
    Image("cmi-public", 8, _USED, "everybody may launch it", more={"Public": True}),
    Image("cmi-launched", 9, _USED, "launched 20 days ago", launched_days=20),
    Image(
        "cmi-parameter", 10, _USED, "an SSM parameter names it",
        named_by=("ssm:Parameter", f"arn:aws:ssm:{US}:{ACCOUNT_ID}:parameter/golden-image"),
    ),
    Image(
        "cmi-superseded", 11, _IDLE, "only an earlier version of a template names it", full_gib=10,
        named_by=("ec2:LaunchTemplate", _TEMPLATE_ARN),
    ),
    Image("cmi-new", 12, _NEW, "made ten days ago", made_days=10),
    Image("cmi-backup", 13, _USED, "a recovery point", tags={"aws:backup:source-resource": "i-0c0de"}),
    Image("cmi-exempt", 14, Verdict.EXEMPT, "tagged to be left alone", tags={"finops:exempt": "disaster recovery"}),
    Image("cmi-current", 15, _USED, "the latest version of a template names it", made_days=30),
)  # fmt: skip

_OWNED_BY_OTHERS: Final = {"ami-0c0000000000000aa": 12, "ami-0c0000000000000ab": 700}
"""Images of AWS's that groups start, and how many days old they are."""
_TEMPLATES: Final = (
    # Name, number, days old, verdict, why.
    ("cml-idle", 1, 200, _IDLE, "nothing launches from it"),
    ("cml-workers", 3, 300, _USED, "a group of no instances"),
    ("cml-mixed", 4, 300, _USED, "an override of a group's mixed instances, by name"),
    ("cml-fleet", 5, 300, _USED, "an EC2 fleet"),
    ("cml-spot-fleet", 6, 300, _USED, "a Spot fleet"),
    ("cml-nodes", 7, 300, _USED, "an EKS node group, which launches from EKS's own copy"),
    ("cml-cancelled", 8, 300, _IDLE, "only of a fleet that was deleted"),
    ("cml-new", 9, 20, _NEW, "made 20 days ago"),
    ("cml-exempt", 10, 300, Verdict.EXEMPT, "tagged to be left alone"),
    ("cml-parameter", 11, 300, _USED, "a group"),
    ("cml-instance", 13, 300, _USED, "an instance, by EC2's own tag"),
)


def _template(number: int) -> str:
    return f"lt-0c0{number:014x}"


WORKERS_TEMPLATE, NODES_TEMPLATE = _template(3), _template(7)
"""Of EKS: what its nodes are launched from, and what a node group names."""

_VERSIONS: Final = (
    # Template, version, default, image.
    (3, "cml-workers", 1, False, IMAGES[3].identity),
    (3, "cml-workers", 2, True, "ami-0c0000000000000aa"),
    (4, "cml-mixed", 1, True, IMAGES[15].identity),
    (11, "cml-parameter", 1, True, "resolve:ssm:/golden-image"),
    (12, "cml-gone", 1, True, "ami-0c0000000000000ff"),
    (14, "cml-old", 5, True, "ami-0c0000000000000ab"),
)


def _groups(now: datetime) -> Iterator[tuple[dict[str, Any], Verdict, str]]:
    """Each group with what ``find_asgs_with_old_amis`` must say of it."""

    def group(name: str, **more: Any) -> dict[str, Any]:
        return {
            "AutoScalingGroupName": name,
            "AutoScalingGroupARN": f"arn:aws:autoscaling:{US}:{ACCOUNT_ID}:autoScalingGroup:0c0de:"
            f"autoScalingGroupName/{name}",
            "MinSize": 0,
            "MaxSize": 4,
            "DesiredCapacity": 0,
            "DefaultCooldown": 300,
            "AvailabilityZones": [f"{US}a"],
            "HealthCheckType": "EC2",
            "CreatedTime": now - timedelta(days=90),
            **more,
        }

    def template(number: int, version: str) -> dict[str, Any]:
        return {"LaunchTemplateId": _template(number), "Version": version}

    old = Verdict.OUTDATED
    yield group("cma-pinned", LaunchTemplate=template(3, "1")), old, "names the earlier version, whose image is old"
    yield group("cma-default", LaunchTemplate=template(3, "$Default")), _OK, "its default version has a new image"
    mixed = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": template(3, "$Latest"),
            "Overrides": [
                {"InstanceType": "m6i.large"},
                {"LaunchTemplateSpecification": {"LaunchTemplateName": "cml-mixed", "Version": "$Latest"}},
            ],
        }
    }
    yield group("cma-mixed", MixedInstancesPolicy=mixed), _OK, "both of its templates have new images"
    yield group("cma-configured", LaunchConfigurationName="cmc-2019"), old, "its launch configuration has an old image"
    yield group("cma-gone", LaunchTemplate=template(12, "$Latest")), Verdict.DEGRADED, "its image was deregistered"
    yield group("cma-parameter", LaunchTemplate=template(11, "$Latest")), _OK, "its image is looked up at launch"
    tags = [{"Key": "finops:exempt", "Value": "vendor image"}]
    yield group("cma-exempt", LaunchTemplate=template(14, "$Latest"), Tags=tags), Verdict.EXEMPT, "old, and left alone"


def _image_row(image: Image, now: datetime) -> dict[str, Any]:
    launched = {} if image.launched_days is None else {"LastLaunchedTime": _text(now, image.launched_days)}
    return {
        "ImageId": image.identity,
        "Name": image.name,
        "State": "available",
        "OwnerId": ACCOUNT_ID,
        "CreationDate": _text(now, image.made_days),
        "Architecture": "x86_64",
        "ImageType": "machine",
        "Public": False,
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": _snapshot(image), "VolumeSize": 100}},
            {"DeviceName": "/dev/xvdb", "VirtualName": "ephemeral0"},
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in image.tags.items()],
        **launched,
        **image.more,
    }


def _foreign_row(identity: str, days: int, now: datetime) -> dict[str, Any]:
    return {
        "ImageId": identity,
        "Name": f"al2023-ami-{days}",
        "State": "available",
        "OwnerId": "137112412989",
        "CreationDate": _text(now, days),
        "Architecture": "x86_64",
        "ImageType": "machine",
        "Public": True,
    }


def _snapshot(image: Image) -> str:
    return f"snap-0c0{image.number:014x}"


def _text(now: datetime, days: int) -> str:
    return f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%S.000Z}"


def _snapshot_row(image: Image, now: datetime) -> dict[str, Any]:
    return {
        "SnapshotId": _snapshot(image),
        "VolumeId": f"vol-0c0{image.number:014x}",
        "State": "completed",
        "StartTime": now - timedelta(days=image.made_days),
        "Progress": "100%",
        "OwnerId": ACCOUNT_ID,
        "Description": "Created by CreateImage(i-0c0de) for " + image.identity,
        "VolumeSize": 100,
        "FullSnapshotSizeInBytes": image.full_gib * _GIB,
        "StorageTier": "standard",
        "Encrypted": True,
        "Tags": [{"Key": key, "Value": value} for key, value in image.tags.items()],
    }


def _asked_for_image(asked: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    filters = {one["Name"]: one["Values"] for one in asked.get("Filters") or ()}
    if "image-id" in filters:
        return row["ImageId"] in filters["image-id"]
    return "self" in (asked.get("Owners") or ()) and row["OwnerId"] == ACCOUNT_ID


def _asked_for_version(asked: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    template = asked.get("LaunchTemplateId") or asked.get("LaunchTemplateName")
    versions = asked.get("Versions") or []
    if template is not None:
        return (
            template in (row["LaunchTemplateId"], row["LaunchTemplateName"]) and str(row["VersionNumber"]) in versions
        )
    newest = max(number for known, _, number, _, _ in _VERSIONS if _template(known) == row["LaunchTemplateId"])
    return ("$Default" in versions and row["DefaultVersion"]) or (
        "$Latest" in versions and row["VersionNumber"] == newest
    )


def _version_row(template: int, name: str, version: int, default: bool, image: str, now: datetime) -> dict[str, Any]:
    return {
        "LaunchTemplateId": _template(template),
        "LaunchTemplateName": name,
        "VersionNumber": version,
        "DefaultVersion": default,
        "CreateTime": now - timedelta(days=300),
        "LaunchTemplateData": {"ImageId": image},
    }


def _template_rows(now: datetime) -> dict[str, list[dict[str, Any]]]:
    rows = [
        {
            "LaunchTemplateId": _template(number),
            "LaunchTemplateName": name,
            "CreateTime": now - timedelta(days=days),
            "CreatedBy": f"arn:aws:iam::{ACCOUNT_ID}:user/ops",
            "DefaultVersionNumber": 1,
            "LatestVersionNumber": 1,
            "Tags": [{"Key": "finops:exempt", "Value": "golden"}] if name == "cml-exempt" else [],
        }
        for name, number, days, _, _ in _TEMPLATES
    ]
    # Of the same name in a region where nothing uses it.
    return {US: rows, EU: [{**rows[1], "LaunchTemplateId": _template(33)}]}


def _fleet(identity: str, state: str, template: int, image: str, now: datetime) -> dict[str, Any]:
    return {
        "FleetId": identity,
        "FleetState": state,
        "CreateTime": now - timedelta(days=60),
        "Type": "maintain",
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": {"LaunchTemplateId": _template(template), "Version": "1"},
                "Overrides": [{"InstanceType": "m6i.large", "ImageId": image}] if image else [],
            }
        ],
    }


def _spot_fleet(now: datetime) -> dict[str, Any]:
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/aws-ec2-spot-fleet-tagging-role"
    specification = {"LaunchTemplateId": _template(6), "Version": "1"}
    return {
        "SpotFleetRequestId": _SPOT_FLEET,
        "SpotFleetRequestState": "active",
        "CreateTime": now - timedelta(days=60),
        "SpotFleetRequestConfig": {
            "IamFleetRole": role,
            "TargetCapacity": 2,
            "LaunchSpecifications": [{"ImageId": IMAGES[6].identity, "InstanceType": "m6i.large"}],
            "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": specification}],
        },
    }


def _permissions(call: Call) -> dict[str, Any]:
    image = next((one for one in IMAGES if one.identity == call.parameters["ImageId"]), None)
    if image is None:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{call.parameters['ImageId']}]' does not exist")
    return {"ImageId": image.identity, "LaunchPermissions": [{"UserId": account} for account in image.shared_with]}


def _image_cases() -> Iterator[Case]:
    for image in IMAGES:
        usd = image.full_gib * PRICES[image.region].snapshot if image.verdict is _IDLE else None
        yield Case(image.name, image.region, image.verdict, image.why, usd)


def _template_cases() -> Iterator[Case]:
    for name, _, _, verdict, why in _TEMPLATES:
        yield Case(name, US, verdict, why)
    yield Case("cml-workers", EU, _IDLE, "of the same name, used elsewhere only")


def family(now: datetime) -> Family:
    """Images with their snapshots, templates, groups, fleets, and the truth."""
    images: dict[str, list[dict[str, Any]]] = {US: [], EU: []}
    snapshots: dict[str, list[dict[str, Any]]] = {US: [], EU: []}
    references: dict[str, list[dict[str, Any]]] = {US: [], EU: []}
    for image in IMAGES:
        images[image.region].append(_image_row(image, now))
        snapshots[image.region].append(_snapshot_row(image, now))
        if image.named_by:
            kind, arn = image.named_by
            references[image.region].append({"ImageId": image.identity, "ResourceType": kind, "Arn": arn})
    images[US] += [_foreign_row(identity, days, now) for identity, days in _OWNED_BY_OTHERS.items()]
    configuration = {
        "LaunchConfigurationName": "cmc-2019",
        "ImageId": IMAGES[4].identity,
        "InstanceType": "m5.large",
        "CreatedTime": now - timedelta(days=900),
    }
    fleets = [
        _fleet(_FLEET, "active", 5, IMAGES[5].identity, now),
        _fleet(_FLEET.replace("0000-4000", "0000-4001"), "deleted", 8, IMAGES[2].identity, now),
    ]
    groups = list(_groups(now))
    versions = [_version_row(*version, now) for version in _VERSIONS]
    return Family(
        rows=(
            Rows("ec2", "DescribeImages", "Images", images, _asked_for_image),
            Rows("ec2", "DescribeSnapshots", "Snapshots", snapshots, lambda asked, row: not asked.get("SnapshotIds")),
            Rows("ec2", "DescribeLaunchTemplates", "LaunchTemplates", _template_rows(now)),
            Rows("ec2", "DescribeLaunchTemplateVersions", "LaunchTemplateVersions", {US: versions}, _asked_for_version),
            Rows("ec2", "DescribeFleets", "Fleets", {US: fleets}, beside_moto=False),
            Rows(
                "ec2",
                "DescribeSpotFleetRequests",
                "SpotFleetRequestConfigs",
                {US: [_spot_fleet(now)]},
                beside_moto=False,
            ),
            Rows(
                "ec2",
                "DescribeImageReferences",
                "ImageReferences",
                references,
                lambda asked, row: row["ImageId"] in asked["ImageIds"],
                beside_moto=False,
            ),
            Rows(
                "autoscaling",
                "DescribeLaunchConfigurations",
                "LaunchConfigurations",
                {US: [configuration]},
                beside_moto=False,
            ),
            Rows(
                "autoscaling",
                "DescribeAutoScalingGroups",
                "AutoScalingGroups",
                {US: [row for row, _, _ in groups]},
                beside_moto=False,
            ),
        ),
        operations={
            ("ec2", "DescribeImageAttribute"): _permissions,
        },
        charges=[image.charge for image in IMAGES],
        cases={
            "find_unused_amis": tuple(_image_cases()),
            "find_unused_launch_templates": tuple(_template_cases()),
            "find_asgs_with_old_amis": tuple(
                Case(row["AutoScalingGroupName"], US, verdict, why) for row, verdict, why in groups
            ),
        },
    )
