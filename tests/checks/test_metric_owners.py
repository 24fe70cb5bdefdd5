"""Whose a metric is: every owner's dead and live, what a dashboard's widgets name, and what nobody can tell."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.cloudwatch_dashboards import shown
from aws_finops_mcp.checks.metric_owners import OWNERS, Existing, Metric, reads_for
from aws_finops_mcp.checks.reads import BUCKETS, FUNCTIONS
from aws_finops_mcp.findings import FailedRead

NOW = datetime(2026, 10, 1, tzinfo=UTC)
ARN = "arn:aws:{}:us-east-1:123456789012:{}"
ACCOUNT = "123456789012"

LISTED: dict[str, Any] = {
    "DescribeInstances": lambda name: {"Instances": [{"InstanceId": "i-0"}, {"InstanceId": name}]},
    "ListTables": lambda name: name,
    "ListQueues": lambda name: f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}",
    "ListTopics": lambda name: {"TopicArn": name if name.startswith("arn:") else ARN.format("sns", name)},
    "ecs:ListClusters": lambda name: ARN.format("ecs", f"cluster/{name}"),
    "ListServices": lambda name: ARN.format("ecs", f"service/shop/{name}"),
    "eks:ListClusters": lambda name: name,
    "elbv2:DescribeLoadBalancers": lambda name: {
        "LoadBalancerArn": ARN.format("elasticloadbalancing", f"loadbalancer/{name}")
    },
    "DescribeTargetGroups": lambda name: {"TargetGroupArn": ARN.format("elasticloadbalancing", name)},
    "GetRestApis": lambda name: {"name": name},
    "DescribeAlarms": lambda name: {"MetricAlarms": [{"AlarmArn": name}], "CompositeAlarms": []},
    "ListDistributions": lambda name: {"Id": name},
    "memorydb:DescribeClusters": lambda name: {"Name": name},
    "ListBuckets": lambda name: {"Name": name},
    "ListLogGroups": lambda name: {"logGroupName": name},
}
"""What a listing has of a resource, where that is not the dimension's own name."""
MEMBERS = {"VPC Endpoint Id": "VpcEndpointId"}


def item(wanted: Read, dimension: str, name: str) -> Any:
    make = LISTED.get(f"{wanted.service}:{wanted.operation}") or LISTED.get(wanted.operation)
    return make(name) if make else {MEMBERS.get(dimension, dimension): name}


def live_name(space: str, dimension: str) -> str:
    if dimension == "Arn":
        return ARN.format("sns" if space == "topic" else "cloudwatch", "one")
    return {"LoadBalancer": "app/one/5", "TargetGroup": "targetgroup/one/5"}.get(dimension, "one")


@pytest.mark.parametrize(("space", "dimension"), sorted(OWNERS), ids="-".join)
def test_every_owner_tells_the_dead_from_the_living(space: str, dimension: str) -> None:
    name = live_name(space, dimension)
    around = (("ClusterName", "shop"),) if OWNERS[space, dimension].within else ()
    live = Metric(space, (*around, (dimension, name)))
    dead = Metric(space, (*around, (dimension, f"{name}-gone")))
    reads = {wanted: [item(wanted, own, value)] for own, value in live.dimensions
             for wanted, _, told in live.owners() if told == value}  # fmt: skip
    assert set(reads) == set(reads_for([live]))
    existing = Existing(Facts(NOW, {}, details=reads))
    assert existing.missing(live) == ""
    assert existing.missing(dead) == f"{name}-gone"
    failed = FailedRead(call="x", account="1", region="r", kind="denied", error="no", remedy="")
    unread = Existing(Facts(NOW, {}, details=dict.fromkeys(reads, failed)))
    assert unread.missing(dead) is None
    assert unread.not_read(dead)


def test_a_service_is_looked_for_in_its_own_cluster() -> None:
    one, other = (
        Metric("AWS/ECS", (("ServiceName", "web"), ("ClusterName", cluster))) for cluster in ("shop", "office")
    )
    reads = list(reads_for([one, other]))
    assert {wanted.parameters.get("cluster") for wanted in reads} == {None, "shop", "office"}
    assert list(reads_for([Metric("AWS/ECS", (("ServiceName", "web"),))])) == [], "whose it is can't be told"


