#!/usr/bin/python
"""Ansible module: a password file for nginx that holds exactly the users given."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
---
module: nginx_htpasswd
short_description: A password file that holds exactly the users given
description:
  - Writes bcrypt hashes with the C(htpasswd) command. Passwords are passed on standard input only.
  - A password that the file already accepts at the wanted cost keeps its hash, so a second run changes nothing.
options:
  path:
    description: The file.
    type: path
    required: true
  users:
    description: Users with O(users[].name) and O(users[].password).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      password:
        description: Password of the user.
        type: str
        required: true
  cost:
    description: bcrypt's cost.
    type: int
    default: 8
extends_documentation_fragment: files
author:
  - The aws-finops-mcp authors (@aws-finops-mcp)
"""

EXAMPLES = """
- name: Write the users
  nginx_htpasswd:
    path: /etc/nginx/users
    users:
      - name: ops
        password: "{{ vault_ops_password }}"
    owner: root
    group: www-data
    mode: "0640"
"""

RETURN = """
added:
  description: Names of users who were not in the file.
  returned: always
  type: list
updated:
  description: Names of users whose password or cost changed.
  returned: always
  type: list
removed:
  description: Names of users who are no longer wanted.
  returned: always
  type: list
"""

HTPASSWD = "htpasswd"


def htpasswd(options: "list[str]", password: str) -> "subprocess.CompletedProcess[str]":
    """Run htpasswd with the password on its standard input."""
    command = [HTPASSWD, *options]
    return subprocess.run(command, input=password, capture_output=True, text=True, check=False)  # noqa: S603 - no shell


def read(path: str) -> "dict[str, str]":
    """The hashes by user name; none if there is no file."""
    if not Path(path).exists():
        return {}
    pairs = [line.partition(":") for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return {name: digest for name, _, digest in pairs if name and digest}


def accepts(path: str, name: str, password: str, digest: str, cost: int) -> bool:
    """Whether the file takes the password, at the wanted cost."""
    fields = digest.split("$")
    return fields[1:3] == ["2y", f"{cost:02d}"] and htpasswd(["-v", "-i", path, name], password).returncode == 0


def main() -> None:
    """Bring the file to what was asked for."""
    user = {"name": {"type": "str", "required": True}, "password": {"type": "str", "required": True, "no_log": True}}
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "users": {"type": "list", "elements": "dict", "required": True, "options": user},
            "cost": {"type": "int", "default": 8},
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    path, cost = module.params["path"], module.params["cost"]
    wanted = {user["name"]: user["password"] for user in module.params["users"]}
    have = read(path)
    if shutil.which(HTPASSWD) is None:
        if module.check_mode:
            module.exit_json(changed=True, added=sorted(wanted), updated=[], removed=[])
        module.fail_json(msg="htpasswd is not installed")

    if not Path(path).parent.is_dir() and not module.check_mode:
        module.fail_json(
            msg=f"{Path(path).parent} is not there: the role aws_finops_mcp makes it, before this one. "
            "Where there is no such server on this host: nginx_authentication: nginx"
        )

    added = sorted(wanted.keys() - have.keys())
    removed = sorted(have.keys() - wanted.keys())
    updated = [
        name for name in sorted(wanted.keys() & have.keys()) if not accepts(path, name, wanted[name], have[name], cost)
    ]
    changed = bool(added or removed or updated)
    if changed and not module.check_mode:
        lines = []
        for name in sorted(wanted):
            if name in added or name in updated:
                made = htpasswd(["-n", "-i", "-B", "-C", str(cost), name], wanted[name])
                if made.returncode:
                    module.fail_json(msg=f"htpasswd refused the user {name}: {made.stderr.strip()}")
                lines.append(made.stdout.strip())
            else:
                lines.append(f"{name}:{have[name]}")
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=module.tmpdir, delete=False) as file:
            file.write("\n".join(lines) + "\n")
        # A new file would be readable by everyone until its mode is set.
        Path(path).touch(mode=0o600)
        module.atomic_move(file.name, path)
    if Path(path).exists():
        common = module.load_file_common_arguments(module.params)
        changed = module.set_fs_attributes_if_different(common, changed)
    module.exit_json(changed=changed, added=added, updated=updated, removed=removed)


if __name__ == "__main__":
    main()
