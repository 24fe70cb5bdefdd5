"""The role aws_monitoring: what it watches is what the server and the agent really send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NoOpTracerProvider
from tests.roles.aws.deployment import Deployment
from tests.roles.aws.stacks import resources
from tests.roles.aws.templates import lint_problems, properties, rendered
from tests.roles.test_agents import rendered as agent_config

from aws_finops_mcp.aws.ledger import REQUEST_USD, price_of
from aws_finops_mcp.server.emf import EmfFileExporter
from aws_finops_mcp.server.telemetry import SERVICE, Instruments

STACK = "aws-finops-mcp-monitoring"
Metric = tuple[str, str, frozenset[str]]
"""Namespace, name, and names of the dimensions."""


@pytest.fixture(scope="module")
def watched(aws: Deployment) -> Deployment:
    aws.write(
        aws_monitoring_enabled=True, aws_monitoring_subscriptions=[{"protocol": "email", "endpoint": "ops@example.com"}]
    )
    aws.play("aws.yml", "--tags", "monitoring").must_pass()
    return aws


@pytest.fixture(scope="module")
def sent_by_server(tmp_path_factory: pytest.TempPathFactory) -> set[Metric]:
    """What one call of each outcome leaves in the metrics' file."""
    file = tmp_path_factory.mktemp("emf") / "metrics.log"
    exporter = EmfFileExporter(file, SERVICE)
    reader = InMemoryMetricReader(exporter._preferred_temporality, exporter._preferred_aggregation)
    instruments = Instruments(MeterProvider([reader]).get_meter(SERVICE), NoOpTracerProvider().get_tracer(SERVICE))
    for outcome in ("complete", "error", "refused", "incomplete"):
        instruments.count_call(outcome, 12.5)
    for service in ("ce", "cloudwatch", "ec2"):
        instruments.count_aws(service, 3, 0.01, failed=True)
    data = reader.get_metrics_data()
    assert data is not None
    exporter.export(data)
    found = set()
    for line in file.read_text().splitlines():
        said = json.loads(line)
        assert said["Service"] == SERVICE
        for directive in said["_aws"]["CloudWatchMetrics"]:
            for dimensions in directive["Dimensions"]:
                found |= {(directive["Namespace"], one["Name"], frozenset(dimensions)) for one in directive["Metrics"]}
    return found


@pytest.fixture(scope="module")
def sent_by_agent(tmp_path_factory: pytest.TempPathFactory) -> set[Metric]:
    """What the rendered configuration has the agent send, by the names that CloudWatch shows."""
    config = agent_config(tmp_path_factory.mktemp("agent"))["metrics"]
    found = set()
    for plugin, settings in config["metrics_collected"].items():
        for one in settings if isinstance(settings, list) else [settings]:
            for measurement in one["measurement"]:
                # The agent counts processes under a name of its own.
                prefix = "procstat_lookup" if (plugin, measurement) == ("procstat", "pid_count") else plugin
                found.add((config["namespace"], f"{prefix}_{measurement}", frozenset(config["append_dimensions"])))
    return found


def asked(made: dict[str, Any]) -> Iterator[Metric]:
    """Every metric that an alarm asks for by its dimensions."""
    alarms = [one for one in made.values() if "AlarmName" in one]
    single = [one for alarm in alarms for one in [alarm, *stats(alarm)] if "MetricName" in one]
    for one in single:
        yield one["Namespace"], one["MetricName"], frozenset(d["Name"] for d in one.get("Dimensions", []))


def stats(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]


