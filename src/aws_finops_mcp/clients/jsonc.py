"""JSON with comments and trailing commas, as editors write it: read with positions, and changed in place.

A file is changed by splicing text, so that every comment, order and indentation of its owner stays as it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined] # what json itself reads strings with
from typing import Any

_NUMBER_OR_WORD = re.compile(r"-?[0-9A-Za-z+.-]+")
_DEEPEST = 200


class JsoncError(ValueError):
    """The text is not JSON. The message says at which line and column."""


@dataclass
class Node:
    """A value and where it stands."""

    start: int
    end: int
    value: Any
    members: dict[str, Node] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)


def parse(text: str) -> Node:
    """Read a document.

    Raises:
        JsoncError: it is not JSON, or has a key twice.
    """
    reader = _Reader(text)
    node = reader.value(reader.skip(0), 0)
    if (rest := reader.skip(node.end)) < len(text):
        raise reader.error("more after the end of the document", rest)
    return node


def with_member(text: str, owner: Node, key: str, value: Any) -> str:
    """The text with a member of an object set: replaced where it is, added as the last one where it is not.

    Args:
        owner: the object, from `parse` of this same text.
    """
    if (member := owner.members.get(key)) is not None:
        return text[: member.start] + _dumps(value, text, _indent_at(text, member.start)) + text[member.end :]
    indent = _inner_indent(text, owner, list(owner.members.values()))
    added = f"{json.dumps(key, ensure_ascii=False)}: {_dumps(value, text, indent)}"
    return _appended(text, owner, list(owner.members.values()), added, indent)


def with_item(text: str, owner: Node, value: Any) -> str:
    """The text with a value added to an array."""
    indent = _inner_indent(text, owner, owner.items)
    return _appended(text, owner, owner.items, _dumps(value, text, indent), indent)


def _appended(text: str, owner: Node, siblings: list[Node], added: str, indent: str) -> str:
    close = owner.end - 1
    last = len(text[:close].rstrip())
    tail = text[last:close] if "\n" in text[last:close] else "\n" + _indent_at(text, owner.start)
    if siblings:
        end = siblings[-1].end
        comma = "" if _Reader(text).comma_after(end) else ","
        return text[:end] + comma + text[end:last] + f"\n{indent}{added}{tail}" + text[close:]
    return text[:last] + f"\n{indent}{added}{tail}" + text[close:]


def _indent_at(text: str, position: int) -> str:
    """The indentation of the line in which a position is."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip())]


def _unit(text: str) -> str:
    """One step of indentation, as the document has it."""
    found = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    return ("\t" if found[1].startswith("\t") else found[1][:8]) if found else "  "


def _inner_indent(text: str, owner: Node, siblings: list[Node]) -> str:
    if siblings and "\n" in text[owner.start : siblings[0].start]:
        return _indent_at(text, siblings[0].start)
    return _indent_at(text, owner.start) + _unit(text)


def _dumps(value: Any, text: str, indent: str) -> str:
    return json.dumps(value, indent=_unit(text), ensure_ascii=False).replace("\n", "\n" + indent)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, what: str, position: int) -> JsoncError:
        line = self.text.count("\n", 0, position) + 1
        column = position - self.text.rfind("\n", 0, position)
        return JsoncError(f"line {line}, column {column}: {what}")

    def skip(self, position: int) -> int:
        """The position after white space and comments."""
        text = self.text
        while position < len(text):
            if text[position] in " \t\r\n":
                position += 1
            elif text.startswith("//", position):
                end = text.find("\n", position)
                position = len(text) if end < 0 else end
            elif text.startswith("/*", position):
                end = text.find("*/", position + 2)
                if end < 0:
                    raise self.error("a comment that does not end", position)
                position = end + 2
            else:
                break
        return position

    def comma_after(self, position: int) -> bool:
        return self.text.startswith(",", self.skip(position))

    def value(self, at: int, depth: int) -> Node:
        if at >= len(self.text):
            raise self.error("the document ends where a value should be", at)
        if depth > _DEEPEST:
            raise self.error(f"nested deeper than {_DEEPEST}", at)
        character = self.text[at]
        if character == "{":
            return self.object(at, depth)
        if character == "[":
            return self.array(at, depth)
        if character == '"':
            text, end = self.string(at)
            return Node(at, end, text)
        word = _NUMBER_OR_WORD.match(self.text, at)
        try:
            return Node(at, at + len(word[0]), json.loads(word[0], parse_constant=_no_constant)) if word else _none()
        except ValueError:
            raise self.error("a value should be here", at) from None

    def string(self, at: int) -> tuple[str, int]:
        try:
            text, end = scanstring(self.text, at + 1, True)
        except json.JSONDecodeError as error:
            raise self.error(error.msg, error.pos) from None
        return str(text), int(end)

    def object(self, at: int, depth: int) -> Node:
        node, position = Node(at, at, {}), self.skip(at + 1)
        while not self.text.startswith("}", position):
            if not self.text.startswith('"', position):
                raise self.error('a key in double quotes or "}" should be here', position)
            key, end = self.string(position)
            if key in node.members:
                raise self.error(f"the key {key!r} for the second time", position)
            colon = self.skip(end)
            if not self.text.startswith(":", colon):
                raise self.error('":" should be here', colon)
            member = self.value(self.skip(colon + 1), depth + 1)
            node.members[key], node.value[key] = member, member.value
            position = self.separator(member.end, "}")
        node.end = position + 1
        return node

    def array(self, at: int, depth: int) -> Node:
        node, position = Node(at, at, []), self.skip(at + 1)
        while not self.text.startswith("]", position):
            item = self.value(position, depth + 1)
            node.items.append(item)
            node.value.append(item.value)
            position = self.separator(item.end, "]")
        node.end = position + 1
        return node

    def separator(self, end: int, close: str) -> int:
        position = self.skip(end)
        if self.text.startswith(",", position):
            return self.skip(position + 1)
        if not self.text.startswith(close, position):
            raise self.error(f'"," or "{close}" should be here', position)
        return position


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def _none() -> Node:
    raise ValueError
