"""A role's template, rendered by Ansible's own engine without a run, and what cfn-lint says of it.

For what the emulated account cannot make, and for the many ways that a template can be asked for.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader  # type: ignore[import-untyped]
from ansible.plugins.loader import filter_loader, init_plugin_loader  # type: ignore[import-untyped]
from ansible.template import Templar, trust_as_template  # type: ignore[import-untyped]
from cfnlint import ManualArgs, lint  # type: ignore[import-untyped]
from cfnlint.decode import decode_str  # type: ignore[import-untyped]

ROLES = Path(__file__).parents[3] / "roles"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
NETWORK = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.64.0.0/20",
    "public_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "private_subnet_ids": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
}
PLACE = {"region": REGION, "partition": "aws", "home": "us-east-1", "dns_suffix": "amazonaws.com"}


@cache
def _plugins() -> None:
    init_plugin_loader([])
    for directory in sorted(ROLES.glob("aws*/filter_plugins")):
        filter_loader.add_directory(str(directory))


@cache
def _variables(role: str) -> dict[str, Any]:
    """A role's defaults and variables, as they are written."""
    files = (str(ROLES / role / part / "main.yml") for part in ("defaults", "vars"))
    loader = DataLoader()
    return {
        name: one
        for file in files
        for name, one in (loader.load_from_file(file, trusted_as_template=True) or {}).items()
    }


def rendered(role: str, template: str = "stack.yml.j2", **given: Any) -> str:
    """The template, with the role's defaults and these variables; account and network are made up."""
    directory = str(ROLES / role)
    # Where lookups look, as in a run.
    places: dict[str, Any] = {"role_path": directory, "ansible_search_path": [directory]}
    lookup = f"{{{{ lookup('ansible.builtin.template', '{directory}/templates/{template}') }}}}"
    return str(evaluated(lookup, [role], **places, **given))


def evaluated(expression: str, roles: list[str], network: dict[str, Any] | None = NETWORK, **given: Any) -> Any:
    """What an expression is with the roles' defaults and variables, and these; `network` None is not yet known."""
    _plugins()
    variables: dict[str, Any] = {"ansible_managed": "Ansible managed", "aws_region": REGION}
    for name in ("aws", *roles):
        variables |= _variables(name)
    variables |= {"__aws_place": PLACE, "__aws_account": ACCOUNT, "__aws_arn_start": "arn:aws"}
    variables |= {"ansible_playbook_python": sys.executable} | ({"__aws_network": network} if network else {}) | given
    return Templar(loader=DataLoader(), variables=variables).template(trust_as_template(expression))


def read(template: str) -> dict[str, Any]:
    """The template as AWS reads it."""
    content, problems = decode_str(template)
    assert not problems, problems
    return dict(content)


def properties(template: str) -> dict[str, Any]:
    """Properties of each resource, by its name in the template."""
    return {name: one.get("Properties", {}) for name, one in read(template)["Resources"].items()}


def lint_problems(template: str) -> list[str]:
    """What cfn-lint says of it: types, properties, values, references."""
    found = lint(template, config=ManualArgs(regions=[REGION]))
    return [f"{one.rule.id} line {one.linenumber}: {one.message}" for one in found]
