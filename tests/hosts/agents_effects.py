"""What the agents' roles make of a host, and what they refuse, with stand-ins of AWS's agents.

Run by molecule/agents/verify.yml; prepare.yml beside it serves the stand-ins. EFFECTS is JSON, as in effects.py.
The tests go on from each other, in the order of this file.
"""

import base64
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.hosts.effects import STATE, Host

AGENTS: dict[str, Any] = json.loads(os.environ["EFFECTS"])
PROJECT = Path(__file__).parents[2]
HOST = Host(*next(iter(AGENTS["hosts"].items())))
# As in molecule/group_vars/agents.yml.
PACKAGES = f"http://{AGENTS['gateway']}:8099"
ACTIVATION_CODE = "activation-code-of-molecule"
KEPT = "/var/lib/stand-in-cloudwatch"
CONFIG = "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.d/file_aws-finops-mcp.json"
NEWER: dict[str, Any] = {"cloudwatch_agent_version": "1.300099.0b1"}


def play(playbook: str, *options: str, fails: bool = False, **variables: object) -> str:
    """Run a playbook on the host, and return what it said."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", AGENTS["inventory"], f"--limit={HOST.name}"]
    command += [playbook, *options, "-e", json.dumps(variables)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MOLECULE_SCENARIO"))}
    done = subprocess.run(
        command, cwd=PROJECT, env=clean | {"ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) is fails, done.stdout[-6000:] + done.stderr[-2000:]
    return " ".join((done.stdout + done.stderr).split())


def ssm(*options: str, fails: bool = False, **variables: object) -> str:
    return play("tests/hosts/agents.yml", *options, fails=fails, agents_only="ssm_agent", **variables)


def cloudwatch(*options: str, fails: bool = False, **variables: object) -> str:
    return play("tests/hosts/agents.yml", *options, fails=fails, agents_only="cloudwatch_agent", **variables)


def changed(said: str) -> int:
    found = re.search(r"changed=(\d+)", said)
    assert found
    return int(found[1])


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.5)
    return found


def version(package: str) -> str:
    return HOST.shell(f"dpkg-query -W -f '${{Version}}' {package} 2>/dev/null || true")


def ask(tool: str, traceparent: str = "") -> int:
    """A plain call, as a caller makes it."""
    body = json.dumps({"tool": tool, "arguments": {}})
    return HOST.request("POST", "/mcp", body, login=True, traceparent=traceparent).status


def spans() -> Iterator[Span]:
    """Those that the stand-in received."""
    for line in HOST.shell(f"cat {KEPT}/spans 2>/dev/null || true").splitlines():
        request = ExportTraceServiceRequest.FromString(base64.b64decode(line))
        for group in request.resource_spans:
            for scope in group.scope_spans:
                yield from scope.spans


def lines(stream: str) -> list[str]:
    return HOST.shell(f"cat {KEPT}/{stream}.log 2>/dev/null || true").splitlines()


def test_both_are_installed_and_run() -> None:
    assert version("amazon-ssm-agent") == "3.3.4624.0-1"
    assert version("amazon-cloudwatch-agent") == "1.300072.0b1766-1"
    units = "amazon-ssm-agent.service amazon-cloudwatch-agent.service"
    assert (
        HOST.shell(f"systemctl is-active {units}; systemctl is-enabled {units}").split()
        == ["active"] * 2 + ["enabled"] * 2
    )
    assert HOST.shell("ls -d /tmp/signed-package-* /tmp/ssm-agent-* 2>/dev/null || true") == ""


def test_the_cloudwatch_agent_has_no_privileges_and_no_public_port() -> None:
    pid = HOST.shell("systemctl show --property MainPID --value amazon-cloudwatch-agent.service")
    assert HOST.shell(f"ps -o user:32= -p {pid}") == "cwagent"
    ports = {line.split()[3] for line in HOST.shell("ss -Hltnp | grep amazon-cloudwat").splitlines()}
    assert ports == {"127.0.0.1:4317", "127.0.0.1:4318"}
    groups = set(HOST.shell("id --name --groups cwagent").split())
    assert groups == {"cwagent", "systemd-journal"}
    for secret in (
        "/etc/aws-finops-mcp/config.toml",
        "/etc/aws-finops-mcp/environment",
        "/etc/aws-finops-mcp/users",
    ):
        assert "Permission denied" in HOST.shell(f"runuser -u cwagent -- cat {secret} 2>&1", check=False)


def test_the_configuration_was_accepted() -> None:
    called = HOST.shell("cat /var/log/stand-in-cloudwatch-ctl.log").splitlines()
    assert called[0] == "-a fetch-config -m ec2 -c file:/opt/aws/amazon-cloudwatch-agent/etc/aws-finops-mcp.json"
    assert "journald" in HOST.shell(f"cat {CONFIG}")


def test_the_servers_spans_arrive() -> None:
    trace = os.urandom(16).hex()
    assert ask("find_unused_lambda_functions", traceparent=f"00-{trace}-{os.urandom(8).hex()}-01") == 200

    def arrived() -> list[Span]:
        found = [span for span in spans() if span.trace_id.hex() == trace]
        return found if any(span.kind == Span.SPAN_KIND_SERVER for span in found) else []

    found = wait_for(arrived)
    (server,) = [span for span in found if span.kind == Span.SPAN_KIND_SERVER]
    assert server.name == "tools/call find_unused_lambda_functions"
    children = [span for span in found if span.kind == Span.SPAN_KIND_CLIENT]
    assert "lambda.ListFunctions" in {child.name for child in children}
    assert {child.parent_span_id for child in children} == {server.span_id}


def test_the_servers_metrics_arrive() -> None:
    assert ask("get_cost_by_service") == 200

    def spent() -> float:
        measured = [json.loads(line) for line in lines("metrics")]
        return sum(float(line["AwsCost"]) for line in measured if line.get("AwsService") == "ce")

    assert wait_for(spent) == pytest.approx(0.01)
    measured = [json.loads(line) for line in lines("metrics")]
    assert sum(line.get("Calls", 0) for line in measured) >= 2
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in measured} == {"aws-finops-mcp"}


@pytest.mark.parametrize("stream", ["server", "nginx"])
def test_the_logs_of_calls_arrive(stream: str) -> None:
    wait_for(lambda: any('"/mcp"' in line for line in lines(stream)))


def test_the_audit_log_arrives() -> None:
    assert ask("find_unused_volumes") == 200

    def called() -> list[dict[str, Any]]:
        audited = [json.loads(line) for line in lines("audit")]
        return [line for line in audited if line.get("event") == "call" and line.get("tool") == "find_unused_volumes"]

    (*_, line) = wait_for(called)
    assert line["outcome"] in ("complete", "incomplete")
    assert "arguments" in line


def test_the_log_of_certbot_arrives() -> None:
    """Each run of it begins a new file, in a directory for root alone."""
    before = len(lines("certbot"))
    HOST.shell("/opt/certbot/venv/bin/certbot certificates")
    wait_for(lambda: len(lines("certbot")) > before)


@pytest.mark.parametrize(
    ("command", "shows"),
    [
        ("/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a status", "running"),
        ("tail /opt/aws/amazon-cloudwatch-agent/logs/amazon-cloudwatch-agent.log", "started"),
        ("tail -n 1 /var/log/aws-finops-mcp/metrics.log", "CloudWatchMetrics"),
    ],
)
def test_where_the_document_says_to_look(command: str, shows: str) -> None:
    assert f"- `{command}`:" in (PROJECT / "docs/operations.md").read_text()
    assert shows in HOST.shell(command)


def test_a_rotated_log_is_read_on() -> None:
    marker = "/nothing-here-after-rotation"
    HOST.shell("mv /var/log/aws-finops-mcp/server.log /var/log/aws-finops-mcp/server.log.1")
    HOST.shell("mv /var/log/aws-finops-mcp/metrics.log /var/log/aws-finops-mcp/metrics.log.1")
    before = len(lines("metrics"))
    assert HOST.request("GET", marker).status == 404
    wait_for(lambda: any(marker in line for line in lines("server")))
    wait_for(lambda: len(lines("metrics")) > before)
    assert any(marker in line for line in HOST.shell("journalctl -u aws-finops-mcp -o cat -n 50").splitlines())


@pytest.mark.parametrize(
    ("package", "more", "reason"),
    [
        ("changed.deb", {}, "the package is not the one that was signed"),
        (
            "amazon-cloudwatch-agent-newer.deb",
            {"cloudwatch_agent_signature_url": f"{PACKAGES}/amazon-cloudwatch-agent-newer.deb.stranger"},
            "it was signed by another key",
        ),
        (
            "amazon-cloudwatch-agent-newer.deb",
            {"cloudwatch_agent_key_fingerprints": ["937616F3450B7D806CBD9725D58167303B789C72"]},
            "is not pinned",
        ),
    ],
    ids=["changed", "a stranger's signature", "another key pinned"],
)
def test_what_is_not_signed_by_the_maker_is_refused(package: str, more: dict[str, Any], reason: str) -> None:
    said = cloudwatch(fails=True, cloudwatch_agent_url=f"{PACKAGES}/{package}", **NEWER, **more)
    assert reason in said
    assert version("amazon-cloudwatch-agent") == "1.300072.0b1766-1"
    assert HOST.shell("systemctl is-active amazon-cloudwatch-agent.service") == "active"
    assert HOST.shell("ls -d /tmp/signed-package-* 2>/dev/null || true") == ""


def test_a_wrong_configuration_is_refused_before_the_agent_is_touched() -> None:
    before = HOST.shell(f"sha256sum {CONFIG}; systemctl show --property MainPID amazon-cloudwatch-agent.service")
    unknown: dict[str, Any] = {"logs": {"logs_collected": {"filez": {"collect_list": []}}}}
    assert "logs.logs_collected.filez" in cloudwatch(fails=True, cloudwatch_agent_extra=unknown)
    # What only the agent itself finds out.
    assert "validation second phase failed" in cloudwatch(fails=True, cloudwatch_agent_namespace="refused")
    after = HOST.shell(f"sha256sum {CONFIG}; systemctl show --property MainPID amazon-cloudwatch-agent.service")
    assert after == before
    # Also the next run, with what is right, has something to put right.
    assert changed(cloudwatch()) > 0


def test_a_newer_version_by_the_maker_is_taken() -> None:
    cloudwatch(cloudwatch_agent_url=f"{PACKAGES}/amazon-cloudwatch-agent-newer.deb", **NEWER)
    assert version("amazon-cloudwatch-agent") == "1.300099.0b1-1"
    assert HOST.shell("cat /proc/$(systemctl show --property MainPID --value amazon-cloudwatch-agent)/status")
    # And left alone by an inventory that still asks for the older one.
    cloudwatch()
    assert version("amazon-cloudwatch-agent") == "1.300099.0b1-1"


def test_nobody_sees_the_activation_code() -> None:
    """A user without rights looks at all processes all the while, and sees what is not hidden."""
    code, control = ACTIVATION_CODE, "control-that-is-seen"
    watch = (
        "end=$(( $(date +%s) + 600 )); while [ $(date +%s) -lt $end ] && [ ! -e /tmp/watched-enough ]; do "
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | "
        "grep -aoE 'activation-[c]ode-[a-z-]+|control-[t]hat-[a-z-]+'; "
        "done | sort -u"
    )
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
    ssh = ["ssh", "-i", str(STATE / "id_ed25519"), *(f"-o{option}" for option in options), f"admin@{HOST.address}"]
    seen: list[str] = []

    def look() -> None:
        done = subprocess.run([*ssh, "sh"], input=watch, capture_output=True, text=True, check=False)
        seen.extend(done.stdout.split())

    HOST.shell("rm -f /tmp/watched-enough; systemctl stop amazon-ssm-agent; rm -f /var/lib/amazon/ssm/registration")
    watcher = threading.Thread(target=look)
    watcher.start()
    HOST.shell(f"sh -c 'sleep 3; : {control}'")
    said = ssm("-vvv")
    HOST.shell("touch /tmp/watched-enough")
    watcher.join()
    HOST.shell("rm /tmp/watched-enough")
    assert seen == [control]
    assert HOST.shell("ssm-cli get-instance-information | grep -o mi-0123456789abcdef0") == "mi-0123456789abcdef0"
    assert HOST.shell("findmnt -no OPTIONS --mountpoint /proc | grep -o hidepid || true") == ""
    assert code not in said
    for place in ("journalctl --no-pager -o cat", "cat /var/log/syslog 2>/dev/null || true"):
        assert code not in HOST.shell(place)


def test_a_refused_activation_says_why_without_the_code() -> None:
    HOST.shell("rm -f /var/lib/amazon/ssm/registration")
    said = ssm("-vvv", fails=True, ssm_agent_activation_code="wrong-code-of-the-test")
    assert "ActivationCode *** is invalid" in said
    assert "wrong-code-of-the-test" not in said
    assert HOST.shell("findmnt -no OPTIONS --mountpoint /proc | grep -o hidepid || true") == ""
    ssm()
    assert HOST.shell("systemctl is-active amazon-ssm-agent.service") == "active"


def test_ubuntus_snap_stays_in_charge() -> None:
    """Ubuntu's images have the agent as a snap; this host has what snapd would show of it."""
    there, unit = "/snap/amazon-ssm-agent/current", "snap.amazon-ssm-agent.amazon-ssm-agent.service"
    HOST.shell(f"mkdir -p {there} && cp /usr/bin/amazon-ssm-agent /usr/bin/ssm-cli {there}/")
    HOST.shell(f"printf '[Service]\\nExecStart={there}/amazon-ssm-agent\\n' >/etc/systemd/system/{unit}")
    HOST.shell('printf \'#!/bin/sh\\n[ "$*" = "list amazon-ssm-agent" ]\\n\' >/usr/bin/snap && chmod +x /usr/bin/snap')
    try:
        assert "The agent is there twice, as a snap and as a package" in ssm(fails=True)
        HOST.shell("apt-get remove -q -y amazon-ssm-agent")
        ssm()
        assert HOST.shell(f"systemctl is-active {unit}") == "active"
        assert version("amazon-ssm-agent") == ""
    finally:
        HOST.shell(
            f"systemctl stop {unit}; rm -rf /snap /usr/bin/snap /etc/systemd/system/{unit}; systemctl daemon-reload"
        )


def test_they_go_with_the_rest() -> None:
    play("playbooks/uninstall.yml", uninstall_packages=True)
    assert version("amazon-cloudwatch-agent") == ""
    assert version("amazon-ssm-agent") == ""
    assert "cwagent" not in HOST.shell("getfacl -p -R /var/log/aws-finops-mcp /var/log/nginx /var/log/letsencrypt")
    assert changed(play("playbooks/uninstall.yml", uninstall_packages=True)) == 0
