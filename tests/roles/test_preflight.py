"""What the roles refuse before they change anything: systems without data, and variables that would be unsafe."""

import json
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from tests.roles.running import AMAZON, DEBIAN, PROJECT, Case, preflight, run_many

ROLES = (
    "python",
    "aws_finops_mcp",
    "nginx",
    "certbot",
    "security_updates",
    "log_rotation",
    "signed_package",
    "ssm_agent",
    "cloudwatch_agent",
)


def release(distribution: str, major: str) -> Case:
    """A host that says it is such a system."""
    return {"facts": {**DEBIAN, "distribution": distribution, "distribution_major_version": major}}


def refused(tmp_path: Path, role: str, told: str, *wrong: Case) -> str:
    """Each of these variables is refused in these words; gives back all that Ansible printed."""
    done = run_many(tmp_path, [preflight(role)], {str(one): one for one in wrong})
    for case, one in done.items():
        assert one.failed, case
        assert told in one.text, case
    return next(iter(done.values())).output


def accepted(tmp_path: Path, roles: tuple[str, ...], *right: Case) -> None:
    """With each of these variables the roles go on."""
    done = run_many(tmp_path, [preflight(role) for role in roles], {str(one): one for one in right})
    assert not [(case, one.text) for case, one in done.items() if one.failed]


def test_every_role_has_data_for_what_is_supported(tmp_path: Path) -> None:
    debian = (release(*one) for one in (("Debian", "12"), ("Debian", "13"), ("Ubuntu", "24"), ("Ubuntu", "26")))
    accepted(tmp_path, ROLES, *debian, {"facts": AMAZON})


def test_every_role_refuses_another_by_name(tmp_path: Path) -> None:
    facts = {**AMAZON, "distribution_major_version": "2"}
    done = run_many(tmp_path, [preflight("{{ role }}")], {role: {"facts": facts, "role": role} for role in ROLES})
    for role, one in done.items():
        assert one.failed, role
        assert f"The role {role} does not know Amazon 2:" in one.text


def test_nginx_believes_nobody_without_a_narrow_range(tmp_path: Path) -> None:
    wrong = ["0.0.0.0/0", "::/0", "10.0.0.0/7", "2000::/3", "10.0.0.1", "everyone"]
    cases = [{"nginx_trusted_proxies": ["10.0.1.0/24", one]} for one in wrong]
    refused(tmp_path, "nginx", "nginx_trusted_proxies must be address ranges", *cases)


def test_nginx_believes_a_balancers_subnets(tmp_path: Path) -> None:
    accepted(tmp_path, ("nginx",), {"nginx_trusted_proxies": ["10.0.1.0/24", "2001:db8:0:1::/64", "192.0.2.7/32"]})


USERS_REFUSED = "TASK [nginx : Preflight | Check the users] fatal:"
SECRETS_REFUSED = "TASK [aws_finops_mcp : Preflight | Check the secrets] fatal:"
"""What these tasks say of the values is not shown."""


def test_nginx_refuses_users_that_would_not_work(tmp_path: Path) -> None:
    wrong: list[list[dict[str, str]]] = [
        [],
        [{"name": "alice", "password": "short"}],
        [{"name": "a:b", "password": "long-enough-it-is"}],
        [{"name": "../alice"}],
        [{"name": "alice"}, {"name": "alice"}],
    ]
    output = refused(tmp_path, "nginx", USERS_REFUSED, *({"nginx_users": one} for one in wrong))
    assert "nginx_users needs at least one user" in output


def test_keys_are_refused_in_the_environment_and_not_shown(tmp_path: Path) -> None:
    names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    cases = {name: {"aws_finops_mcp_environment": {name: "hidden-4711"}} for name in names}
    for name, done in run_many(tmp_path, [preflight("aws_finops_mcp")], cases).items():
        assert done.failed
        assert f"aws_finops_mcp_environment holds {name}" in done.text
        assert "hidden-4711" not in done.output


KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "hidden-4711"}


def test_secrets_that_would_not_work_are_refused_and_not_shown(tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"aws_finops_mcp_aws_credentials": {"default": {"aws_access_key_id": "hidden-4711"}}},
        {"aws_finops_mcp_aws_credentials": {"a]b": KEYS}},
        {"aws_finops_mcp_aws_credentials": {"a": {**KEYS, "aws_secret_access_key": "hidden-4711\nx"}}},
        {"aws_finops_mcp_aws_credentials": {"a": {**KEYS, "role": "c"}}},
        {"aws_finops_mcp_secrets": {"../mcp_accounts": "hidden-4711"}},
        {"aws_finops_mcp_secrets": {"aws": "hidden-4711"}},
    ]
    assert "hidden-4711" not in refused(tmp_path, "aws_finops_mcp", SECRETS_REFUSED, *wrong)
    good = {"default": {"aws_access_key_id": "a", "aws_secret_access_key": "b/c+d=", "aws_session_token": "e"}}
    accepted(
        tmp_path,
        ("aws_finops_mcp",),
        {"aws_finops_mcp_aws_credentials": good, "aws_finops_mcp_secrets": {"mcp_accounts": {"main": {}}}},
    )


