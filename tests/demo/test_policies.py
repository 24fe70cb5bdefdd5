"""Policies are evaluated as IAM does it, and the account holds sessions of roles to them."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.double.policies import Decision, Request, decide
from aws_finops_mcp.demo.inventory import ACCOUNT_ID


def policy(*statements: dict[str, Any]) -> str:
    """These statements, with what each must have."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **one} for one in statements]}
    )


TYPES = "route53:ChangeResourceRecordSetsRecordTypes"
NAMES = "route53:changeresourcerecordsetsnormalizedrecordnames"
FILES = {"Action": "s3:*", "Resource": "arn:aws:s3:::a/x/*"}
CHALLENGES = {
    "Action": "r:C",
    "Condition": {
        "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]},
        "ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": "_acme-challenge.*"},
    },
}
METRICS = {"Action": "c:P", "Condition": {"StringEquals": {"cloudwatch:namespace": "a"}}}
ALLOWED, NOT_ALLOWED, DENIED = Decision


def challenge(*types: str, name: str = "_acme-challenge.a") -> Request:
    """A change of records of these types."""
    return Request("r:C", keys={TYPES: types, NAMES: (name,)})


@pytest.mark.parametrize(
    ("statements", "asked", "wanted"),
    [
        ([{"Action": "ec2:DescribeVolumes"}], Request("ec2:DescribeVolumes"), ALLOWED),
        ([{"Action": "EC2:describevolumes"}], Request("ec2:DescribeVolumes"), ALLOWED),
        ([{"Action": ["ec2:Describe*", "s3:?et*"]}], Request("s3:GetObject"), ALLOWED),
        ([{"Action": "ec2:Describe"}], Request("ec2:DescribeVolumes"), NOT_ALLOWED),
        ([{"Action": "ec2:Describe[V]olumes"}], Request("ec2:DescribeVolumes"), NOT_ALLOWED),
        ([{"NotAction": "iam:*"}], Request("ec2:DescribeVolumes"), ALLOWED),
        ([{"NotAction": "iam:*"}], Request("iam:CreateUser"), NOT_ALLOWED),
        ([{"Action": "*"}, {"Effect": "Deny", "Action": "iam:*"}], Request("iam:CreateUser"), DENIED),
        ([{"Effect": "Deny", "Action": "iam:*"}, {"Action": "*"}], Request("iam:CreateUser"), DENIED),
        ([{"Effect": "Deny", "NotAction": "ec2:*"}, {"Action": "*"}], Request("ec2:StopInstances"), ALLOWED),
        ([FILES], Request("s3:GetObject", "arn:aws:s3:::a/x/y/z"), ALLOWED),
        ([FILES], Request("s3:GetObject", "arn:aws:s3:::a/X/y"), NOT_ALLOWED),
        ([FILES], Request("s3:GetObject"), NOT_ALLOWED),
        ([{"Action": "*", "NotResource": "arn:aws:s3:::a/*"}], Request("s3:X", "arn:aws:s3:::a/b"), NOT_ALLOWED),
        ([CHALLENGES], challenge("TXT"), ALLOWED),
        ([CHALLENGES], challenge("TXT", "A"), NOT_ALLOWED),
        ([CHALLENGES], challenge("TXT", name="www.a"), NOT_ALLOWED),
        ([CHALLENGES], Request("r:C"), ALLOWED),
        ([METRICS], Request("c:P", keys={"cloudwatch:namespace": ("a",)}), ALLOWED),
        ([METRICS], Request("c:P", keys={"cloudwatch:namespace": ("b",)}), NOT_ALLOWED),
        ([METRICS], Request("c:P"), NOT_ALLOWED),
        ([{"Action": "c:P", "Condition": {"Bool": {"x:y": True}}}], Request("c:P", keys={"X:Y": ("true",)}), ALLOWED),
    ],
)
def test_a_request_is_decided_as_iam_does(statements: list[dict[str, Any]], asked: Request, wanted: Decision) -> None:
    assert decide([policy(*statements)], asked) is wanted


