"""Lists resources of a place: filters, ids, pages and limits as strict as elsewhere, made on the way out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.page_rules import rule_for
from aws_finops_mcp.demo.double.paging import bad_token, fingerprint, limit_of, pagination_of
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.estate.place import Place

Keep = Callable[[Any], bool]


@dataclass(frozen=True)
class Listing:
    """How one operation lists one kind of resource."""

    result: str
    count: Callable[[Place], int]
    make: Callable[[Place, int], Any]
    # EC2: the parameter that names resources, how it is resolved, and the error for what does not exist.
    ids: str = ""
    number: Callable[[Place, str], int | None] = lambda place, identity: None
    missing: str = ""
    # EC2's filters: name to the path of the values in an item.
    filters: dict[str, str] = field(default_factory=dict)
    # Which resources can be meant at all, where that is quicker to tell than by looking at each.
    numbers: Callable[[Place, dict[str, Any]], Iterable[int]] | None = None
    # Other services' parameters that choose.
    keep: Callable[[dict[str, Any]], Keep | None] = lambda asked: None


def page(listing: Listing, place: Place, call: Call) -> dict[str, Any]:
    """One page of the answer; a token says where the next one starts."""
    asked = call.parameters
    pages = pagination_of(call.service, call.name)
    if pages is None:
        return {listing.result: list(_chosen(listing, place, asked))}
    limit = limit_of(call, pages, rule_for(call.service, call.name), asked.get(pages.limit or ""))
    if asked.get(listing.ids) and asked.get(pages.limit or ""):
        message = f"The parameter {listing.ids} cannot be used with the parameter maxResults"
        raise AwsError("InvalidParameterCombination", message)
    question = hashlib.sha256(fingerprint(call, pages).encode()).hexdigest()[:24]
    first = _open(call, str(asked[pages.token_in]), question) if asked.get(pages.token_in) else 0
    items: list[Any] = []
    following: int | None = None
    for number, item in _numbered(listing, place, asked, first):
        if limit is not None and len(items) == limit:
            following = number
            break
        items.append(item)
    answer: dict[str, Any] = {listing.result: items}
    if following is not None:
        answer[pages.token_out[0]] = base64.urlsafe_b64encode(f"{question}:{following}".encode()).decode()
    return answer


def _open(call: Call, token: str, question: str) -> int:
    try:
        asked, number = base64.urlsafe_b64decode(token.encode()).decode().split(":")
        if asked == question:
            return int(number)
    except ValueError:
        pass
    raise bad_token(call)


def _chosen(listing: Listing, place: Place, asked: dict[str, Any]) -> Iterator[Any]:
    return (item for _, item in _numbered(listing, place, asked, 0))


def _numbered(listing: Listing, place: Place, asked: dict[str, Any], first: int) -> Iterator[tuple[int, Any]]:
    numbers: Iterable[int] = range(first, listing.count(place))
    if listing.numbers is not None:
        numbers = (number for number in listing.numbers(place, asked) if number >= first)
    named = asked.get(listing.ids) if listing.ids else None
    if named:
        numbers = [_number(listing, place, str(identity)) for identity in named]
    keeps = [_filter(listing, one) for one in asked.get("Filters") or asked.get("Filter") or []]
    chosen = listing.keep(asked)
    if chosen is not None:
        keeps.append(chosen)
    for number in numbers:
        item = listing.make(place, number)
        if all(keep(item) for keep in keeps):
            yield number, item


def _number(listing: Listing, place: Place, identity: str) -> int:
    number = listing.number(place, identity)
    if number is None:
        raise AwsError(listing.missing, f"The ID '{identity}' does not exist")
    return number


def _filter(listing: Listing, wanted: dict[str, Any]) -> Keep:
    name = str(wanted.get("Name"))
    patterns = [str(value) for value in wanted.get("Values") or []]
    if name.startswith("tag:"):
        key = name[4:]
        return lambda item: any(tag["Key"] == key and _matches(tag["Value"], patterns) for tag in _tags(item))
    if name == "tag-key":
        return lambda item: any(_matches(tag["Key"], patterns) for tag in _tags(item))
    path = listing.filters.get(name)
    if path is None:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    parts = path.split(".")
    return lambda item: any(_matches(_text(value), patterns) for value in _values(item, parts))


def _tags(item: Any) -> list[dict[str, str]]:
    inner = item["Instances"][0] if "Instances" in item else item
    return inner.get("Tags") or inner.get("TagSet") or []


def _values(item: Any, parts: list[str]) -> Iterator[Any]:
    if isinstance(item, list):
        for one in item:
            yield from _values(one, parts)
    elif not parts:
        yield item
    elif isinstance(item, dict) and parts[0] in item:
        yield from _values(item[parts[0]], parts[1:])


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _matches(text: str, patterns: list[str]) -> bool:
    return any(text == pattern or fnmatchcase(text, pattern.replace("[", "[[]")) for pattern in patterns)