def test_logs_are_not_kept_without_bound(tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [{"log_rotation_size": "100"}, {"log_rotation_size": "1 G"}, {"log_rotation_kept": 0}]
    cases = ({"log_rotation_kept": 3, **one} for one in wrong)
    refused(tmp_path, "log_rotation", "log_rotation_size is a number with k, M or G", *cases)


def interpreter(path: Path, version: str) -> Path:
    """A program that answers as a Python of such a version would."""
    answer = json.dumps({"version": version, "machine": "x86_64", "glibc": "2.36"})
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


TAKE_AN_INTERPRETER = {"ansible.builtin.include_role": {"name": "python", "tasks_from": "interpreter"}}


def test_a_python_that_the_server_is_not_locked_for_or_that_does_not_run_is_refused(tmp_path: Path) -> None:
    reasons = {
        str(
            interpreter(tmp_path / version, version)
        ): f"is Python {version}; aws-finops-mcp needs Python 3.11 or newer, below 3.15"
        for version in ("3.9.18", "3.10.14", "3.15.0")
    }
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    reasons |= {str(path): "is not there or does not run" for path in (broken, tmp_path / "nowhere")}
    cases = {python: {"python_executable": python} for python in reasons}
    for python, done in run_many(tmp_path, [TAKE_AN_INTERPRETER], cases).items():
        assert done.failed, python
        assert any(f"{python} on host{number} {reasons[python]}" in done.text for number in range(5)), done.text


def test_a_python_that_the_server_is_locked_for_is_told_to_the_other_roles(tmp_path: Path) -> None:
    python = interpreter(tmp_path / "python", "3.13.2")
    tasks = [
        TAKE_AN_INTERPRETER,
        {"ansible.builtin.debug": {"msg": "{{ python_interpreter }} {{ python_host.version }}"}},
    ]
    case = {"python_executable": str(python), "python_interpreter": None}
    (done,) = run_many(tmp_path, tasks, {"": case}).values()
    assert not done.failed, done.output
    assert f"{python} 3.13.2" in done.text


def test_what_asks_for_a_credential_needs_a_server_that_verifies(tmp_path: Path) -> None:
    given: Case = {"aws_finops_mcp_authenticates": False, "aws_finops_mcp_loopback": "closed"}
    refused(tmp_path, "aws_finops_mcp", "aws_finops_mcp_authenticates is false", given)
    given = {"nginx_authentication": "server", "nginx_upstream": "127.0.0.1:8000"}
    refused(tmp_path, "nginx", "Unix socket, such as unix:/run/aws-finops-mcp.sock", given)


def test_passwords_can_be_switched_off_where_another_way_is_on(tmp_path: Path) -> None:
    off: dict[str, Any] = {"aws_finops_mcp_basic": False, "nginx_users": []}
    no_keys = {**off, "aws_finops_mcp_api_keys": False}
    accepted(
        tmp_path,
        ("aws_finops_mcp", "nginx"),
        off,
        {**no_keys, "aws_finops_mcp_issuers": {"okta": {"issuer": "https://example.okta.com"}}},
        {**no_keys, "aws_finops_mcp_sts": {"identities": ["x"], "regions": ["eu-west-1"]}},
    )
    alone = (no_keys, {**off, "aws_finops_mcp_authenticates": False})
    refused(tmp_path, "aws_finops_mcp", "there is no other way in", *alone)
    refused(tmp_path, "nginx", USERS_REFUSED, {**off, "nginx_authentication": "nginx"})


def test_verify_logs_in_by_password_or_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("id.secret\n")
    key = {"verify_key_file": str(tmp_path / "key")}
    wanted: list[tuple[Case, str]] = [
        ({"nginx_users": [{"name": "alice", "password": 'a"quoted\\one'}]}, r'user = "alice:a\"quoted\\one"'),
        ({"nginx_users": [], "aws_finops_mcp_basic": False, **key}, 'header = "X-API-Key: id.secret"'),
        (key, 'header = "X-API-Key: id.secret"'),
        ({"nginx_users": [], "aws_finops_mcp_basic": False}, "none"),
        ({"aws_finops_mcp_basic": False}, "none"),
    ]
    play = yaml.safe_load((PROJECT / "playbooks/verify.yml").read_text())[1]
    login = "{{ verify_login if verify_by_key or verify_by_password else 'none' }}"
    task = {"ansible.builtin.copy": {"content": login, "dest": "{{ to }}", "mode": "0600"}, "vars": play["vars"]}
    cases = {str(given): {**given, "to": str(tmp_path / f"login{n}")} for n, (given, _) in enumerate(wanted)}
    assert not [one.output for one in run_many(tmp_path, [task], cases).values() if one.failed]
    for number, (given, expected) in enumerate(wanted):
        assert (tmp_path / f"login{number}").read_text() == expected, given


def test_accounts_that_aws_yml_made_roles_for_are_read(tmp_path: Path) -> None:
    account = {"alias": "shop", "account_id": "111122223333", "external_id": "hidden-4711"}
    load = {"ansible.builtin.include_role": {"name": "aws_finops_mcp", "tasks_from": "preflight", "public": True}}
    write = {"content": "{{ __aws_finops_mcp_secrets | to_json }}", "dest": str(tmp_path / "secrets"), "mode": "0600"}
    given: Case = {"aws_finops_mcp_region": "us-gov-west-1", "aws_name": "ours", "aws_identity_accounts": [account]}
    done = run_many(tmp_path, [load, {"ansible.builtin.copy": write}], {"ours": given})
    assert not done["ours"].failed, done["ours"].output
    role = "arn:aws-us-gov:iam::111122223333:role/ours-read"
    shop = {"role_arn": role, "external_id": "hidden-4711"}
    assert json.loads((tmp_path / "secrets").read_text()) == {"mcp_accounts": {"main": {}, "shop": shop}}
    wrong = ([account, account], [{**account, "alias": "main"}], [{**account, "account_id": "1"}])
    cases = ({"aws_finops_mcp_accounts": one} for one in wrong)
    assert "hidden-4711" not in refused(tmp_path, "aws_finops_mcp", SECRETS_REFUSED, *cases)
