"""docs/operations.md is run: the tests of the hosts take their commands from it; the last test finds what none took.

Run after all other tests of the hosts, by tests/hosts/molecule.sh.
"""

import json
import os
from pathlib import Path

from tests.hosts.page import DOCUMENT, commands

RAN = Path(json.loads(os.environ["EFFECTS"])["state"]) / "documented"


def documented(command: str) -> str:
    """Take a command from the document: it must be there, and from now on counts as run."""
    assert command in commands(), f"{DOCUMENT.name} does not tell operators to run: {command}"
    with RAN.open("a", encoding="utf-8") as stream:
        stream.write(f"{command}\n")
    return command


def test_every_command_of_the_document_was_run() -> None:
    ran = set(RAN.read_text(encoding="utf-8").splitlines())
    assert len(ran) > 20
    assert [command for command in commands() if command not in ran] == []
