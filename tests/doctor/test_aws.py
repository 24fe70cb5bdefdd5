"""What AWS says: each probe, as it should be and as it should not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

import pytest
from tests.conftest import free_port
from tests.doctor.conftest import Answer, Stand

from aws_finops_mcp.audits.catalogue import offered
from aws_finops_mcp.audits.policy import iam_policy
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.doctor.aws import clock, identity, instance_role, permissions, price_list
from aws_finops_mcp.doctor.host import Host
from aws_finops_mcp.doctor.probe import State
from aws_finops_mcp.settings import Settings

ROLE = "arn:aws:iam::123456789012:role/finops/finops-reader"


@pytest.fixture
def host(clients: Clients) -> Host:
    """A host whose AWS is the embedded account."""
    return Host(Settings())


@pytest.mark.parametrize(
    ("skew", "state"), [(0, State.OK), (-20, State.OK), (120, State.WARN), (-120, State.WARN), (600, State.FAIL)]
)
def test_the_clock(host: Host, stand: Stand, skew: int, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", stand.url)
    stand.headers["Date"] = format_datetime(datetime.now(UTC) + timedelta(seconds=skew), usegmt=True)
    (found,) = clock(host)
    assert found.state is state


def test_a_clock_that_nobody_tells(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{free_port()}")
    (found,) = clock(host)
    assert found.state is State.NOT_READ


CREDENTIALS = "/latest/meta-data/iam/security-credentials/"


def metadata(stand: Stand, role: Answer, without_token: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(method: str, path: str, headers: dict[str, str], body: str) -> Answer:
        if (method, path) == ("PUT", "/latest/api/token"):
            return 200, "token-1"
        assert path == CREDENTIALS
        given = {name.lower(): value for name, value in headers.items()}
        return role if given.get("x-aws-ec2-metadata-token") == "token-1" else (without_token, "")

    stand.decide = decide
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", stand.url)


def test_an_instance_with_a_role(host: Host, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata(stand, (200, "finops-reader"), 401, monkeypatch)
    (found,) = instance_role(host)
    assert (found.state, found.said) == (State.OK, "is finops-reader")


def test_an_instance_that_hands_out_credentials_without_a_token(
    host: Host, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata(stand, (200, "finops-reader"), 200, monkeypatch)
    _, found = instance_role(host)
    assert found.state is State.WARN
    assert "--http-tokens required" in found.fix


def test_an_instance_without_a_role(host: Host, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata(stand, (404, ""), 401, monkeypatch)
    (found,) = instance_role(host)
    assert found.state is State.FAIL
    assert "instance profile" in found.fix


def test_a_role_that_the_server_does_not_ask_for(host: Host, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata(stand, (200, "finops-reader"), 401, monkeypatch)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (found,) = instance_role(host)
    assert found.state is State.NOT_READ
    assert "AWS_EC2_METADATA_DISABLED" in found.said
    assert stand.asked == []


def test_no_instance_at_all(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    (found,) = instance_role(host)
    assert found.state is State.NOT_READ


def test_identity(host: Host, account: EmbeddedAccount) -> None:
    (found,) = identity(host)
    assert found.state is State.OK
    assert "finops-reader" in found.said
    account.faults.deny("sts:GetCallerIdentity")
    (refused,) = identity(host)
    assert refused.state is State.FAIL
    assert "sts:GetCallerIdentity" in refused.fix


def test_the_price_list(host: Host, account: EmbeddedAccount) -> None:
    assert [finding.state for finding in price_list(host)] == [State.OK]
    account.faults.deny("pricing:GetProducts")
    (refused,) = price_list(host)
    assert refused.state is State.FAIL
    assert "pricing:GetProducts" in refused.fix


class Iam:
    """IAM's answers to GetRole and SimulatePrincipalPolicy, ten results a page."""

    def __init__(self, refused: dict[str, str]) -> None:
        self.refused = refused
        self.simulated: list[str] = []

    def __call__(self, method: str, path: str, headers: dict[str, str], body: str) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        if asked["Action"] == "GetRole":
            assert asked["RoleName"] == "finops-reader"
            return 200, (
                f"<GetRoleResponse><GetRoleResult><Role><Path>/finops/</Path><Arn>{ROLE}</Arn></Role></GetRoleResult>"
                "</GetRoleResponse>"
            )
        assert asked["PolicySourceArn"] == ROLE
        actions = [value for name, value in asked.items() if name.startswith("ActionNames.member.")]
        start = int(asked.get("Marker", "0"))
        page = actions[start : start + 10]
        self.simulated += page
        results = "".join(
            f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>*</EvalResourceName>"
            f"<EvalDecision>{self.refused.get(action, 'allowed')}</EvalDecision></member>"
            for action in page
        )
        more = start + 10 < len(actions)
        marker = f"<IsTruncated>true</IsTruncated><Marker>{start + 10}</Marker>" if more else ""
        return 200, (
            f"<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>{marker}<EvaluationResults>{results}"
            "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        )


def needed() -> list[str]:
    actions: list[str] = iam_policy(offered(Settings().categories).values(), {})["Statement"][0]["Action"]
    return actions


def test_every_action_that_the_tools_need_is_simulated(
    host: Host, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", stand.url)
    stand.decide = iam = Iam({})
    (found,) = permissions(host)
    assert (found.state, found.said) == (State.OK, f"all {len(needed())} actions that the tools need are allowed")
    assert iam.simulated == needed()


def test_each_action_that_is_refused_is_named(host: Host, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", stand.url)
    stand.decide = Iam({"ec2:DescribeVolumes": "implicitDeny", "s3:ListAllMyBuckets": "explicitDeny"})
    found = list(permissions(host))
    assert {finding.state for finding in found} == {State.FAIL}
    assert [finding.said for finding in found] == [
        "ec2:DescribeVolumes is not allowed",
        "s3:ListAllMyBuckets is denied by a policy",
    ]


def test_who_may_not_simulate_is_told_so_and_nothing_is_said_of_the_actions(
    host: Host, account: EmbeddedAccount
) -> None:
    account.faults.deny("iam:GetRole")
    account.faults.deny("iam:SimulatePrincipalPolicy")
    (found,) = permissions(host)
    assert found.state is State.NOT_READ
    assert "iam:SimulatePrincipalPolicy" in found.fix
