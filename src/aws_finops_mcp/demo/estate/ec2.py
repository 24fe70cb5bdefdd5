"""EC2's resources of a place, as botocore gives them to a caller."""

from __future__ import annotations

from typing import Any, Final

from aws_finops_mcp.demo.estate.place import TEAMS, Fate, Place

_VOLUME_TYPES: Final = ("gp3", "gp3", "gp3", "gp2", "gp3", "io1", "gp2", "st1", "gp3", "io2")
_SIZES: Final = (20, 50, 100, 200, 500)
_INSTANCE_TYPES: Final = ("t3.medium", "m6i.large", "c6i.xlarge", "r6i.large", "m6g.large", "t3.large")
_DEVICES: Final = "fghijklmnopqrstuvwxyz"
_YOUNG_DAYS: Final = 0.2
_YOUNG_NAT_DAYS: Final = 3.0


def volume(place: Place, number: int) -> dict[str, Any]:
    fate = place.fate("volumes", number)
    random = place.vary("volumes", number, 10_000)
    kind = _VOLUME_TYPES[random % 10]
    size = _SIZES[random // 10 % 5]
    made: dict[str, Any] = {
        "Attachments": [],
        "AvailabilityZone": zone(place, number),
        "CreateTime": place.ago(_YOUNG_DAYS if fate is Fate.YOUNG else 30 + random % 700),
        "Encrypted": random % 3 == 0,
        "MultiAttachEnabled": False,
        "Size": max(size, 125) if kind == "st1" else size,
        "SnapshotId": "",
        "State": "available",
        "Tags": tags(place, "volumes", number),
        "VolumeId": place.identity("volumes", number),
        "VolumeType": kind,
    }
    if kind == "gp3":
        made["Iops"], made["Throughput"] = (3000, 125) if random % 4 else (6000, 250)
    elif kind == "gp2":
        made["Iops"] = max(100, 3 * size)
    elif kind in {"io1", "io2"}:
        made["Iops"] = 2000
    if fate is Fate.USED:
        machine = place.machine_of(number)
        made["State"] = "in-use"
        made["AvailabilityZone"] = zone(place, machine)
        made["Attachments"] = [
            {
                "AttachTime": made["CreateTime"],
                "DeleteOnTermination": False,
                "Device": device(place, number),
                "InstanceId": place.identity("instances", machine),
                "State": "attached",
                "VolumeId": made["VolumeId"],
            }
        ]
    return made


def instance(place: Place, number: int) -> dict[str, Any]:
    """A reservation with one running instance; idle ones run too, for nothing."""
    identity = place.identity("instances", number)
    random = place.vary("instances", number, 10_000)
    launched = place.ago(20 + random % 600)
    kind = _INSTANCE_TYPES[random % len(_INSTANCE_TYPES)]
    made: dict[str, Any] = {
        "AmiLaunchIndex": 0,
        "Architecture": "arm64" if kind.startswith("m6g") else "x86_64",
        "BlockDeviceMappings": [
            {
                "DeviceName": device(place, one),
                "Ebs": {
                    "AttachTime": place.ago(30 + place.vary("volumes", one, 10_000) % 700),
                    "DeleteOnTermination": False,
                    "Status": "attached",
                    "VolumeId": place.identity("volumes", one),
                },
            }
            for one in place.volumes_of(number)
            if place.fate("volumes", one) is Fate.USED
        ],
        "EbsOptimized": True,
        "Hypervisor": "xen",
        "ImageId": "ami-0e5a1ec0ffee00001",
        "InstanceId": identity,
        "InstanceType": kind,
        "LaunchTime": launched,
        "Monitoring": {"State": "disabled"},
        "NetworkInterfaces": [{"NetworkInterfaceId": place.identity("network_interfaces", number), "Status": "in-use"}],
        "Placement": {"AvailabilityZone": zone(place, number), "GroupName": "", "Tenancy": "default"},
        "PlatformDetails": "Linux/UNIX",
        "PrivateIpAddress": private_ip(number),
        "RootDeviceName": "/dev/xvda",
        "RootDeviceType": "ebs",
        "State": {"Code": 16, "Name": "running"},
        "SubnetId": subnet_id(place, number),
        "Tags": tags(place, "instances", number),
        "UsageOperation": "RunInstances",
        "VirtualizationType": "hvm",
        "VpcId": vpc_id(place),
    }
    public = _address_of_machine(place, number)
    if public is not None:
        made["PublicIpAddress"] = public_ip(public)
    return {
        "Groups": [],
        "Instances": [made],
        "OwnerId": place.account,
        "ReservationId": f"r-0{place.key:08x}{number:08x}",
    }


def address(place: Place, number: int) -> dict[str, Any]:
    """NAT gateways' addresses first, then instances' and those of nobody."""
    made: dict[str, Any] = {
        "AllocationId": place.identity("addresses", number),
        "Domain": "vpc",
        "NetworkBorderGroup": place.region,
        "PublicIp": public_ip(number),
        "PublicIpv4Pool": "amazon",
        "Tags": tags(place, "addresses", number),
    }
    if place.fate("addresses", number) is Fate.IDLE:
        return made
    gateways = place.estate.nat_gateways
    made["AssociationId"] = association_id(place, number)
    if number < gateways:
        interface = place.estate.machines + number
        made["PrivateIpAddress"] = private_ip(interface)
    else:
        interface = (number - gateways) % place.estate.machines
        made["InstanceId"] = place.identity("instances", interface)
        made["PrivateIpAddress"] = private_ip(interface)
    made["NetworkInterfaceId"] = place.identity("network_interfaces", interface)
    made["NetworkInterfaceOwnerId"] = place.account
    return made


def nat_gateway(place: Place, number: int) -> dict[str, Any]:
    random = place.vary("nat_gateways", number, 10_000)
    young = place.fate("nat_gateways", number) is Fate.YOUNG
    interface = place.estate.machines + number
    return {
        "ConnectivityType": "public",
        "CreateTime": place.ago(_YOUNG_NAT_DAYS if young else 120 + random % 600),
        "NatGatewayAddresses": [
            {
                "AllocationId": place.identity("addresses", number),
                "AssociationId": association_id(place, number),
                "IsPrimary": True,
                "NetworkInterfaceId": place.identity("network_interfaces", interface),
                "PrivateIp": private_ip(interface),
                "PublicIp": public_ip(number),
                "Status": "succeeded",
            }
        ],
        "NatGatewayId": place.identity("nat_gateways", number),
        "State": "available",
        "SubnetId": subnet_id(place, number),
        "Tags": tags(place, "nat_gateways", number),
        "VpcId": vpc_id(place),
    }


def route_table(place: Place, number: int) -> dict[str, Any]:
    """One for each NAT gateway; every other idle one has lost its route."""
    local = {
        "DestinationCidrBlock": "10.0.0.0/16",
        "GatewayId": "local",
        "Origin": "CreateRouteTable",
        "State": "active",
    }
    routes = [local]
    if place.fate("nat_gateways", number) is not Fate.IDLE or number % 2 == 0:
        routes.append(
            {
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": place.identity("nat_gateways", number),
                "Origin": "CreateRoute",
                "State": "active",
            }
        )
    return {
        "Associations": [],
        "OwnerId": place.account,
        "PropagatingVgws": [],
        "RouteTableId": f"rtb-0{place.key:08x}{number:08x}",
        "Routes": routes,
        "Tags": [],
        "VpcId": vpc_id(place),
    }


def network_interface(place: Place, number: int) -> dict[str, Any]:
    """Instances' first, then NAT gateways', then Lambda's and those of nobody."""
    machines, gateways = place.estate.machines, place.estate.nat_gateways
    made: dict[str, Any] = {
        "AvailabilityZone": zone(place, number),
        "Description": "",
        "Groups": [],
        "InterfaceType": "interface",
        "Ipv6Addresses": [],
        "MacAddress": f"02:{place.key >> 24 & 255:02x}:{place.key & 255:02x}:{number >> 16 & 255:02x}"
        f":{number >> 8 & 255:02x}:{number & 255:02x}",
        "NetworkInterfaceId": place.identity("network_interfaces", number),
        "OwnerId": place.account,
        "PrivateIpAddress": private_ip(number),
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": private_ip(number)}],
        "RequesterManaged": False,
        "SourceDestCheck": True,
        "Status": "in-use",
        "SubnetId": subnet_id(place, number),
        "TagSet": [],
        "VpcId": vpc_id(place),
    }
    public: int | None = None
    if number < machines:
        made["Attachment"] = _attachment(place, number, place.account, place.identity("instances", number))
        public = _address_of_machine(place, number)
    elif number < machines + gateways:
        gateway = number - machines
        made["InterfaceType"] = "nat_gateway"
        made["RequesterManaged"] = True
        made["Description"] = f"Interface for NAT Gateway {place.identity('nat_gateways', gateway)}"
        made["Attachment"] = _attachment(place, number, "amazon-aws", None)
        public = gateway
    elif place.fate("network_interfaces", number) is Fate.USED:
        made["InterfaceType"] = "lambda"
        made["RequesterManaged"] = True
        made["Description"] = f"AWS Lambda VPC ENI-{number:08x}"
        made["Attachment"] = _attachment(place, number, "amazon-aws", None)
    else:
        made["Status"] = "available"
        made["TagSet"] = tags(place, "network_interfaces", number)
    if public is not None:
        made["Association"] = {
            "AllocationId": place.identity("addresses", public),
            "AssociationId": association_id(place, public),
            "IpOwnerId": place.account,
            "PublicIp": public_ip(public),
        }
    return made


def _attachment(place: Place, number: int, owner: str, machine: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "AttachmentId": f"eni-attach-0{place.key:08x}{number:08x}",
        "DeleteOnTermination": machine is not None,
        "DeviceIndex": 0 if machine is not None else 1,
        "InstanceOwnerId": owner,
        "Status": "attached",
    }
    if machine is not None:
        made["InstanceId"] = machine
    return made


def _address_of_machine(place: Place, machine: int) -> int | None:
    """The first address that is associated with an instance."""
    gateways = place.estate.nat_gateways
    for number in range(gateways + machine, gateways + place.estate.addresses, place.estate.machines):
        if place.fate("addresses", number) is Fate.USED:
            return number
    return None


def device(place: Place, volume_number: int) -> str:
    turn = volume_number // place.estate.machines
    return f"/dev/sd{_DEVICES[turn % len(_DEVICES)]}{turn // len(_DEVICES) or ''}"


def zone(place: Place, number: int) -> str:
    return f"{place.region}{'abc'[number % 3]}"


def vpc_id(place: Place) -> str:
    return f"vpc-0{place.key:08x}00000000"


def subnet_id(place: Place, number: int) -> str:
    return f"subnet-0{place.key:08x}{number % 3:08x}"


def association_id(place: Place, address_number: int) -> str:
    return f"eipassoc-0{place.key:08x}{address_number:08x}"


def private_ip(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def public_ip(number: int) -> str:
    """Of the network that is set aside for benchmarks."""
    return f"198.{18 + (number >> 16 & 1)}.{number >> 8 & 255}.{number & 255}"


def tags(place: Place, kind: str, number: int) -> list[dict[str, str]]:
    team = TEAMS[number % 5]
    return [
        {"Key": "Name", "Value": f"{team}-{kind}-{number}"},
        {"Key": "Team", "Value": team},
        {"Key": "Environment", "Value": "production" if number % 4 else "staging"},
    ]
