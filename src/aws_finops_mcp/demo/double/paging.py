"""Pages as AWS makes them: moto often answers everything at once, so code that forgets to page passes there."""

from __future__ import annotations

import copy
import io
import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import botocore.session
from botocore.exceptions import UnknownServiceError

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.page_rules import LEFT_TO_MOTO, PageRule, rule_for
from aws_finops_mcp.demo.double.request import Call, Environ
from aws_finops_mcp.demo.double.wire import Answer, parse, serialise

_PLAIN_PATH: Final = re.compile(r"^\w+(\.\w+)*$")
# Answers being handed out are forgotten, the oldest first, beyond so many items.
_KEPT_ITEMS: Final = 100_000
# A backend that keeps handing out tokens would otherwise hold a request forever.
_MOST_BACKEND_PAGES: Final = 1000

Path = tuple[str, ...]


@dataclass(frozen=True)
class Pagination:
    """What botocore's paginator says about an operation."""

    token_in: str
    token_out: Path
    limit: str | None
    results: tuple[Path, ...]
    more: Path | None


# Operations with pages of which botocore's paginators do not tell.
_WITHOUT_PAGINATOR: Final = {
    ("logs", "ListLogGroups"): Pagination("nextToken", ("nextToken",), "limit", (("logGroups",),), None)
}


@dataclass(frozen=True)
class _Snapshot:
    """An answer being handed out page by page; later pages must not change under the caller."""

    name: str
    question: str
    frame: dict[str, Any]
    items: list[tuple[Path, Any]]


@cache
def _models() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def pagination_of(service: str, operation: str) -> Pagination | None:
    """None where the operation has no pages, or pages of a kind that is left to moto."""
    if (service, operation) in _WITHOUT_PAGINATOR:
        return _WITHOUT_PAGINATOR[service, operation]
    if service in LEFT_TO_MOTO:
        return None
    try:
        config = _models().get_paginator_model(service).get_paginator(operation)
    except (UnknownServiceError, ValueError):
        return None
    results = config["result_key"] if isinstance(config["result_key"], list) else [config["result_key"]]
    single = [config["input_token"], config["output_token"], config.get("more_results") or "x", *results]
    if not all(isinstance(part, str) and _PLAIN_PATH.match(part) for part in single):
        return None
    more = config.get("more_results")
    return Pagination(
        token_in=config["input_token"],
        token_out=_path(config["output_token"]),
        limit=config.get("limit_key"),
        results=tuple(_path(result) for result in results),
        more=_path(more) if more else None,
    )


def limit_of(call: Call, pages: Pagination, rule: PageRule, asked: Any) -> int | None:
    """How many items this page may hold; None for all. Refuses limits that AWS refuses."""
    if asked is None or asked == "":
        return rule.default
    number = int(asked)
    if number < rule.minimum:
        if call.service == "ec2":
            # EC2 names the parameter in lower camel case and sets the value in spaces.
            raise AwsError(
                "InvalidParameterValue",
                f"Value ( {number} ) for parameter maxResults is invalid. "
                f"Expecting a value greater than {rule.minimum}.",
            )
        raise AwsError(_code(call, "limit"), f"{pages.limit} must be at least {rule.minimum}.")
    return min(number, rule.cap)


def bad_token(call: Call) -> AwsError:
    """The operation's own refusal of a token that it did not give for this question."""
    return AwsError(_code(call, "token"), "The specified pagination token is not valid or is expired.")


