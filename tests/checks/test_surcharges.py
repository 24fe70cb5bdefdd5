"""Deleting what is out of standard support saves its surcharge too, as far as it is billed now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.surcharges import MAJORS, cache_billed_now, domain_billed_now, rds_billed_now, rds_supports
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import CheckAnswer

MAJOR = {
    "Engine": "mysql",
    "MajorEngineVersion": "8.0",
    "SupportedEngineLifecycles": [
        {"LifecycleSupportName": "open-source-rds-standard-support", "LifecycleSupportEndDate": "2026-07-31"},
        {"LifecycleSupportName": "open-source-rds-extended-support", "LifecycleSupportEndDate": "2029-07-31"},
    ],
}
MYSQL = {"Engine": "mysql", "EngineVersion": "8.0.43", "DBInstanceClass": "db.m5.large"}
REDIS = {"Engine": "redis", "EngineVersion": "5.0.6", "CacheNodeType": "cache.m5.large", "NumCacheNodes": 3}
DOMAIN = {"EngineVersion": "OpenSearch_2.5", "ClusterConfig": {"InstanceType": "r6g.large.search", "InstanceCount": 2}}


def on(day: str) -> Facts:
    return Facts(datetime.fromisoformat(day).replace(tzinfo=UTC), {MAJORS: [MAJOR]})


@pytest.mark.parametrize(
    ("day", "database", "cluster", "vcpu_hours"),
    [
        ("2026-07-31", MYSQL, None, 0),
        ("2026-08-01", MYSQL, None, 2 * 730),
        ("2026-08-01", MYSQL | {"MultiAZ": True}, None, 4 * 730),
        ("2026-08-01", MYSQL | {"EngineLifecycleSupport": "open-source-rds-extended-support-disabled"}, None, 0),
        ("2026-08-01", MYSQL, {"EngineLifecycleSupport": "open-source-rds-extended-support-disabled"}, 0),
        ("2029-08-01", MYSQL, None, 0),
        ("2026-08-01", MYSQL | {"EngineVersion": "8.4.6"}, None, 0),
    ],
)
def test_a_databases_surcharge_is_billed_by_day_and_enrolment(
    day: str, database: dict[str, object], cluster: dict[str, object] | None, vcpu_hours: int
) -> None:
    facts = on(day)
    parts, unpriced = rds_billed_now(facts, database, cluster, rds_supports(facts))
    assert sum(part.quantity for part in parts) == vcpu_hours
    assert not unpriced


def test_dates_that_were_not_read_are_told_with_the_saving() -> None:
    parts, unpriced = rds_billed_now(on("2026-08-01"), MYSQL, None, None)
    assert not parts
    assert "could not be read" in unpriced[0]


@pytest.mark.parametrize(("day", "hours"), [("2026-01-31", 0), ("2026-02-01", 3 * 730), ("2029-02-01", 0)])
def test_a_caches_surcharge_is_billed_by_the_node(day: str, hours: int) -> None:
    assert sum(part.quantity for part in cache_billed_now(on(day), REDIS)) == hours
    assert not cache_billed_now(on(day), REDIS | {"Engine": "valkey", "EngineVersion": "8.0"})


@pytest.mark.parametrize(("day", "units"), [("2025-11-07", 0), ("2025-11-08", 8 * 730), ("2026-11-07", 2 * 730)])
def test_a_domains_surcharge_is_billed_by_the_unit_and_then_by_the_instance(day: str, units: int) -> None:
    assert sum(part.quantity for part in domain_billed_now(on(day), DOMAIN)) == units


def test_what_is_idle_and_old_is_better_deleted_than_upgraded(engine: Engine) -> None:
    tool = TOOLS["find_savings"]
    checks = ["find_underutilized_rds_instances", "find_outdated_rds_engine_versions"]
    answer = tool.answer(engine.asking(), tool.parse({"regions": ["eu-west-1"], "checks": checks}))
    (row,) = [row for row in answer.savings if row.name == "cms-legacy"]
    assert row.check == "find_underutilized_rds_instances"
    assert any("extended support" in part.what for part in row.parts)
    assert row.alternatives[0].startswith("find_outdated_rds_engine_versions: ")


def test_without_aws_dates_an_idle_databases_saving_says_so(engine: Engine, account: EmbeddedAccount) -> None:
    account.faults.deny("rds:DescribeDBMajorEngineVersions")
    tool = TOOLS["find_underutilized_rds_instances"]
    answer = tool.answer(engine.asking(), tool.parse({"region_name": "eu-west-1"}))
    assert isinstance(answer, CheckAnswer)
    (found,) = [one for one in answer.findings if one.name == "cms-legacy"]
    assert found.saving
    assert "extended support" in found.saving.unpriced[0]
    assert not answer.complete
