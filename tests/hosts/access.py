"""The server verifies who calls, on a real host: what nginx did until now goes on, and API keys come, rotate and go.

EFFECTS is JSON, as in operations.py. The tests go on from each other, in the order of this file, on the last host.
"""

from typing import Any

from tests.hosts.effects import LIST_TOOLS
from tests.hosts.operations import LAST, LIMIT, OPERATIONS, SITE, STATE, changes, play, status, told

KEYS = "ansible-playbook -i inventory/ours playbooks/keys.yml"
VERIFIES: dict[str, Any] = {"aws_finops_mcp_authenticates": True}


def with_key(key: str, header: str = "X-API-Key") -> int:
    value = key if header == "X-API-Key" else f"Bearer {key}"
    return LAST.request("POST", "/mcp", LIST_TOOLS, login=False, **{header: value}).status


def test_the_server_takes_over_from_nginx_and_lets_the_same_users_in() -> None:
    told(SITE, LIMIT, **VERIFIES)
    assert status(LAST, OPERATIONS["user"], OPERATIONS["password"]) == 200
    assert status(LAST, OPERATIONS["user"], "wrong") == 401
    assert LAST.shell("stat -c '%A %U %G' /run/aws-finops-mcp.sock") == "srw-rw---- root aws-finops-mcp-proxy"
    assert changes(play("site", LIMIT, **VERIFIES)) == {LAST.name: 0}
    play("verify", LIMIT, **VERIFIES)


def test_api_keys_come_rotate_and_go() -> None:
    first, second = STATE / "keys" / "ci", STATE / "keys" / "ci-new"
    for file in (first, second):
        file.unlink(missing_ok=True)
    create = f"{KEYS} -e keys_create=ci -e keys_file=~/keys/ci"
    into = {"keys_file=~/keys/ci": f"keys_file={first}", "keys_file=~/keys/ci-new": f"keys_file={second}"}
    assert changes(told(create, LIMIT, "--check", instead=into, **VERIFIES)) == {LAST.name: 1}
    assert not first.exists()
    said = told(create, LIMIT, instead=into, **VERIFIES)
    key = first.read_text().strip()
    assert first.stat().st_mode & 0o777 == 0o600
    assert (with_key(key), with_key(key, "Authorization"), with_key(key[:-1])) == (200, 200, 401)
    assert changes(told(create, LIMIT, instead=into, **VERIFIES)) == {LAST.name: 0}

    identity = key.partition(".")[0]
    old = {"keys_rotate=fk3k9d2m1xq7": f"keys_rotate={identity}", "keys_revoke=fk3k9d2m1xq7": f"keys_revoke={identity}"}
    rotate = f"{KEYS} -e keys_rotate=fk3k9d2m1xq7 -e keys_file=~/keys/ci-new"
    said += told(rotate, LIMIT, instead=into | old, **VERIFIES)
    new = second.read_text().strip()
    assert (with_key(key), with_key(new)) == (200, 200)
    said += told(f"{KEYS} -e keys_revoke=fk3k9d2m1xq7", LIMIT, instead=old, **VERIFIES)
    assert (with_key(key), with_key(new)) == (401, 200)
    listed = told(KEYS, LIMIT, **VERIFIES)
    assert identity in listed
    seen = LAST.shell(
        "journalctl --no-pager --output cat; cat /var/log/nginx/*.log /var/log/aws-finops-mcp/*; ps -eo args"
    )
    for secret in (key, new):
        assert secret.partition(".")[2] not in said + listed + seen


def test_and_back_to_nginx() -> None:
    told(SITE, LIMIT)
    assert status(LAST, OPERATIONS["user"], OPERATIONS["password"]) == 200
    assert with_key((STATE / "keys" / "ci-new").read_text().strip()) == 401
