"""All checks at once, of the company and of a member account: no answer is missing, and each fits its model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.demo.double.model_check import violations
from aws_finops_mcp.demo.estate.declared import Organisation
from aws_finops_mcp.demo.estate.place import Place
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.settings import AccountSettings

ORGANISATION = Organisation(accounts=2, regions=2, resources=400)
MEMBER = ORGANISATION.account_ids[1]
REGION = ORGANISATION.region_names[1]


class Answers:
    """What was answered: how often, by operation, and what does not fit the model."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self.misfits: dict[str, str] = {}

    def look_at(self, operation: Any, answer: dict[str, Any]) -> None:
        name = f"{operation.service_model.service_name}:{operation.name}"
        self.seen[name] = self.seen.get(name, 0) + 1
        rest = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        for wrong in violations(rest, operation.output_shape)[:1]:
            self.misfits.setdefault(name, wrong)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Looks at every answer that boto3 gives anybody."""
    looked = Answers()
    ask = BaseClient._make_api_call  # type: ignore[attr-defined]

    def asked(self: Any, operation_name: str, arguments: Any) -> Any:
        answer = ask(self, operation_name, arguments)
        looked.look_at(self.meta.service_model.operation_model(operation_name), answer)
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", asked)
    return looked


@pytest.fixture(scope="module")
def members() -> Iterator[AccountProcess]:
    with AccountProcess(organisation=ORGANISATION, seeded=False) as account:
        yield account


@pytest.fixture
def member(members: AccountProcess, monkeypatch: pytest.MonkeyPatch) -> Engine:
    for name in [name for name in os.environ if name.startswith(("AWS_", "MCP_"))]:
        monkeypatch.delenv(name)
    for name, value in members.environment.items():
        monkeypatch.setenv(name, value)
    role = AccountSettings(role_arn=f"arn:aws:iam::{MEMBER}:role/{ORGANISATION.role}")
    return Engine(REGION, clients=Clients({"member": role}), gate=Gate(Limiter(share=1000)))


def test_a_member_answers_every_check(members: AccountProcess, member: Engine, answers: Answers) -> None:
    members.ask("estates.check_all")
    found = {one.tool: one for one in audit(member.asking(), CHECKS, ["member"], [REGION])}
    assert {name: one.failed_reads for name, one in found.items() if one.failed_reads} == {}
    assert answers.misfits == {}
    assert len(answers.seen) > 60
    half_known = [name for name, one in found.items() if one.counts.unknown > one.counts.examined / 2]
    assert half_known == [], "an estate says enough for every check of what it has"
    place = members.ask("estates.place", MEMBER, REGION)
    assert isinstance(place, Place)
    quiet = [place.identity("volumes", n) for n in range(place.count("volumes")) if place.is_quiet(n)]
    for check, idle in (
        ("find_unused_sqs_queues", place.idle("queues")),
        ("find_unused_log_groups", place.idle("log_groups")),
        ("find_unused_lambda_functions", place.idle("functions")),
        ("find_unused_volumes", place.idle("volumes")),
        ("find_idle_ebs_volumes", quiet),
    ):
        assert idle
        assert found[check].counts.idle == len(idle), check


def test_the_companys_answers_fit_the_models(engine: Engine, answers: Answers) -> None:
    """moto's answers too, corrected, joined with ours and cut into pages."""
    found = audit(engine.asking(), CHECKS, engine.accounts, ["us-east-1", "eu-west-1"])
    assert len(found) > len(CHECKS)
    assert answers.misfits == {}
    assert len(answers.seen) > 80
