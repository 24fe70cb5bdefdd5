"""A CloudFormation template of the role by which another account lets the server read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from aws_finops_mcp.audits.catalogue import Tool
from aws_finops_mcp.audits.policy import iam_policy, statements_of_files
from aws_finops_mcp.settings import ExportSettings

DEFAULT_ROLE_NAME: Final = "aws-finops-mcp-read"


def role_template(tools: Iterable[Tool], exports: Iterable[ExportSettings] = ()) -> dict[str, Any]:
    """The template, for whoever owns the account to apply: the role can be assumed by the server's role alone.

    It holds for all partitions, as it names none.

    Args:
        exports: exports of the bill that are read with such a role.
    """
    policy = iam_policy(tools, {})
    for number, export in enumerate((one for one in exports if one.in_s3), 1):
        for statement in statements_of_files(export, number, "arn:${AWS::Partition}"):
            policy["Statement"].append({**statement, "Resource": {"Fn::Sub": statement["Resource"]}})
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets aws-finops-mcp of another account read this one. It can change nothing.",
        "Parameters": {
            "ServerRoleArn": {
                "Type": "String",
                "Description": "ARN of the role that the server runs with, in its own account.",
                "AllowedPattern": r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$",
                "ConstraintDescription": "the ARN of a role, arn:aws:iam::123456789012:role/name",
            },
            "ExternalId": {
                "Type": "String",
                "Description": "What the server must name to be let in: a long random word, the same in its settings.",
                "NoEcho": True,
                "AllowedPattern": r"^[\w+=,.@:/-]{16,1224}$",
                "ConstraintDescription": "16 or more letters, digits and +=,.@:/-",
            },
            "RoleName": {"Type": "String", "Default": DEFAULT_ROLE_NAME, "AllowedPattern": r"^[\w+=,.@-]{1,64}$"},
            "PermissionsBoundaryArn": {
                "Type": "String",
                "Default": "",
                "Description": "The policy that your organisation sets as permissions boundary on roles, if it does.",
            },
        },
        "Conditions": {"HasBoundary": {"Fn::Not": [{"Fn::Equals": [{"Ref": "PermissionsBoundaryArn"}, ""]}]}},
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": {"Ref": "RoleName"},
                    "Description": "Read by aws-finops-mcp",
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"AWS": {"Ref": "ServerRoleArn"}},
                                "Action": "sts:AssumeRole",
                                "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
                            }
                        ],
                    },
                    "PermissionsBoundary": {
                        "Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]
                    },
                    "Policies": [{"PolicyName": "finops-read", "PolicyDocument": policy}],
                },
            }
        },
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }
