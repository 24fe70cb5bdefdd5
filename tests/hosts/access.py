"""Who verifies callers, on a real host: nginx where the inventory says so, or the server, for the same users; API keys.

EFFECTS is JSON, as in operations.py. The tests go on from each other, in the order of this file,
on the first host after removal.py.
"""

from typing import Any

from tests.hosts.effects import LIST_TOOLS
from tests.hosts.operations import FIRST, OPERATIONS, SITE, STATE, changes, play, status, told

LIMIT = f"--limit={FIRST.name}"
SERVER = "../tests/hosts/server"
KEYS = "ansible-playbook -i inventory/ours playbooks/keys.yml"
BY_NGINX: dict[str, Any] = {"aws_finops_mcp_authenticates": False}


def with_key(key: str, header: str = "X-API-Key") -> int:
    value = key if header == "X-API-Key" else f"Bearer {key}"
    return FIRST.request("POST", "/mcp", LIST_TOOLS, login=False, **{header: value}).status


def test_nginx_verifies_where_the_inventory_says_so() -> None:
    play(SERVER, LIMIT, **BY_NGINX)
    assert status(FIRST, OPERATIONS["user"], OPERATIONS["password"]) == 200
    assert status(FIRST, OPERATIONS["user"], "wrong") == 401
    assert FIRST.shell("test -e /run/aws-finops-mcp.sock || echo none") == "none"
    assert "auth_basic_user_file" in FIRST.shell("nginx -T 2>/dev/null")
    assert changes(play(SERVER, LIMIT, **BY_NGINX)) == {FIRST.name: 0}
    play("verify", LIMIT, **BY_NGINX)


def test_the_server_takes_over_and_lets_the_same_users_in() -> None:
    play(SERVER, LIMIT)
    assert status(FIRST, OPERATIONS["user"], OPERATIONS["password"]) == 200
    assert status(FIRST, OPERATIONS["user"], "wrong") == 401
    assert FIRST.shell("stat -c '%A %U %G' /run/aws-finops-mcp.sock") == "srw-rw---- root aws-finops-mcp-proxy"
    assert "auth_basic_user_file" not in FIRST.shell("nginx -T 2>/dev/null")
    assert changes(told(f"{SITE} --check", LIMIT)) == {FIRST.name: 0}


def test_api_keys_come_rotate_and_go() -> None:
    first, second = STATE / "keys" / "ci", STATE / "keys" / "ci-new"
    for file in (first, second):
        file.unlink(missing_ok=True)
    create = f"{KEYS} -e keys_create=ci -e keys_file=~/keys/ci"
    into = {"keys_file=~/keys/ci": f"keys_file={first}", "keys_file=~/keys/ci-new": f"keys_file={second}"}
    assert changes(told(create, LIMIT, "--check", instead=into)) == {FIRST.name: 1}
    assert not first.exists()
    said = told(create, LIMIT, instead=into)
    key = first.read_text().strip()
    assert first.stat().st_mode & 0o777 == 0o600
    assert (with_key(key), with_key(key, "Authorization"), with_key(key[:-1])) == (200, 200, 401)
    assert changes(told(create, LIMIT, instead=into)) == {FIRST.name: 0}

    identity = key.partition(".")[0]
    old = {"keys_rotate=fk3k9d2m1xq7": f"keys_rotate={identity}", "keys_revoke=fk3k9d2m1xq7": f"keys_revoke={identity}"}
    rotate = f"{KEYS} -e keys_rotate=fk3k9d2m1xq7 -e keys_file=~/keys/ci-new"
    said += told(rotate, LIMIT, instead=into | old)
    new = second.read_text().strip()
    assert (with_key(key), with_key(new)) == (200, 200)
    said += told(f"{KEYS} -e keys_revoke=fk3k9d2m1xq7", LIMIT, instead=old)
    assert (with_key(key), with_key(new)) == (401, 200)
    listed = told(KEYS, LIMIT)
    assert identity in listed
    seen = FIRST.shell(
        "journalctl --no-pager --output cat; cat /var/log/nginx/*.log /var/log/aws-finops-mcp/*; ps -eo args"
    )
    for secret in (key, new):
        assert secret.partition(".")[2] not in said + listed + seen
