"""The reads that checks share: an audit makes each once for a region, whichever checks need it."""

from __future__ import annotations

from dataclasses import replace

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import REGION, Read, read

VOLUMES = read("ec2", "DescribeVolumes", "Volumes", {"MaxResults": 500})
SNAPSHOTS = read("ec2", "DescribeSnapshots", "Snapshots", {"OwnerIds": ["self"], "MaxResults": 1000})
IMAGES = read("ec2", "DescribeImages", "Images", {"Owners": ["self"], "IncludeDisabled": True, "MaxResults": 1000})
"""The account's own. A disabled image is hidden by default, and still needs its snapshots."""
LAUNCH_TEMPLATE_VERSIONS = read(
    "ec2",
    "DescribeLaunchTemplateVersions",
    "LaunchTemplateVersions",
    {"Versions": ["$Latest", "$Default"], "MaxResults": 200},
)
"""Of all templates by one paged call: only their latest and default versions are to be had so."""
LAUNCH_TEMPLATES = read("ec2", "DescribeLaunchTemplates", "LaunchTemplates", {"MaxResults": 200})
FLEETS = read("ec2", "DescribeFleets", "Fleets", {"MaxResults": 1000})
SPOT_FLEETS = read("ec2", "DescribeSpotFleetRequests", "SpotFleetRequestConfigs", {"MaxResults": 1000})
ADDRESSES = read("ec2", "DescribeAddresses", "Addresses")
RESERVATIONS = read("ec2", "DescribeInstances", "Reservations", {"MaxResults": 1000})
MEMORY_METRICS = read(
    "cloudwatch", "ListMetrics", "Metrics", {"Namespace": "CWAgent", "MetricName": "mem_used_percent"}
)
NETWORK_INTERFACES = read("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", {"MaxResults": 1000})
NAT_GATEWAYS = read("ec2", "DescribeNatGateways", "NatGateways", {"MaxResults": 1000})
LOAD_BALANCERS = read("elbv2", "DescribeLoadBalancers", "LoadBalancers", token=("NextMarker", "Marker"))
CLASSIC_LOAD_BALANCERS = read(
    "elb", "DescribeLoadBalancers", "LoadBalancerDescriptions", token=("NextMarker", "Marker")
)
TARGET_GROUPS = read("elbv2", "DescribeTargetGroups", "TargetGroups", token=("NextMarker", "Marker"))
AUTO_SCALING_GROUPS = read("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", {"MaxRecords": 100})
LAUNCH_CONFIGURATIONS = read("autoscaling", "DescribeLaunchConfigurations", "LaunchConfigurations", {"MaxRecords": 100})
SECURITY_GROUPS = read("ec2", "DescribeSecurityGroups", "SecurityGroups", {"MaxResults": 1000})
SUBNETS = read("ec2", "DescribeSubnets", "Subnets", {"MaxResults": 1000})
INTERNET_GATEWAYS = read("ec2", "DescribeInternetGateways", "InternetGateways", {"MaxResults": 1000})
VPC_ENDPOINTS = read("ec2", "DescribeVpcEndpoints", "VpcEndpoints", {"MaxResults": 1000})
ENDPOINT_SERVICES = read(
    "ec2", "DescribeVpcEndpointServiceConfigurations", "ServiceConfigurations", {"MaxResults": 1000}
)
HOSTED_ZONES = read("route53", "ListHostedZones", "HostedZones", token=("NextMarker", "Marker"), region=GLOBAL_REGION)
ROUTE_TABLES = read("ec2", "DescribeRouteTables", "RouteTables", {"MaxResults": 100})
FUNCTIONS = read("lambda", "ListFunctions", "Functions", token=("NextMarker", "Marker"))
BUCKETS = read(
    "s3",
    "ListBuckets",
    "Buckets",
    {"BucketRegion": REGION, "MaxBuckets": 10_000},
    token=("ContinuationToken", "ContinuationToken"),
)
"""Those of the region only."""
BUCKET_METRICS = read("cloudwatch", "ListMetrics", "Metrics", {"Namespace": "AWS/S3"})
"""Which series S3 wrote in the last two weeks: storage classes and request metrics of all buckets, in a few calls."""
LOG_GROUP_NAMES = read("logs", "ListLogGroups", "logGroups", {"limit": 1000}, token=("nextToken", "nextToken"))
"""Names and classes only, by the thousand; DescribeLogGroups gives 50 a call."""
LOG_GROUPS = read("logs", "DescribeLogGroups", "logGroups", {"limit": 50}, token=("nextToken", "nextToken"))
DISTRIBUTIONS = read(
    "cloudfront",
    "ListDistributions",
    "DistributionList.Items",
    token=("DistributionList.NextMarker", "Marker"),
    region=GLOBAL_REGION,
    only_in=GLOBAL_REGION,
)
DB_INSTANCES = read("rds", "DescribeDBInstances", "DBInstances", {"MaxRecords": 100}, token=("Marker", "Marker"))
DB_CLUSTERS = read("rds", "DescribeDBClusters", "DBClusters", {"MaxRecords": 100}, token=("Marker", "Marker"))
DB_SNAPSHOTS = read(
    "rds",
    "DescribeDBSnapshots",
    "DBSnapshots",
    {"SnapshotType": "manual", "MaxRecords": 100},
    token=("Marker", "Marker"),
)
DB_CLUSTER_SNAPSHOTS = read(
    "rds",
    "DescribeDBClusterSnapshots",
    "DBClusterSnapshots",
    {"SnapshotType": "manual", "MaxRecords": 100},
    token=("Marker", "Marker"),
)
DISTRIBUTIONS_FROM_ANYWHERE = replace(DISTRIBUTIONS, only_in="")
"""For what any region's resources are used by: origins are everywhere."""


