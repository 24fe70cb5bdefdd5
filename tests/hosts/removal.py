"""The first host saved, uninstalled, installed again, lost with everything, and restored on a fresh one."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.hosts.operations import FIRST, OPERATIONS, PROJECT, SITE, STATE, changes, play, serving, status, told

LIMIT = f"--limit={FIRST.name}"
BACKUP, UNINSTALL = (f"ansible-playbook -i inventory/ours playbooks/{name}.yml" for name in ("backup", "uninstall"))
VAULT = "backup_vault_password_file=~/.config/aws-finops-mcp/vault-password"
RESTORE = (
    "ansible-playbook -i inventory/ours playbooks/restore.yml --limit finops.example.com "
    "-e restore_archive=~/.local/share/aws-finops-mcp/backups/finops.example.com-20261122T203441Z.tar.gz"
)
BACKUPS = STATE / "backups"
SAVED: dict[str, str] = {}

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
        "/etc/systemd/system/aws-finops-mcp-maintenance.service",
        "/etc/systemd/system/aws-finops-mcp-maintenance.timer",
        "/etc/logrotate.d/aws-finops-mcp",
        "/etc/systemd/system/logrotate.timer.d",
        "/etc/systemd/system/certbot-renew.service",
        "/etc/systemd/system/certbot-renew.timer",
        "/var/www/letsencrypt",
    )
)
KEPT = f"/var/lib/aws-finops-mcp /etc/letsencrypt/live/{FIRST.name}"


def what_counts() -> str:
    """Settings, secrets, certificate with its key, and who may call, as the host has them."""
    live = f"/etc/letsencrypt/live/{FIRST.name}"
    etc = "/etc/aws-finops-mcp"
    files = f"{etc}/config.toml {etc}/environment {etc}/secrets/* {etc}/users"
    return FIRST.shell(
        f"sha256sum {files} {live}/fullchain.pem {live}/privkey.pem; stat -c '%n %a %U %G' {files};"
        f"openssl x509 -noout -serial -in {live}/fullchain.pem; cat /etc/letsencrypt/accounts/*/*/*/regr.json"
    )


def test_backup() -> None:
    """Plain and encrypted, for its owner alone; of both only so many are kept."""
    directory: dict[str, Any] = {"backup_directory": str(BACKUPS)}
    (STATE / "vault-password").write_text("only-for-tests\n")
    SAVED["counts"], served = what_counts(), serving(FIRST)
    said = told(BACKUP, LIMIT, **directory)
    (plain,) = BACKUPS.iterdir()
    assert str(plain) in said
    instead = {VAULT: f"backup_vault_password_file={STATE / 'vault-password'}"}
    told(f"{BACKUP} -e {VAULT}", LIMIT, instead=instead, backup_cache=True, **directory)
    (encrypted,) = BACKUPS.glob("*.vault")
    assert encrypted.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256")
    assert [path.stat().st_mode & 0o777 for path in (plain, encrypted, BACKUPS)] == [0o600, 0o600, 0o700]
    for secret in (OPERATIONS["secret"], "BEGIN PRIVATE KEY"):
        assert secret not in said
    assert serving(FIRST) == served
    SAVED["archive"] = str(encrypted)

    other = BACKUPS / "other.finops.test-20200101T000000Z.tar.gz"
    other.write_text("another host's")
    told(BACKUP, LIMIT, backup_kept=2, **directory)
    assert len(list(BACKUPS.glob(f"{FIRST.name}-*"))) == 2
    assert not plain.exists()
    assert other.exists()


def test_nothing_is_restored_over_a_server_or_from_something_else() -> None:
    served = serving(FIRST)
    archive = f"restore_archive={SAVED['archive']}"
    said = play("restore", LIMIT, "-e", archive, fails=True)
    assert f"{FIRST.name} has a server already" in " ".join(said.split())
    stray = STATE / "stray.tar.gz"
    subprocess.run(["tar", "--create", "--gzip", "--file", stray, "-C", "/etc", "hostname"], check=True)
    said = play("restore", LIMIT, "-e", f"restore_archive={stray}", fails=True, restore_over=True)
    assert "was not made by playbooks/backup.yml" in " ".join(said.split())
    assert serving(FIRST) == served
    assert FIRST.shell("ls -d /tmp/aws-finops-mcp-restore.* 2>/dev/null || true") == ""


def test_uninstall_and_install_again() -> None:
    certificate = f"sha256sum /etc/letsencrypt/live/{FIRST.name}/fullchain.pem"
    before, served = FIRST.shell(certificate), serving(FIRST)
    told(f"{UNINSTALL} --check", LIMIT)
    assert serving(FIRST) == served
    told(UNINSTALL, LIMIT)
    assert FIRST.shell(f"ls -d {MADE} 2>/dev/null", check=False) == ""
    assert FIRST.shell(f"ls -d {KEPT} | wc -l") == "2"
    listening = {line.split()[3].rpartition(":")[2] for line in FIRST.shell("ss -Hltn").splitlines()}
    assert listening == {"22"}
    assert FIRST.shell("systemctl list-units --all --plain --no-legend 'aws-finops-mcp*' 'certbot*'") == ""
    assert changes(play("uninstall", LIMIT)) == {FIRST.name: 0}

    told(SITE, LIMIT)
    assert FIRST.shell(certificate) == before


@pytest.mark.parametrize("run", ["first", "second"])
def test_uninstall_with_everything(run: str) -> None:
    """Only packages that the distribution itself needs stay."""
    said = play("uninstall", LIMIT, uninstall_state=True, uninstall_certificates=True, uninstall_packages=True)
    assert (changes(said)[FIRST.name] == 0) is (run == "second")
    assert FIRST.shell(f"ls -d {MADE} {KEPT} /var/log/nginx/aws-finops* 2>/dev/null", check=False) == ""
    assert FIRST.shell("id aws-finops-mcp 2>&1; command -v nginx htpasswd", check=False).endswith("no such user")


def test_a_fresh_host_in_its_place_is_as_the_lost_one_was() -> None:
    hosts, prefix = PROJECT / "tests/hosts/hosts", OPERATIONS["gateway"].removesuffix(".1")
    network = [
        "--state",
        str(STATE),
        "--network",
        f"aws-finops-mcp-molecule-{prefix}",
    ]
    suite = FIRST.shell(". /etc/os-release; echo $VERSION_CODENAME")
    FIRST.forget()
    subprocess.run([hosts, "lose", *network, FIRST.name], check=True)
    subprocess.run(
        [hosts, "up", *network, "--subnet", f"{prefix}.0/24", f"{FIRST.name}={FIRST.address}={suite}"], check=True
    )
    assert FIRST.shell("ls -d /etc/letsencrypt /opt/aws-finops-mcp 2>/dev/null || true") == ""

    written = Path(SAVED["archive"])
    words = RESTORE.split()
    said = told(
        RESTORE,
        "--vault-password-file",
        str(STATE / "vault-password"),
        instead={words[-1]: f"restore_archive={written}", "finops.example.com": FIRST.name},
    )
    assert OPERATIONS["secret"] not in said
    assert what_counts() == SAVED["counts"]
    assert status(FIRST, OPERATIONS["user"], OPERATIONS["password"]) == 200
    assert status(FIRST, "second", OPERATIONS["second"]) == 200
    assert FIRST.shell("ls -d /tmp/aws-finops-mcp-restore.* 2>/dev/null || true") == ""
    play("verify", LIMIT)
