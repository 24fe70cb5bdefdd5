"""playbooks/lambda.yml: an empty account, and then a function with a URL that asks for IAM."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.conftest import environment
from tests.roles.aws.deployment import OWNER_TAG, Deployment
from tests.roles.aws.resources import resources as all_there_is
from tests.roles.aws.stacks import lint_problems, resources

STACK = "aws-finops-mcp-lambda"
BUCKET = "aws-finops-mcp-123456789012-eu-west-1-packages"
FUNCTION = "aws-finops-mcp"


@pytest.fixture(scope="module")
def before(aws: Deployment) -> dict[str, Any]:
    """What there was before anything was made."""
    return all_there_is(aws)


@pytest.fixture(scope="module")
def deployed(aws: Deployment, before: dict[str, Any]) -> Deployment:
    # AWS's own layer is of another account, which the emulated one cannot see.
    layer = aws.client("lambda").publish_layer_version(
        LayerName="adapter", Content={"ZipFile": b"PK\x05\x06" + bytes(18)}, CompatibleRuntimes=["python3.13"]
    )
    aws.write(
        aws_lambda_layer=layer["LayerVersionArn"],
        aws_lambda_callers=["arn:aws:iam::210987654321:role/analysts"],
        aws_lambda_tracing=True,
    )
    done = aws.play("lambda.yml").must_pass()
    assert "uvx mcp-proxy-for-aws https://" in done.said
    return aws


def test_a_second_run_changes_nothing(deployed: Deployment) -> None:
    assert deployed.play("lambda.yml").must_pass().changed == []


def test_cfn_lint_has_nothing_to_say(deployed: Deployment) -> None:
    assert lint_problems(deployed, STACK) == []


def test_the_url_asks_for_iam_and_streams(deployed: Deployment) -> None:
    made = resources(deployed, STACK)
    assert made["Url"]["AuthType"] == "AWS_IAM"
    assert made["Url"]["InvokeMode"] == "RESPONSE_STREAM"
    url = deployed.client("lambda").get_function_url_config(FunctionName=FUNCTION)
    assert url["AuthType"] == "AWS_IAM"


def test_the_server_knows_the_name_of_its_url_and_listens_on_loopback(deployed: Deployment) -> None:
    client = deployed.client("lambda")
    host = urlsplit(client.get_function_url_config(FunctionName=FUNCTION)["FunctionUrl"]).hostname
    variables = client.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
    assert variables["MCP_ALLOWED_HOSTS"] == host
    assert variables["MCP_SERVER_HOST"] == "127.0.0.1"
    assert variables["MCP_SERVER_PORT"] == variables["AWS_LWA_PORT"]
    assert variables["MCP_SERVER_WORKERS"] == "0"
    assert not {name for name in variables if "SECRET" in name or "ACCESS_KEY" in name}


def test_the_cost_of_calls_is_said_before_anything_is_made(aws: Deployment) -> None:
    said = aws.play("lambda.yml", "--tags", "always", aws_estimate_enabled=True).must_pass().said
    assert "10000 calls: 10000 Requests at $" in said
    assert "Their time, 5 s of 1769 MiB each: 86377 GB-Second at $" in said


def test_callers_need_both_actions(deployed: Deployment) -> None:
    made = resources(deployed, STACK)
    statements = made["Callers"]["PolicyDocument"]["Statement"]
    assert {one["Action"] for one in statements} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert all(one["Resource"] == {"Fn::GetAtt": ["Function", "Arn"]} for one in statements)
    elsewhere = [made["Url1"], made["Invoke1"]]
    assert {one["Action"] for one in elsewhere} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert {one["Principal"] for one in elsewhere} == {"arn:aws:iam::210987654321:role/analysts"}
    assert made["Url1"]["FunctionUrlAuthType"] == "AWS_IAM"
    assert made["Invoke1"]["InvokedViaFunctionUrl"] is True


def test_the_role_may_do_what_its_tools_need_and_write_its_log(deployed: Deployment) -> None:
    policies = {one["PolicyName"]: one["PolicyDocument"] for one in resources(deployed, STACK)["Role"]["Policies"]}
    assert policies["read"] == policy()
    assert [one["Action"] for one in policies["log"]["Statement"]] == [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    ]


def policy() -> dict[str, Any]:
    """What the product asks for."""
    command = [sys.executable, "-m", "aws_finops_mcp", "iam-policy"]
    done = subprocess.run(command, env=environment({}), capture_output=True, check=True)
    return dict(json.loads(done.stdout))


def test_the_package_is_in_a_private_bucket(deployed: Deployment) -> None:
    s3 = deployed.client("s3")
    (key,) = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert key == resources(deployed, STACK)["Function"]["Code"]["S3Key"]
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    tags = {one["Key"]: one["Value"] for one in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert tags[OWNER_TAG] == FUNCTION


def test_what_cannot_be_is_refused(deployed: Deployment) -> None:
    done = deployed.play(
        "lambda.yml",
        aws_lambda_callers=["*"],
        aws_lambda_settings={"MCP_AUTH_LOOPBACK": "closed"},
        aws_lambda_timeout=30,
        aws_lambda_memory=128,
        aws_lambda_layer="arn:aws:lambda:us-east-1:1:layer:x:1",
    )
    assert done.returncode != 0
    for told in (
        'aws_lambda_callers: got ["*"]; accounts of 12 digits',
        "who may call is IAM's to say",
        "more seconds than MCP_DEADLINE (50)",
        "512 to 10240 MiB",
        "the ARN of a layer's version in eu-west-1",
    ):
        assert told in done.refusals


def test_teardown_removes_what_was_made(deployed: Deployment, before: dict[str, Any]) -> None:
    deployed.play("aws_teardown.yml", aws_teardown_confirm="aws-finops-mcp").must_pass()
    assert all_there_is(deployed) == before
