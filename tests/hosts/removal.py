"""playbooks/uninstall.yml, as operators run it, on the first host: away, back again, and away with everything."""

import pytest
from tests.hosts.operations import FIRST, changes, play, serving

MADE = " ".join(
    (
        "/opt/aws-finops-mcp",
        "/opt/certbot",
        "/etc/aws-finops-mcp",
        "/etc/nginx/aws-finops-mcp",
        "/etc/nginx/conf.d/aws-finops-mcp.conf",
        "/etc/letsencrypt/renewal-hooks/deploy/aws-finops-mcp",
        "/etc/systemd/system/aws-finops-mcp.service",
        "/etc/systemd/system/aws-finops-mcp.socket",
        "/etc/systemd/system/certbot-renew.service",
        "/etc/systemd/system/certbot-renew.timer",
        "/var/www/letsencrypt",
    )
)
KEPT = f"/var/lib/aws-finops-mcp /etc/letsencrypt/live/{FIRST.name}"


def test_uninstall_and_install_again() -> None:
    limit = f"--limit={FIRST.name}"
    certificate = f"sha256sum /etc/letsencrypt/live/{FIRST.name}/fullchain.pem"
    before, served = FIRST.shell(certificate), serving(FIRST)
    play("uninstall", limit, "--check")
    assert serving(FIRST) == served
    play("uninstall", limit)
    assert FIRST.shell(f"ls -d {MADE} 2>/dev/null", check=False) == ""
    assert FIRST.shell(f"ls -d {KEPT} | wc -l") == "2"
    listening = {line.split()[3].rpartition(":")[2] for line in FIRST.shell("ss -Hltn").splitlines()}
    assert listening == {"22"}
    assert FIRST.shell("systemctl list-units --all --plain --no-legend 'aws-finops-mcp*' 'certbot*'") == ""
    assert changes(play("uninstall", limit)) == {FIRST.name: 0}

    play("site", limit)
    assert FIRST.shell(certificate) == before
    play("verify", limit)


@pytest.mark.parametrize("run", ["first", "second"])
def test_uninstall_with_everything(run: str) -> None:
    """Only packages that the distribution itself needs stay."""
    limit = f"--limit={FIRST.name}"
    said = play("uninstall", limit, uninstall_state=True, uninstall_certificates=True, uninstall_packages=True)
    assert (changes(said)[FIRST.name] == 0) is (run == "second")
    assert FIRST.shell(f"ls -d {MADE} {KEPT} /var/log/nginx/aws-finops* 2>/dev/null", check=False) == ""
    assert FIRST.shell("id aws-finops-mcp 2>&1; command -v nginx htpasswd", check=False).endswith("no such user")
