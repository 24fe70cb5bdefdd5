"""The truth about alarms and dashboards. What they watch is declared by the other families and by ``inventory``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Rows
from aws_finops_mcp.demo.families.network_apis import APIS
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

IDLE, IN_USE, OK, TOO_NEW, DEGRADED, EXEMPT = (
    Verdict.IDLE,
    Verdict.IN_USE,
    Verdict.OK,
    Verdict.TOO_NEW,
    Verdict.DEGRADED,
    Verdict.EXEMPT,
)
UNKNOWN: Final = Verdict.UNKNOWN
_STANDARD, _HIGH, _COMPOSITE, _DASHBOARD = 0.10, 0.30, 0.50, 3.00

Watched = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Alarm:
    """An alarm, what it watches, and what the two checks must say of it."""

    name: str
    watches: Sequence[Watched]
    orphaned: Verdict
    unused: Verdict = IN_USE
    why: str = ""
    region: str = US
    state: str = "OK"
    days: int = 200
    period: int = 300
    rule: str = ""
    usd: float = _STANDARD
    tells: str = ""

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudwatch:{self.region}:{ACCOUNT_ID}:alarm:{self.name}"

    @property
    def charge(self) -> Charge:
        """By its metrics, or as a composite."""
        kind = "composite" if self.rule else "high_resolution" if self.period < 60 else "standard"
        return Charge(self.region, self.arn, f"cloudwatch.alarm.{kind}", 1 if self.rule else len(self.watches))

    def row(self, now: datetime) -> dict[str, Any]:
        """The alarm as AWS describes it; of several metrics it is one of metric math."""
        row: dict[str, Any] = {
            "AlarmName": self.name,
            "AlarmArn": self.arn,
            "ActionsEnabled": True,
            "AlarmActions": [f"arn:aws:sns:{self.region}:{ACCOUNT_ID}:{self.tells}"] if self.tells else [],
            "StateValue": self.state,
            "StateReason": "as of the last evaluation",
            # AWS touches this one when the reason changes, long after the state did.
            "StateUpdatedTimestamp": now - timedelta(days=1),
            "StateTransitionedTimestamp": now - timedelta(days=self.days),
            "AlarmConfigurationUpdatedTimestamp": now - timedelta(days=400),
        }
        if self.rule:
            return row | {"AlarmRule": self.rule}
        row |= {"EvaluationPeriods": 3, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
        metrics = [
            {"Namespace": space, "MetricName": "Any", "Dimensions": [{"Name": k, "Value": v} for k, v in own.items()]}
            for space, own in self.watches
        ]
        if len(metrics) == 1:
            return row | metrics[0] | {"Statistic": "Sum", "Period": self.period}
        queries = [
            {"Id": f"m{n}", "MetricStat": {"Metric": metric, "Period": self.period, "Stat": "Sum"}, "ReturnData": False}
            for n, metric in enumerate(metrics)
        ]
        return row | {"Metrics": [*queries, {"Id": "sum", "Expression": "m0+m1", "ReturnData": True}]}


_GONE_LB: Final = {
    "LoadBalancer": "app/nw-gone/50dc6c495c0c9188",
    "TargetGroup": "targetgroup/nw-gone/943f017f100becff",
}

_HTTP_API: Final = next(api.api_id for api in APIS if api.kind == "HTTP")
_OWNED: Final[tuple[tuple[str, str, str], ...]] = (
    ("AWS/EC2", "AutoScalingGroupName", "nb-workers"),
    ("AWS/AutoScaling", "AutoScalingGroupName", "nb-workers"),
    ("AWS/ElastiCache", "CacheClusterId", "nw-hot"),
    ("AWS/MemoryDB", "ClusterName", "nw-leaders"),
    ("AWS/ES", "DomainName", "nw-busy"),
    ("AWS/Redshift", "ClusterIdentifier", "nw-lake"),
    ("AWS/DocDB", "DBInstanceIdentifier", "nw-documents-1"),
    ("AWS/DocDB", "DBClusterIdentifier", "nw-documents"),
    ("AWS/Neptune", "DBInstanceIdentifier", "nw-graph-1"),
    ("AWS/Neptune", "DBClusterIdentifier", "nw-graph"),
    ("AWS/ECS", "ClusterName", "nw-shop"),
    ("ECS/ContainerInsights", "ClusterName", "nw-shop"),
    ("AWS/EKS", "ClusterName", "nw-checkout"),
    ("AWS/ApiGateway", "ApiName", "nb-payments"),
    ("AWS/ApiGateway", "ApiId", _HTTP_API),
    ("AWS/Kinesis", "StreamName", "nw-clicks"),
    ("AWS/EFS", "FileSystemId", "fs-0f515152457e30a81"),
    ("AWS/FSx", "FileSystemId", "fs-0f515152457e31eda"),
    ("AWS/S3", "BucketName", "s3-quiet"),
    ("AWS/CloudFront", "DistributionId", "E0NBASSETS"),
    ("AWS/Logs", "LogGroupName", "/log/silent"),
    ("AWS/PrivateLinkEndpoints", "VPC Endpoint Id", "vpce-187fdce7be0bf1e80"),
)
"""Namespace, dimension and somebody who is there; that name with ``-gone`` after it is nobody's."""


