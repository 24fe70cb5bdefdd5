"""Bytes to values and back, by botocore's service model, in the protocol that the request spoke."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from moto.core.serialize import get_serializer_class

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call, Environ

WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass
class Answer:
    """A whole HTTP response."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)


def ask(app: WsgiApp, environ: Environ) -> Answer:
    """Run a WSGI application and keep its whole answer."""
    seen: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        seen["status"] = int(status.split(" ", 1)[0])
        seen["headers"] = list(headers)

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return Answer(seen["status"], body, seen["headers"])


@cache
def _parser(protocol: str) -> Any:
    return create_parser(protocol)


def parse(call: Call, answer: Answer) -> dict[str, Any]:
    """What a botocore client would make of this answer, without the response metadata."""
    response = {"status_code": answer.status, "headers": HeadersDict(dict(answer.headers)), "body": answer.body}
    parsed: dict[str, Any] = _parser(call.protocol).parse(response, call.operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def serialise(call: Call, value: dict[str, Any]) -> Answer:
    """An answer in the protocol of the request."""
    serializer = get_serializer_class(call.service, call.protocol)(operation_model=call.operation)
    response = serializer.serialize(value)
    body = response["body"]
    encoded = body.encode() if isinstance(body, str) else body
    headers = [*response["headers"].items(), ("x-amzn-RequestId", "simulated")]
    return Answer(response["status_code"], encoded, headers)


def serialise_error(call: Call, error: AwsError) -> Answer:
    """A refusal in the shape that the service gives its errors."""
    service, protocol, query_era = call.service, call.protocol, call.query_era
    sender = "Sender" if error.status < 500 else "Receiver"
    code, message = escape(error.code), escape(error.message)
    if protocol == "ec2":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            "<RequestID>simulated</RequestID></Response>"
        )
        return Answer(error.status, body.encode(), [("Content-Type", "text/xml;charset=UTF-8")])
    if service in {"s3", "s3control"}:
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>simulated</RequestId></Error>"
        return Answer(error.status, body.encode(), [("Content-Type", "application/xml")])
    if protocol in {"query", "rest-xml"}:
        body = (
            f"<ErrorResponse><Error><Type>{sender}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>simulated</RequestId></ErrorResponse>"
        )
        return Answer(error.status, body.encode(), [("Content-Type", "text/xml")])
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code)]
    if query_era:
        headers.append(("x-amzn-query-error", f"{error.code};{sender}"))
    # Both spellings are in use; services differ and clients accept either.
    payload = {"__type": error.code, "message": error.message, "Message": error.message}
    return Answer(error.status, json.dumps(payload).encode(), headers)
