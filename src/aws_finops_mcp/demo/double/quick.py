"""EC2 answers on the wire by writers that are compiled once from the model: far faster than the general serializer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.double.wire import Answer

_Write = Callable[[Any, list[str]], None]
# Compiled writers by service version and shape.
_compiled: dict[int, tuple[Shape, _Write]] = {}


def ec2_answer(call: Call, value: dict[str, Any]) -> Answer:
    """The answer to an EC2 request; members that are None are left out."""
    metadata = call.operation.service_model.metadata
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<{call.name}Response xmlns="http://ec2.amazonaws.com/doc/{metadata["apiVersion"]}/">',
        "<requestId>simulated</requestId>",
    ]
    shape: Any = call.operation.output_shape
    _writer(shape)(value, parts)
    parts.append(f"</{call.name}Response>")
    return Answer(200, "".join(parts).encode(), [("Content-Type", "text/xml;charset=UTF-8")])


def _writer(shape: Shape) -> _Write:
    known = _compiled.get(id(shape))
    # The shape is kept, so that its id is not given to another one.
    if known is None:
        known = _compiled[id(shape)] = shape, _compile(shape)
    return known[1]


def _compile(shape: Shape) -> _Write:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if shape.type_name == "boolean":
        return lambda value, parts: parts.append("true" if value else "false")
    if shape.type_name == "timestamp":
        return lambda value, parts: parts.append(_time(value))
    if shape.type_name == "string":
        return lambda value, parts: parts.append(_escaped(value))
    return lambda value, parts: parts.append(str(value))


def _structure(shape: StructureShape) -> _Write:
    # Members are compiled when first met: most shapes have many that nobody fills, and some contain themselves.
    members: dict[str, tuple[str, str, _Write]] = {}

    def write(value: Any, parts: list[str]) -> None:
        for name, item in value.items():
            if item is None:
                continue
            known = members.get(name)
            if known is None:
                member = shape.members[name]
                wire = str(member.serialization.get("name", name))
                known = members[name] = f"<{wire}>", f"</{wire}>", _writer(member)
            parts.append(known[0])
            known[2](item, parts)
            parts.append(known[1])

    return write


def _list(shape: ListShape) -> _Write:
    wire = str(shape.member.serialization.get("name", "item"))
    opening, closing = f"<{wire}>", f"</{wire}>"
    inner: list[_Write] = []

    def write(value: Any, parts: list[str]) -> None:
        if not inner:
            inner.append(_writer(shape.member))
        for item in value:
            parts.append(opening)
            inner[0](item, parts)
            parts.append(closing)

    return write


def _time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _escaped(text: str) -> str:
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text
