"""An account resource by resource, to compare what it was with what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.roles.aws.deployment import Deployment

# Service, operation, the answer's list and the field that is the resource's id.
_LISTS = (
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("ec2", "describe_network_acls", "NetworkAcls", "NetworkAclId"),
    ("ec2", "describe_volumes", "Volumes", "VolumeId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("cloudformation", "describe_stacks", "Stacks", "StackId"),
    ("route53", "list_hosted_zones", "HostedZones", "Id"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    ("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("wafv2", "list_web_acls", "WebACLs", "Id"),
)
_ASKED = {"list_web_acls": {"Scope": "REGIONAL"}}
_GONE = frozenset({"deleted", "deleting", "terminated"})


_OF_A_VPC = frozenset({"NetworkAclId", "NetworkInterfaceId"})


def _is_there(name: str, one: dict[str, Any], vpcs: set[str], instances: set[str]) -> bool:
    """Whether AWS would list it, which drops some things that moto keeps.

    A VPC's ACLs and interfaces go with it, an instance's volumes with that (DeleteOnTermination, as ours are made), and
    public parameters are AWS's own.
    """
    if name in _OF_A_VPC:
        return one["VpcId"] in vpcs
    if name == "VolumeId" and one["Attachments"]:
        return any(attached["InstanceId"] in instances for attached in one["Attachments"])
    if name == "Name" and one["Name"].startswith("/aws/"):
        return False
    return str(one.get("State", "")).lower() not in _GONE


def _instances(deployment: Deployment) -> Iterator[dict[str, Any]]:
    for reservation in deployment.client("ec2").describe_instances()["Reservations"]:
        yield from (one for one in reservation["Instances"] if one["State"]["Name"] not in _GONE)


def _listed(deployment: Deployment) -> Iterator[tuple[str, Any]]:
    vpcs = {one["VpcId"] for one in deployment.client("ec2").describe_vpcs()["Vpcs"]}
    instances = {one["InstanceId"]: one for one in _instances(deployment)}
    yield from ((f"ec2 {name}", one) for name, one in instances.items())
    for service, operation, key, name in _LISTS:
        for one in getattr(deployment.client(service), operation)(**_ASKED.get(operation, {}))[key]:
            if _is_there(name, one, vpcs, set(instances)):
                yield f"{service} {one[name]}", one
    for one in deployment.client("iam").list_policies(Scope="Local")["Policies"]:
        yield f"iam {one['Arn']}", one
    route53 = deployment.client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            yield f"route53 {record['Name']} {record['Type']}", record


def resources(deployment: Deployment) -> dict[str, Any]:
    """What there is, by service and id, as AWS describes it."""
    return dict(_listed(deployment))
