"""What the roles refuse before they change anything: systems without data, and variables that would be unsafe."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

PROJECT = Path(__file__).parents[2]
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


DEBIAN = {
    "distribution": "Debian",
    "distribution_major_version": "13",
    "os_family": "Debian",
    "architecture": "x86_64",
}
AMAZON = {**DEBIAN, "distribution": "Amazon", "distribution_major_version": "2023", "os_family": "RedHat"}


def preflight(
    tmp_path: Path, roles: tuple[str, ...], facts: dict[str, str], **given: Any
) -> subprocess.CompletedProcess[str]:
    """Only the first tasks of the roles, on a host that says it is such a system."""
    tasks = [{"ansible.builtin.include_role": {"name": role, "tasks_from": "preflight"}} for role in roles]
    return run_tasks(tmp_path, tasks, facts, **given)


def run_tasks(
    tmp_path: Path, tasks: list[dict[str, Any]], facts: dict[str, str], **given: Any
) -> subprocess.CompletedProcess[str]:
    """Some tasks on the controller, which says that it is such a system; a variable that is None is not given."""
    plays = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    playbook = tmp_path / "preflight.yml"
    playbook.write_text(json.dumps(plays))
    variables = {
        "ansible_facts": {"all_ipv6_addresses": [], **facts},
        "nginx_server_name": "finops.example.com",
        "nginx_users": [{"name": "alice"}],
        "certbot_email": "ops@example.com",
        "python_interpreter": "/usr/bin/python3",
        "ansible_python_interpreter": sys.executable,
        "signed_package_name": "example",
        "signed_package_version": "1",
        "signed_package_url": "https://example.com/example.deb",
        "signed_package_key": "/nowhere/key.asc",
        "signed_package_fingerprints": ["0" * 40],
        **given,
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(playbook)]
    return subprocess.run(
        [*command, "-e", json.dumps({name: value for name, value in variables.items() if value is not None})],
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("system", [("Debian", "12"), ("Debian", "13"), ("Ubuntu", "24"), ("Ubuntu", "26")])
def test_every_role_has_data_for_it(tmp_path: Path, system: tuple[str, str]) -> None:
    done = preflight(tmp_path, ROLES, {**DEBIAN, "distribution": system[0], "distribution_major_version": system[1]})
    assert done.returncode == 0, done.stdout


def test_every_role_has_data_for_amazon_linux_2023(tmp_path: Path) -> None:
    done = preflight(tmp_path, ROLES, AMAZON)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("role", ROLES)
def test_every_role_refuses_another_by_name(tmp_path: Path, role: str) -> None:
    done = preflight(tmp_path, (role,), {**AMAZON, "distribution_major_version": "2"})
    assert done.returncode != 0
    assert f"The role {role} does not know Amazon 2:" in " ".join(done.stdout.split())


@pytest.mark.parametrize("wrong", ["0.0.0.0/0", "::/0", "10.0.0.0/7", "2000::/3", "10.0.0.1", "everyone"])
def test_nginx_believes_nobody_without_a_narrow_range(tmp_path: Path, wrong: str) -> None:
    done = preflight(tmp_path, ("nginx",), DEBIAN, nginx_trusted_proxies=["10.0.1.0/24", wrong])
    assert done.returncode != 0
    assert "nginx_trusted_proxies must be address ranges" in done.stdout


def test_nginx_believes_a_balancers_subnets(tmp_path: Path) -> None:
    ranges = ["10.0.1.0/24", "2001:db8:0:1::/64", "192.0.2.7/32"]
    done = preflight(tmp_path, ("nginx",), DEBIAN, nginx_trusted_proxies=ranges)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "users",
    [
        [],
        [{"name": "alice", "password": "short"}],
        [{"name": "a:b", "password": "long-enough-it-is"}],
        [{"name": "../alice"}],
        [{"name": "alice"}, {"name": "alice"}],
    ],
)
def test_nginx_refuses_users_that_would_not_work(tmp_path: Path, users: list[dict[str, str]]) -> None:
    done = preflight(tmp_path, ("nginx",), DEBIAN, nginx_users=users)
    assert done.returncode != 0
    assert "nginx_users needs at least one user" in done.stdout


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_keys_are_refused_in_the_environment_and_not_shown(tmp_path: Path, name: str) -> None:
    done = preflight(tmp_path, ("aws_finops_mcp",), DEBIAN, aws_finops_mcp_environment={name: "hidden-4711"})
    assert done.returncode != 0
    assert f"aws_finops_mcp_environment holds {name}" in " ".join(done.stdout.split())
    assert "hidden-4711" not in done.stdout + done.stderr


KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "hidden-4711"}


@pytest.mark.parametrize(
    "given",
    [
        {"aws_finops_mcp_aws_credentials": {"default": {"aws_access_key_id": "hidden-4711"}}},
        {"aws_finops_mcp_aws_credentials": {"a]b": KEYS}},
        {"aws_finops_mcp_aws_credentials": {"a": {**KEYS, "aws_secret_access_key": "hidden-4711\nx"}}},
        {"aws_finops_mcp_aws_credentials": {"a": {**KEYS, "role": "c"}}},
        {"aws_finops_mcp_secrets": {"../mcp_accounts": "hidden-4711"}},
        {"aws_finops_mcp_secrets": {"aws": "hidden-4711"}},
    ],
)
def test_secrets_that_would_not_work_are_refused_and_not_shown(tmp_path: Path, given: dict[str, Any]) -> None:
    done = preflight(tmp_path, ("aws_finops_mcp",), DEBIAN, **given)
    assert done.returncode != 0
    assert "hidden-4711" not in done.stdout + done.stderr
    good = {"default": {"aws_access_key_id": "a", "aws_secret_access_key": "b/c+d=", "aws_session_token": "e"}}
    given = {"aws_finops_mcp_aws_credentials": good, "aws_finops_mcp_secrets": {"mcp_accounts": {"main": {}}}}
    assert preflight(tmp_path, ("aws_finops_mcp",), DEBIAN, **given).returncode == 0


@pytest.mark.parametrize(
    "wrong", [{"log_rotation_size": "100"}, {"log_rotation_size": "1 G"}, {"log_rotation_kept": 0}]
)
def test_logs_are_not_kept_without_bound(tmp_path: Path, wrong: dict[str, Any]) -> None:
    done = preflight(tmp_path, ("log_rotation",), DEBIAN, **{"log_rotation_kept": 3, **wrong})
    assert done.returncode != 0
    assert "log_rotation_size is a number with k, M or G" in done.stdout


def interpreter(path: Path, version: str) -> Path:
    """A program that answers as a Python of such a version would."""
    answer = json.dumps({"version": version, "machine": "x86_64", "glibc": "2.36"})
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


TAKE_AN_INTERPRETER = {"ansible.builtin.include_role": {"name": "python", "tasks_from": "interpreter"}}


@pytest.mark.parametrize("version", ["3.9.18", "3.10.14", "3.15.0"])
def test_a_python_that_the_server_is_not_locked_for_is_refused(tmp_path: Path, version: str) -> None:
    python = interpreter(tmp_path / "python", version)
    done = run_tasks(tmp_path, [TAKE_AN_INTERPRETER], DEBIAN, python_executable=str(python))
    assert done.returncode != 0
    told = " ".join(done.stdout.split())
    assert f"{python} on localhost is Python {version}; aws-finops-mcp needs Python 3.11 or newer, below 3.15" in told


@pytest.mark.parametrize("there", [True, False])
def test_a_python_that_does_not_run_is_refused(tmp_path: Path, there: bool) -> None:
    python = tmp_path / "python"
    if there:
        python.write_text("#!/bin/sh\nexit 1\n")
        python.chmod(0o755)
    done = run_tasks(tmp_path, [TAKE_AN_INTERPRETER], DEBIAN, python_executable=str(python))
    assert done.returncode != 0
    assert f"{python} on localhost is not there or does not run" in " ".join(done.stdout.split())


def test_a_python_that_the_server_is_locked_for_is_told_to_the_other_roles(tmp_path: Path) -> None:
    python = interpreter(tmp_path / "python", "3.13.2")
    tasks = [
        TAKE_AN_INTERPRETER,
        {"ansible.builtin.debug": {"msg": "{{ python_interpreter }} {{ python_host.version }}"}},
    ]
    done = run_tasks(tmp_path, tasks, DEBIAN, python_executable=str(python), python_interpreter=None)
    assert done.returncode == 0, done.stdout
    assert f"{python} 3.13.2" in " ".join(done.stdout.split())


def test_what_asks_for_a_credential_needs_a_server_that_verifies(tmp_path: Path) -> None:
    given = {"aws_finops_mcp_authenticates": False, "aws_finops_mcp_loopback": "closed"}
    done = preflight(tmp_path, ("aws_finops_mcp",), DEBIAN, **given)
    assert done.returncode != 0
    assert "aws_finops_mcp_authenticates is false" in " ".join(done.stdout.split())
    given = {"nginx_authentication": "server", "nginx_upstream": "127.0.0.1:8000"}
    done = preflight(tmp_path, ("nginx",), DEBIAN, **given)
    assert done.returncode != 0
    assert "it must be the server's Unix socket" in " ".join(done.stdout.split())


def test_passwords_can_be_switched_off_where_another_way_is_on(tmp_path: Path) -> None:
    off: dict[str, Any] = {"aws_finops_mcp_basic": False, "nginx_users": []}
    for more in (
        {},
        {"aws_finops_mcp_api_keys": False, "aws_finops_mcp_issuers": {"okta": {"issuer": "https://example.okta.com"}}},
        {"aws_finops_mcp_api_keys": False, "aws_finops_mcp_sts": {"identities": ["x"], "regions": ["eu-west-1"]}},
    ):
        done = preflight(tmp_path, ("aws_finops_mcp", "nginx"), DEBIAN, **off, **more)
        assert done.returncode == 0, done.stdout
    for alone in ({"aws_finops_mcp_api_keys": False}, {"aws_finops_mcp_authenticates": False}):
        done = preflight(tmp_path, ("aws_finops_mcp",), DEBIAN, **off, **alone)
        assert done.returncode != 0
        assert "there is no other way in" in " ".join(done.stdout.split())
    done = preflight(tmp_path, ("nginx",), DEBIAN, nginx_authentication="nginx", **off)
    assert "nginx_users needs at least one user" in done.stdout


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"nginx_users": [{"name": "alice", "password": 'a"quoted\\one'}]}, r'user = "alice:a\"quoted\\one"'),
        (
            {"nginx_users": [], "aws_finops_mcp_basic": False, "verify_key_file": "KEY"},
            'header = "X-API-Key: id.secret"',
        ),
        ({"verify_key_file": "KEY"}, 'header = "X-API-Key: id.secret"'),
        ({"nginx_users": [], "aws_finops_mcp_basic": False}, "none"),
        ({"aws_finops_mcp_basic": False}, "none"),
    ],
)
def test_verify_logs_in_by_password_or_key(tmp_path: Path, given: dict[str, Any], wanted: str) -> None:
    (tmp_path / "KEY").write_text("id.secret\n")
    given = {name: str(tmp_path / "KEY") if value == "KEY" else value for name, value in given.items()}
    play = yaml.safe_load((PROJECT / "playbooks/verify.yml").read_text())[1]
    login = "{{ verify_login if verify_by_key or verify_by_password else 'none' }}"
    task = {"ansible.builtin.copy": {"content": login, "dest": str(tmp_path / "login"), "mode": "0600"}}
    done = run_tasks(tmp_path, [{**task, "vars": play["vars"]}], DEBIAN, **given)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "login").read_text() == wanted
