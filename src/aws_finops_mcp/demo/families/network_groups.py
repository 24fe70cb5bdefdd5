"""Security groups, what uses them and what they open, and the truth about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Operations
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.network_rows import VPCS, hex_of, interface
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

OPEN_LIST: Final = "pl-0a7e11c0de0000001"
OFFICE_LIST: Final = "pl-0a7e11c0de0000002"
TEMPLATE: Final = "lt-0a7e11c0de0000001"
EXEMPT: Final = {"finops:exempt": "bastion of last resort"}
ANYWHERE: Final = "0.0.0.0/0"


def rule(
    protocol: str, first: int | None, last: int | None, *sources: str, groups: tuple[str, ...] = ()
) -> dict[str, Any]:
    """An inbound rule: sources are networks of both kinds, and prefix lists."""
    made: dict[str, Any] = {
        "IpProtocol": protocol,
        "IpRanges": [{"CidrIp": source} for source in sources if "." in source],
        "Ipv6Ranges": [{"CidrIpv6": source} for source in sources if ":" in source],
        "PrefixListIds": [{"PrefixListId": source} for source in sources if source.startswith("pl-")],
        "UserIdGroupPairs": [{"GroupId": group, "UserId": ACCOUNT_ID} for group in groups],
    }
    if first is not None:
        made |= {"FromPort": first, "ToPort": last}
    return made


@dataclass(frozen=True)
class Group:
    """A security group: whether it is used, and whether it is open, with the reason of the more interesting one."""

    name: str
    region: str
    unused: Verdict
    open: Verdict
    why: str
    rules: tuple[Mapping[str, Any], ...] = ()
    interfaces: int = 0
    public: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def group_id(self) -> str:
        return id_of(self.region, self.name)

    def row(self) -> dict[str, Any]:
        return {
            "GroupId": self.group_id,
            "GroupName": "default" if self.name.endswith("-default") else self.name,
            "Description": self.why,
            "OwnerId": ACCOUNT_ID,
            "VpcId": VPCS[self.region],
            "IpPermissions": list(self.rules),
            "IpPermissionsEgress": [rule("-1", None, None, ANYWHERE)],
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }

    def network_interfaces(self) -> Iterator[dict[str, Any]]:
        for number in range(self.interfaces):
            yield interface(
                self.region,
                f"{self.name}-{number}",
                groups=(self.group_id,),
                description=f"{self.name} {number}",
                ipv6="2600:1f18:77::5" if self.public else "",
            )


def id_of(region: str, name: str) -> str:
    """A group's id."""
    return f"sg-{hex_of(region + name)}"


