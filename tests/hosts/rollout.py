"""A rollout over several hosts that meets a release which does not start."""

from tests.hosts.operations import FIRST, HOSTS, LAST, another, changes, play, serving


def test_a_release_that_fails_stops_the_rollout_at_the_first_host() -> None:
    before = {host: serving(host) for host in HOSTS}
    broken = another("broken", "server/serve.py", 'raise RuntimeError("broken on purpose")')
    said = play(
        "deploy", "--limit=site", fails=True, aws_finops_mcp_source=str(broken), aws_finops_mcp_region="eu-west-1"
    )
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
