"""An empty AWS account, and `ansible-playbook` run against it as an operator would."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import yaml  # type: ignore[import-untyped]
from tests.conftest import environment
from tests.roles.warm_python import packed_playbook, warm_python

from aws_finops_mcp.demo.process import AccountProcess

PROJECT = Path(__file__).parents[3]
REGION = "eu-west-1"
OWNER_TAG = "aws-finops-mcp:deployment"


_SESSION: Any = boto3.session.Session()


@cache
def _client(service: str, region: str, url: str, key: str, secret: str) -> Any:
    """Kept, as botocore takes longer to read what a service can do than to ask it."""
    return _SESSION.client(
        service, region_name=region, endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret
    )


@dataclass
class Run:
    """What one run of a playbook did, from Ansible's own record of it."""

    returncode: int
    stdout: str
    stderr: str
    plays: list[dict[str, Any]] = field(default_factory=list)

    def _results(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for play in self.plays:
            for task in play["tasks"]:
                for result in task["hosts"].values():
                    yield task["task"]["name"], result

    @property
    def changed(self) -> list[str]:
        """The tasks that changed something, or would have."""
        return [name for name, result in self._results() if result.get("changed")]

    @property
    def tasks(self) -> list[str]:
        """Its tasks, in the order in which they ran."""
        return [name for name, _ in self._results()]

    @property
    def failure(self) -> str:
        """Why it failed, in Ansible's words; empty when it did not."""
        failed = [result for _, result in self._results() if result.get("failed") or result.get("unreachable")]
        said = [
            json.dumps([result.get(key) for key in ("msg", "results", "stderr", "stdout") if result.get(key)] or result)
            for result in failed
        ]
        return "\n".join(said) if self.plays else self.stdout + self.stderr

    @property
    def refusals(self) -> str:
        """The messages of what failed, of each item of a loop: a variable that is right is not in it."""
        failed = [result for _, result in self._results() if result.get("failed")]
        each = [one for result in failed for one in result.get("results") or [result]]
        return "\n".join(one["msg"] for one in each if one.get("failed"))

    @property
    def said(self) -> str:
        """Everything that its debug tasks say."""
        each = [one for _, result in self._results() for one in (result, *result.get("results", []))]
        told = [one["msg"] for one in each if "msg" in one and not one.get("failed")]
        return "\n".join(one if isinstance(one, str) else "\n".join(map(str, one)) for one in told)

    def must_pass(self) -> Run:
        """This run, unless it failed."""
        assert self.returncode == 0, self.failure + self.stderr
        return self


class Deployment:
    """An inventory file, and the account that its variables are for."""

    def __init__(self, account: AccountProcess, directory: Path, **variables: Any) -> None:
        self.account = account
        self.directory = directory
        self.inventory = directory / "inventory.yml"
        # It starts the server's command, which takes longer than most plays: tests that are about it ask for it.
        quick = {"aws_estimate_enabled": False}
        self.variables = {"aws_region": REGION, "aws_endpoint_url": account.url, **quick, **variables}
        self.write()

    def write(self, **more: Any) -> None:
        """Write the inventory as an operator edits it: these variables are in it from now on."""
        self.variables |= more
        self.directory.mkdir(parents=True, exist_ok=True)
        hosts = {"localhost": {"ansible_connection": "local"}}
        self.inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": self.variables}}))

    @property
    def environment(self) -> dict[str, str]:
        """The operator's: credentials, and nothing that says where AWS is."""
        keys = {name: value for name, value in self.account.environment.items() if name != "AWS_ENDPOINT_URL"}
        return environment(
            {
                **keys,
                "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
                "ANSIBLE_LOCAL_TEMP": str(self.directory / "ansible"),
                "ANSIBLE_NOCOLOR": "1",
            }
        )

    def play(self, playbook: str, *options: str, **variables: Any) -> Run:
        """Run one of playbooks/, with these variables on the command line."""
        python = {"ansible_python_interpreter": warm_python()}
        command = [*packed_playbook(), "-i", str(self.inventory), str(PROJECT / "playbooks" / playbook)]
        done = subprocess.run(
            [*command, "-e", json.dumps(python | variables), *options],
            env=self.environment,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            plays = json.loads(done.stdout)["plays"]
        except ValueError:
            plays = []
        return Run(done.returncode, done.stdout, done.stderr, plays)

    def client(self, service: str, region: str = REGION) -> Any:
        """A client of the same account."""
        keys = self.account.environment
        return _client(service, region, self.account.url, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])


def picture(name: str) -> dict[str, Any]:
    """The variables of an inventory as it is handed out, inventory/aws_<name>.yml."""
    content = yaml.safe_load((PROJECT / f"inventory/aws_{name}.yml").read_text(encoding="utf-8"))
    return dict(content["all"]["vars"])


@contextmanager
def empty_account(directory: Path, **variables: Any) -> Iterator[Deployment]:
    """An account as AWS hands it over: nothing in it but the default VPCs."""
    with AccountProcess(seeded=False) as account:
        yield Deployment(account, directory, **variables)