def queries(made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Namespace and name of every metric that is asked for by Metrics Insights."""
    text = json.dumps(made).replace("\\", "")
    for name, namespace in re.findall(r'SELECT \w+\((\w+)\) FROM "([^"]+)"', text):
        yield namespace, name


def test_alarms_ask_for_what_the_server_sends(watched: Deployment, sent_by_server: set[Metric]) -> None:
    made = resources(watched, STACK)
    filters = {
        (one["MetricNamespace"], one["MetricName"], frozenset[str]())
        for found in made.values()
        for one in found.get("MetricTransformations", [])
    }
    metrics = set(asked(made))
    assert metrics <= sent_by_server | filters
    assert {name for _, name, _ in metrics} == {
        *("Calls", "Errors", "Latency", "AwsCost"),
        *("LogErrors", "CertificateDaysLeft"),
    }


def test_alarms_on_hosts_ask_for_what_the_agent_sends(watched: Deployment, sent_by_agent: set[Metric]) -> None:
    names = {(namespace, name) for namespace, name, _ in sent_by_agent}
    hosts = {one for one in queries(resources(watched, STACK)) if one[0] == "aws-finops-mcp/host"}
    assert hosts <= names
    assert {name for _, name in hosts} == {"procstat_lookup_pid_count", "mem_used_percent", "disk_used_percent"}


def test_the_dashboard_shows_what_is_sent(
    watched: Deployment, sent_by_server: set[Metric], sent_by_agent: set[Metric]
) -> None:
    client = watched.client("cloudwatch")
    body = json.loads(client.get_dashboard(DashboardName="aws-finops-mcp")["DashboardBody"])
    sent = {(namespace, name) for namespace, name, _ in sent_by_server | sent_by_agent}
    filters = {("aws-finops-mcp/log", name) for name in ("Responses5xx", "Unauthorized")}
    shown = set()
    for widget in body["widgets"]:
        for row in widget["properties"]["metrics"]:
            if isinstance(row[0], str):
                shown.add((row[0], row[1]))
                assert row[2:4] in ([], ["Service", SERVICE])
            else:
                shown |= set(queries(row[0]))
                shown |= set(re.findall(r'\{"([^"]+)"\} MetricName="(\w+)"', row[0]["expression"]))
    assert shown <= sent | filters
    assert {name for _, name in shown} >= {"Calls", "Latency", "AwsCost", "cpu_usage_active", "disk_used_percent"}


def test_the_spend_alarm_adds_what_is_billed(watched: Deployment) -> None:
    alarm = resources(watched, STACK)["Spend"]
    services = {d["Value"] for one in stats(alarm) for d in one["Dimensions"] if d["Name"] == "AwsService"}
    # Cost Explorer by the request, CloudWatch by the metric; a thousand of the other requests are half a cent.
    assert services == {name for name, usd in REQUEST_USD.items() if usd * 1000 > Decimal("0.005")} | {"cloudwatch"}
    assert price_of("cloudwatch:GetMetricData", metrics=1) > 0
    assert alarm["Metrics"][0]["Expression"] == "FILL(ce, 0) + FILL(cloudwatch, 0)"


def test_silence_breaches_and_quiet_does_not(watched: Deployment) -> None:
    made = resources(watched, STACK)
    missing = {name: one["TreatMissingData"] for name, one in made.items() if "AlarmName" in one}
    assert missing == {
        **dict.fromkeys(["Health", "AgentSilence", "Certificate"], "breaching"),
        **dict.fromkeys(["ErrorRate", "Latency", "Spend", "LogErrors"], "notBreaching"),
        "Disk": "missing",
    }


@pytest.mark.parametrize("hosts", [1, 2, 3, 10])
def test_one_silent_host_of_any_number_is_noticed(hosts: int) -> None:
    threshold = properties(rendered("aws_monitoring", aws_monitoring_hosts=hosts))["AgentSilence"]["Threshold"]
    # A measurement a minute and host, in five minutes.
    assert (hosts - 1) * 5 < threshold < hosts * 5


def test_every_alarm_tells_the_topic(watched: Deployment) -> None:
    alarms = watched.client("cloudwatch").describe_alarms()["MetricAlarms"]
    (topic,) = watched.client("sns").list_topics()["Topics"]
    assert len(alarms) == 8
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic["TopicArn"]]
    (subscription,) = watched.client("sns").list_subscriptions()["Subscriptions"]
    assert subscription["Endpoint"] == "ops@example.com"


def test_the_log_group_has_a_retention_and_its_filters(watched: Deployment) -> None:
    logs = watched.client("logs")
    (group,) = logs.describe_log_groups()["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("aws-finops-mcp", 30)
    filters = logs.describe_metric_filters(logGroupName="aws-finops-mcp")["metricFilters"]
    assert {one["filterName"] for one in filters} == {
        *("LogErrors", "Responses5xx", "Unauthorized", "CertificateDaysLeft")
    }


def test_filters_read_lines_as_they_are_written(watched: Deployment) -> None:
    """The fields that the patterns name are those of nginx's and certbot's lines."""
    project = Path(__file__).parents[3]
    nginx = (project / "roles/nginx/templates/site.conf.j2").read_text()
    report = (project / "roles/certbot/files/report.py").read_text()
    assert '"status":$aws_finops_mcp_status' in nginx
    assert "map $status $aws_finops_mcp_status {\n    default $status;" in nginx
    assert '"tls":"$ssl_protocol"' in nginx
    assert '"days_left":' in report


KEY = "arn:aws:kms:eu-west-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-90ab-cdef-1234-567890abcdef"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"aws_monitoring_kms_key_arn": KEY, "aws_monitoring_dashboard": False},
        {"aws_monitoring_certificate_arn": CERTIFICATE, "aws_monitoring_hosts": 3},
        {"aws_monitoring_subscriptions": [{"protocol": "https", "endpoint": "https://pager.example.com/x?y=z"}]},
    ],
    ids=["defaults", "key", "certificate", "subscription"],
)
def test_cfn_lint_has_nothing_to_say(given: dict[str, Any]) -> None:
    assert lint_problems(rendered("aws_monitoring", **given)) == []


def test_a_key_encrypts_log_and_topic() -> None:
    made = properties(rendered("aws_monitoring", aws_monitoring_kms_key_arn=KEY))
    assert made["Log"]["KmsKeyId"] == made["Topic"]["KmsMasterKeyId"] == KEY


def test_behind_a_load_balancer_its_certificate_is_watched() -> None:
    alarm = properties(rendered("aws_monitoring", aws_monitoring_certificate_arn=CERTIFICATE))["Certificate"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/CertificateManager", "DaysToExpiry")
    assert alarm["Dimensions"] == [{"Name": "CertificateArn", "Value": CERTIFICATE}]


def test_a_second_run_changes_nothing_and_check_mode_tells_what_would(watched: Deployment) -> None:
    assert watched.play("aws.yml", "--tags", "monitoring").must_pass().changed == []
    checked = watched.play("aws.yml", "--tags", "monitoring", "--check", aws_monitoring_disk_percent=70).must_pass()
    assert checked.changed == [f"aws_stack : Apply | {STACK}"]
    (alarm,) = watched.client("cloudwatch").describe_alarms(AlarmNames=["aws-finops-mcp-disk"])["MetricAlarms"]
    assert alarm["Threshold"] == 85


def test_a_stack_of_somebody_else_is_left_alone(watched: Deployment) -> None:
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    watched.client("cloudformation").create_stack(StackName="other-monitoring", TemplateBody=json.dumps(template))
    done = watched.play("aws.yml", "--tags", "monitoring", aws_name="other")
    assert "this deployment did not make it" in done.failure
