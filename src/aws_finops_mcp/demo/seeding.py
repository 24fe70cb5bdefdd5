"""Turns the inventory into resources in moto's backends, with the same ids for the same seed."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any, Final

from moto.awslambda.models import lambda_backends
from moto.cloudfront.models import cloudfront_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random

from aws_finops_mcp.demo import inventory, seeding_others
from aws_finops_mcp.demo.double.provisioned_concurrency import Provisioned, ProvisionedConcurrency
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, ACCOUNT_NAME, REGIONS, US

# A resource's Name tag (or its name, where it has one) to its id.
Ids = dict[str, str]

IMAGE: Final = "ami-0e5a1ec0ffee00001"
_ROLE: Final = f"arn:aws:iam::{ACCOUNT_ID}:role/northwind-lambda"
# The extension's layer is AWS's own, of an account of theirs.
_INSIGHTS: Final = "arn:aws:lambda:{region}:580247275435:layer:LambdaInsightsExtension:56"
_LAMBDA_TIME: Final = "%Y-%m-%dT%H:%M:%S.000+0000"
_GP2_FLOOR, _GP2_CEILING, _GP2_PER_GIB = 100, 16_000, 3
_GP3_IOPS, _GP3_MIBPS = 3000, 125


class Seeder:
    """Before each resource moto's randomness is reset from seed and name, so that ids don't depend on the order."""

    def __init__(self, seed: int, now: datetime, provisioned: ProvisionedConcurrency) -> None:
        self._seed = seed
        # moto keeps naive times in UTC.
        self._now = now.replace(tzinfo=None, microsecond=0)
        self._provisioned = provisioned
        self.ids: Ids = {}
        self._subnets: dict[tuple[str, str], str] = {}
        self._route_tables: dict[tuple[str, str], str] = {}

    def create_all(self) -> Ids:
        for region in REGIONS:
            self._pin(region)
            self._network(region)
        for instance in inventory.INSTANCES:
            self._instance(instance)
        for volume in inventory.VOLUMES:
            self._volume(volume)
        for snapshot in inventory.SNAPSHOTS:
            self._snapshot(snapshot)
        self._interface()
        self._addresses()
        for gateway in inventory.NAT_GATEWAYS:
            self._nat_gateway(gateway)
        self._role()
        code = _code()
        for function in inventory.FUNCTIONS:
            self._function(function, code)
        self._distribution()
        self._pin("account")
        iam_backends[ACCOUNT_ID]["aws"].create_account_alias(ACCOUNT_NAME)
        seeding_others.create(self._pin)
        self._pin("later")
        return self.ids

    def _pin(self, name: str) -> None:
        mock_random.seed(f"{self._seed}/{name}")

    def _ec2(self, region: str) -> Any:
        return ec2_backends[ACCOUNT_ID][region]

    def _ago(self, days: float) -> datetime:
        return self._now - timedelta(days=days)

    def _network(self, region: str) -> None:
        """A VPC with a public and a private subnet in two zones; NAT gateways add their routes later."""
        ec2 = self._ec2(region)
        number = 10 + REGIONS.index(region)
        self._pin(f"{region}/vpc")
        vpc = ec2.create_vpc(f"10.{number}.0.0/16")
        self._tag(region, vpc.id, {"Name": "northwind-main", "Team": "platform"})
        self.ids[f"vpc/{region}"] = vpc.id
        self._pin(f"{region}/igw")
        internet = ec2.create_internet_gateway()
        ec2.attach_internet_gateway(internet.id, vpc.id)
        for third, (kind, zone) in enumerate((("public", "a"), ("public", "b"), ("private", "a"), ("private", "b"))):
            name = f"{kind}-{zone}"
            self._pin(f"{region}/subnet/{name}")
            subnet = ec2.create_subnet(vpc.id, f"10.{number}.{third * 16}.0/20", availability_zone=f"{region}{zone}")
            table = ec2.create_route_table(vpc.id)
            ec2.associate_route_table(table.id, subnet_id=subnet.id)
            if kind == "public":
                ec2.create_route(table.id, "0.0.0.0/0", gateway_id=internet.id)
            self._tag(region, subnet.id, {"Name": f"northwind-{name}"})
            self._tag(region, table.id, {"Name": f"northwind-{name}"})
            self._subnets[region, name] = subnet.id
            self._route_tables[region, name] = table.id

    def _instance(self, declared: inventory.Instance) -> None:
        ec2 = self._ec2(declared.region)
        self._pin(f"{declared.region}/{declared.name}")
        reservation = ec2.run_instances(
            IMAGE,
            1,
            None,
            [],
            instance_type=declared.kind,
            is_instance_type_default=False,
            region_name=declared.region,
            subnet_id=self._subnets[declared.region, f"private-{declared.zone}"],
            tags={"instance": declared.tags, "volume": {**declared.tags, "Name": f"{declared.name}-root"}},
            block_device_mappings=[
                {
                    "DeviceName": "/dev/xvda",
                    "Ebs": {"VolumeSize": declared.root_gib, "VolumeType": "gp3", "DeleteOnTermination": True},
                }
            ],
        )
        instance = reservation.instances[0]
        instance.virtualization_type, instance.kernel_id = "hvm", None
        instance.nics[0].attach_time = self._ago(declared.age_days)
        instance.launch_time = self._ago(declared.age_days)
        instance.root_device_name = "/dev/xvda"
        for _device, mapping in instance.get_block_device_mapping:
            mapping.attach_time = self._ago(declared.age_days)
            root = ec2.volumes[mapping.volume_id]
            root.create_time = root.attachment.attach_time = self._ago(declared.age_days)
            root.iops, root.throughput = _GP3_IOPS, _GP3_MIBPS
            self.ids[f"{declared.name}-root"] = root.id
        if declared.stopped_days is not None:
            ec2.stop_instances([instance.id])
            instance._reason = f"User initiated ({self._ago(declared.stopped_days):%Y-%m-%d %H:%M:%S} GMT)"
        self.ids[declared.name] = instance.id

    def _volume(self, declared: inventory.Volume) -> None:
        ec2 = self._ec2(declared.region)
        self._pin(f"{declared.region}/{declared.name}")
        volume = ec2.create_volume(
            declared.size,
            f"{declared.region}{declared.zone}",
            volume_type=declared.kind,
            iops=declared.iops,
            throughput=declared.mibps,
        )
        volume.create_time = self._ago(declared.age_days)
        if declared.kind == "gp2":
            # EC2 tells the IOPS that come with the size.
            volume.iops = min(_GP2_CEILING, max(_GP2_FLOOR, _GP2_PER_GIB * declared.size))
        elif declared.kind == "gp3":
            volume.throughput = declared.mibps or _GP3_MIBPS
        volume.add_tags(declared.tags)
        if declared.attached_to is not None:
            attachment = ec2.attach_volume(volume.id, self.ids[declared.attached_to], "/dev/sdf")
            mapping = ec2.get_instance(self.ids[declared.attached_to]).block_device_mapping["/dev/sdf"]
            attachment.attach_time = mapping.attach_time = self._ago(declared.age_days)
        self.ids[declared.name] = volume.id

    def _snapshot(self, declared: inventory.Snapshot) -> None:
        self._pin(f"{declared.region}/{declared.name}")
        snapshot = self._ec2(declared.region).create_snapshot(self.ids[declared.volume], declared.name)
        snapshot.start_time = self._ago(declared.age_days)
        snapshot.add_tags(declared.tags)
        self.ids[declared.name] = snapshot.id

    def _interface(self) -> None:
        declared = inventory.DETACHED_INTERFACE
        ec2 = self._ec2(declared.region)
        self._pin(f"{declared.region}/{declared.name}")
        subnet = ec2.get_subnet(self._subnets[declared.region, "public-a"])
        interface = ec2.create_network_interface(
            subnet, "10.10.0.77", description="left over from the VPN migration", tags=declared.tags
        )
        self.ids[declared.name] = interface.id

    def _addresses(self) -> None:
        for declared in inventory.ADDRESSES:
            ec2 = self._ec2(declared.region)
            self._pin(f"{declared.region}/{declared.name}")
            address = ec2.allocate_address("vpc", address=declared.ip, tags=declared.tags)
            self.ids[declared.name] = address.allocation_id
            if declared.instance is not None:
                instance = ec2.get_instance(self.ids[declared.instance])
                ec2.associate_address(instance=instance, allocation_id=address.allocation_id)
            elif declared.interface is not None:
                interface = ec2.enis[self.ids[declared.interface]]
                ec2.associate_address(eni=interface, allocation_id=address.allocation_id)

    def _nat_gateway(self, declared: inventory.NatGateway) -> None:
        ec2 = self._ec2(declared.region)
        allocation = next(
            self.ids[address.name] for address in inventory.ADDRESSES if address.nat_gateway == declared.name
        )
        self._pin(f"{declared.region}/{declared.name}")
        subnet = self._subnets[declared.region, f"public-{declared.zone}"]
        gateway = ec2.create_nat_gateway(subnet, allocation, tags=declared.tags)
        gateway._created_at = self._ago(declared.age_days)
        interface = gateway._eni
        # What AWS writes on the interface of a NAT gateway, and what callers recognise it by.
        interface.description = f"Interface for NAT Gateway {gateway.id}"
        interface.interface_type = "nat_gateway"
        interface.status = "in-use"
        # moto takes an address of any network.
        private_ip = (
            f"{ec2.get_subnet(subnet).cidr_block.rsplit('.', 1)[0]}.{200 + inventory.NAT_GATEWAYS.index(declared)}"
        )
        gateway.private_ip = interface.private_ip_address = gateway.address_set[0]["privateIp"] = private_ip
        interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": private_ip}]
        if declared.serves is not None:
            table = self._route_tables[declared.region, declared.serves]
            ec2.create_route(table, "0.0.0.0/0", nat_gateway_id=gateway.id)
        self.ids[declared.name] = gateway.id

    def _role(self) -> None:
        self._pin("role")
        trust = {"Service": "lambda.amazonaws.com"}
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}],
        }
        description = "What the shop's functions run as"
        name = _ROLE.rsplit("/", 1)[1]
        iam_backends[ACCOUNT_ID]["aws"].create_role(name, json.dumps(policy), "/", None, description, [], None)

    def _function(self, declared: inventory.Function, code: str) -> None:
        backend = lambda_backends[ACCOUNT_ID][declared.region]
        self._pin(f"{declared.region}/{declared.name}")
        function = backend.create_function(
            {
                "FunctionName": declared.name,
                "Runtime": declared.runtime,
                "Role": _ROLE,
                "Handler": "app.handler",
                "Code": {"ZipFile": code},
                "MemorySize": declared.memory,
                "Timeout": 30,
                "Architectures": [declared.architecture],
                "Description": f"{declared.team}: {declared.name.removeprefix('northwind-').replace('-', ' ')}",
                "Tags": {key: value for key, value in declared.tags.items() if key != "Name"},
            }
        )
        changed = f"{self._ago(declared.modified_days):{_LAMBDA_TIME}}"
        function.last_modified = changed
        if declared.insights is not None:
            function.layers = [{"Arn": _INSIGHTS.format(region=declared.region), "CodeSize": 4_000_000}]
        if declared.provisioned or declared.edge:
            version: Any = backend.publish_version(declared.name)
            version.last_modified = changed
        if declared.provisioned:
            self._provisioned.add(
                ACCOUNT_ID, declared.region, Provisioned(declared.name, "1", declared.provisioned, changed)
            )
        self.ids[declared.name] = function.function_arn

    def _distribution(self) -> None:
        """The shop's distribution, which runs the edge function."""
        edge = next(function for function in inventory.FUNCTIONS if function.edge)
        self._pin("cloudfront")
        created: tuple[Any, str, str] = cloudfront_backends[ACCOUNT_ID]["aws"].create_distribution(
            {
                "CallerReference": "northwind-shop",
                "Comment": "Northwind Outfitters shop",
                "Enabled": True,
                "Origins": {
                    "Quantity": 1,
                    "Items": [
                        {
                            "Id": "images",
                            "DomainName": f"{inventory.BUCKETS[0].name}.s3.amazonaws.com",
                            "S3OriginConfig": {"OriginAccessIdentity": ""},
                        }
                    ],
                },
                "DefaultCacheBehavior": {
                    "TargetOriginId": "images",
                    "ViewerProtocolPolicy": "redirect-to-https",
                    "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
                },
            },
            [],
        )
        distribution = created[0]
        # moto drops the associations of the request.
        distribution.distribution_config.DefaultCacheBehavior.lambda_function_associations = {
            "Quantity": 1,
            "Items": [
                {
                    "LambdaFunctionARN": f"arn:aws:lambda:{US}:{ACCOUNT_ID}:function:{edge.name}:1",
                    "EventType": "viewer-response",
                    "IncludeBody": False,
                }
            ],
        }
        distribution._status = "Deployed"
        distribution.last_modified_time = f"{self._ago(400):%Y-%m-%dT%H:%M:%S.000Z}"
        self.ids["cloudfront"] = distribution.id

    def _tag(self, region: str, resource: str, tags: dict[str, str]) -> None:
        self._ec2(region).create_tags([resource], tags)


def _code() -> str:
    """A zip of one file with a fixed date, as the API carries it: the same hash in each run."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (2025, 1, 1, 0, 0, 0)), "def handler(event, context): return {}\n")
    return b64encode(packed.getvalue()).decode()
