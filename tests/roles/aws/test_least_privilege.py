"""A host has the role that aws.yml made and nothing else: the server, the agents and certbot do their work with it.

The account evaluates its policies as IAM does, request by request.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.roles.aws.deployment import REGION, Deployment

ROLE = f"aws-finops-mcp-{REGION}"
ARN = f"arn:aws:iam::123456789012:role/{ROLE}"
GROUP = "aws-finops-mcp"
STREAM = "i-0123456789abcdef0/server"
NOW = datetime.now(UTC)
Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def zone(aws: Deployment) -> str:
    """A hosted zone, in which certbot may prove a name."""
    made = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"]
    return str(made).rpartition("/")[2]


@pytest.fixture(scope="module")
def made(aws: Deployment, zone: str) -> Deployment:
    """An account with the server's role in it, under a boundary that allows more than the role may do."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    boundary = aws.client("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))
    aws.write(aws_permissions_boundary=boundary["Policy"]["Arn"], aws_identity_certificate_zone_id=zone)
    aws.play("aws.yml", "--tags", "identity").must_pass()
    aws.client("logs").create_log_group(logGroupName="theirs")
    aws.client("logs").create_log_stream(logGroupName="theirs", logStreamName=STREAM)
    return aws


@pytest.fixture
def host(made: Deployment) -> Clients:
    """Makes clients of a process on the host."""
    keys = made.account.ask("credentials.of_instance", ARN)
    session: Any = boto3.session.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"],
    )
    return lambda service: session.client(service, region_name=REGION, endpoint_url=made.account.url)


def policy_of(aws: Deployment, name: str) -> dict[str, Any]:
    """An inline policy of the role."""
    document = aws.client("iam").get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
    policy: dict[str, Any] = document if isinstance(document, dict) else json.loads(unquote(document))
    return policy


def actions(policy: dict[str, Any]) -> set[str]:
    """All that it allows."""
    each = (one["Action"] for one in policy["Statement"])
    return {action for one in each for action in ([one] if isinstance(one, str) else one)}


@contextmanager
def lacking(aws: Deployment, name: str, action: str) -> Iterator[None]:
    """The role with one action less in one of its policies, for as long as that is tried."""
    policy = policy_of(aws, name)
    less = json.loads(json.dumps(policy).replace(json.dumps(action), '"none:None"'))
    put = aws.client("iam").put_role_policy
    put(RoleName=ROLE, PolicyName=name, PolicyDocument=json.dumps(less))
    yield
    put(RoleName=ROLE, PolicyName=name, PolicyDocument=json.dumps(policy))


def audited(aws: Deployment) -> subprocess.CompletedProcess[str]:
    """All checks, by the server of a host."""
    keys = aws.account.ask("credentials.of_instance", ARN)
    return subprocess.run(
        [sys.executable, "-m", "aws_finops_mcp", "audit", "--region", REGION],
        env={**aws.environment, **keys, "AWS_ENDPOINT_URL": aws.account.url, "AWS_REGION": REGION},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_check_runs_on_the_host_and_names_an_action_that_lacks(made: Deployment) -> None:
    enough = audited(made)
    assert enough.returncode == 0, enough.stdout + enough.stderr
    with lacking(made, "finops-read", "ec2:DescribeVolumes"):
        less = audited(made)
    assert less.returncode == 3
    assert "ec2:DescribeVolumes" in less.stdout


def record(client: Clients, zone: str, name: str = "_acme-challenge.finops.example.com", kind: str = "TXT") -> None:
    """What certbot writes to prove a name."""
    value = '"proof"' if kind == "TXT" else "192.0.2.1"
    one = {"Name": name, "Type": kind, "TTL": 10, "ResourceRecords": [{"Value": value}]}
    client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": one}]}
    )


def write(client: Clients, group: str = GROUP) -> None:
    """What the CloudWatch agent sends of a log."""
    client("logs").put_log_events(
        logGroupName=group, logStreamName=STREAM, logEvents=[{"timestamp": int(NOW.timestamp() * 1000), "message": "x"}]
    )


