"""What teardown lists: of a module's results, what is the deployment's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def _tags_of(item: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """Tags by their keys: modules return them so, or as AWS does."""
    tags = item.get(field) or {}
    if isinstance(tags, Mapping):
        return tags
    return {tag.get("key", tag.get("Key")): tag.get("value", tag.get("Value")) for tag in tags}


def aws_owned(
    items: Iterable[Mapping[str, Any]], owned: Mapping[str, str], field: str = "tags"
) -> list[Mapping[str, Any]]:
    """Those with all of these tags, which `field` holds."""
    return [item for item in items if all(_tags_of(item, field).get(key) == value for key, value in owned.items())]


def aws_found(items: Iterable[Mapping[str, Any]], kind: str, key: str) -> list[dict[str, str]]:
    """Each of a module's results as kind, id and name.

    Args:
        items: what the module returned.
        kind: what they are, as CloudFormation calls it.
        key: the field that holds the id.
    """
    found = []
    for item in items:
        tags = _tags_of(item, "tags")
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
        return {"aws_found": aws_found, "aws_owned": aws_owned, "aws_lines": aws_lines}
