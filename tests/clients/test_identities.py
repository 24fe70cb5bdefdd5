"""What `client-config` prints for AWS identities and for OAuth, given to the real clients over TLS, nginx in between.

What is not there is doubled: `aws`, which prints the token that STS would issue for the audience that it is asked for,
and the browser, in which the user is logged in at an authorization server as Amazon Cognito is one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.clients.callers import HERE, NODE, TOOL, Machine, of_command
from tests.conftest import environment, free_port
from tests.front.host import ROLE, Host, running_host
from tests.server.auth.authorization_server import CLIENT_ID, SCOPE, AuthorizationServer, authorization_server
from tests.server.auth.identity_provider import EC_KEY

from aws_finops_mcp.clients.registry import CLIENTS
from aws_finops_mcp.demo.account import EmbeddedAccount

IAM = ["--auth", "iam"]


@pytest.fixture(scope="module")
def host(account: EmbeddedAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host(account.environment, tmp_path_factory.mktemp("host"), nginx_rate="1000r/s") as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, host: Host) -> Machine:
    """A machine that has `aws`, logged in as the role."""
    url = f"{host.url}/mcp"
    token = host.aws.token(EC_KEY, "ES384", "ec", sub=ROLE)
    wanted = (
        f"sts get-web-identity-token --audience {url} --signing-algorithm RS256 "
        "--duration-seconds 3600 --query WebIdentityToken --output text"
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aws").write_text(f'#!/bin/sh\n[ "$*" = "{wanted}" ] && echo {token}\n', encoding="utf-8")
    (tmp_path / "bin" / "aws").chmod(0o700)
    return Machine(tmp_path, url, host.directory / "authority.pem", programs=tmp_path / "bin")


def configured(machine: Machine, client: str, *options: str) -> str:
    """What `client-config` prints there."""
    done = subprocess.run(
        [sys.executable, "-m", "aws_finops_mcp", "client-config", client, "--url", machine.url, *options],
        env=environment(machine.environment), cwd=machine.home, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def with_token(machine: Machine, client: str) -> Machine:
    """With the variable set as the client's page says."""
    page = (Path(__file__).parents[2] / "docs" / "clients" / f"{client}.md").read_text(encoding="utf-8")
    (line,) = {line for line in page.splitlines() if line.startswith("export FINOPS_TOKEN=")}
    line = line.replace("https://finops.example.com/mcp", machine.url)
    token = machine.run("bash", "-c", f'{line}; printf %s "$FINOPS_TOKEN"').stdout
    assert token.count(".") == 2, token
    return replace(machine, secrets={"FINOPS_TOKEN": token})


def answered(host: Host) -> bool:
    """Whether the last call that was audited is the role's."""
    line = [line for line in host.audit() if line["event"] == "call"][-1]
    return (line["who"], line["how"], line["outcome"]) == (f"aws:{ROLE}", "aws", "complete")


def test_curl_calls_as_the_role(machine: Machine, host: Host) -> None:
    command = configured(machine, "curl", *IAM)
    assert json.loads(with_token(machine, "curl").run("bash", "-c", command).stdout)["tool"] == TOOL
    assert answered(host)


@pytest.mark.parametrize("client", ["cursor", "windsurf"])
def test_what_editors_are_given_calls_as_the_role(machine: Machine, host: Host, client: str) -> None:
    entry = json.loads(configured(machine, client, *IAM))[CLIENTS[client].servers]["aws-finops"]
    token = with_token(machine, client).secrets["FINOPS_TOKEN"]
    headers = {name: value.replace("${env:FINOPS_TOKEN}", token) for name, value in entry["headers"].items()}
    given = {"url": entry.get("url") or entry["serverUrl"], "headers": headers}
    said = machine.run(NODE, HERE / "sdk.mjs", json.dumps(given), cwd=HERE).stdout
    assert json.loads(said)["answer"]["complete"] is True
    assert answered(host)


def test_claude_code_asks_for_a_token_itself_once_the_directory_is_trusted(machine: Machine) -> None:
    machine.run("bash", "-c", configured(machine, "claude-code", *IAM))
    trouble = "headersHelper not run — this workspace has no persisted trust"
    assert trouble in machine.run("claude", "mcp", "list").stdout
    assert trouble in [known.seen for known in CLIENTS["claude-code"].troubles]
    file = machine.home / ".claude.json"
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    for project in kept["projects"].values():
        project["hasTrustDialogAccepted"] = True  # what its question writes
    file.write_text(json.dumps(kept), encoding="utf-8")
    assert "✔ Connected" in machine.run("claude", "mcp", "list").stdout


@pytest.fixture
def cognito(account: EmbeddedAccount, tmp_path: Path) -> Iterator[tuple[Host, AuthorizationServer]]:
    """A host whose tokens come from an authorization server as Amazon Cognito is one."""
    port = free_port()
    with authorization_server() as issuer:
        settings = {
            "issuer": issuer.issuer,
            "client_ids": [CLIENT_ID],
            "scopes": [SCOPE],
            "name_claim": "username",
            "bridge": True,
        }
        given: dict[str, Any] = {
            "aws_finops_mcp_resource": f"https://localhost:{port}/mcp",
            "aws_finops_mcp_issuers": {"cognito": settings},
            "aws_finops_mcp_sts": {},
        }
        directory = tmp_path / "host"
        directory.mkdir()
        with running_host(account.environment, directory, port=port, nginx_rate="1000r/s", **given) as host:
            yield host, issuer


def test_claude_desktops_bridge_logs_its_user_in_by_the_browser(
    cognito: tuple[Host, AuthorizationServer], tmp_path: Path
) -> None:
    host, issuer = cognito
    # Whoever is logged in there is sent back at once.
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\nexec curl --silent --location --max-time 20 --output /dev/null "$1"\n')
    browser.chmod(0o700)
    machine = Machine(tmp_path, f"{host.url}/mcp", host.directory / "authority.pem", secrets={"BROWSER": str(browser)})
    printed = configured(machine, "claude-desktop", "--auth", "oauth", "--client-id", CLIENT_ID)
    entry = json.loads(printed)["mcpServers"]["aws-finops"]
    got = of_command(machine, [entry["command"], *entry["args"]])
    assert got.whole, got.said
    lines = [line for line in host.audit() if line["event"] == "call"]
    assert [(line["who"], line["how"]) for line in lines] == [("cognito:alice", "oauth")]
    asked = [asked for asked in issuer.asked if "well-known" not in asked]
    assert asked == ["GET /oauth2/authorize", "POST /oauth2/token authorization_code"]
    assert [secret for secret in issuer.secrets if secret in host.logs()] == []


def test_another_role_is_refused(machine: Machine, host: Host) -> None:
    token = host.aws.token(EC_KEY, "ES384", "ec", sub="arn:aws:iam::123456789012:role/other")
    command = configured(machine, "curl", *IAM)
    said = replace(machine, secrets={"FINOPS_TOKEN": token}).run("bash", "-c", command).stdout
    assert "may not call here" in json.loads(said)["error"]
