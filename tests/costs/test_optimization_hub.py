"""AWS's recommendations: de-duplicated by AWS, paged; and no empty list where an account has not opted in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from tests.costs.conftest import Change, ask, error

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.costs.optimization_hub import RESOURCE_TYPES
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.account import EmbeddedAccount

ALL = "get_all_cost_optimization_recommendations"


def test_the_total_is_aws_s_own_and_rows_come_by_saving(engine: Engine) -> None:
    answer: Any = ask(engine, ALL)
    told = engine.clients.client("cost-optimization-hub", "us-east-1").list_recommendation_summaries(groupBy="Region")
    assert float(answer.monthly_saving_usd) == told["estimatedTotalDedupedSavings"]
    savings = [row.monthly_saving_usd for row in answer.recommendations]
    assert savings == sorted(savings, reverse=True)
    assert sum(one.recommendations for one in answer.by_resource_type) == len(savings) > 10
    assert answer.calls.cost_usd == 0
    best = answer.recommendations[0]
    assert best.monthly_saving_usd == best.monthly_cost_usd, "what is deleted costs what it saves"
    assert best.tags["Team"]


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("get_cost_optimization_ec2", {"Ec2Instance", "Ec2AutoScalingGroup"}),
        ("get_cost_optimization_ebs", {"EbsVolume"}),
        ("get_cost_optimization_lambda", {"LambdaFunction"}),
        ("get_cost_optimization_rds", {"RdsDbInstance"}),
    ],
)
def test_one_service(engine: Engine, name: str, types: set[str]) -> None:
    whole: Any = ask(engine, ALL)
    answer: Any = ask(engine, name)
    assert {row.resource_type for row in answer.recommendations} == types
    assert answer.recommendations == tuple(row for row in whole.recommendations if row.resource_type in types)
    assert answer.monthly_saving_usd == sum(
        (one.monthly_saving_usd for one in whole.by_resource_type if one.resource_type in types), Decimal(0)
    )


HUB: Any = botocore.session.get_session().get_service_model("cost-optimization-hub")
RESOURCES = HUB.shape_for("ResourceType").enum


def test_the_resource_types_are_those_of_the_api() -> None:
    assert set(RESOURCE_TYPES) == set(RESOURCES)
    assert len(RESOURCE_TYPES) == len(set(RESOURCE_TYPES))


@pytest.mark.parametrize("kind", RESOURCES)
def test_each_resource_type_can_be_asked_for_and_is_told_of(engine: Engine, change: Change, kind: str) -> None:
    """The double keeps what its filter is asked to keep; what it lacks is put beside that, by hand."""
    asked: list[Any] = []
    events = engine.clients.client("cost-optimization-hub", "us-east-1").meta.events
    row = {
        "recommendationId": "by-hand", "currentResourceType": kind, "estimatedMonthlySavings": 12.34,
        "estimatedSavingsPercentage": 25.0, "estimatedMonthlyCost": 49.36, "actionType": "Upgrade", "resourceId": "x",
    }  # fmt: skip

    def listening(params: dict[str, Any], **_: object) -> None:
        asked.append(params["filter"])

    def summed(parsed: dict[str, Any]) -> None:
        parsed["items"] = [{"group": kind, "estimatedMonthlySavings": 12.34, "recommendationCount": 1}]
        parsed["estimatedTotalDedupedSavings"] = 12.34

    change("cost-optimization-hub", "ListRecommendations", lambda parsed: parsed.update(items=[*parsed["items"], row]))
    change("cost-optimization-hub", "ListRecommendationSummaries", summed)
    for operation in ("ListRecommendations", "ListRecommendationSummaries"):
        events.register(f"provide-client-params.cost-optimization-hub.{operation}", listening)
    try:
        answer: Any = ask(engine, ALL, resource_types=[kind.lower()])
    finally:
        for operation in ("ListRecommendations", "ListRecommendationSummaries"):
            events.unregister(f"provide-client-params.cost-optimization-hub.{operation}", listening)
    assert asked == [{"resourceTypes": [kind]}] * 2
    assert answer.complete
    assert {one.resource_type for one in answer.recommendations} == {kind}
    by_hand = next(one for one in answer.recommendations if one.recommendation_id == "by-hand")
    assert (by_hand.monthly_saving_usd, by_hand.saving_share) == (Decimal("12.34"), 0.25)
    assert answer.monthly_saving_usd == answer.by_resource_type[0].monthly_saving_usd == Decimal("12.34")


def test_what_is_no_resource_type_is_refused_with_those_like_it() -> None:
    with pytest.raises(ArgumentsError, match=r"did you mean .*NatGateway"):
        TOOLS[ALL].parse({"resource_types": ["NatGateways"]})
    with pytest.raises(ArgumentsError, match="there are: Ec2Instance, LambdaFunction"):
        TOOLS[ALL].parse({"resource_types": ["???"]})


def test_a_region(engine: Engine) -> None:
    answer: Any = ask(engine, ALL, region_name="eu-west-1")
    assert {row.region for row in answer.recommendations} == {"eu-west-1"}
    assert "eu-west-1" in answer.summary


def test_every_page_of_aws_is_read_and_rows_come_in_pages(engine: Engine, change: Change) -> None:
    def endless(parsed: dict[str, Any]) -> None:
        """A first page that leads to the same again, and no further."""
        if not asked:
            parsed["nextToken"] = "more"
        asked.append("page")

    asked: list[str] = []
    one: Any = ask(engine, ALL)
    engine.billing_cache.clear()
    events = engine.clients.client("cost-optimization-hub", "us-east-1").meta.events

    def without_token(params: dict[str, Any], **_: object) -> None:
        params.pop("nextToken", None)

    events.register("provide-client-params.cost-optimization-hub.ListRecommendations", without_token)
    change("cost-optimization-hub", "ListRecommendations", endless)
    try:
        two: Any = ask(engine, ALL, max_results=5)
    finally:
        events.unregister("provide-client-params.cost-optimization-hub.ListRecommendations", without_token)
    assert len(asked) == 2
    assert two.omitted == 2 * len(one.recommendations) - 5
    following: Any = ask(engine, ALL, max_results=5, cursor=two.next_cursor)
    assert following.recommendations != two.recommendations
    assert following.calls.total == 0


def test_an_account_that_is_not_enrolled_is_told_so(engine: Engine, account: EmbeddedAccount, change: Change) -> None:
    def inactive(parsed: dict[str, Any]) -> None:
        parsed["items"][0]["status"] = "Inactive"

    change("cost-optimization-hub", "ListEnrollmentStatuses", inactive)
    answer: Any = ask(engine, ALL)
    assert (answer.complete, answer.monthly_saving_usd, answer.recommendations) == (False, None, ())
    (failed,) = answer.failed_reads
    assert failed.kind == "not_opted_in"
    assert "not enrolled in Cost Optimization Hub" in failed.error
    assert "UpdateEnrollmentStatus" in failed.remedy
    assert "NOT READ: the account is not enrolled" in answer.summary
    assert account.calls.count("cost-optimization-hub:ListRecommendations") == 0


def test_no_enrollment_at_all_is_not_enrolled(engine: Engine, change: Change) -> None:
    change("cost-optimization-hub", "ListEnrollmentStatuses", lambda parsed: parsed["items"].clear())
    assert ask(engine, ALL).failed_reads[0].kind == "not_opted_in"


@pytest.mark.parametrize("status", ["Inactive", "Pending", "Failed"])
def test_without_compute_optimizer_the_answer_is_incomplete_and_says_why(
    engine: Engine, change: Change, status: str
) -> None:
    change("compute-optimizer", "GetEnrollmentStatus", lambda parsed: parsed.update(status=status, statusReason="why"))
    answer: Any = ask(engine, "get_cost_optimization_ec2")
    assert not answer.complete
    (failed,) = answer.failed_reads
    assert (failed.kind, failed.call) == ("not_opted_in", "compute-optimizer:GetEnrollmentStatus")
    assert f"Compute Optimizer is {status} (why)" in failed.error
    assert "INCOMPLETE" in answer.summary


def test_nothing_to_recommend_is_zero_and_complete(engine: Engine, change: Change) -> None:
    change("cost-optimization-hub", "ListRecommendations", lambda parsed: parsed["items"].clear())
    change(
        "cost-optimization-hub",
        "ListRecommendationSummaries",
        lambda parsed: parsed.update(items=[], estimatedTotalDedupedSavings=0.0),
    )
    answer: Any = ask(engine, ALL)
    assert (answer.complete, answer.monthly_saving_usd, answer.recommendations) == (True, 0, ())
    assert "$0.00 a month" in answer.summary


def test_a_refusal_of_the_list_keeps_the_total(engine: Engine, change: Change) -> None:
    change("cost-optimization-hub", "ListRecommendations", error("ValidationException", "no"))
    answer: Any = ask(engine, ALL)
    assert answer.monthly_saving_usd > 1000
    assert (answer.complete, answer.recommendations) == (False, ())
    assert "the recommendations themselves were NOT READ" in answer.summary
