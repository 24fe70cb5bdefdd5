"""Each client's configuration for each way to the server: as the client's documentation has it, and without secrets."""

from __future__ import annotations

import base64
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.client_config.schemas import schema

from aws_finops_mcp.clients.client import Client, Configuration, configure, examples
from aws_finops_mcp.clients.places import Machine
from aws_finops_mcp.clients.registry import CLIENTS
from aws_finops_mcp.clients.target import Auth, Target, TargetError, Transport, target_of

URL = "https://finops.example.com/mcp"
FRONT = "https://a1.execute-api.eu-west-1.amazonaws.com/prod/mcp"
MACHINE = Machine("linux", Path("/home/alice"), Path("/project"))
BASIC = base64.b64encode(b"alice:s3cret-password").decode()
KEY = "k1.0123456789abcdef"


def made(client: str, inline: bool = False, **given: Any) -> Configuration:
    return configure(CLIENTS[client], target_of(**given), MACHINE, inline=inline)


CASES = [(client, target) for client in CLIENTS.values() for target in examples(client)]
IDS = [
    f"{c.name}-{t.transport}-{t.auth}{'-front' if t.service else ''}{'-id' if t.client_id else ''}" for c, t in CASES
]


@pytest.mark.parametrize(("client", "target"), [case for case in CASES if case[0].file])
def test_the_file_is_one_that_the_client_reads(client: Client, target: Target) -> None:
    configuration = configure(client, target, MACHINE)
    parse: Any = tomllib.loads if client.language == "toml" else json.loads
    document = parse(configuration.file_text())
    jsonschema.validate(document, schema(client.name))
    assert list(document[client.servers]) == ["aws-finops"]


SECRETS = {
    "FINOPS_BASIC": BASIC,
    "FINOPS_AUTHORIZATION": f"Basic {BASIC}",
    "FINOPS_API_KEY": KEY,
    "FINOPS_TOKEN": "a.b.c",
}