def _dead_and_live() -> Iterator[Alarm]:
    for number, (space, dimension, name) in enumerate(_OWNED):
        own = f"{number:02}-{space.rpartition('/')[2].lower()}"
        yield Alarm(f"nw-own-{own}", [(space, {dimension: name})], OK, why=f"its {dimension} of {space} is there")
        gone = [(space, {dimension: f"{name}-gone"})]
        yield Alarm(f"nw-own-{own}-old", gone, IDLE, why=f"its {dimension} of {space} is gone")
    for space in ("AWS/ECS", "ECS/ContainerInsights"):
        for name, cluster, service, verdict in (
            ("there", "nw-shop", "nw-search", OK),
            ("gone", "nw-shop", "nw-gone", IDLE),
            ("gone-with-its-cluster", "nw-gone", "nw-search", IDLE),
        ):
            watched = [(space, {"ClusterName": cluster, "ServiceName": service})]
            yield Alarm(f"nw-own-{space[:3].lower()}-service-{name}", watched, verdict, why=f"its service is {name}")


_ALARMS: Final = (
    *_dead_and_live(),
    Alarm(
        "nw-mon-told",
        [("AWS/DynamoDB", {"TableName": "carts"})],
        OK,
        why="its topic is there",
        tells="nw-orders-events",
    ),
    Alarm(
        "nw-mon-unheard",
        [("AWS/DynamoDB", {"TableName": "carts"})],
        DEGRADED,
        why="tells a topic that is gone",
        tells="nw-gone-topic",
    ),
    Alarm("nw-mon-any-cpu", (), OK, why="its alarm is there", rule='ALARM("nw-mon-cpu-old-web")'),
    Alarm("nw-mon-cpu-old-web", [("AWS/EC2", {"InstanceId": "i-0dead0000000000a1"})], IDLE, why="its instance is gone"),
    Alarm("nw-mon-disk-old", [("AWS/EBS", {"VolumeId": "vol-0dead000000000a1"})], IDLE, why="its volume is gone"),
    Alarm(
        "nw-mon-nat-old", [("AWS/NATGateway", {"NatGatewayId": "nat-0dead00000000a1"})], IDLE, why="its gateway is gone"
    ),
    Alarm("nw-mon-5xx-old", [("AWS/ApplicationELB", _GONE_LB)], IDLE, why="its balancer and target group are gone"),
    Alarm("nw-mon-clb-old", [("AWS/ELB", {"LoadBalancerName": "nw-gone"})], IDLE, why="its balancer is gone"),
    Alarm("nw-mon-aurora-old", [("AWS/RDS", {"DBClusterIdentifier": "nw-gone"})], IDLE, why="its cluster is gone"),
    Alarm(
        "nw-mon-burst",
        [("AWS/EC2", {"InstanceId": "i-0dead0000000000a2"})],
        IDLE,
        why="its instance is gone; of high resolution",
        period=10,
        usd=_HIGH,
    ),
    Alarm(
        "nw-mon-ratio",
        [("AWS/Lambda", {"FunctionName": "northwind-cart-add"}), ("AWS/Lambda", {"FunctionName": "northwind-gone"})],
        DEGRADED,
        why="one of two functions is gone",
    ),
    Alarm("nw-mon-errors", [("AWS/Lambda", {"FunctionName": "northwind-cart-add"})], OK, why="its function is there"),
    Alarm("nw-mon-orders-db", [("AWS/RDS", {"DBInstanceIdentifier": "orders"})], OK, why="its database is there"),
    Alarm("nw-mon-carts", [("AWS/DynamoDB", {"TableName": "carts"})], OK, why="its table is there"),
    Alarm("nw-mon-topic", [("AWS/SNS", {"TopicName": "nw-orders-events"})], OK, why="its topic is there"),
    Alarm("nw-mon-own", [("Northwind/Shop", {"Page": "checkout"})], OK, why="a metric of the company's own"),
    Alarm(
        "nw-mon-spend",
        [("AWS/Billing", {"Currency": "USD"})],
        OK,
        unused=IDLE,
        why="without data for long",
        state="INSUFFICIENT_DATA",
    ),
    Alarm(
        "nw-mon-new",
        [("Northwind/Shop", {"Page": "gift"})],
        OK,
        unused=TOO_NEW,
        why="without data, for a week",
        state="INSUFFICIENT_DATA",
        days=7,
    ),
    Alarm(
        "nw-mon-any-old",
        (),
        IDLE,
        why="its alarms are gone",
        rule='ALARM("nw-mon-deleted") OR ALARM(nw-mon-too)',
        usd=_COMPOSITE,
    ),
    Alarm(
        "nw-mon-any", (), OK, why="its alarms are there", rule='ALARM("nw-mon-errors") AND NOT ALARM("nw-mon-carts")'
    ),
    Alarm(
        "nw-mon-kept",
        [("AWS/EC2", {"InstanceId": "i-0dead0000000000a3"})],
        EXEMPT,
        unused=EXEMPT,
        why="tagged so",
        state="INSUFFICIENT_DATA",
    ),
    # The same function's name, gone here and there elsewhere; and more than a page of alarms.
    Alarm(
        "nw-mon-errors",
        [("AWS/Lambda", {"FunctionName": "northwind-cart-add"})],
        IDLE,
        why="not in this region",
        region=EU,
    ),
    *(
        Alarm(
            f"nw-mon-bulk-{n:03}",
            [("AWS/Lambda", {"FunctionName": "northwind-eu-cart-add"})],
            OK,
            region=EU,
            why="one of many",
        )
        for n in range(120)
    ),
)


