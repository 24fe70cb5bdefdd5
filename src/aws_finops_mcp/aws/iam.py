"""Which IAM action a request needs: mostly service:Operation, and the exceptions.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from typing import Final

# IAM prefixes that are not the name botocore gives the service.
PREFIXES: Final[dict[str, str]] = {
    "apigatewayv2": "apigateway",
    "cognito-idp": "cognito-idp",
    "docdb": "rds",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "es": "es",
    "neptune": "rds",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "ses": "ses",
    "sesv2": "ses",
    "stepfunctions": "states",
}

# Operations whose permission has another name.
ACTIONS: Final[dict[tuple[str, str], str]] = {
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "ListObjects"): "s3:ListBucket",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "ListObjectVersions"): "s3:ListBucketVersions",
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "HeadObject"): "s3:GetObject",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "GetBucketLifecycleConfiguration"): "s3:GetLifecycleConfiguration",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "ListBucketMetricsConfigurations"): "s3:GetMetricsConfiguration",
    ("s3", "ListParts"): "s3:ListMultipartUploadParts",
    ("s3control", "GetPublicAccessBlock"): "s3:GetAccountPublicAccessBlock",
    ("s3", "ListMultipartUploads"): "s3:ListBucketMultipartUploads",
    ("s3", "ListBucketIntelligentTieringConfigurations"): "s3:GetIntelligentTieringConfiguration",
    ("s3", "ListBucketInventoryConfigurations"): "s3:GetInventoryConfiguration",
    ("lambda", "ListFunctionUrlConfigs"): "lambda:ListFunctionUrlConfigs",
    ("budgets", "DescribeBudgets"): "budgets:ViewBudget",
    ("budgets", "DescribeBudget"): "budgets:ViewBudget",
}

# What AWS asks for beside the action itself: Compute Optimizer looks at the resources in the caller's name.
DEPENDENT: Final[dict[str, tuple[str, ...]]] = {
    "compute-optimizer:GetAutoScalingGroupRecommendations": (
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
    ),
    "compute-optimizer:GetEBSVolumeRecommendations": ("ec2:DescribeVolumes",),
    "compute-optimizer:GetEC2InstanceRecommendations": ("ec2:DescribeInstances",),
    "compute-optimizer:GetECSServiceRecommendations": ("ecs:ListClusters", "ecs:ListServices"),
    "compute-optimizer:GetLambdaFunctionRecommendations": (
        "lambda:ListFunctions",
        "lambda:ListProvisionedConcurrencyConfigs",
    ),
    "compute-optimizer:GetLicenseRecommendations": ("ec2:DescribeInstances",),
    "compute-optimizer:GetRDSDatabaseRecommendations": ("rds:DescribeDBClusters", "rds:DescribeDBInstances"),
}


def iam_action(service: str, operation: str) -> str:
    """The action as a policy names it."""
    special = ACTIONS.get((service, operation))
    if special is not None:
        return special
    if service in {"apigateway", "apigatewayv2"}:
        # API Gateway's permissions are HTTP verbs; every read is a GET.
        return "apigateway:GET" if operation.startswith("Get") else f"apigateway:{operation}"
    return f"{PREFIXES.get(service, service)}:{operation}"