class Pager:
    """Cuts a backend's full answer into pages and remembers the rest under opaque tokens."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._snapshots: OrderedDict[str, _Snapshot] = OrderedDict()

    def answer(
        self,
        call: Call,
        pages: Pagination,
        backend: Callable[[Environ], Answer],
        correct: Callable[[dict[str, Any]], None] | None = None,
    ) -> Answer:
        asked = call.parameters
        rule = rule_for(call.service, call.name)
        limit = limit_of(call, pages, rule, asked.get(pages.limit or ""))
        token = asked.get(pages.token_in)
        question = fingerprint(call, pages)
        if token:
            snapshot, offset = self._resume(call, str(token), question)
        else:
            whole = self._whole(call, pages, backend)
            if isinstance(whole, Answer):
                return whole
            if correct is not None:
                correct(whole)
            snapshot, offset = _snapshot(pages, whole, question), 0
        return self._page(call, pages, snapshot, offset, limit)

    def _resume(self, call: Call, token: str, question: str) -> tuple[_Snapshot, int]:
        name, offset = _open_token(token)
        with self._lock:
            snapshot = self._snapshots.get(name)
            if snapshot is not None:
                self._snapshots.move_to_end(name)
        if snapshot is None or snapshot.question != question or not 0 < offset < len(snapshot.items):
            raise bad_token(call)
        return snapshot, offset

    def _whole(self, call: Call, pages: Pagination, backend: Callable[[Environ], Answer]) -> dict[str, Any] | Answer:
        """Everything the backend has, following its own pages where it makes some; or its error as it is."""
        whole: dict[str, Any] | None = None
        token: Any = None
        for _ in range(_MOST_BACKEND_PAGES):
            answer = backend(without_paging(call, pages, token))
            if answer.status >= 300:
                return answer
            part = parse(call, answer)
            if whole is None:
                whole = part
            else:
                for path in pages.results:
                    _put(whole, path, (_get(whole, path) or []) + (_get(part, path) or []))
            token = _get(part, pages.token_out)
            if not token:
                break
        return whole or {}

    def _page(self, call: Call, pages: Pagination, snapshot: _Snapshot, offset: int, limit: int | None) -> Answer:
        end = len(snapshot.items) if limit is None else min(offset + limit, len(snapshot.items))
        page = copy.deepcopy(snapshot.frame)
        for path in pages.results:
            _put(page, path, [item for where, item in snapshot.items[offset:end] if where == path])
        more = end < len(snapshot.items)
        if more:
            self._keep(snapshot)
            _put(page, pages.token_out, _token(snapshot.name, end))
        _describe_page(pages, page, more, limit)
        return serialise(call, page)

    def _keep(self, snapshot: _Snapshot) -> None:
        with self._lock:
            self._snapshots[snapshot.name] = snapshot
            kept = sum(len(one.items) for one in self._snapshots.values())
            while kept > _KEPT_ITEMS and len(self._snapshots) > 1:
                _, forgotten = self._snapshots.popitem(last=False)
                kept -= len(forgotten.items)


def _token(name: str, offset: int) -> str:
    return urlsafe_b64encode(f"{name}:{offset}".encode()).decode()


def _open_token(token: str) -> tuple[str, int]:
    """What a token says; nothing that exists for one that we did not make."""
    try:
        name, offset = urlsafe_b64decode(token.encode()).decode().split(":")
        return name, int(offset)
    except ValueError:
        return "", 0


def _snapshot(pages: Pagination, whole: dict[str, Any], question: str) -> _Snapshot:
    items = [(path, item) for path in pages.results for item in _get(whole, path) or []]
    for path in pages.results:
        _put(whole, path, [])
    _drop(whole, pages.token_out)
    return _Snapshot(secrets.token_hex(24), question, whole, items)


def _describe_page(pages: Pagination, page: dict[str, Any], more: bool, limit: int | None) -> None:
    """The members beside the items that some services fill: IsTruncated, Quantity, MaxItems."""
    if pages.more is not None:
        _put(page, pages.more, more)
    for path in pages.results:
        around = _get(page, path[:-1]) if len(path) > 1 else None
        if isinstance(around, dict) and "Quantity" in around:
            around["Quantity"] = len(around[path[-1]])
            if limit is not None and "MaxItems" in around:
                around["MaxItems"] = limit


def without_paging(call: Call, pages: Pagination, token: Any) -> Environ:
    """The request as the backend is to see it: no limit, and only the backend's own token."""
    environ = call.fresh_environ()
    shape = call.operation.input_shape
    members = shape.members if shape is not None else {}
    names = [name for name in (pages.token_in, pages.limit or "") if name in members]
    if call.protocol in {"ec2", "query"}:
        wire = {name: _query_name(call.protocol, name, members[name]) for name in names}
        pairs = [pair for pair in parse_qsl(call.body.decode(), keep_blank_values=True) if pair[0] not in wire.values()]
        if token:
            pairs.append((wire[pages.token_in], str(token)))
        return _with_body(environ, urlencode(pairs).encode())
    if call.protocol == "json":
        payload = json.loads(call.body or b"{}")
        for name in names:
            payload.pop(members[name].serialization.get("name", name), None)
        if token:
            payload[members[pages.token_in].serialization.get("name", pages.token_in)] = token
        return _with_body(environ, json.dumps(payload).encode())
    # REST protocols: limits and tokens of listings travel in the query string.
    wire = {name: members[name].serialization.get("name", name) for name in names}
    pairs = [
        pair
        for pair in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        if pair[0] not in wire.values()
    ]
    if token:
        pairs.append((wire[pages.token_in], str(token)))
    environ["QUERY_STRING"] = urlencode(pairs)
    path = str(environ.get("RAW_URI", "")).split("?", 1)[0]
    environ["RAW_URI"] = environ["REQUEST_URI"] = f"{path}?{environ['QUERY_STRING']}" if pairs else path
    return environ


def _with_body(environ: Environ, body: bytes) -> Environ:
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _query_name(protocol: str, name: str, shape: Any) -> str:
    if protocol == "ec2":
        if "queryName" in shape.serialization:
            return str(shape.serialization["queryName"])
        wire = str(shape.serialization.get("name", name))
        return wire[0].upper() + wire[1:]
    return str(shape.serialization.get("name", name))


def fingerprint(call: Call, pages: Pagination) -> str:
    """A token belongs to one question; AWS refuses it with another."""
    question = {key: value for key, value in call.parameters.items() if key not in {pages.token_in, pages.limit}}
    where = [call.account, call.region, call.service, call.name]
    return json.dumps([where, question], sort_keys=True, default=str)


def _code(call: Call, what: str) -> str:
    """The error code that this operation declares for a bad token or limit, or the service's usual one."""
    if call.service == "ec2":
        return "InvalidNextToken"
    declared = [str(shape.name) for shape in call.operation.error_shapes]
    wanted = ("NextToken", "PaginationToken", "Marker") if what == "token" else ()
    usual = ("InvalidParameterValue", "InvalidArgument", "InvalidParameter", "Validation", "InvalidInput")
    for part in (*wanted, *usual):
        for name in declared:
            if part in name:
                shape: Any = call.operation.service_model.shape_for(name)
                return str(shape.error_code)
    return "InvalidParameterValue" if call.protocol in {"query", "rest-xml"} else "ValidationException"


def _path(expression: str) -> Path:
    return tuple(expression.split("."))


def _get(value: dict[str, Any], path: Path) -> Any:
    found: Any = value
    for part in path:
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def _put(value: dict[str, Any], path: Path, new: Any) -> None:
    for part in path[:-1]:
        value = value.setdefault(part, {})
    value[path[-1]] = new


def _drop(value: dict[str, Any], path: Path) -> None:
    around = _get(value, path[:-1]) if len(path) > 1 else value
    if isinstance(around, dict):
        around.pop(path[-1], None)
