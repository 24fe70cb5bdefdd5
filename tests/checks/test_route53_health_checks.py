"""What goes by a health check, and what it is billed beside itself."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.test_msk import NOW

from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.dns_names import record_reads
from aws_finops_mcp.checks.reads import HOSTED_ZONES
from aws_finops_mcp.checks.route53_health_checks import (
    GLOBAL_ALARMS,
    HEALTH_CHECKS,
    UNUSED_HEALTH_CHECKS,
    HealthCheckParams,
    read_tags,
)
from aws_finops_mcp.findings import FailedRead, Verdict

FAILED = FailedRead(call="x", account="1", region="r", kind="denied", error="no", remedy="")
PARAMS = HealthCheckParams()
BUCKET = {"Type": "HTTPS", "FullyQualifiedDomainName": "b.s3.amazonaws.com.", "MeasureLatency": True}


def judge(config: dict[str, Any], alarms: Any = (), records: Any = (), tags: Any = None) -> Judgement:
    known = {
        HEALTH_CHECKS: [{"Id": "h", "HealthCheckConfig": config}],
        HOSTED_ZONES: [{"Id": "/hostedzone/Z", "ResourceRecordSetCount": 3}],
        GLOBAL_ALARMS: alarms,
    }
    details = dict.fromkeys(record_reads(Facts(NOW, known)), records)
    rows = [{"ResourceId": "h", "Tags": []}] if tags is None else tags
    details |= dict.fromkeys(read_tags(Facts(NOW, known, details=details), PARAMS), rows)
    (judged,) = UNUSED_HEALTH_CHECKS.judge(Facts(NOW, known, details=details), PARAMS)
    return judged


@pytest.mark.parametrize(
    ("alarm", "verdict"),
    [
        ({"Dimensions": [{"Name": "HealthCheckId", "Value": "h"}]}, Verdict.IN_USE),
        ({"Dimensions": [{"Name": "HealthCheckId", "Value": "other"}]}, Verdict.IDLE),
        (
            {"Metrics": [{"MetricStat": {"Metric": {"Dimensions": [{"Name": "HealthCheckId", "Value": "h"}]}}}]},
            Verdict.IN_USE,
        ),
    ],
)
def test_an_alarm_on_it_goes_by_it(alarm: dict[str, Any], verdict: Verdict) -> None:
    assert judge(BUCKET, alarms=[{"MetricAlarms": [{"AlarmName": "a", **alarm}]}]).verdict is verdict


def test_a_record_goes_by_it() -> None:
    record = {"Name": "a.example.", "Type": "A", "HealthCheckId": "h"}
    assert judge(BUCKET, records=[record]).verdict is Verdict.IN_USE


def test_what_was_not_read_may_go_by_it() -> None:
    assert judge(BUCKET, records=FAILED).verdict is Verdict.UNKNOWN
    assert judge(BUCKET, alarms=FAILED).verdict is Verdict.UNKNOWN
    assert judge(BUCKET, tags=FAILED).verdict is Verdict.UNKNOWN


def test_options_are_billed_beside_it_and_endpoints_that_may_be_others_have_no_price() -> None:
    assert [part.quantity for part in judge(BUCKET).parts] == [1, 2]
    other = judge({"Type": "TCP", "IPAddress": "192.0.2.1"})
    assert (other.verdict, list(other.parts)) == (Verdict.IDLE, [])
    assert other.unpriced