@dataclass(frozen=True)
class Dashboard:
    """A dashboard: its widgets' rows of metrics, by region, and its other widgets."""

    name: str
    rows: Sequence[tuple[str, list[list[Any]]]]
    verdict: Verdict
    why: str
    days: int = 300
    more: Sequence[dict[str, Any]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def charge(self) -> Charge:
        return Charge(US, f"arn:aws:cloudwatch::{ACCOUNT_ID}:dashboard/{self.name}", "cloudwatch.dashboard", 1)

    def entry(self, now: datetime) -> dict[str, Any]:
        return {
            "DashboardName": self.name,
            "DashboardArn": f"arn:aws:cloudwatch::{ACCOUNT_ID}:dashboard/{self.name}",
            "LastModified": now - timedelta(days=self.days),
            "Size": len(self.body),
        }

    @property
    def body(self) -> str:
        metric = [{"type": "metric", "properties": {"region": region, "metrics": rows}} for region, rows in self.rows]
        text = {"type": "text", "properties": {"markdown": "# Shop"}}
        return json.dumps({"widgets": [text, *metric, *self.more]})


def _alarm_widget(name: str) -> dict[str, Any]:
    return {"type": "alarm", "properties": {"alarms": [f"arn:aws:cloudwatch:{US}:{ACCOUNT_ID}:alarm:{name}"]}}


def _log_widget(*groups: str) -> dict[str, Any]:
    query = " | ".join([*(f"SOURCE '{group}'" for group in groups), "fields @message | filter @message like /SOURCE/"])
    return {"type": "log", "properties": {"region": US, "query": query}}


_LAMBDA: Final = ["AWS/Lambda", "Errors", "FunctionName"]
_DASHBOARDS: Final = (
    Dashboard("nw-alarms", [], OK, "its alarm is there", more=[_alarm_widget("nw-mon-errors")]),
    Dashboard("nw-alarms-old", [], IDLE, "its alarm is gone", more=[_alarm_widget("nw-mon-deleted")]),
    Dashboard("nw-kept", [], EXEMPT, "tagged so", more=[_alarm_widget("nw-mon-deleted")], tags={"finops:exempt": "1"}),
    Dashboard("nw-logs", [], OK, "its log group is there", more=[_log_widget("/log/silent")]),
    Dashboard("nw-logs-old", [], IDLE, "its log groups are gone", more=[_log_widget("/log/gone-1", "/log/gone-2")]),
    Dashboard(
        "nw-searches",
        [(US, [[*_LAMBDA, "northwind-gone"], [{"expression": "SEARCH('{AWS/Lambda,FunctionName} Errors', 'Sum')"}]])],
        UNKNOWN,
        "what it names is gone, what it searches for may be there",
    ),
    Dashboard(
        "nw-old-launch",
        [
            (
                US,
                [
                    ["AWS/EC2", "CPUUtilization", "InstanceId", "i-0dead0000000000b1"],
                    [".", ".", ".", "i-0dead0000000000b2"],
                ],
            )
        ],
        IDLE,
        "its instances are gone",
    ),
    Dashboard(
        "nw-half",
        [(US, [[*_LAMBDA, "northwind-cart-add"], ["...", "northwind-gone", {"stat": "Sum"}]])],
        DEGRADED,
        "one of two functions is gone",
    ),
    Dashboard(
        "nw-eu", [(EU, [[*_LAMBDA, "northwind-eu-cart-add"]])], OK, "its function is there, in the widget's region"
    ),
    Dashboard(
        "nw-shop", [(US, [["Northwind/Shop", "Orders"], [{"expression": "SEARCH('x', 'Sum')"}]])], OK, "own metrics"
    ),
    Dashboard("nw-new", [(US, [[*_LAMBDA, "northwind-gone"]])], TOO_NEW, "shows what is gone, but was changed now", 3),
    Dashboard(
        "nw-everything",
        [
            (
                US,
                [
                    ["AWS/EBS", "VolumeReadOps", "VolumeId", "vol-0dead000000000a1"],
                    ["AWS/NATGateway", "BytesOutToSource", "NatGatewayId", "nat-0dead00000000a1"],
                    ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", "orders"],
                    ["AWS/RDS", "CPUUtilization", "DBClusterIdentifier", "nw-gone"],
                    ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", "carts"],
                    ["AWS/SQS", "NumberOfMessagesSent", "QueueName", "nw-orders"],
                    ["AWS/SNS", "NumberOfMessagesPublished", "TopicName", "nw-orders-events"],
                    ["AWS/ELB", "RequestCount", "LoadBalancerName", "nw-gone"],
                    ["AWS/NetworkELB", "ProcessedBytes", *(part for pair in _GONE_LB.items() for part in pair)],
                    *([space, "Any", dimension, name] for space, dimension, name in _OWNED),
                    ["AWS/ECS", "CPUUtilization", "ClusterName", "nw-shop", "ServiceName", "nw-search"],
                ],
            )
        ],
        DEGRADED,
        "some of it is gone",
    ),
)


def family(now: datetime) -> Family:
    """Alarms and dashboards."""
    metric, composite = ([a for a in _ALARMS if bool(a.rule) is kind] for kind in (False, True))
    bodies = {dashboard.name: dashboard for dashboard in _DASHBOARDS}

    def body(call: Call) -> dict[str, Any] | None:
        found = bodies.get(str(call.parameters["DashboardName"]))
        if found is None:
            return None
        return {
            "DashboardArn": found.entry(now)["DashboardArn"],
            "DashboardName": found.name,
            "DashboardBody": found.body,
        }

    def tags(call: Call) -> dict[str, Any] | None:
        name = str(call.parameters["ResourceARN"]).rpartition(":dashboard/")[2]
        if name not in bodies:
            return None
        return {"Tags": [{"Key": key, "Value": value} for key, value in bodies[name].tags.items()]}

    kept = next(alarm for alarm in _ALARMS if alarm.orphaned is EXEMPT)
    tagged = {"ResourceARN": kept.arn, "Tags": [{"Key": "finops:exempt", "Value": "until the audit"}]}
    return Family(
        rows=(
            Rows("cloudwatch", "DescribeAlarms", "MetricAlarms", _by_region(metric, now)),
            Rows("cloudwatch", "DescribeAlarms", "CompositeAlarms", _by_region(composite, now)),
            Rows("cloudwatch", "ListDashboards", "DashboardEntries", {US: [one.entry(now) for one in _DASHBOARDS]}),
            Rows(
                "resourcegroupstaggingapi",
                "GetResources",
                "ResourceTagMappingList",
                {US: [tagged]},
                lambda asked, row: "cloudwatch:alarm" in asked.get("ResourceTypeFilters", ["cloudwatch:alarm"]),
            ),
        ),
        operations={("cloudwatch", "GetDashboard"): body, ("cloudwatch", "ListTagsForResource"): tags},
        charges=[*(alarm.charge for alarm in _ALARMS), *(one.charge for one in _DASHBOARDS)],
        cases={
            "find_orphaned_cloudwatch_alarms": [
                Case(
                    a.name,
                    a.region,
                    a.orphaned,
                    a.why,
                    a.usd if a.orphaned is IDLE else None,
                    {"nw-mon-cpu-old-web": ("composite alarm nw-mon-any-cpu",), "nw-mon-disk-old": ()}.get(a.name),
                )
                for a in _ALARMS
            ],
            "find_unused_cloudwatch_alarms": [
                Case(a.name, a.region, a.unused, a.why, a.usd if a.unused is IDLE else None) for a in _ALARMS
            ],
            "find_orphaned_cloudwatch_dashboards": [
                Case(one.name, US, one.verdict, one.why, _DASHBOARD if one.verdict is IDLE else None)
                for one in _DASHBOARDS
            ],
        },
    )


def _by_region(alarms: Sequence[Alarm], now: datetime) -> dict[str, list[dict[str, Any]]]:
    return {region: [alarm.row(now) for alarm in alarms if alarm.region == region] for region in (US, EU)}
