"""ListStreams of Kinesis: moto gives ten names a page, and with each page the summaries of all streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from moto.kinesis.models import kinesis_backends

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

DEFAULT: Final = 100
MOST: Final = 10_000


def list_streams(call: Call) -> dict[str, Any]:
    """A page of moto's streams, in the order of their names."""
    backend: Any = kinesis_backends[call.account][call.region]
    listed = sorted(backend.list_streams(), key=lambda stream: str(stream.stream_name))
    return page_of(call, [_summary(stream) for stream in listed])


def page_of(call: Call, streams: Sequence[dict[str, Any]], most: int = MOST) -> dict[str, Any]:
    """The page that is asked for of some summaries; names and summaries tell the same streams."""
    token = str(call.parameters.get("NextToken") or "0")
    if not token.isdigit() or int(token) >= max(1, len(streams)):
        raise AwsError("ExpiredNextTokenException", "NextToken is expired or not one that Kinesis gave.")
    first = int(token)
    page = streams[first : first + min(most, int(call.parameters.get("Limit") or DEFAULT))]
    more = first + len(page) < len(streams)
    answer: dict[str, Any] = {
        "StreamNames": [one["StreamName"] for one in page],
        "StreamSummaries": list(page),
        "HasMoreStreams": more,
    }
    return answer | ({"NextToken": f"{first + len(page)}"} if more else {})


def _summary(stream: Any) -> dict[str, Any]:
    return {
        "StreamName": stream.stream_name,
        "StreamARN": stream.arn,
        "StreamStatus": stream.status,
        "StreamModeDetails": stream.stream_mode,
        "StreamCreationTimestamp": stream.creation_datetime,
    }
