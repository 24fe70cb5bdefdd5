"""What the stand-in for Amazon Linux 2023 shows of the dnf way. Run by molecule/distribution/verify.yml.

It is made of Debian: this proves what the roles do with dnf, a locked repository, signatures and this layout, and
nothing about Amazon's own packages.
"""

import base64
from pathlib import Path

import pytest
from tests.hosts.effects import Host
from tests.hosts.operations import HOSTS, changes, play
from tests.roles.test_signed_package import short, signer

__all__ = ["short"]

(HOST,) = HOSTS
LIMIT = f"--limit={HOST.name}"
VERSIONS = "cat /opt/stand-in/fixed-for-security /opt/stand-in/newer-only"


@pytest.fixture
def host() -> Host:
    return HOST


def test_it_is_a_stand_in_and_says_so(host: Host) -> None:
    assert "a stand-in, made of Debian" in host.shell("grep PRETTY_NAME /etc/os-release")
    assert host.shell("command -v apt-get dpkg || true") == ""


def test_the_packages_came_by_dnf_with_the_release_s_key(host: Host) -> None:
    wanted = "nginx httpd-tools openssl python3.13 tar dnf-utils"
    assert "not installed" not in host.shell(f"rpm -q {wanted}")
    assert host.shell(f"rpm -q --qf '%{{RSAHEADER:pgpsig}}\\n' {wanted} | grep -vc 'Key ID' || true") == "0"
    refused = host.shell("dnf --assumeyes --enablerepo=foreign install foreign 2>&1", check=False)
    assert "GPG check FAILED" in refused
    assert host.shell("test ! -e /opt/stand-in/foreign && echo refused") == "refused"


def test_a_file_is_handed_to_dnf_only_with_a_signature_by_a_pinned_key(host: Host, short: Path) -> None:
    """The package's own signature is a stranger's to this host: what counts is the detached one."""
    maker, stranger = signer(short / "maker"), signer(short / "stranger")
    package = short / "foreign-1.0.rpm"
    package.write_bytes(base64.b64decode(host.shell("base64 /opt/stand-in/repo/foreign/foreign-1.0.rpm")))
    for file in (package, maker.sign(package).rename(short / "good"), stranger.sign(package).rename(short / "bad")):
        host.shell(f"echo {base64.b64encode(file.read_bytes()).decode()} | base64 -d >/opt/stand-in/{file.name}")

    def install(signature: str, *, fails: bool = False) -> str:
        return play(
            "../tests/hosts/signed",
            LIMIT,
            fails=fails,
            signed_package_name="foreign",
            signed_package_version="1.0",
            signed_package_url="file:///opt/stand-in/foreign-1.0.rpm",
            signed_package_signature_url=f"file:///opt/stand-in/{signature}",
            signed_package_key=str(maker.public),
            signed_package_fingerprints=[maker.fingerprint],
        )

    assert "foreign was not installed" in install("bad", fails=True)
    assert "is not installed" in host.shell("rpm -q foreign || true")
    install("good")
    assert host.shell("rpm -q --qf '%{VERSION}' foreign; cat /opt/stand-in/foreign") == "1.0foreign"


def test_the_service_runs_on_the_python_beside_the_systems(host: Host) -> None:
    assert host.shell("readlink -f /opt/aws-finops-mcp/current/bin/python") == "/usr/bin/python3.13"
    assert host.shell("readlink -f /opt/certbot/venv/bin/python") == "/usr/bin/python3.13"


def test_nginx_serves_nothing_of_the_packages(host: Host) -> None:
    assert "/usr/share/nginx/html" not in host.shell("nginx -T 2>&1")
    assert "/usr/share/nginx/html" in host.shell("cat /etc/nginx/nginx.conf.package")


def test_only_security_updates_come_and_out_of_the_later_release(host: Host) -> None:
    assert host.shell(VERSIONS).split() == ["1.0", "1.0"]
    host.shell("systemctl start security-updates.service")
    assert host.shell(VERSIONS).split() == ["2.0", "1.0"]
    assert host.shell("rpm -q --qf '%{VERSION}' system-release") == "2023.9.20251117"


def test_a_restart_is_made_only_when_one_is_needed_and_wanted(host: Host) -> None:
    """The condition alone: the restart itself is left out."""
    assert host.shell("systemctl is-enabled security-updates-reboot.timer", check=False) == "disabled"
    directory = "/run/systemd/system/security-updates-reboot.service.d"
    instead = "[Service]\\nExecStart=\\nExecStart=/usr/bin/touch /run/restarted\\n"
    host.shell(f"mkdir -p {directory} && printf '{instead}' >{directory}/test.conf && systemctl daemon-reload")
    host.shell("systemctl start security-updates-reboot.service")
    assert host.shell("test -e /run/restarted || echo not") == "not"
    host.shell("touch /run/stand-in-needs-restart; systemctl start security-updates-reboot.service")
    assert host.shell("test -e /run/restarted && echo restarted") == "restarted"
    host.shell(f"rm -r {directory}; systemctl daemon-reload")


def test_removal_gives_the_packages_configuration_back(host: Host) -> None:
    play("uninstall", LIMIT)
    assert "/usr/share/nginx/html" in host.shell("cat /etc/nginx/nginx.conf")
    assert host.shell("test ! -e /etc/nginx/nginx.conf.package && echo gone") == "gone"
    assert changes(play("uninstall", LIMIT)) == {HOST.name: 0}
    play("uninstall", LIMIT, uninstall_packages=True)
    assert "is not installed" in host.shell("rpm -q nginx || true")
