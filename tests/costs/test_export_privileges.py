"""The policy's statements on exports of the bill are enough for them and reach no further."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.costs.test_billing_data import BUCKET, ask, bucket

from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.audits.policy import iam_policy
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.costs.exports.exports import Exports
from aws_finops_mcp.costs.exports.query import ATHENA_ACTIONS
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.settings import ExportSettings

NAME = "export-privileges"
SUM = "SELECT round(sum(EffectiveCost), 2) AS usd FROM focus"
PLACE = f"s3://{BUCKET}/exports/northwind-focus"
THROUGH_ATHENA = {"database": "billing", "table": "focus", "results": "s3://northwind-results/finops"}
FILES = ExportSettings.model_validate({"location": PLACE, "kind": "focus", "region": "us-east-1"})
TABLE = ExportSettings.model_validate(
    {"location": PLACE, "kind": "focus", "region": "us-east-1", "athena": THROUGH_ATHENA}
)
# Athena is asked for its state until it is through, and told to stop only where a question is given up.
BY_ATHENA = ["s3:ListBucket", *(action for action in ATHENA_ACTIONS if action != "athena:StopQueryExecution")]


def without(policy: dict[str, Any], action: str) -> dict[str, Any]:
    """The policy with one action less, wherever it stands."""
    less = copy.deepcopy(policy)
    for statement in less["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action]
    return less


@pytest.fixture
def host(account: EmbeddedAccount, billing_exports: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server with the role's credentials; the export is in S3, and a table of Athena's."""
    folder = billing_exports["focus"]
    with bucket(account, folder.parent):
        account.athena.tables["billing", "focus"] = (f"{PLACE}/data/", folder)
        account.athena.workgroups["primary"] = {"Configuration": {"EnforceWorkGroupConfiguration": False}}
        role = account.credentials.add_role(ACCOUNT_ID, NAME)
        for name, value in {**account.environment, **account.credentials.of_instance(role.arn)}.items():
            monkeypatch.setenv(name, value)
        yield
        account.athena.clear()


def asked(account: EmbeddedAccount, engine: Engine, cache: Path, export: ExportSettings, policy: dict[str, Any]) -> Any:
    """What a server with this policy answers of the export."""
    account.credentials.add_role(ACCOUNT_ID, NAME, policy=policy)
    own = replace(engine, clients=Clients(), exports=Exports({"x": export}, None, cache, "default"))
    return ask(own, SUM)


@pytest.mark.parametrize(("export", "actions"), [(FILES, ["s3:GetObject", "s3:ListBucket"]), (TABLE, BY_ATHENA)])
@pytest.mark.usefixtures("host")
def test_the_policy_is_enough_and_each_action_of_it_is_needed(
    account: EmbeddedAccount, engine: Engine, tmp_path: Path, export: ExportSettings, actions: list[str]
) -> None:
    policy = iam_policy([], {}, [export])
    enough = asked(account, engine, tmp_path / "all", export, policy)
    assert enough.failed_reads == ()
    assert enough.rows
    for action in actions:
        less = asked(account, engine, tmp_path / action, export, without(policy, action))
        assert [read.call for read in less.failed_reads] == [action]
        assert action in less.failed_reads[0].remedy


@pytest.mark.parametrize(("export", "call"), [(FILES, "s3:ListBucket"), (TABLE, "glue:GetTable")])
@pytest.mark.usefixtures("host")
def test_what_one_export_needs_reads_no_other(
    account: EmbeddedAccount, engine: Engine, tmp_path: Path, export: ExportSettings, call: str
) -> None:
    table = export.athena and export.athena.model_copy(update={"table": "another"})
    another = export.model_copy(update={"location": "s3://another/export", "athena": table})
    refused = asked(account, engine, tmp_path, export, iam_policy([], {}, [another]))
    assert call in {read.call for read in refused.failed_reads}
    assert refused.rows == ()