OK, USED, IDLE, RISKY = Verdict.OK, Verdict.IN_USE, Verdict.IDLE, Verdict.RISKY
GROUPS: Final = (
    Group("sg-nb-default", US, OK, OK, "the default group of a VPC, on nothing"),
    Group("nb-web", US, USED, OK, "the web's ports", (rule("tcp", 80, 80, ANYWHERE), rule("tcp", 443, 443, "::/0")), 3),
    Group("nb-http3", US, USED, OK, "HTTP/3", (rule("udp", 443, 443, ANYWHERE), rule("icmp", -1, -1, ANYWHERE)), 1),
    Group("nb-office", US, USED, OK, "SSH from the office", (rule("tcp", 22, 22, "203.0.113.0/24", OFFICE_LIST),), 1),
    Group("nb-inside", US, USED, OK, "everything from inside", (rule("-1", None, None, "10.0.0.0/8"),), 2),
    Group("nb-ssh", US, USED, RISKY, "SSH open", (rule("tcp", 22, 22, ANYWHERE),), 1, public=True),
    Group("nb-everything", US, USED, RISKY, "all traffic open", (rule("-1", None, None, ANYWHERE),), 1),
    Group("nb-ports-v6", US, USED, RISKY, "all ports open, IPv6 only", (rule("tcp", 0, 65535, "::/0"),), 1),
    Group("nb-range", US, USED, RISKY, "22 within 20-30", (rule("tcp", 20, 30, ANYWHERE),), 1),
    Group("nb-2200", US, USED, RISKY, "not SSH, though it has a 22 in it", (rule("tcp", 2200, 2299, ANYWHERE),), 1),
    Group("nb-halves", US, USED, RISKY, "in halves", (rule("6", 3389, 3389, "0.0.0.0/1", "128.0.0.0/1"),), 1),
    Group("nb-listed", US, USED, RISKY, "open by a prefix list", (rule("tcp", 5432, 5432, OPEN_LIST),), 1),
    Group("nb-bastion", US, USED, Verdict.EXEMPT, "exempt by tag", (rule("tcp", 22, 22, ANYWHERE),), 1, tags=EXEMPT),
    Group("nb-old-rdp", US, IDLE, RISKY, "open, and on nothing", (rule("tcp", 3389, 3389, ANYWHERE),)),
    Group("nb-left-over", US, IDLE, OK, "on nothing"),
    Group("nb-kept", US, Verdict.EXEMPT, OK, "exempt by tag", tags=EXEMPT),
    Group("nb-scaled-to-zero", US, USED, OK, "in the default version of a launch template"),
    Group("nb-pinned", US, USED, OK, "in version 3 of a launch template, which an auto scaling group names"),
    Group("nb-superseded", US, IDLE, OK, "in version 2 of a launch template, which nothing names"),
    Group("nb-old-asg", US, USED, OK, "in a launch configuration"),
    Group("nb-function", US, USED, OK, "of a Lambda function, whose interface AWS took away"),
    Group("nb-clients", US, USED, OK, "on nothing, but a rule of a group in use names it"),
    Group("nb-database", US, USED, OK, "for them", (rule("tcp", 5432, 5432, groups=(id_of(US, "nb-clients"),)),), 1),
    # Two that name each other, and one that names itself, are unused all the same.
    Group("nb-ping", US, IDLE, OK, "names pong", (rule("tcp", 1, 1, groups=(id_of(US, "nb-pong"),)),)),
    Group("nb-pong", US, IDLE, OK, "names ping", (rule("tcp", 1, 1, groups=(id_of(US, "nb-ping"),)),)),
    Group("nb-self", US, IDLE, OK, "names itself", (rule("-1", None, None, groups=(id_of(US, "nb-self"),)),)),
    Group("nb-web", EU, IDLE, RISKY, "open and unused here; elsewhere not", (rule("tcp", 23, 443, ANYWHERE),)),
)  # fmt: skip


def family(now: datetime) -> Family:
    """Security groups, interfaces, launch templates and configurations, a function."""
    groups = {region: [g.row() for g in GROUPS if g.region == region] for region in (US, EU)}
    interfaces = [row for group in GROUPS for row in group.network_interfaces()]
    return Family(
        rows=(
            Rows("ec2", "DescribeSecurityGroups", "SecurityGroups", groups),
            Rows("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", {US: interfaces}),
            Rows(
                "ec2",
                "DescribeLaunchTemplateVersions",
                "LaunchTemplateVersions",
                {US: [_version(now, number, name) for number, name in _VERSIONS.items()]},
                keep=_asked_for,
                beside_moto=False,
            ),
            Rows(
                "autoscaling",
                "DescribeLaunchConfigurations",
                "LaunchConfigurations",
                {US: [_configuration(now)]},
                beside_moto=False,
            ),
            Rows(
                "autoscaling",
                "DescribeAutoScalingGroups",
                "AutoScalingGroups",
                {US: [_scaling_group(now)]},
                beside_moto=False,
            ),
            Rows("lambda", "ListFunctions", "Functions", {US: [_function(now)]}),
        ),
        metrics=[_invoked_long_ago()],
        operations=_operations(),
        cases={
            "find_unused_security_groups": tuple(Case(g.group_id, g.region, g.unused, g.why) for g in GROUPS),
            "find_overly_permissive_security_groups": tuple(Case(g.group_id, g.region, g.open, g.why) for g in GROUPS),
            "find_unused_lambda_functions": (
                Case("nb-quarterly-close", US, Verdict.IN_USE, "ran 60 days ago, for an hour"),
            ),
        },
    )


