"""Does a made-up answer fit botocore's model of the operation: members, types, required ones, enum values?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "boolean": (bool,),
    "blob": (bytes, str),
    "double": (int, float),
    "float": (int, float),
    "integer": (int,),
    "long": (int,),
    "string": (str,),
    "timestamp": (datetime,),
}

# What AWS does say although its own model does not know it.
_BEYOND_THE_MODEL: Final = {
    # An internet gateway's, by the API reference: "available when attached to a VPC".
    "AttachmentStatus": frozenset({"available"}),
    "NetworkInterfaceType": frozenset({"nat_gateway"}),
    # As DescribeInstanceTypes answered moto's authors.
    "SupportedAdditionalProcessorFeature": frozenset({"metal-compatibility"}),
}


def violations(value: Any, shape: Shape | None) -> list[str]:
    """What is wrong, in words; empty when the answer fits."""
    if shape is None:
        return [] if not value else ["the operation has no output"]
    return list(_check(value, shape, shape.name))


def _check(value: Any, shape: Shape, where: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from _check_structure(value, shape, where)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list | tuple):
            yield f"{where} is no list"
            return
        for index, item in enumerate(value):
            yield from _check(item, shape.member, f"{where}[{index}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield f"{where} is no map"
            return
        for key, item in value.items():
            yield from _check(key, shape.key, f"{where} key")
            yield from _check(item, shape.value, f"{where}.{key}")
    else:
        allowed = _TYPES[shape.type_name]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            yield f"{where} is {type(value).__name__}, not {shape.type_name}"
        elif isinstance(shape, StringShape) and shape.enum and not _known(value, shape):
            yield f"{where} is {value!r}, not one of {shape.enum}"


def _known(value: object, shape: StringShape) -> bool:
    return value in shape.enum or value in _BEYOND_THE_MODEL.get(shape.name, ())


def _check_structure(value: Any, shape: StructureShape, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no structure"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{where} lacks {name}"
    for name, item in value.items():
        member = shape.members.get(name)
        if member is None:
            yield f"{where} has no member {name}"
        else:
            yield from _check(item, member, f"{where}.{name}")
