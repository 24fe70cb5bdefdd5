"""The commands of docs/operations.md: every line of a ```bash block is one."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/operations.md"


def commands(section: str = "") -> list[str]:
    """The commands of the document, or of one section, without their comments."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if section:
        text = re.split(rf"^##+ {re.escape(section)}\n", text, flags=re.MULTILINE)[1]
        text = re.split(r"^##+ ", text, flags=re.MULTILINE)[0]
    lines = "\n".join(re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    found = [re.sub(r"(^|\s+)# .*", "", line).strip() for line in lines.splitlines()]
    return [re.sub(r"\s+", " ", line) for line in found if line]
