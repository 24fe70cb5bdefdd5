"""Secrets from a vault, and each of them replaced, on the last host. Between operations.py and resilience.py."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.hosts.document import documented
from tests.hosts.operations import DEPLOY, LAST, LIMIT, OPERATIONS, STATE, USERS, changes, play, serving, status, told
from tests.hosts.watch import watched

FIRST_PASSWORD, NEXT_PASSWORD, ALONE = "of-dora-in-the-vault-1", "of-dora-in-the-vault-2", "of-emil-encrypted-alone"
HTPASSWD = "htpasswd -n -i -B"  # what is seen of the one that makes a hash
REKEY = "ansible-vault rekey inventory/ours/group_vars/aws_finops_mcp/vault.yml"
# What may have a secret is what nobody but root reads.
EVERYWHERE = (
    "journalctl --no-pager --output cat; cat /var/log/nginx/*.log /var/log/aws-finops-mcp/*; ps -eo args;"
    "cat /proc/[0-9]*/environ; find /tmp /var/tmp /home /root -xdev -type f -exec cat {} +"
)


def vault_command(*arguments: str, **given: Any) -> str:
    command = [str(Path(sys.executable).parent / "ansible-vault"), *arguments]
    return str(subprocess.run(command, capture_output=True, text=True, check=True, **given).stdout)


class Vault:
    """An operator's: one file of it is encrypted as a whole, and one value by itself in a plain file."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.password, self.file, self.plain = (directory / name for name in ("password", "vault.yml", "users.yml"))
        self.password.write_text("only-for-tests\n")

    def fill(self, dora: str) -> None:
        self.file.write_text(json.dumps({"vault_password_dora": dora}))
        vault_command("encrypt", "--vault-password-file", str(self.password), str(self.file))
        name = ["--vault-password-file", str(self.password), "--stdin-name", "password"]
        alone = vault_command("encrypt_string", *name, input=ALONE).strip().replace("\n", "\n    ")
        self.plain.write_text(
            f"nginx_users:\n  - {json.dumps({'name': OPERATIONS['user'], 'password': OPERATIONS['password']})}\n"
            '  - name: dora\n    password: "{{ vault_password_dora }}"\n'
            f"  - name: emil\n    {alone}\n"
        )

    def options(self) -> list[str]:
        return ["--vault-password-file", str(self.password), "-e", f"@{self.plain}", "-e", f"@{self.file}"]


VAULT = Vault(STATE / "vault")


def test_passwords_from_a_vault_come_in_and_are_seen_nowhere() -> None:
    """Neither as anyone sees a process, here or there, nor in what is said, however much of it is asked for."""
    secrets = (FIRST_PASSWORD, ALONE)
    VAULT.fill(FIRST_PASSWORD)
    assert all(secret not in VAULT.file.read_text() + VAULT.plain.read_text() for secret in secrets)
    with watched(LAST, HTPASSWD, *secrets) as seen:
        said = told(USERS, LIMIT, "-vvv", *VAULT.options())
    assert "Added: dora, emil" in said
    assert seen == {HTPASSWD}
    everywhere = said + LAST.shell(EVERYWHERE)
    assert [secret for secret in secrets if secret in everywhere] == []
    for user, password in (("dora", FIRST_PASSWORD), ("emil", ALONE), (OPERATIONS["user"], OPERATIONS["password"])):
        assert status(LAST, user, password) == 200
    assert changes(told(USERS, LIMIT, *VAULT.options())) == {LAST.name: 0}


def test_a_password_is_replaced_in_the_vault_and_the_vaults_own_password_too() -> None:
    VAULT.fill(NEXT_PASSWORD)
    with watched(LAST, HTPASSWD, FIRST_PASSWORD, NEXT_PASSWORD) as seen:
        said = told(USERS, LIMIT, *VAULT.options())
    assert "New password: dora" in said
    assert seen == {HTPASSWD}
    assert (status(LAST, "dora", FIRST_PASSWORD), status(LAST, "dora", NEXT_PASSWORD)) == (401, 200)

    new = VAULT.password.with_name("new-password")
    new.write_text("another-only-for-tests\n")
    *words, file = documented(REKEY).split()[1:]
    assert Path(file).name == VAULT.file.name
    old = ["--vault-password-file", str(VAULT.password), "--new-vault-password-file", str(new)]
    before = VAULT.file.read_text()
    vault_command(*words, *old, str(VAULT.file))
    assert VAULT.file.read_text() != before
    opened = vault_command("view", "--vault-password-file", str(new), str(VAULT.file))
    assert json.loads(opened) == {"vault_password_dora": NEXT_PASSWORD}

    play("users", LIMIT)
    assert status(LAST, "dora", NEXT_PASSWORD) == 401


def test_a_setting_that_is_secret_is_replaced() -> None:
    new = "external-id-that-is-new"
    accounts = {"main": {}, "shop": {"role_arn": "arn:aws:iam::111122223333:role/finops-read", "external_id": new}}
    served = serving(LAST)
    VAULT.file.write_text(json.dumps({"aws_finops_mcp_secrets": {"mcp_accounts": accounts}}))
    vault_command("encrypt", "--vault-password-file", str(VAULT.password), str(VAULT.file))
    with watched(LAST, "systemctl", new) as seen:
        said = told(DEPLOY, LIMIT, "--vault-password-file", str(VAULT.password), "-e", f"@{VAULT.file}")
    assert seen == {"systemctl"}
    assert new not in said
    assert serving(LAST) != served
    handed = "runuser -u aws-finops-mcp -- cat /run/credentials/aws-finops-mcp.service/mcp_accounts"
    assert new in LAST.shell(handed)
    assert "the-shop-s-own" not in LAST.shell(f"cat /etc/aws-finops-mcp/secrets/*; {handed}")
    assert new not in LAST.shell(f"{EVERYWHERE}; systemctl show aws-finops-mcp.service")
    told(DEPLOY, LIMIT)
    assert "the-shop-s-own" in LAST.shell(handed)
