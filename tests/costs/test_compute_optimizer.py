"""Compute Optimizer: every family that botocore knows, sums by hand, and no empty list where it could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from tests.costs.conftest import Change, ask, error

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.optimizer_families import FAMILIES, Family
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount

TOOL = "get_compute_optimizer_recommendations"
SERVICE = "compute-optimizer"
MODEL = botocore.session.get_session().get_service_model(SERVICE)
EACH = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def by_family(answer: Any, family: Family) -> Any:
    (found,) = [one for one in answer.by_family if one.family == family.name]
    return found


def opportunity(usd: float, percentage: float = 50.0) -> dict[str, Any]:
    amount = {"currency": "USD", "value": usd}
    return {"savingsOpportunityPercentage": percentage, "estimatedMonthlySavings": amount}


def option(usd: float, rank: int = 1, net: float | None = None, **more: Any) -> dict[str, Any]:
    after = {} if net is None else {"savingsOpportunityAfterDiscounts": opportunity(net)}
    return {"rank": rank, "savingsOpportunity": opportunity(usd), **after, **more}


def given(change: Change, family: str, *rows: dict[str, Any]) -> None:
    """For one test: these rows of a family."""
    own = FAMILIES[family]
    change(SERVICE, own.operation, lambda parsed: parsed.update({own.items: list(rows)}))


def test_the_families_are_those_of_the_api() -> None:
    known = {name for name in MODEL.operation_names if name.startswith("Get") and name.endswith("Recommendations")}
    assert {family.operation for family in FAMILIES.values()} == known
    assert len(known) == 8


@EACH
def test_a_family_reads_members_that_the_model_has(family: Family) -> None:
    answer: Any = MODEL.operation_model(family.operation).output_shape
    row = answer.members[family.items].member
    for part in family.parts:
        for name in (family.arn, family.label, part.finding, part.reasons, part.options, part.risk):
            assert not name or name in row.members, name
        if part.options:
            assert {"savingsOpportunity"} <= set(row.members[part.options].member.members)
    asked: Any = MODEL.operation_model(family.operation).input_shape
    assert {"nextToken", "maxResults"} <= set(asked.members)
    assert "nextToken" in answer.members


def test_every_family_by_hand(engine: Engine, change: Change) -> None:
    arn = "arn:aws:ec2:us-east-1:123456789012:instance/i-1"
    given(
        change, "ec2",
        {"instanceArn": arn, "instanceName": "web", "finding": "Overprovisioned", "accountId": "123456789012",
         "findingReasonCodes": ["CPUOverprovisioned"], "currentInstanceType": "m5.xlarge", "lookBackPeriodInDays": 32.0,
         "currentPerformanceRisk": "Low",
         "recommendationOptions": [
             option(99.0, rank=2, instanceType="t3.small"),
             option(70.08, rank=1, net=30.04, instanceType="m5.large", performanceRisk=2.0, migrationEffort="Low"),
         ]},
        {"instanceArn": arn[:-1] + "2", "finding": "Optimized",
         "recommendationOptions": [option(5.01, net=5.01, instanceType="m7i.large")]},
        {"instanceArn": arn[:-1] + "3", "finding": "Underprovisioned", "recommendationOptions": [{"rank": 1}]},
        {"instanceArn": arn[:-1] + "4", "finding": "Optimized", "recommendationOptions": []},
    )  # fmt: skip
    group = {"desiredCapacity": 3, "minSize": 1, "maxSize": 9, "instanceType": "m5.large"}
    given(
        change, "auto_scaling",
        {"autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:name/workers",
         "autoScalingGroupName": "workers", "finding": "NotOptimized", "currentConfiguration": group,
         "recommendationOptions": [option(12.34, configuration={**group, "instanceType": "m5a.large"})]},
    )  # fmt: skip
    volume = {"volumeType": "io1", "volumeSize": 100, "volumeBaselineIOPS": 4000, "volumeBaselineThroughput": 250}
    given(
        change, "ebs",
        {"volumeArn": "arn:aws:ec2:us-east-1:123456789012:volume/vol-1", "finding": "NotOptimized",
         "currentConfiguration": volume,
         "volumeRecommendationOptions": [option(20.0, net=20.0, configuration={**volume, "volumeType": "gp3"})]},
    )  # fmt: skip
    given(
        change, "lambda",
        {"functionArn": "arn:aws:lambda:us-east-1:123456789012:function:pay:$LATEST", "finding": "NotOptimized",
         "currentMemorySize": 1024, "lookbackPeriodInDays": 14.0,
         "memorySizeRecommendationOptions": [option(1.11, net=1.11, memorySize=512)]},
        {"functionArn": "arn:aws:lambda:us-east-1:123456789012:function:rare:$LATEST", "finding": "Unavailable",
         "findingReasonCodes": ["InsufficientData"]},
    )  # fmt: skip
    task = {"cpu": 2048, "memory": 4096}
    smaller = {"cpu": 512, "memory": 1024}
    given(
        change, "ecs",
        {"serviceArn": "arn:aws:ecs:us-east-1:123456789012:service/shop/api", "finding": "Overprovisioned",
         "currentServiceConfiguration": task,
         "serviceRecommendationOptions": [
             {**task, "savingsOpportunity": opportunity(10.0)},
             {**smaller, "savingsOpportunity": opportunity(40.5)},
         ]},
    )  # fmt: skip
    database = "arn:aws:rds:us-east-1:123456789012:db:orders"
    given(
        change, "rds",
        {"resourceArn": database, "instanceFinding": "Overprovisioned", "storageFinding": "NotOptimized",
         "currentDBInstanceClass": "db.r6g.large", "engine": "postgres",
         "currentStorageConfiguration": {"storageType": "io1", "allocatedStorage": 200, "iops": 3000},
         "storageFindingReasonCodes": ["EBSVolumeIOPSOverprovisioned"],
         "instanceRecommendationOptions": [option(60.25, net=0.0, dbInstanceClass="db.t4g.large")],
         "storageRecommendationOptions": [option(30.5, net=30.5, storageConfiguration={"storageType": "gp3"})]},
        {"resourceArn": "arn:aws:rds:us-east-1:123456789012:cluster:aurora", "storageFinding": "NotOptimized",
         "currentStorageConfiguration": {"storageType": "aurora"},
         "storageFindingReasonCodes": ["DBClusterStorageSavingsAvailable"],
         "storageRecommendationOptions": [option(8.0, storageConfiguration={"storageType": "aurora-iopt1"})]},
    )  # fmt: skip
    given(
        change, "license",
        {"resourceArn": arn, "finding": "NotOptimized", "findingReasonCodes": ["LicenseOverprovisioned"],
         "currentLicenseConfiguration": {"licenseName": "SQLServer", "licenseEdition": "Enterprise"},
         "licenseRecommendationOptions": [option(700.0, licenseEdition="Standard")]},
        {"resourceArn": arn[:-1] + "9", "finding": "InsufficientMetrics"},
    )  # fmt: skip
    given(
        change, "idle",
        {"resourceArn": database, "resourceId": "orders", "finding": "Idle", "findingDescription": "no connections",
         "savingsOpportunity": opportunity(50.0, 100.0), "savingsOpportunityAfterDiscounts": opportunity(45.0),
         "lookBackPeriodInDays": 14.0},
    )  # fmt: skip
    answer: Any = ask(engine, TOOL)
    assert answer.complete
    sums = {one.family: (one.examined, one.recommendations, one.monthly_saving_usd) for one in answer.by_family}
    assert sums == {
        "ec2": (4, 3, Decimal("75.09")),
        "auto_scaling": (1, 1, Decimal("12.34")),
        "ebs": (1, 1, Decimal("20.0")),
        "lambda": (2, 1, Decimal("1.11")),
        "ecs": (1, 1, Decimal("40.5")),
        "rds": (2, 3, Decimal("98.75")),
        "license": (2, 1, Decimal("700.0")),
        "idle": (1, 1, Decimal("50.0")),
    }
    # i-1 counts with its licence, the database with its own two parts: 70.08 and 50.00 are left out.
    assert answer.monthly_saving_usd == Decimal("877.71")
    assert answer.overlap_usd == Decimal("120.08")
    assert answer.after_discounts_usd == Decimal("56.62")
    assert {one.family: one.not_judged for one in answer.by_family if one.not_judged} == {"lambda": 1, "license": 1}
    rows = {(row.family, row.part, row.name): row for row in answer.recommendations}
    assert len(rows) == 12
    ec2 = rows["ec2", "", "web"]
    assert (ec2.current, ec2.recommended, ec2.reasons) == ("m5.xlarge", "m5.large", ("CPUOverprovisioned",))
    assert (ec2.monthly_saving_usd, ec2.after_discounts_usd) == (Decimal("70.08"), Decimal("30.04"))
    assert (ec2.saving_share, ec2.performance_risk, ec2.current_risk, ec2.effort) == (0.5, 2.0, "Low", "Low")
    assert (ec2.lookback_days, ec2.counted) == (32.0, False)
    assert rows["ec2", "", "i-3"].monthly_saving_usd is None
    assert rows["auto_scaling", "", "workers"].recommended == "3 x m5a.large, 1 at least, 9 at most"
    assert rows["ebs", "", "vol-1"].current == "io1, 100 GiB, 4000 IOPS, 250 MiB/s"
    assert (rows["lambda", "", "pay"].recommended, rows["lambda", "", "pay"].lookback_days) == ("512 MB", 14.0)
    assert rows["ecs", "", "shop/api"].recommended == "512 CPU units, 1024 MiB"
    assert rows["rds", "storage", "orders"].reasons == ("EBSVolumeIOPSOverprovisioned",)
    assert rows["rds", "storage", "aurora"].recommended == "aurora-iopt1"
    assert (rows["license", "", "i-1"].recommended, rows["license", "", "i-1"].counted) == ("Standard", True)
    assert (rows["idle", "", "orders"].current, rows["idle", "", "orders"].counted) == ("no connections", False)
    savings = [row.monthly_saving_usd or 0 for row in answer.recommendations]
    assert savings == sorted(savings, reverse=True)


def test_the_company_s_agree_with_the_hub(engine: Engine) -> None:
    for region in ("us-east-1", "eu-west-1"):
        # The double's hub leaves volumes out that could be gp3.
        families = [name for name in FAMILIES if name != "ebs"]
        answer: Any = ask(engine, TOOL, families=families, region_name=region, max_results=500)
        hub: Any = ask(engine, "get_all_cost_optimization_recommendations", region_name=region)
        kinds = {"ComputeSavingsPlans", "RdsReservedInstances"}
        told = [row for row in hub.recommendations if row.resource_type not in kinds and "Graviton" not in row.action]
        assert round(answer.monthly_saving_usd, 2) == round(sum(row.monthly_saving_usd for row in told), 2) > 0
        assert answer.calls.cost_usd == 0
        assert all(row.resource_arn.split(":")[3] == region for row in answer.recommendations)


def test_some_families_of_a_region(engine: Engine, account: EmbeddedAccount) -> None:
    answer: Any = ask(engine, TOOL, families=["ecs", "idle"], region_name="eu-west-1")
    assert [one.family for one in answer.by_family] == ["ecs", "idle"]
    assert {action for action in account.calls.by_action if "Recommendations" in action} == {
        "compute-optimizer:GetECSServiceRecommendations", "compute-optimizer:GetIdleRecommendations",
    }  # fmt: skip
    with pytest.raises(ArgumentsError, match="no such family; there are: ec2, auto_scaling"):
        TOOLS[TOOL].parse({"families": ["eks"]})


@EACH
@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (error("OptInRequiredException", "Aws account is not registered for recommendation."), "not_opted_in"),
        (error("AccessDeniedException", "not authorized to perform"), "denied"),
        (error("ThrottlingException", "Rate exceeded"), "throttled"),
        (error("InternalServerException", "An internal error has occurred."), "error"),
    ],
)
def test_a_family_that_is_not_read_leaves_no_total(
    engine: Engine, change: Change, family: Family, refusal: Callable[[dict[str, Any]], None], kind: str
) -> None:
    change(SERVICE, family.operation, refusal)
    answer: Any = ask(engine, TOOL)
    (failed,) = answer.failed_reads
    assert (failed.call, failed.kind) == (f"compute-optimizer:{family.operation}", kind)
    assert kind != "not_opted_in" or "UpdateEnrollmentStatus" in failed.remedy
    assert (answer.complete, answer.monthly_saving_usd) == (False, None)
    told = by_family(answer, family)
    assert (told.examined, told.recommendations, told.monthly_saving_usd) == (None, None, None)
    assert f"NOT READ: {family.name}" in answer.summary
    assert {one.family for one in answer.by_family if one.examined is None} == {family.name}


@EACH
def test_nothing_to_recommend_is_zero_and_complete(engine: Engine, change: Change, family: Family) -> None:
    given(change, family.name)
    answer: Any = ask(engine, TOOL, families=[family.name])
    assert (answer.complete, answer.monthly_saving_usd, answer.recommendations) == (True, 0, ())
    assert by_family(answer, family).examined == 0


@contextmanager
def one_a_page(engine: Engine) -> Iterator[None]:
    def single(params: dict[str, Any], **_: object) -> None:
        params["maxResults"] = 1

    for region in ("us-east-1", "eu-west-1"):
        engine.clients.client(SERVICE, region).meta.events.register(f"provide-client-params.{SERVICE}", single)
    try:
        yield
    finally:
        for region in ("us-east-1", "eu-west-1"):
            engine.clients.client(SERVICE, region).meta.events.unregister(f"provide-client-params.{SERVICE}", single)


@EACH
def test_every_page_is_read(engine: Engine, account: EmbeddedAccount, family: Family) -> None:
    action = f"compute-optimizer:{family.operation}"
    # The one database of the other region, and the one machine with a licence, are each a single page.
    pages = {"rds": 1, "license": 1}.get(family.name, 2)
    whole: Any = ask(engine, TOOL, families=[family.name], max_results=500)
    engine.billing_cache.clear()
    account.calls.reset()
    with one_a_page(engine):
        answer: Any = ask(engine, TOOL, families=[family.name], max_results=500)
    assert answer.recommendations == whole.recommendations
    assert account.calls.count(action) == by_family(answer, family).examined >= pages


@pytest.mark.parametrize("family", [one for one in FAMILIES.values() if one.name != "lambda"], ids=lambda one: one.name)
def test_what_aws_could_not_tell_of_single_resources_is_a_failed_read(
    engine: Engine, change: Change, family: Family
) -> None:
    """Lambda's answer has no such list."""
    answered: Any = MODEL.operation_model(family.operation).output_shape
    assert "errors" in answered.members
    refused = [
        {"identifier": "210987654321", "code": "OptInRequiredException", "message": "not enrolled"},
        {"identifier": "arn:aws:one", "code": "ResourceNotFoundException", "message": "no such resource"},
    ]
    change(SERVICE, family.operation, lambda parsed: parsed.update(errors=refused))
    answer: Any = ask(engine, TOOL, families=[family.name])
    assert not answer.complete
    assert {(one.resource, one.kind) for one in answer.failed_reads} == {
        ("210987654321", "not_opted_in"), ("arn:aws:one", "not_available"),
    }  # fmt: skip
    assert answer.monthly_saving_usd is not None
    assert "INCOMPLETE" in answer.summary


@pytest.mark.parametrize("status", ["Inactive", "Pending", "Failed"])
def test_an_account_that_is_not_enrolled_is_told_so_and_not_asked_further(
    engine: Engine, account: EmbeddedAccount, change: Change, status: str
) -> None:
    change(SERVICE, "GetEnrollmentStatus", lambda parsed: parsed.update(status=status))
    answer: Any = ask(engine, TOOL)
    (failed,) = answer.failed_reads
    assert (failed.kind, failed.call) == ("not_opted_in", "compute-optimizer:GetEnrollmentStatus")
    assert f"Compute Optimizer is {status}" in failed.error
    assert (answer.monthly_saving_usd, answer.recommendations) == (None, ())
    assert answer.summary.startswith("NOT READ")
    assert set(account.calls.by_action) <= {"compute-optimizer:GetEnrollmentStatus", "sts:GetCallerIdentity"}
