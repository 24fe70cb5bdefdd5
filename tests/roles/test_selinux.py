"""What the role nginx tells SELinux where there is one: compiled by SELinux's compiler, and told to fake commands."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.roles.running import AMAZON, DEBIAN, PROJECT, run_tasks

MODULE = PROJECT / "roles/nginx/files/aws_finops_mcp_nginx.cil"
# As little as a policy can be, with the types of Amazon Linux's targeted policy that matter here.
BASE = """
(handleunknown allow)
(mls false)
(class file (read))
(class sock_file (write unlink))
(class unix_stream_socket (connectto accept))
(classorder (file sock_file unix_stream_socket))
(sensitivity s0) (sensitivityorder (s0)) (category c0) (categoryorder (c0)) (sensitivitycategory s0 (c0))
(user system_u) (role system_r) (userrole system_u system_r) (userlevel system_u (s0)) (userrange system_u ((s0) (s0)))
(type httpd_t) (type init_t) (type unconfined_service_t) (type var_run_t) (type sshd_t)
(roletype system_r httpd_t) (roletype system_r init_t)
(typeattribute domain) (typeattributeset domain (httpd_t init_t unconfined_service_t sshd_t))
(sid kernel) (sidorder (kernel)) (sidcontext kernel (system_u system_r init_t ((s0) (s0))))
(allow init_t init_t (file (read)))
"""
SECILC = shutil.which("secilc")
needs_secilc = pytest.mark.skipif(SECILC is None, reason="needs Debian's secilc, which bin/test installs as root")


def compiled(tmp_path: Path, *parts: str) -> str:
    """What the compiler has against a policy of these parts; empty when it takes them."""
    command = [str(SECILC), "--output", str(tmp_path / "policy"), "--filecontexts", str(tmp_path / "contexts")]
    for number, part in enumerate(parts):
        file = tmp_path / f"{number}.cil"
        file.write_text(part)
        command.append(str(file))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


@needs_secilc
def test_the_module_compiles_and_names_only_what_the_policy_has(tmp_path: Path) -> None:
    assert compiled(tmp_path, BASE, MODULE.read_text()) == ""
    without = BASE.replace("(type unconfined_service_t)", "").replace(" unconfined_service_t ", " ")
    assert "Failed to resolve allow statement" in compiled(tmp_path, without, MODULE.read_text())


@needs_secilc
@pytest.mark.parametrize(
    ("allowed", "rule"),
    [
        (True, "httpd_t init_t (unix_stream_socket (connectto))"),
        (True, "httpd_t unconfined_service_t (unix_stream_socket (connectto))"),
        (True, "httpd_t var_run_t (sock_file (write))"),
        (False, "httpd_t sshd_t (unix_stream_socket (connectto))"),
        (False, "httpd_t domain (unix_stream_socket (accept))"),
        (False, "httpd_t var_run_t (sock_file (unlink))"),
        (False, "httpd_t domain (file (read))"),
        (False, "sshd_t domain (unix_stream_socket (connectto))"),
    ],
)
def test_what_the_module_allows_and_nothing_else(tmp_path: Path, allowed: bool, rule: str) -> None:
    """The compiler refuses a rule that nobody may have, exactly when the module gives it."""
    never = f"(neverallow {rule})"
    assert compiled(tmp_path, BASE, never) == ""
    said = compiled(tmp_path, BASE, never, MODULE.read_text())
    assert ("neverallow" in said) is allowed, said


def told(tmp_path: Path, facts: dict[str, Any], *, boolean: str = "off", modules: str = "") -> list[str]:
    """The commands that the role gives on such a host, which change something there."""
    programs, record = tmp_path / "bin", tmp_path / "told"
    programs.mkdir(exist_ok=True)
    record.write_text("")
    says = {
        "getsebool": f'echo "httpd_can_network_connect --> {boolean}"',
        "setsebool": f'echo "setsebool $*" >>{record}',
        "semodule": f'case $1 in --list-modules) printf "{modules}" ;; *) echo "semodule $*" >>{record} ;; esac',
    }
    for name, line in says.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    tasks = [{"ansible.builtin.include_role": {"name": "nginx", "tasks_from": "selinux"}}]
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    done = run_tasks(tmp_path, tasks, facts, __nginx_directory=str(tmp_path))
    monkeypatch.undo()
    assert done.returncode == 0, done.stdout
    return record.read_text().splitlines()


ENABLED: dict[str, Any] = {**AMAZON, "selinux": {"status": "enabled", "mode": "enforcing"}}
INSTALL = "semodule --install {}/aws_finops_mcp_nginx.cil"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to whom the files belong")


@as_root
def test_where_selinux_is_on_nginx_may_call_the_server(tmp_path: Path) -> None:
    install = INSTALL.format(tmp_path)
    assert told(tmp_path, ENABLED) == ["setsebool -P httpd_can_network_connect on", install]
    assert (tmp_path / MODULE.name).read_text() == MODULE.read_text()
    # A second run changes nothing; where one was cut short, or the module was removed, it is finished.
    assert told(tmp_path, ENABLED, boolean="on", modules="abrt\\naws_finops_mcp_nginx\\n") == []
    assert told(tmp_path, ENABLED, boolean="on", modules="abrt\\n") == [install]
    (tmp_path / MODULE.name).write_text("; of an older version\n")
    assert told(tmp_path, ENABLED, boolean="on", modules="aws_finops_mcp_nginx\\n") == [install]


@pytest.mark.parametrize("facts", [DEBIAN, {**AMAZON, "selinux": {"status": "disabled"}}], ids=["none", "off"])
def test_where_selinux_is_not_on_nothing_is_told(tmp_path: Path, facts: dict[str, Any]) -> None:
    assert told(tmp_path, facts) == []
    assert not (tmp_path / MODULE.name).exists()
