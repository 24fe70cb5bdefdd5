"""Accounts behind roles: assumed with the external id, renewed before they end, and told when they can't be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.declaration import ArgumentsError
from aws_finops_mcp.demo.estate.declared import Organisation
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.findings import CheckAnswer
from aws_finops_mcp.settings import AccountSettings

ORGANISATION = Organisation(accounts=4, regions=2, resources=300, external_id="northwind-7421")


@pytest.fixture(scope="module")
def land() -> Iterator[AccountProcess]:
    with AccountProcess(organisation=ORGANISATION) as account, pytest.MonkeyPatch.context() as patch:
        for name, value in account.environment.items():
            patch.setenv(name, value)
        yield account


def accounts(external_id: str = "northwind-7421", role: str = "finops-read") -> dict[str, AccountSettings]:
    return {
        name: AccountSettings(role_arn=f"arn:aws:iam::{number}:role/{role}", external_id=external_id)
        for number, name in ORGANISATION.account_names.items()
    }


@pytest.fixture
def engine(land: AccountProcess) -> Iterator[Engine]:
    land.ask("calls.reset")
    yield Engine("us-east-1", clients=Clients(accounts()))
    land.ask("faults.clear")


def ask(engine: Engine, name: str, **arguments: object) -> CheckAnswer:
    tool = TOOLS[name]
    answer: CheckAnswer = tool.answer(engine.asking(), tool.parse(arguments))
    return answer


def test_each_alias_reads_its_own_account(engine: Engine) -> None:
    seen = {}
    for number, alias in ORGANISATION.account_names.items():
        answer = ask(engine, "find_unused_volumes", account=alias)
        assert answer.complete
        assert answer.account == number
        seen[number] = {finding.resource_id for finding in answer.findings}
        assert seen[number]
    assert len(set.union(*seen.values())) == sum(len(ids) for ids in seen.values())


def test_a_role_is_assumed_once_for_many_calls_and_its_requests_are_counted(
    engine: Engine, land: AccountProcess
) -> None:
    alias = engine.accounts[0]
    asking = engine.asking()
    audit(asking, CHECKS, [alias], ["us-east-1", "eu-west-1"])
    assert land.ask("calls.count", "sts:AssumeRole") == 1
    assert asking.ledger.calls().by_action["sts:AssumeRole"] == 1


def test_credentials_are_renewed_before_they_end(engine: Engine, land: AccountProcess) -> None:
    """Fifteen minutes is when botocore begins to renew, so these are renewed for every call."""
    alias = engine.accounts[0]
    land.ask("credentials.expire_after", 60)
    try:
        for _ in range(3):
            assert ask(engine, "find_unused_volumes", account=alias).complete
    finally:
        land.ask("credentials.expire_after", None)
    assert land.ask("calls.count", "sts:AssumeRole") >= 3


def test_an_unknown_alias_is_told(engine: Engine) -> None:
    with pytest.raises(ArgumentsError, match=r"account: got 'none'; there are: "):
        ask(engine, "find_unused_volumes", account="none")


@pytest.mark.parametrize("settings", [accounts(external_id="wrong"), accounts(role="other"), accounts(external_id="")])
def test_a_role_that_can_not_be_assumed_is_named(land: AccountProcess, settings: dict[str, AccountSettings]) -> None:
    engine = Engine("us-east-1", clients=Clients(settings))
    answer = ask(engine, "find_unused_volumes")
    assert not answer.complete
    assert answer.monthly_saving_usd is None
    (failed,) = answer.failed_reads
    assert (failed.call, failed.kind) == ("sts:AssumeRole", "denied")
    assert failed.account == ORGANISATION.account_ids[0]
    assert "trust policy" in failed.remedy


def test_an_account_is_read_with_a_profile_of_the_aws_configuration(
    land: AccountProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = ORGANISATION.account_ids[2]
    file = tmp_path / "config"
    role = f"arn:aws:iam::{number}:role/finops-read"
    file.write_text(
        f"[profile shop]\nrole_arn = {role}\nexternal_id = northwind-7421\ncredential_source = Environment\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    answer = ask(Engine("us-east-1", clients=Clients({"shop": AccountSettings(profile="shop")})), "find_unused_volumes")
    assert answer.complete, answer.failed_reads
    assert answer.account == number
    assert answer.counts.examined > 0


@pytest.mark.parametrize("external_id", ["x", "with space", "ümlaut", "x" * 1225, "new\nline"])
def test_an_external_id_that_sts_refuses_is_no_setting(external_id: str) -> None:
    with pytest.raises(ValidationError, match="external_id"):
        AccountSettings(external_id=external_id)


@pytest.mark.parametrize("external_id", ["", "x9", "a+b=c,d.e@f:g/h-i_j", "x" * 1224])
def test_an_external_id_that_sts_takes_is_one(external_id: str) -> None:
    assert AccountSettings(external_id=external_id).external_id == external_id


def test_what_one_account_denies_the_others_answer(engine: Engine, land: AccountProcess) -> None:
    numbers = list(ORGANISATION.account_ids)
    land.ask("faults.deny", "ec2:DescribeVolumes", account=numbers[1])
    check = next(check for check in CHECKS if check.name == "find_unused_volumes")
    answers = audit(engine.asking(), [check], engine.accounts, ["us-east-1"])
    assert [answer.complete for answer in answers] == [True, False, True, True]
    assert [failed.account for failed in answers[1].failed_reads] == [numbers[1]]


def test_an_organisation_is_read_whole(engine: Engine, land: AccountProcess) -> None:
    """Each of four checks in each region of each account finds exactly the idle ones of the truth table."""
    regions = list(ORGANISATION.region_names)
    kinds = {
        "find_unused_volumes": "volumes",
        "find_unused_lambda_functions": "functions",
        "find_unused_elastic_ips": "addresses",
        "find_unused_nat_gateways": "nat_gateways",
    }
    answers = audit(engine.asking(), [check for check in CHECKS if check.name in kinds], engine.accounts, regions)
    assert len(answers) == len(kinds) * 4 * 2
    assert all(answer.complete for answer in answers)
    for answer in answers:
        idle = land.ask("estates.idle", answer.account, answer.region, kinds[answer.tool])
        functions = answer.tool == "find_unused_lambda_functions"
        found = {finding.name if functions else finding.resource_id for finding in answer.findings}
        assert found == set(idle), (answer.tool, answer.region)
