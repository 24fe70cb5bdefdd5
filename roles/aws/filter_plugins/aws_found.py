"""What teardown lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def aws_found(items: Iterable[Mapping[str, Any]], kind: str, key: str) -> list[dict[str, str]]:
    """Each of a module's results as kind, id and name.

    Args:
        items: what the module returned.
        kind: what they are, as CloudFormation calls it.
        key: the field that holds the id.
    """
    found = []
    for item in items:
        tags = item.get("tags") or {}
        if not isinstance(tags, Mapping):
            tags = {tag.get("key", tag.get("Key")): tag.get("value", tag.get("Value")) for tag in tags}
        found.append({"kind": kind, "id": str(item[key]), "name": str(tags.get("Name", ""))})
    return found


def aws_lines(found: Iterable[Mapping[str, str]]) -> list[str]:
    """Each as a line for people."""
    return [
        " ".join(filter(None, (one["kind"], one["id"], f"({one['name']})" if one["name"] else ""))) for one in found
    ]


class FilterModule:
    """Ansible asks for this name."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names in templates."""
        return {"aws_found": aws_found, "aws_lines": aws_lines}