def test_what_is_asked_for_elsewhere_is_asked_for_as_of_there(engine: Engine) -> None:
    (buckets,) = reads_for([Metric("AWS/S3", (("BucketName", "one"),), "eu-west-1")])
    there, here = (engine.asking().reader(region).items(BUCKETS) for region in ("eu-west-1", "us-east-1"))
    # The region is the read's, not the reader's; and it is the read that the checks of that region make.
    assert engine.asking().reader("us-east-1").items(buckets) == there != here
    assert buckets == replace(BUCKETS, region="eu-west-1")
    (distributions,) = reads_for([Metric("AWS/CloudFront", (("DistributionId", "E1"),), "eu-west-1")])
    assert distributions.region == "us-east-1"


_names = st.sampled_from(["a", "b", "c"])


@given(
    known=st.sets(_names), watched=st.lists(_names, min_size=1, max_size=3), region=st.sampled_from(["", "eu-west-1"])
)
def test_missing_is_who_is_in_no_listing(known: set[str], watched: list[str], region: str) -> None:
    metrics = [Metric("AWS/Lambda", (("FunctionName", name),), region) for name in watched]
    (wanted,) = reads_for(metrics)
    assert wanted.operation == FUNCTIONS.operation
    existing = Existing(Facts(NOW, {}, details={wanted: [{"FunctionName": name} for name in known]}))
    assert [existing.missing(metric) for metric in metrics] == ["" if name in known else name for name in watched]
    assert existing.missing(Metric("Shop", (("FunctionName", "z"),))) is None


def body(*widgets: dict[str, Any]) -> str:
    return json.dumps({"widgets": list(widgets)})


def test_widgets_of_every_kind_name_what_they_show() -> None:
    mine, other = ARN.format("cloudwatch", "alarm:one"), "arn:aws:cloudwatch:us-east-1:210987654321:alarm:two"
    query = "SOURCE '/log/a', \"/log/b\" | SOURCE '/log/c' | fields @message | filter @message like 'SOURCE'"
    told = shown(
        body(
            {"type": "text", "properties": {"markdown": "SOURCE 'x'"}},
            {"type": "alarm", "properties": {"alarms": [mine, other]}},
            {"type": "log", "properties": {"region": "eu-west-1", "query": query}},
            {"type": "metric", "properties": {"metrics": [["AWS/EC2", "CPUUtilization", "InstanceId", "i-1"]]}},
        ),
        ACCOUNT,
    )
    assert {(one.namespace, one.dimensions[0][1], one.region) for one in told.named} == {
        ("alarm", mine, "us-east-1"),
        ("AWS/EC2", "i-1", "us-east-1"),
        *(("AWS/Logs", f"/log/{name}", "eu-west-1") for name in "abc"),
    }
    assert told.searches == 0


@pytest.mark.parametrize(
    ("widget", "searches"),
    [
        ({"type": "metric", "properties": {"metrics": [[{"expression": "SEARCH('{AWS/EC2}', 'Sum')"}]]}}, 1),
        ({"type": "metric", "properties": {"metrics": [[{"expression": 'SELECT AVG(x) FROM "AWS/EC2"'}]]}}, 1),
        ({"type": "metric", "properties": {"metrics": [[{"expression": "m1 + m2"}]]}}, 0),
        ({"type": "explorer", "properties": {}}, 1),
        ({"type": "custom", "properties": {"endpoint": "arn:aws:lambda:x"}}, 1),
        ({"type": "log", "properties": {"query": "SOURCE logGroups(namePrefix: ['/aws']) | fields @message"}}, 1),
    ],
)
def test_what_a_widget_searches_for_is_counted_and_not_named(widget: dict[str, Any], searches: int) -> None:
    told = shown(body(widget), ACCOUNT)
    assert (list(told.named), told.searches) == ([], searches)


@given(st.text())
def test_a_body_that_is_none_shows_nothing(text: str) -> None:
    assert not shown(text, ACCOUNT).named