_VERSIONS: Final = {2: "nb-superseded", 3: "nb-pinned", 4: "nb-scaled-to-zero"}


def _version(now: datetime, number: int, group: str) -> dict[str, Any]:
    # One names its groups on an interface, the others directly.
    data: dict[str, Any] = {"SecurityGroupIds": [id_of(US, group)]}
    if number == 3:
        data = {"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": [id_of(US, group)]}]}
    return {
        "LaunchTemplateId": TEMPLATE,
        "LaunchTemplateName": "nb-workers",
        "VersionNumber": number,
        "DefaultVersion": number == 4,
        "CreateTime": now - timedelta(days=100 - number),
        "LaunchTemplateData": data,
    }


def _asked_for(asked: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    versions = asked.get("Versions") or []
    named = asked.get("LaunchTemplateId") in {None, row["LaunchTemplateId"]}
    newest = row["VersionNumber"] == max(_VERSIONS) if row["LaunchTemplateId"] == TEMPLATE else row["DefaultVersion"]
    chosen = str(row["VersionNumber"]) in versions or (newest and {"$Latest", "$Default"} & set(versions))
    return bool(named and chosen)


def _configuration(now: datetime) -> dict[str, Any]:
    return {
        "LaunchConfigurationName": "nb-workers-2019",
        "ImageId": "ami-0e5a1ec0ffee00001",
        "InstanceType": "m5.large",
        "CreatedTime": now - timedelta(days=900),
        "SecurityGroups": [id_of(US, "nb-old-asg")],
    }


def _scaling_group(now: datetime) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": "nb-workers",
        "MinSize": 0,
        "MaxSize": 4,
        "DesiredCapacity": 0,
        "DefaultCooldown": 300,
        "AvailabilityZones": [f"{US}a"],
        "HealthCheckType": "EC2",
        "CreatedTime": now - timedelta(days=90),
        "LaunchTemplate": {"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "nb-workers", "Version": "3"},
    }


def _function(now: datetime) -> dict[str, Any]:
    return {
        "FunctionName": "nb-quarterly-close",
        "FunctionArn": f"arn:aws:lambda:{US}:{ACCOUNT_ID}:function:nb-quarterly-close",
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{ACCOUNT_ID}:role/northwind-lambda",
        "Handler": "app.handler",
        "CodeSize": 1000,
        "Timeout": 30,
        "MemorySize": 128,
        "LastModified": f"{now - timedelta(days=300):%Y-%m-%dT%H:%M:%S.000+0000}",
        "Version": "$LATEST",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [id_of(US, "nb-function")], "VpcId": VPCS[US]},
    }


def _invoked_long_ago() -> Metric:
    return Metric(
        US,
        "AWS/Lambda",
        "Invocations",
        {"FunctionName": "nb-quarterly-close"},
        lambda ago: 20.0 if ago == 60 * 24 else None,
        samples=None,
    )


def _operations() -> Operations:
    entries = {OPEN_LIST: ["10.0.0.0/16", ANYWHERE], OFFICE_LIST: ["203.0.113.0/24", "198.51.100.0/24"]}

    def list_entries(call: Call) -> dict[str, Any]:
        name = call.parameters["PrefixListId"]
        if name not in entries:
            raise AwsError("InvalidPrefixListID.NotFound", f"The prefix list ID '{name}' does not exist.")
        return {"Entries": [{"Cidr": cidr, "Description": ""} for cidr in entries[name]]}

    return {("ec2", "GetManagedPrefixListEntries"): list_entries}
