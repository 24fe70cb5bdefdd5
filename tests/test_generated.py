"""What is made from the declarations: the reference page, the IAM policy, the audit command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.test_cli import run

from aws_finops_mcp.audits.catalogue import IDENTITY, TOOLS
from aws_finops_mcp.audits.policy import iam_policy
from aws_finops_mcp.audits.reference import reference
from aws_finops_mcp.audits.role_template import role_template
from aws_finops_mcp.aws.iam import DEPENDENT
from aws_finops_mcp.checks import CHECKS, ebs_encryption
from aws_finops_mcp.costs.exports.query import RESOURCE_ACTIONS
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.settings import AccountSettings, ExportSettings

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def made() -> str:
    """The reference as the code makes it, a tenth of a second each time."""
    return reference()


def test_the_reference_page_is_that_of_the_code(made: str) -> None:
    page = (DOCS / "tools.md").read_text(encoding="utf-8")
    assert page == made, "run: aws-finops-mcp reference > docs/tools.md"


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
def test_every_check_says_how_it_judges_and_what_to_do(made: str, check: object) -> None:
    for part in (
        *(getattr(check, name, None) for name in ("remediation", "limits")),
        *getattr(check, "verdicts", {}).values(),
    ):
        assert part
        assert part in made


def test_the_policy_has_each_action_once_and_only_reads() -> None:
    policy = iam_policy(TOOLS.values(), {})
    (statement,) = policy["Statement"]
    called = {action for tool in TOOLS.values() for action in tool.iam_actions}
    asked_beside = {also for action in called for also in DEPENDENT.get(action, ())}
    assert statement["Action"] == sorted((called | asked_beside) - RESOURCE_ACTIONS - {IDENTITY})
    reading = ("Describe", "List", "Get", "GET", "View")
    assert all(action.partition(":")[2].startswith(reading) for action in statement["Action"])


def test_the_policy_has_what_aws_asks_for_beside_an_action() -> None:
    policy = iam_policy([TOOLS["get_compute_optimizer_recommendations"]], {})
    for action, dependent in DEPENDENT.items():
        assert {action, *dependent} <= set(policy["Statement"][0]["Action"])


def test_no_object_of_s3_may_be_read_but_those_of_a_configured_export() -> None:
    assert not {"s3:GetObject", "s3:ListBucket"} & {*iam_policy(TOOLS.values(), {})["Statement"][0]["Action"]}
    roles = {"main": AccountSettings(), "shop": AccountSettings(role_arn="arn:aws:iam::210987654321:role/finops-read")}
    exports = [
        ExportSettings(location="s3://bills/exports/finance", kind="focus", region="eu-west-1"),
        ExportSettings(location="s3://bills-cn", kind="cur2", account="main", region="cn-north-1"),
        ExportSettings(location="/srv/exports", kind="cur2"),
        ExportSettings(location="s3://shop-bills/x", kind="cur2", account="shop", region="eu-west-1"),
    ]
    statements = iam_policy(TOOLS.values(), roles, exports)["Statement"]
    assert [(one["Action"], one["Resource"]) for one in statements if "Export" in one["Sid"]] == [
        (["s3:ListBucket"], "arn:aws:s3:::bills"),
        (["s3:GetObject"], "arn:aws:s3:::bills/exports/finance/*"),
        (["s3:ListBucket"], "arn:aws-cn:s3:::bills-cn"),
        (["s3:GetObject"], "arn:aws-cn:s3:::bills-cn/*"),
    ]
    # The role of the other account reads its own.
    text = json.dumps(role_template(TOOLS.values(), exports[3:]))
    assert '{"Fn::Sub": "arn:${AWS::Partition}:s3:::shop-bills/x/*"}' in text
    assert "bills/exports" not in text


def test_the_policy_lets_only_the_configured_roles_be_assumed() -> None:
    role = "arn:aws:iam::210987654321:role/finops-read"
    policy = iam_policy(TOOLS.values(), {"main": AccountSettings(), "shop": AccountSettings(role_arn=role)})
    assert policy["Statement"][1] == {
        "Sid": "AssumeAccountRoles",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": [role],
    }


def test_the_command_prints_the_policy_of_some_categories() -> None:
    policy = json.loads(run("iam-policy", "--categories", "cost").stdout)
    actions = set(policy["Statement"][0]["Action"])
    assert actions >= {"ce:GetCostAndUsage", "ec2:DescribeRegions", "ec2:DescribeSnapshots"}
    assert "lambda:ListFunctions" in actions, "Compute Optimizer asks for it"
    assert "sqs:ListQueues" not in actions
    assert "there are: cleanup" in run("iam-policy", "--categories", "gold").stderr


def test_an_audit_from_the_command_line(account: EmbeddedAccount) -> None:
    extra = account.environment
    done = run("audit", "--region", "us-east-1", "--region", "eu-west-1", "--json", extra=extra)
    answers = json.loads(done.stdout)
    assert [answer["failed_reads"] for answer in answers] == [[]] * len(answers)
    # The company has resources that can't be judged: an audit that leaves something open says so.
    assert (done.returncode, all(answer["complete"] for answer in answers)) == (3, False), done.stderr
    of_regions = [(c.name, region) for region in ("us-east-1", "eu-west-1") for c in CHECKS if not c.everywhere]
    once = [(c.name, "us-east-1") for c in CHECKS if c.everywhere]
    assert [(a["tool"], a["region"]) for a in answers] == of_regions + once
    text = run("audit", "find_unused_volumes", extra=extra)
    assert "Total: $3,115.25 a month at list price" in text.stdout


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["find_gold"], "find_gold: no such check; `aws-finops-mcp check list`"),
        (["--region", "moon-1"], "not an AWS region"),
        (["--account", "none"], "account: got 'none'; there are: default"),
    ],
)
def test_a_wrong_audit_exits_with_2(account: EmbeddedAccount, arguments: list[str], wanted: str) -> None:
    done = run("audit", *arguments, extra=account.environment)
    assert done.returncode == 2
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr


def test_the_check_shown_to_contributors_is_the_real_one_and_whole() -> None:
    """Each hunk stands in its file as shown, and without what is shown nothing of the check would be left."""
    root = DOCS.parent
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("```diff\n")[2].partition("```")[0]
    shown: dict[Path, str] = {}
    for diff in re.split(r"^--- ", text, flags=re.MULTILINE)[1:]:
        (before, after), *hunks = (hunk.splitlines() for hunk in diff.split("\n@@\n"))
        file = root / after.removeprefix("+++ b/")
        real = file.read_text(encoding="utf-8")
        for lines in hunks:
            assert {line[:1] for line in lines} <= {"+", " ", ""}
            hunk = "".join(f"{line[1:]}\n" for line in lines)
            assert real == hunk if before == "/dev/null" else real.count(f"\n{hunk}") == 1, file.name
        shown[file] = "\n".join(line for lines in hunks for line in lines if line.startswith("+"))
    names = (ebs_encryption.UNENCRYPTED_VOLUMES.name, "ebs_encryption")
    for file in sorted((root / "src").rglob("*.py")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if any(name in line for name in names):
                assert f"+{line}" in shown.get(file, ""), f"{file.name}: {line}"
    assert any("Case(" in added for file, added in shown.items() if "families" in file.parts)
