"""What a question may read when its caller may not read everything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine, OutOfScopeError
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import Answer, SavingsAnswer
from aws_finops_mcp.settings import AccountSettings, Scopes


def ask(engine: Engine, name: str, scopes: dict[str, list[str]], **arguments: object) -> Answer:
    tool = TOOLS[name]
    answer: Answer = tool.answer(engine.asking(scopes=Scopes.model_validate(scopes)), tool.parse(arguments))
    return answer


GLOBAL_ONLY = {"regions": ["global"]}
EUROPE = {"regions": ["eu-west-1"]}


@pytest.mark.parametrize(
    ("name", "scopes", "arguments", "wanted"),
    [
        ("find_unused_volumes", EUROPE, {"region_name": "us-east-1"}, "us-east-1 is not yours to read"),
        ("find_unused_volumes", GLOBAL_ONLY, {}, "you may read no region"),
        ("find_unused_volumes", {"accounts": ["other"]}, {}, "account: none of yours is here"),
        ("get_cost_by_service", EUROPE, {}, "what has no region is not yours to read, that needs the region global"),
        ("find_savings", EUROPE, {"regions": ["eu-west-1", "us-east-1"]}, "us-east-1 is not yours to read"),
        ("find_savings", {"categories": ["cost"]}, {"checks": ["find_unused_volumes"]}, "needs the category"),
        ("run_check", {"categories": ["cost"]}, {"check": "find_unused_volumes"}, "you have: cost"),
        ("run_check", EUROPE, {"check": "find_unused_volumes", "arguments": {"region_name": "us-west-2"}}, "us-west-2"),
        ("plan_question", {"categories": ["cost"]}, {"tool": "find_unused_volumes"}, "needs the category"),
        ("plan_question", EUROPE, {"tool": "find_unused_volumes", "arguments": {"region_name": "us-east-1"}}, "us-e"),
    ],
)
def test_what_is_out_of_scope_is_refused_with_what_it_would_need_and_never_read(
    engine: Engine,
    account: EmbeddedAccount,
    name: str,
    scopes: dict[str, list[str]],
    arguments: dict[str, object],
    wanted: str,
) -> None:
    with pytest.raises(OutOfScopeError) as caught:
        ask(engine, name, scopes, **arguments)
    assert wanted in str(caught.value)
    assert account.calls.total - account.calls.count("sts:GetCallerIdentity") == 0


def test_us_east_1_is_not_read_by_who_may_read_only_what_has_no_region(engine: Engine) -> None:
    """What has no region is asked there."""
    scopes = {"regions": ["global", "eu-west-1"]}
    with pytest.raises(OutOfScopeError, match="us-east-1"):
        ask(engine, "find_savings", scopes, regions=["us-east-1"])
    assert ask(engine, "get_cost_by_service", scopes).complete


def test_a_question_that_names_no_region_is_asked_of_the_callers_own(engine: Engine) -> None:
    answer = ask(engine, "find_unused_volumes", EUROPE)
    assert answer.model_dump()["region"] == "eu-west-1"
    answer = ask(engine, "find_unused_volumes", {"regions": ["eu-west-1", "us-east-1"]})
    assert answer.model_dump()["region"] == "us-east-1"


def test_all_regions_are_the_callers(engine: Engine) -> None:
    answer = ask(engine, "find_savings", EUROPE | {"categories": ["cleanup"]}, regions="all")
    assert isinstance(answer, SavingsAnswer)
    assert answer.regions == ("eu-west-1",)


def test_checks_of_the_whole_account_are_left_out_and_named(engine: Engine) -> None:
    answer = ask(engine, "find_savings", EUROPE)
    assert isinstance(answer, SavingsAnswer)
    everywhere = [warning for warning in answer.warnings if "need the region global" in warning]
    whole = ask(engine, "find_savings", {"regions": ["eu-west-1", "global"]})
    assert isinstance(whole, SavingsAnswer)
    assert whole.checks - answer.checks == len(everywhere[0].partition(": ")[2].split(", ")) > 0


def test_list_checks_names_only_what_is_the_callers(engine: Engine) -> None:
    rows = ask(engine, "list_checks", {"categories": ["database"]}).model_dump()["checks"]
    assert {row["category"] for row in rows} == {"database"}


def test_accounts_are_the_callers_and_the_others_are_not_named(engine: Engine) -> None:
    accounts = {name: AccountSettings() for name in ("main", "shop", "bank")}
    many = replace(engine, clients=Clients(accounts))
    mine = {"accounts": ["shop", "main"]}
    with pytest.raises(OutOfScopeError) as caught:
        ask(many, "find_unused_volumes", mine, account="bank")
    assert str(caught.value) == "account: 'bank' is not yours to read; you have: shop, main"
    assert many.asking(scopes=Scopes.model_validate(mine)).reader().alias == "shop"
    assert many.asking().reader().alias == "main"


@pytest.mark.parametrize(
    ("tool", "told", "scopes", "wanted"),
    [
        ("find_unused_volumes", {}, EUROPE, "it is also about us-east-1; you have: eu-west-1"),
        ("find_unused_volumes", {}, {"categories": ["database"]}, "find_unused_volumes: that needs the category"),
        ("find_unused_volumes", {"account": "999999999999"}, {"accounts": ["default"]}, "not about an account"),
        ("find_unused_volumes", {"account": "unknown"}, {"accounts": ["default"]}, "not about an account"),
        ("find_savings", {}, EUROPE, "it is also about global, us-east-1; you have: eu-west-1"),
        ("find_savings", {}, {"categories": ["database"]}, "that needs the category"),
        ("find_savings", {"account": "999999999999"}, {"accounts": ["default"]}, "not about an account"),
        ("find_unused_route53_hosted_zones", {}, {"regions": ["us-east-1"]}, "it is also about global"),
    ],
)
def test_a_next_page_is_given_to_nobody_who_could_not_have_asked_for_it(
    engine: Engine, tool: str, told: dict[str, str], scopes: dict[str, list[str]], wanted: str
) -> None:
    answer = ask(engine, tool, {}).model_copy(update=told)
    cursor = f"{engine.store.put(answer)}.0"
    assert ask(engine, tool, {}, cursor=cursor).account == answer.account
    with pytest.raises(OutOfScopeError) as caught:
        ask(engine, tool, scopes, cursor=cursor)
    assert wanted in str(caught.value)


def test_a_page_of_what_has_no_region_and_of_an_alternative_needs_their_scopes(engine: Engine) -> None:
    whole = ask(engine, "find_savings", {})
    assert isinstance(whole, SavingsAnswer)
    regional = {"regions": ["us-east-1"]}
    cursor = f"{engine.store.put(whole)}.0"
    with pytest.raises(OutOfScopeError, match="it is also about global"):
        ask(engine, "find_savings", regional, cursor=cursor)
    mine = ask(engine, "find_savings", regional)
    assert isinstance(mine, SavingsAnswer)
    again = ask(engine, "find_savings", regional, cursor=f"{mine.full_result.rpartition('/')[2]}.0")
    assert isinstance(again, SavingsAnswer)
    assert again.savings == mine.savings