def measure(client: Clients, namespace: str = "aws-finops-mcp/host") -> None:
    """What it sends of the host."""
    client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "cpu", "Value": 1.0}])


# In the order in which the agent asks.
AGENT: dict[str, Callable[[Clients], object]] = {
    "logs:CreateLogGroup": lambda client: client("logs").create_log_group(logGroupName=GROUP),
    "logs:PutRetentionPolicy": lambda client: client("logs").put_retention_policy(
        logGroupName=GROUP, retentionInDays=30
    ),
    "logs:CreateLogStream": lambda client: client("logs").create_log_stream(logGroupName=GROUP, logStreamName=STREAM),
    "logs:DescribeLogStreams": lambda client: client("logs").describe_log_streams(logGroupName=GROUP),
    "logs:PutLogEvents": write,
    "cloudwatch:PutMetricData": measure,
    "ec2:DescribeTags": lambda client: client("ec2").describe_tags(),
    "xray:PutTelemetryRecords": lambda client: client("xray").put_telemetry_records(
        TelemetryRecords=[{"Timestamp": NOW}]
    ),
    "xray:PutTraceSegments": lambda client: client("xray").put_trace_segments(TraceSegmentDocuments=["{}"]),
}


def test_the_cloudwatch_agent_does_its_work_and_each_action_is_needed(made: Deployment, host: Clients) -> None:
    assert actions(policy_of(made, "cloudwatch-agent")) == AGENT.keys()
    for action, call in AGENT.items():
        with lacking(made, "cloudwatch-agent", action), pytest.raises(ClientError, match=f"perform: {action} "):
            call(host)
        call(host)


def test_certbot_proves_the_name_and_each_action_is_needed(made: Deployment, host: Clients, zone: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "route53:ListHostedZones": lambda: host("route53").list_hosted_zones(),
        "route53:ChangeResourceRecordSets": lambda: record(host, zone),
        "route53:GetChange": lambda: host("route53").get_change(Id="C0123456789ABCDEFGHIJ"),
    }
    assert actions(policy_of(made, "certificate")) == calls.keys()
    # The server reads zones too, by another policy.
    with lacking(made, "finops-read", "route53:ListHostedZones"):
        for action, call in calls.items():
            with lacking(made, "certificate", action), pytest.raises(ClientError, match=f"perform: {action} "):
                call()
            call()


def test_neither_reaches_beyond_what_is_the_hosts(made: Deployment, host: Clients, zone: str) -> None:
    other = made.client("route53").create_hosted_zone(Name="example.org", CallerReference="x")["HostedZone"]["Id"]
    beyond: tuple[Callable[[], object], ...] = (
        lambda: write(host, "theirs"),
        lambda: host("logs").create_log_group(logGroupName=f"{GROUP}-other"),
        lambda: measure(host, "AWS/EC2"),
        lambda: record(host, zone, name="finops.example.com"),
        lambda: record(host, zone, kind="A"),
        lambda: record(host, str(other).rpartition("/")[2]),
        lambda: host("ssm").get_parameter(Name="/theirs"),
        lambda: host("iam").list_users(),
        lambda: host("ec2").run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1),
        lambda: host("s3").list_objects_v2(Bucket="theirs"),
    )
    for call in beyond:
        with pytest.raises(ClientError, match="not authorized to perform"):
            call()


def test_what_was_changed_by_hand_is_told_and_put_back(made: Deployment) -> None:
    iam, before = made.client("iam"), policy_of(made, "cloudwatch-agent")
    iam.delete_role_policy(RoleName=ROLE, PolicyName="cloudwatch-agent")
    # It allows everything.
    iam.attach_role_policy(RoleName=ROLE, PolicyArn="arn:aws:iam::123456789012:policy/boundary")
    told = made.play("aws.yml", "--tags", "identity", "--check").must_pass()
    assert told.changed == ["aws_identity : Server | Role", "aws_identity : Server | Policies"]
    assert "cloudwatch-agent" not in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    made.play("aws.yml", "--tags", "identity").must_pass()
    assert policy_of(made, "cloudwatch-agent") == before
    assert iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"] == []
