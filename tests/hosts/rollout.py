"""A rollout over several hosts that meets a release which does not start, or a host on which it does not."""

from typing import Any

from tests.hosts.load import Load
from tests.hosts.operations import DEPLOY, FIRST, HOSTS, LAST, ROLLBACK, another, changes, release, serving, told

BOTH = f"--limit={FIRST.name},{LAST.name}"


def roll_out(**variables: Any) -> str:
    """Over both hosts, with callers on both; none of them may notice."""
    said: list[str] = []
    with Load(FIRST) as first, Load(LAST) as last:
        first.during(lambda: last.during(lambda: said.append(told(DEPLOY, BOTH, **variables))))
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
