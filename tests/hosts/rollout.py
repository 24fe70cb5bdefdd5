"""A rollout over several hosts: one that meets a release which does not start, one that meets a host on which it does
not, and one that succeeds, with the way back.
"""

from typing import Any

from tests.hosts.effects import Host
from tests.hosts.load import Load
from tests.hosts.operations import DEPLOY, FIRST, HOSTS, LAST, ROLLBACK, another, changes, release, serving, told

BOTH = f"--limit={FIRST.name},{LAST.name}"


def roll_out(command: str = DEPLOY, **variables: Any) -> str:
    """Over both hosts, with callers on both; none of them may notice."""
    said: list[str] = []
    with Load(FIRST) as first, Load(LAST) as last:
        first.during(lambda: last.during(lambda: said.append(told(command, BOTH, **variables))))
    assert first.lost() + last.lost() == []
    return said[0]


def test_a_release_that_fails_stops_the_rollout_at_the_first_host() -> None:
    before = {host: serving(host) for host in HOSTS}
    broken = another("broken", "server/serve.py", 'raise RuntimeError("broken on purpose")')
    said = roll_out(fails=True, aws_finops_mcp_source=str(broken), aws_finops_mcp_region="eu-west-1")
    assert "failed its trial" in said
    assert "goes on serving" in said
    assert "broken on purpose" in said
    assert changes(said)[FIRST.name] > 0
    assert changes(said)[LAST.name] == 0
    assert {host: serving(host) for host in HOSTS} == before
    assert (
        LAST.shell("journalctl --unit aws-finops-mcp-trial --grep 'broken on purpose' || true").count("RuntimeError")
        == 0
    )


def test_a_second_host_that_fails_goes_on_serving_the_old_release() -> None:
    before, old = serving(LAST), release(FIRST)
    new = another("rolled", "__init__.py", "# rolled")
    LAST.shell("systemd-run --quiet --unit=in-the-way python3 -m http.server --bind 127.0.0.1 8009")
    try:
        said = roll_out(fails=True, aws_finops_mcp_source=str(new))
    finally:
        LAST.shell("systemctl stop in-the-way")
    assert "cannot listen on 127.0.0.1:8009: Address already in use" in " ".join(said.split())
    assert release(FIRST) != old
    assert serving(LAST) == before
    told(ROLLBACK, f"--limit={FIRST.name}")
    assert release(FIRST) == old


def switched(host: Host) -> float:
    """When the host's release was switched last, in seconds since the epoch."""
    return float(host.shell("stat -c %.Y /opt/aws-finops-mcp/current"))


def environments() -> list[str]:
    """What each host's release runs with."""
    return [host.shell("readlink -f /opt/aws-finops-mcp/current/environment") for host in (FIRST, LAST)]


def test_a_rollout_goes_from_host_to_host_and_back() -> None:
    """The new release shares the environment of the old one, which the way back must not take away."""
    old = {host: release(host) for host in (FIRST, LAST)}
    shared = environments()
    new = another("rolled", "__init__.py", "# rolled")
    said = roll_out(aws_finops_mcp_source=str(new))
    assert {host: count > 0 for host, count in changes(said).items()} == {FIRST.name: True, LAST.name: True}
    deployed = {release(host) for host in (FIRST, LAST)}
    assert len(deployed) == 1
    assert not deployed & set(old.values())
    assert environments() == shared
    # One after the other: the second was served by the old one until the first was through.
    assert switched(FIRST) < switched(LAST)
    assert changes(told(DEPLOY, BOTH, aws_finops_mcp_source=str(new))) == {FIRST.name: 0, LAST.name: 0}

    roll_out(ROLLBACK)
    assert {host: release(host) for host in (FIRST, LAST)} == old
    assert environments() == shared
    told("ansible-playbook -i inventory/ours playbooks/verify.yml", BOTH)
    for host in (FIRST, LAST):  # as it was before, for the tests that follow
        host.shell(f"rm -r /opt/aws-finops-mcp/releases/{deployed.copy().pop()}")