@pytest.mark.parametrize(("client", "target"), CASES, ids=IDS)
def test_secrets_are_referred_to_and_inline_only_when_asked(
    client: Client, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    shown = [secret for secret in SECRETS.values() if secret in configure(client, target, MACHINE).text()]
    assert shown == []
    inline = configure(client, target, MACHINE, inline=True)
    wanted = {Auth.BASIC: f"Basic {BASIC}", Auth.API_KEY: KEY}.get(target.auth)
    if target.auth is Auth.IAM and not target.service:
        wanted = "Bearer a.b.c"
    assert wanted is None or wanted in inline.text()
    assert BASIC not in repr(inline)


def test_every_way_works_with_some_client() -> None:
    reached = {(target.transport, target.auth) for _, target in CASES}
    assert reached >= {(Transport.HTTPS, auth) for auth in Auth} | {(t, Auth.NONE) for t in Transport}


HEADERS_OF = {
    "claude-code": "Basic ${FINOPS_BASIC}",
    "kiro": "Basic ${FINOPS_BASIC}",
    "cursor": "Basic ${env:FINOPS_BASIC}",
    "windsurf": "Basic ${env:FINOPS_BASIC}",
    "vscode": "Basic ${input:finops-basic}",
}


@pytest.mark.parametrize(("client", "value"), HEADERS_OF.items())
def test_each_client_refers_to_variables_in_its_own_syntax(client: str, value: str) -> None:
    assert made(client, url=URL).entry["headers"] == {"Authorization": value}


@pytest.mark.parametrize("client", ["claude-desktop", "amazon-q"])
def test_a_client_that_refers_to_nothing_gets_a_bridge_with_a_file(client: str) -> None:
    configuration = made(client, url=URL, auth=Auth.API_KEY)
    file = "/home/alice/.config/aws-finops-mcp/aws-finops.headers"
    args = ["-y", "mcp-remote@0.15.1", URL, "--transport", "http-only", "--header-file", file]
    assert configuration.entry == {"command": "npx", "args": args}
    assert str(configuration.header_file) == file


def test_inline_for_a_bridge_has_no_secret_and_no_space_in_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINOPS_BASIC", BASIC)
    entry = made("claude-desktop", inline=True, url=URL).entry
    assert entry["env"] == {"FINOPS_HEADER": f"Basic {BASIC}"}
    assert entry["args"][-2:] == ["--header", "Authorization:${FINOPS_HEADER}"]
    assert not [arg for arg in entry["args"] if " " in arg]


@pytest.mark.parametrize(
    ("auth", "entry"),
    [
        (Auth.BASIC, {"url": URL, "env_http_headers": {"Authorization": "FINOPS_AUTHORIZATION"}}),
        (Auth.API_KEY, {"url": URL, "env_http_headers": {"X-API-Key": "FINOPS_API_KEY"}}),
        (Auth.IAM, {"url": URL, "bearer_token_env_var": "FINOPS_TOKEN"}),
        (Auth.OAUTH, {"url": URL}),
    ],
)
def test_codex_takes_names_of_variables(auth: Auth, entry: dict[str, Any]) -> None:
    assert made("codex", url=URL, auth=auth).entry == entry


def test_codex_is_told_to_put_the_scheme_into_the_variable() -> None:
    header = made("codex", url=URL).header
    assert header is not None
    assert header.make.startswith('export FINOPS_AUTHORIZATION="Basic ')


@pytest.mark.parametrize(
    ("client", "place", "wanted"),
    [
        ("claude-code", "oauth", {"clientId": "id1", "callbackPort": 8765}),
        ("kiro", "oauth", {"clientId": "id1", "redirectUri": "127.0.0.1:8080"}),
        ("cursor", "auth", {"CLIENT_ID": "id1"}),
        ("vscode", "oauth", {"clientId": "id1"}),
        ("codex", "oauth", {"client_id": "id1"}),
    ],
)
def test_a_registered_oauth_client(client: str, place: str, wanted: dict[str, Any]) -> None:
    entry = made(client, url=URL, auth=Auth.OAUTH, client_id="id1").entry
    assert entry[place] == wanted
    assert "headers" not in entry


def test_mcp_remote_logs_in_as_a_registered_client() -> None:
    args = made("claude-desktop", url=URL, auth=Auth.OAUTH, client_id="id1").entry["args"]
    assert args[-2:] == ["--static-oauth-client-info", '{"client_id":"id1"}']


@pytest.mark.parametrize("client", [name for name in CLIENTS if name != "curl"])
def test_behind_api_gateway_requests_are_signed_by_the_proxy_for_aws(client: str) -> None:
    entry = made(client, url=FRONT, auth=Auth.IAM).entry
    wanted = ["mcp-proxy-for-aws@1.7.0", FRONT, "--service", "execute-api", "--region", "eu-west-1"]
    assert (entry["command"], entry["args"]) == ("uvx", wanted)


def test_a_name_of_ones_own_before_api_gateway() -> None:
    entry = made("kiro", url=URL, auth=Auth.IAM, service="lambda", region="eu-west-1").entry
    assert entry["args"][2:] == ["--service", "lambda", "--region", "eu-west-1"]


def test_claude_code_asks_sts_for_each_connection() -> None:
    configuration = made("claude-code", url=f"{URL}?categories=cost", auth=Auth.IAM)
    assert "--audience https://finops.example.com/mcp " in configuration.entry["headersHelper"]
    assert "FINOPS_TOKEN" not in configuration.text()
    assert configuration.header is None


@pytest.mark.parametrize("client", [name for name in CLIENTS if name != "curl"])
def test_over_ssh_the_client_starts_the_server_on_the_host(client: str) -> None:
    entry = made(client, ssh="admin@finops", stdio=True).entry
    command = "/opt/aws-finops-mcp/current/bin/aws-finops-mcp"
    through = [command, "stdio", "--through", "http://127.0.0.1:8000/mcp"]
    assert (entry["command"], entry["args"]) == ("ssh", ["-T", "-o", "BatchMode=yes", "admin@finops", *through])


@pytest.mark.parametrize("given", [{"ssh": "finops"}, {"ssm": "i-0123456789abcdef0"}])
def test_a_tunnel_is_an_address_of_this_machine(given: dict[str, Any]) -> None:
    assert made("cursor", port=8011, **given).entry == {"url": "http://localhost:8011/mcp"}
    keyed = made("cursor", auth=Auth.API_KEY, **given).entry
    assert keyed["headers"] == {"X-API-Key": "${env:FINOPS_API_KEY}"}


@pytest.mark.parametrize(
    ("client", "given", "wanted"),
    [
        ("curl", {"url": URL, "auth": Auth.OAUTH}, "curl works with: --url with basic, api-key, iam, none"),
        ("curl", {"local": True}, "curl speaks to addresses only"),
        ("claude-desktop", {"url": URL, "auth": Auth.IAM}, "iam (API Gateway or Lambda in front)"),
        ("amazon-q", {"url": URL, "auth": Auth.OAUTH, "client_id": "x"}, "leave --client-id away"),
        ("windsurf", {"url": URL, "auth": Auth.OAUTH, "client_id": "x"}, "leave --client-id away"),
        ("kiro", {"ssh": "finops", "auth": Auth.IAM}, "--ssh with none, api-key, basic"),
        ("kiro", {"ssh": "finops", "stdio": True, "auth": Auth.BASIC}, "--ssh --stdio with none"),
    ],
)
def test_what_does_not_work_says_what_does(client: str, given: dict[str, Any], wanted: str) -> None:
    with pytest.raises(TargetError) as caught:
        made(client, **given)
    assert wanted in str(caught.value)


FILES = {
    ("claude-code", "linux"): "/project/.mcp.json",
    ("claude-desktop", "darwin"): "/home/alice/Library/Application Support/Claude/claude_desktop_config.json",
    ("claude-desktop", "win32"): "/home/alice/AppData/Roaming/Claude/claude_desktop_config.json",
    ("claude-desktop", "linux"): "/home/alice/.config/Claude/claude_desktop_config.json",
    ("vscode", "darwin"): "/home/alice/Library/Application Support/Code/User/mcp.json",
    ("vscode", "linux"): "/home/alice/.config/Code/User/mcp.json",
    ("kiro", "linux"): "/home/alice/.kiro/settings/mcp.json",
    ("cursor", "linux"): "/home/alice/.cursor/mcp.json",
    ("windsurf", "win32"): "/home/alice/.codeium/windsurf/mcp_config.json",
    ("amazon-q", "linux"): "/home/alice/.aws/amazonq/agents/default.json",
    ("codex", "linux"): "/home/alice/.codex/config.toml",
}


@pytest.mark.parametrize(("client", "platform"), FILES)
def test_each_client_has_its_file_in_its_place(client: str, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APPDATA", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    place = CLIENTS[client].file
    assert place is not None
    assert str(place(Machine(platform, Path("/home/alice"), Path("/project")))) == FILES[client, platform]