def test_policies_add_up_and_none_allows_nothing() -> None:
    one, two = policy({"Action": "a:*"}), policy({"Action": "b:*", "Effect": "Deny"})
    assert decide([one, two], Request("a:X")) is Decision.ALLOWED
    assert decide([one, two], Request("b:X")) is Decision.DENIED
    assert decide([], Request("a:X")) is Decision.NOT_ALLOWED


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Action": "*", "Condition": {"StringEqualsIfExists": {"a:b": "c"}}},
        {"Action": "*", "Principal": "*"},
        {"Action": "*", "Effect": "allow"},
    ],
)
def test_what_is_not_evaluated_is_never_taken_as_met(statement: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not evaluated|not a statement"):
        decide([policy(statement)], Request("a:X"))


def session(account: EmbeddedAccount, role: str) -> Any:
    """Makes clients of a role's session."""
    keys = account.credentials.of_instance(role)
    made = boto3.session.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"],
    )
    return lambda service: made.client(service, region_name="us-east-1", endpoint_url=account.url)


def allow(*actions: str, effect: str = "Allow") -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*"}],
    }


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value)


def test_a_declared_role_does_what_its_policy_allows_from_the_moment_it_does(account: EmbeddedAccount) -> None:
    role = account.credentials.add_role(ACCOUNT_ID, "policies-declared", policy=allow("ec2:DescribeVolumes"))
    client = session(account, role.arn)
    ec2 = client("ec2")
    assert ec2.describe_volumes()["Volumes"]
    told = refusal(ec2.describe_addresses)
    assert "no identity-based policy allows the ec2:DescribeAddresses action" in told
    assert "assumed-role/policies-declared/i-" in told
    account.credentials.add_role(ACCOUNT_ID, "policies-declared", policy=allow("ec2:DescribeAddresses"))
    assert ec2.describe_addresses()["Addresses"]
    assert "ec2:DescribeVolumes" in refusal(ec2.describe_volumes)
    account.credentials.add_role(ACCOUNT_ID, "policies-declared", policy=allow("sts:*", effect="Deny"))
    assert "policies-declared" in client("sts").get_caller_identity()["Arn"], "AWS tells everybody who they are"


def test_a_role_made_through_iam_is_held_to_its_policies_and_its_boundary(account: EmbeddedAccount) -> None:
    iam = boto3.client(
        "iam", region_name="us-east-1", endpoint_url=account.url, aws_access_key_id="x", aws_secret_access_key="x"
    )
    name = "policies-made"
    boundary = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(allow("ec2:Describe*")))["Policy"]["Arn"]
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}", PermissionsBoundary=boundary)["Role"]["Arn"]
    try:
        client = session(account, arn)
        assert "ec2:DescribeVolumes" in refusal(client("ec2").describe_volumes)
        document = json.dumps(allow("ec2:DescribeVolumes", "lambda:ListFunctions"))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        assert client("ec2").describe_volumes()["Volumes"]
        assert "lambda:ListFunctions" in refusal(client("lambda").list_functions)
        iam.put_role_policy(RoleName=name, PolicyName="no", PolicyDocument=json.dumps(allow("ec2:*", effect="Deny")))
        assert "with an explicit deny" in refusal(client("ec2").describe_volumes)
    finally:
        for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=inline)
        iam.delete_role(RoleName=name)
        iam.delete_policy(PolicyArn=boundary)


def test_only_the_roles_that_a_policy_names_are_assumed(account: EmbeddedAccount) -> None:
    shop = account.credentials.add_role("111122223333", "policies-shop")
    other = account.credentials.add_role("111122223333", "policies-other")
    document = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": shop.arn}]}
    role = account.credentials.add_role(ACCOUNT_ID, "policies-reader", policy=document)
    sts = session(account, role.arn)("sts")
    assert sts.assume_role(RoleArn=shop.arn, RoleSessionName="test")["Credentials"]
    assert "sts:AssumeRole" in refusal(sts.assume_role, RoleArn=other.arn, RoleSessionName="test")
