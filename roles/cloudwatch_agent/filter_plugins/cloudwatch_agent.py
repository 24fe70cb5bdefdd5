"""What is wrong with a configuration of the CloudWatch agent, by a JSON schema of it, unknown keys included.

The schema that the agent comes with allows any key at its upper levels, so a misspelt one would be left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleFilterError

HONOURED = frozenset({"agent.run_as_user", "agent.usage_data", "logs.metrics_collected.emf"})
"""Keys that the agent reads and its own schema does not declare (1.300072)."""


def problems(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Every problem, as `place: what`; none when the configuration keeps to the schema."""
    try:
        from jsonschema.validators import validator_for
    except ImportError as error:
        raise AnsibleFilterError("the controller's Python needs jsonschema: pip install jsonschema") from error
    validator = validator_for(schema)(schema)
    found = [f"{_place(error.absolute_path)}: {error.message[:300]}" for error in validator.iter_errors(config)]
    return found + [f"{place}: the agent knows no such key" for place in _unknown(config, [schema], schema, ())]


def _place(path: Any) -> str:
    return ".".join(str(part) for part in path) or "the configuration"


def _unknown(value: Any, schemas: list[Any], root: dict[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The keys that no schema in force at a place declares."""
    if _place(path) in HONOURED:
        return
    parts = [part for schema in schemas for part in _parts(schema, root)]
    if isinstance(value, list):
        items = [part["items"] for part in parts if "items" in part]
        for index, item in enumerate(value):
            yield from _unknown(item, items, root, (*path, str(index)))
    elif isinstance(value, dict):
        # A map of any names; where some are declared, others beside them are taken for typing errors.
        free = [
            part["additionalProperties"]
            for part in parts
            if isinstance(part.get("additionalProperties"), dict) and "properties" not in part
        ]
        closed = any("properties" in part for part in parts)
        for key, item in value.items():
            declared = [part["properties"][key] for part in parts if key in part.get("properties", {})]
            if declared or free:
                yield from _unknown(item, declared or free, root, (*path, key))
            elif closed and _place((*path, key)) not in HONOURED:
                yield _place((*path, key))


def _parts(schema: Any, root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema, with those that it refers to and is composed of."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from _parts(target, root)
        return
    yield schema
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, ()):
            yield from _parts(part, root)


class FilterModule:
    """For Ansible."""

    def filters(self) -> dict[str, Any]:
        return {"cloudwatch_agent_problems": problems}