def record_sets(zone_id: str) -> Read:
    """The DNS records of a hosted zone."""
    return read(
        "route53",
        "ListResourceRecordSets",
        "ResourceRecordSets",
        {"HostedZoneId": zone_id.removeprefix("/hostedzone/")},
        token=("NextRecordName", "StartRecordName"),
        more_tokens=(("NextRecordType", "StartRecordType"), ("NextRecordIdentifier", "StartRecordIdentifier")),
        region=GLOBAL_REGION,
        resource=zone_id,
    )


QUEUES = read("sqs", "ListQueues", "QueueUrls", {"MaxResults": 1000})
TOPICS = read("sns", "ListTopics", "Topics")
SUBSCRIPTIONS = read("sns", "ListSubscriptions", "Subscriptions")
EVENT_SOURCE_MAPPINGS = read("lambda", "ListEventSourceMappings", "EventSourceMappings", token=("NextMarker", "Marker"))
SCHEDULES = read("scheduler", "ListSchedules", "Schedules", {"MaxResults": 100})
"""Of EventBridge Scheduler, each with its target's ARN."""
EVENT_BUSES = read("events", "ListEventBuses", "EventBuses")
ALARMS = read("cloudwatch", "DescribeAlarms", "", {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100})
"""Pages, not alarms: an answer has metric and composite ones apart. `checks.alarms.all_alarms` joins them."""


TABLES = read("dynamodb", "ListTables", "TableNames", token=("LastEvaluatedTableName", "ExclusiveStartTableName"))
DASHBOARDS = read("cloudwatch", "ListDashboards", "DashboardEntries", region=GLOBAL_REGION)


def node_groups_read(cluster: str) -> Read:
    """The names of an EKS cluster's managed node groups."""
    request = {"clusterName": cluster, "maxResults": 100}
    return read("eks", "ListNodegroups", "nodegroups", request, token=("nextToken", "nextToken"), resource=cluster)


def node_group_read(cluster: str, name: str) -> Read:
    """One managed node group."""
    request = {"clusterName": cluster, "nodegroupName": name}
    return read("eks", "DescribeNodegroup", "nodegroup", request, resource=f"{cluster}/{name}")
