"""What a host's operator and its callers are told when it does not work: `doctor` there, `connect` over TLS here.

What is wrong is made wrong, on a provisioned host, and mended as they say. EFFECTS is JSON, as in effects.py.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.clients.callers import Machine
from tests.hosts import connecting
from tests.hosts.connecting import HOST, connect
from tests.hosts.document import documented
from tests.hosts.effects import EFFECTS, STATE
from tests.hosts.operations import told

COMMAND = "/opt/aws-finops-mcp/current/bin/aws-finops-mcp"
KEYS = f"{COMMAND} keys %s --file /var/lib/aws-finops-mcp/keys.json 2>/dev/null"
machine = connecting.machine
ROOT = "/etc/ssl/finops-root.pem"
UNITS = ("aws-finops-mcp.socket", "aws-finops-mcp.service", "nginx.service", "certbot-renew.timer")
AGENTS = ("amazon-ssm-agent.service", "amazon-cloudwatch-agent.service")
SERVER, PUBLIC = "http://127.0.0.1:8000/health", f"https://{HOST.name}/health"
CERTIFICATE = f"certificate of {HOST.name}"


@pytest.fixture(scope="module", autouse=True)
def authority() -> None:
    """A company's own authority, on the host: test hosts have their certificate from none that is known."""
    HOST.shell(f"cat >{ROOT} <<'END'\n{(STATE / 'root.pem').read_text()}\nEND\nchmod 0644 {ROOT}")


def doctor(options: str = "", trust: str = f"SSL_CERT_FILE={ROOT}") -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what is found."""
    said, _, code = HOST.shell(
        f"{trust} {documented(f'{COMMAND} doctor')} --json {options}; code=$?; echo; echo $code"
    ).rpartition("\n")
    return int(code), json.loads(said)["findings"]


def told_of(found: list[dict[str, Any]], *states: str) -> dict[str, str]:
    """What is said of each thing that is in one of these states."""
    return {finding["subject"]: finding["said"] for finding in found if finding["state"] in states}


def password(secret: str) -> dict[str, str]:
    return {"FINOPS_BASIC": b64encode(f"{EFFECTS['user']}:{secret}".encode()).decode()}


def ask(machine: Machine, way: str, secrets: dict[str, str]) -> tuple[int, str]:
    return connect(replace(machine, secrets=secrets), "--url", machine.url, "--auth", way)


def test_a_host_that_is_well_but_for_an_account_whose_role_is_not_there() -> None:
    HOST.shell(f"systemctl reset-failed {' '.join(UNITS)}")  # restarts of tests before
    code, found = doctor()
    failed = told_of(found, "warn", "fail")
    assert (code, [*failed]) == (2, ["identity in shop"])
    assert "sts:AssumeRole on resource: arn:aws:iam::111122223333:role/finops-read" in failed["identity in shop"]
    well = told_of(found, "ok")
    wanted = {
        *UNITS,
        *AGENTS,
        SERVER,
        PUBLIC,
        CERTIFICATE,
        "clock",
        "identity in main",
        "price list",
    }
    assert wanted - well.keys() == set()
    assert "/var/lib/aws-finops-mcp" in well
    # Its account is simulated, and it is no instance.
    assert "AWS_EC2_METADATA_DISABLED" in told_of(found, "not read")["instance role"]


def test_an_authority_that_the_host_does_not_trust() -> None:
    code, found = doctor("--only certificate", trust="")
    assert code == 1
    assert "which this host does not trust" in told_of(found, "warn")[CERTIFICATE]


@pytest.mark.parametrize(
    ("stopped", "failing", "caller"),
    [
        (
            "aws-finops-mcp.socket aws-finops-mcp.service",
            {
                "aws-finops-mcp.socket": "is inactive",
                "aws-finops-mcp.service": "is inactive",
                SERVER: "not reached",
                PUBLIC: "nginx does not reach the server (502)",
            },
            "nginx runs, but the server behind it does not answer",
        ),
        (
            "nginx.service",
            {"nginx.service": "is inactive", PUBLIC: "nginx does not answer"},
            "the host is reached, but nothing listens there",
        ),
    ],
)
def test_what_does_not_run_is_named_here_and_there_and_started_as_told(
    machine: Machine,
    stopped: str,
    failing: dict[str, str],
    caller: str,
) -> None:
    only = "--only units --only server --only nginx"
    HOST.shell(f"systemctl stop {stopped}")
    try:
        code, found = doctor(only)
        said = ask(machine, "basic", password(EFFECTS["password"]))
    finally:
        HOST.shell(f"systemctl start {stopped}")
    assert code == 2
    failed = told_of(found, "fail")
    assert failed.keys() == failing.keys()
    assert [subject for subject, begin in failing.items() if not failed[subject].startswith(begin)] == []
    fixes = " ".join(finding["fix"] for finding in found)
    assert [unit for unit in stopped.split() if f"systemctl restart {unit}" not in fixes] == []
    assert (said[0], said[1].splitlines()[0]) == (1, caller)
    assert doctor(only)[0] == 0
    assert ask(machine, "basic", password(EFFECTS["password"]))[0] == 0


def test_a_wrong_password_and_a_revoked_key(machine: Machine) -> None:
    (key,) = (
        word for word in HOST.shell(KEYS % "create short-lived").split() if word.count(".") == 1 and len(word) > 40
    )
    assert ask(machine, "api-key", {"FINOPS_API_KEY": key}) == (0, f"{machine.url} answers you.\n")
    HOST.shell(KEYS % f"revoke {key.partition('.')[0]}")
    unknown = "the server does not know who you are: a name, password, key or token is missing, wrong or revoked"
    for way, secrets, reason in (
        ("api-key", {"FINOPS_API_KEY": key}, "is revoked: ask the operator for another"),
        ("basic", password("not-the-password"), "the name or the password is wrong"),
    ):
        code, said = ask(machine, way, secrets)
        assert (code, said.splitlines()[0]) == (1, unknown), said
        assert "/tools: HTTP 401: " in said
        assert reason in said
        assert [secret for secret in secrets.values() if secret in said] == []


def untrusting(machine: Machine) -> Machine:
    return replace(machine, authority=STATE / "authority" / "tls.pem")


def by_another_name(machine: Machine) -> Machine:
    assert machine.names
    machine.names.write_text(f"127.0.0.1 localhost\n{HOST.address} other.example.test\n", encoding="utf-8")
    return replace(machine, url="https://other.example.test/mcp")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (untrusting, "the certificate is of an authority that this machine does not trust"),
        (by_another_name, "what answers there does not speak TLS for this name"),
    ],
)
def test_a_certificate_that_is_not_for_the_caller(
    machine: Machine,
    change: Callable[[Machine], Machine],
    wanted: str,
) -> None:
    code, said = ask(change(machine), "none", {})
    assert (code, said.splitlines()[0]) == (1, wanted), said


def test_it_is_verified_from_the_host_where_no_port_is_open() -> None:
    HOST.shell("command -v curl || apt-get install -qq curl 2>&1")
    command = "ansible-playbook -i inventory/ours playbooks/verify.yml -e verify_from=host"
    # The authority's file is on the host only.
    said = told(command, f"--limit={HOST.name}", verify_ca_file=ROOT)
    from_here, from_there = said.split("PLAY [From where the callers are]")[1].split("PLAY [From the host")
    for task in ("The server is healthy", "Strangers are refused", "The tool answers"):
        assert f"ok: [{HOST.name}]" in from_there.split(f"TASK [{task}")[1].split("TASK")[0]
    assert "ok: [" not in from_here
