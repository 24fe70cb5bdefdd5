"""What the last host goes through by itself: a full disk, growing logs, leftovers of deploys, a reboot."""

import json
import re
import subprocess
import time
from collections.abc import Iterator

import pytest
from tests.hosts.document import documented
from tests.hosts.effects import LIST_TOOLS
from tests.hosts.load import SLOW
from tests.hosts.operations import DEPLOY, LAST, LIMIT, OPERATIONS, PROJECT, STATE, changes, play, serving, told
from tests.hosts.page import commands

CACHE, LOGS = "/var/cache/aws-finops-mcp", "/var/log/nginx"
RUN_MAINTENANCE = "systemctl start aws-finops-mcp-maintenance"
MAINTENANCE_SAID = "journalctl -u aws-finops-mcp-maintenance -n 20"


@pytest.fixture
def full_disk() -> Iterator[None]:
    """The server's cache and nginx's logs each on a small disk of their own, without a byte left."""
    LAST.shell(
        f"""
        mount -t tmpfs -o size=1m,mode=0750,uid=$(id -u aws-finops-mcp),gid=$(id -g aws-finops-mcp) full {CACHE}
        mount -t tmpfs -o size=1m full {LOGS}
        systemctl restart aws-finops-mcp nginx
        for directory in {CACHE} {LOGS}; do dd if=/dev/zero of=$directory/fill bs=4k 2>/dev/null || true; done
        """
    )
    yield
    units = "aws-finops-mcp.socket aws-finops-mcp nginx"
    LAST.shell(f"systemctl stop {units}; umount {CACHE} {LOGS}; systemctl start {units}; {RUN_MAINTENANCE}")


def test_a_full_disk_takes_nothing_down_and_lets_nothing_in(full_disk: None) -> None:
    begun = LAST.shell("date +%s")
    assert LAST.shell(f"df --output=avail {CACHE} {LOGS}").split()[1:] == ["0", "0"]
    for _ in range(12):
        answer = LAST.request("POST", "/mcp", SLOW)
        assert (answer.status, json.loads(answer.text)["complete"]) == (200, True)
        assert LAST.request("POST", "/mcp", LIST_TOOLS).status == 200
    told_so = LAST.shell(f"journalctl -u aws-finops-mcp -o cat --since @{begun} | grep 'price cache'").splitlines()
    # Each of the two workers once, however often it is asked.
    assert 1 <= len(told_so) <= 2
    assert all("full" in line and "kept in memory only" in line for line in told_so)

    served = serving(LAST)
    refused = told(DEPLOY, LIMIT, fails=True)
    assert "There is too little room" in refused
    assert f"{CACHE} has 0 MiB free and needs 100" in refused
    assert changes(refused) == {LAST.name: 0}
    assert serving(LAST) == served

    assert LAST.shell(f"{documented(RUN_MAINTENANCE)} 2>/dev/null || echo failed") == "failed"
    assert f"{CACHE}: 0 MiB free of 1, below the 100 that should be" in LAST.shell(documented(MAINTENANCE_SAID))
    assert "aws-finops-mcp-maintenance.service" in LAST.shell(documented("systemctl --failed"))
    assert "ended with exit-code" in " ".join(play("verify", LIMIT, fails=True).split())
    for command in commands("A full disk"):
        if command.startswith(("df", "du", "journalctl --")):
            LAST.shell(documented(command))


def test_maintenance_removes_what_interrupted_deploys_left_and_nothing_else() -> None:
    releases = "/opt/aws-finops-mcp/releases"
    environments = "/opt/aws-finops-mcp/environments"
    LAST.shell(
        f"mkdir -p {releases}/0.0.0-left/bin {releases}/0.0.0-young {environments}/left;"
        f"touch -d '2 days ago' {releases}/0.0.0-left {environments}/left"
    )
    before = LAST.shell(f"ls {releases} {environments}").split()
    LAST.shell(RUN_MAINTENANCE)
    after = LAST.shell(f"ls {releases} {environments}").split()
    assert after == [name for name in before if name not in {"0.0.0-left", "left"}]
    LAST.shell(f"rmdir {releases}/0.0.0-young")
    score = LAST.shell("systemd-analyze security --no-pager aws-finops-mcp-maintenance.service | tail -n 1")
    assert float(re.findall(r"service: ([0-9.]+)", score)[0]) <= 1.5


@pytest.mark.parametrize("file", [f"{LOGS}/aws-finops-mcp.log", f"{LOGS}/error.log", "/var/log/aws-finops-mcp/a.log"])
def test_a_log_that_grows_is_rotated_within_the_hour(file: str) -> None:
    assert (
        LAST.shell("systemctl show --property TimersCalendar --value logrotate.timer").count("OnCalendar=*-*-* *:00:00")
        == 1
    )
    LAST.shell(
        f"[ -e {file} ] || install -m 0640 -o aws-finops-mcp -g aws-finops-mcp /dev/null {file};truncate -s 101M {file}"
    )
    before = LAST.shell(f"stat -c %a {file}")
    LAST.shell("systemctl start logrotate.service")
    assert int(LAST.shell(f"stat -c %s {file}.1")) == 101 << 20
    assert LAST.shell(f"stat -c %a {file}") == before
    LAST.request("GET", "/health", login=False)
    assert int(LAST.shell(f"stat -c %s {file}")) < 1 << 20
    assert (int(LAST.shell(f"stat -c %s {LOGS}/aws-finops-mcp.log")) > 0) or "error" in file or "/a.log" in file
    LAST.shell(f"rm {file}.1; [ {file} != /var/log/aws-finops-mcp/a.log ] || rm {file}")


def test_the_journal_is_bounded() -> None:
    assert re.search(r"max \d+(\.\d+)?[MG]", LAST.shell("journalctl -u systemd-journald -o cat | grep 'Journal (/'"))


def test_a_reboot_brings_everything_back() -> None:
    network = f"aws-finops-mcp-molecule-{OPERATIONS['gateway'].removesuffix('.1')}"
    started = LAST.shell("systemctl show --property ActiveEnterTimestampMonotonic,MainPID aws-finops-mcp.service")
    LAST.forget()
    hosts = [str(PROJECT / "tests/hosts/hosts"), "restart", "--state", str(STATE), "--network", network, LAST.name]
    subprocess.run(hosts, check=True)
    for _ in range(120):
        if subprocess.run(["ssh-keyscan", "-T", "5", LAST.address], capture_output=True, check=False).stdout:
            break
        time.sleep(1)
    assert LAST.shell("systemctl is-system-running --wait") == "running"
    assert (
        LAST.shell("systemctl show --property ActiveEnterTimestampMonotonic,MainPID aws-finops-mcp.service") != started
    )
    told("ansible-playbook -i inventory/ours playbooks/verify.yml", LIMIT)
