"""Datapoints seen and expected are beside every verdict that rests on metrics."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.datapoints import Datapoints
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.checks.check import Check, Judgement
from aws_finops_mcp.findings import CheckAnswer, Verdict

MEASURED = [check for check in CHECKS if check.reads_metrics]


@pytest.fixture(scope="module")
def answers(clients: Clients) -> dict[str, list[CheckAnswer]]:
    engine = Engine("us-east-1", clients=clients, gate=Gate(Limiter(share=1000)))
    found: dict[str, list[CheckAnswer]] = {}
    for answer in audit(engine.asking(), MEASURED, engine.accounts, ["us-east-1", "eu-west-1", "eu-north-1"]):
        found.setdefault(answer.tool, []).append(answer)
    return found


@pytest.mark.parametrize("check", MEASURED, ids=[check.name for check in MEASURED])
def test_findings_tell_how_well_they_were_measured(check: Check[Any], answers: dict[str, list[CheckAnswer]]) -> None:
    name = check.name
    findings = [finding for answer in answers[name] for finding in answer.findings]
    told = [(one.evidence or {}).get("datapoints") for one in findings]
    assert any(told), f"{name}: none of {len(findings)} findings tells"
    for text in filter(None, told):
        seen, _, expected = str(text).partition("/")
        assert re.fullmatch(r"\d+/\d+", str(text))
        assert int(expected) > 0
        assert int(seen) >= 0
    sources = {key for answer in answers[name] for key in answer.evidence_sources}
    assert "datapoints" in sources


def judged(resource_id: str, name: str = "", **evidence: str) -> Judgement:
    return Judgement(resource_id, Verdict.IDLE, "", evidence, name=name)


def series(*dimensions: tuple[str, str]) -> MetricQuery:
    return MetricQuery("AWS/X", "M", dimensions, "Sum", 86_400)


def test_a_namesake_in_another_cluster_is_not_counted() -> None:
    mine = series(("ClusterName", "a"), ("ServiceName", "web"))
    other = series(("ClusterName", "b"), ("ServiceName", "web"))
    found = Datapoints({mine: MetricSeries((1.0,), 14), other: MetricSeries((), 14)})
    assert found.of(judged("arn:aws:ecs:eu-west-1:1:service/a/web", "web")) == {"datapoints": "1/14"}
    assert found.of(judged("arn:aws:ecs:eu-west-1:1:service/b/web", "web")) == {"datapoints": "0/14"}


def test_all_series_of_a_resource_count_and_none_of_others() -> None:
    balancer = ("LoadBalancer", "app/shop/0a1b")
    found = Datapoints(
        {
            series(balancer): MetricSeries((1.0, 2.0), 14),
            series(balancer, ("TargetGroup", "targetgroup/web/1")): MetricSeries((3.0,), 14),
            series(("LoadBalancer", "app/other/9")): MetricSeries((3.0,), 14),
        }
    )
    assert found.of(judged("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/1")) == {"datapoints": "1/14"}
    assert found.of(judged("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shop/0a1b")) == {
        "datapoints": "2/14"
    }
    assert found.of(judged("i-1")) == {}


def test_what_a_check_says_by_itself_stands() -> None:
    found = Datapoints({series(("InstanceId", "i-1")): MetricSeries((), 14)})
    assert found.of(judged("i-1", datapoints="13/14")) == {}


def test_a_part_of_an_arn_is_no_name() -> None:
    mine, kind, tail = (series(("TableName", name)) for name in ("shop/orders", "table", "orders"))
    found = Datapoints({mine: MetricSeries((1.0,), 14), kind: MetricSeries((), 14), tail: MetricSeries((), 14)})
    assert found.of(judged("arn:aws:dynamodb:eu-west-1:1:table/shop/orders")) == {"datapoints": "1/14"}
