"""docs/operations.md is run: the tests of the hosts take their commands from it; the last test finds what none took.

Every line of a ```bash block is a command; what needs AWS itself cannot be run here. Run after all other tests of the
hosts, by tests/hosts/molecule.sh.
"""

import json
import os
import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/operations.md"
NEEDS_AWS = ("aws ", "ssh ")
RAN = Path(json.loads(os.environ["EFFECTS"])["state"]) / "documented"


def commands(section: str = "") -> list[str]:
    """The commands of the document, or of one section, without their comments."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if section:
        text = text.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = "\n".join(re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    found = [re.sub(r"(^|\s+)# .*", "", line).strip() for line in lines.splitlines()]
    return [re.sub(r"\s+", " ", line) for line in found if line and not line.startswith(NEEDS_AWS)]


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
