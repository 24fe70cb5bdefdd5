"""Functions, log groups and queues of a place, as botocore gives them to a caller."""

from __future__ import annotations

from typing import Any, Final

from aws_finops_mcp.demo.estate.place import Fate, Place

_RUNTIMES: Final = ("python3.12", "nodejs22.x", "python3.13", "java21", "nodejs20.x", "python3.9")
_MEMORIES: Final = (128, 256, 512, 1024, 2048)
_RETENTIONS: Final = (7, 14, 30, 90, 365)
_YOUNG_DAYS: Final = 4.0


def function(place: Place, number: int) -> dict[str, Any]:
    """As ListFunctions gives it: without its state."""
    name = place.identity("functions", number)
    random = place.vary("functions", number, 10_000)
    memory = _MEMORIES[random % len(_MEMORIES)]
    layer = f"arn:aws:lambda:{place.region}:580247275435:layer:LambdaInsightsExtension:60"
    layers = [{"Arn": layer, "CodeSize": 5_000_000}] if place.has_insights(number) else []
    return {
        "Architectures": ["arm64" if random % 3 == 0 else "x86_64"],
        "CodeSha256": f"{place.key:08x}{number:08x}".ljust(43, "A") + "=",
        "CodeSize": 20_000 + random * 300,
        "Description": "",
        "EphemeralStorage": {"Size": 512},
        "FunctionArn": f"arn:aws:lambda:{place.region}:{place.account}:function:{name}",
        "FunctionName": name,
        "Handler": "app.handler",
        **({"Layers": layers} if layers else {}),
        "LastModified": f"{place.ago(_modified(place, number)):%Y-%m-%dT%H:%M:%S.000+0000}",
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        "MemorySize": memory,
        "PackageType": "Zip",
        "RevisionId": f"{place.key:08x}-0000-4000-8000-{number:012x}",
        "Role": f"arn:aws:iam::{place.account}:role/northwind-lambda",
        "Runtime": _RUNTIMES[random // 7 % len(_RUNTIMES)],
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "Timeout": 30,
        "TracingConfig": {"Mode": "PassThrough"},
        "Version": "$LATEST",
    }


def configuration(place: Place, number: int) -> dict[str, Any]:
    """As GetFunctionConfiguration gives it."""
    return {**function(place, number), "State": "Active", "LastUpdateStatus": "Successful"}


def _modified(place: Place, number: int) -> float:
    if place.fate("functions", number) is Fate.YOUNG:
        return _YOUNG_DAYS
    return 130.0 + place.vary("functions", number, 10_000) % 500


def log_group(place: Place, number: int) -> dict[str, Any]:
    name = place.identity("log_groups", number)
    random = place.vary("log_groups", number, 10_000)
    young = place.fate("log_groups", number) is Fate.YOUNG
    arn = f"arn:aws:logs:{place.region}:{place.account}:log-group:{name}"
    made: dict[str, Any] = {
        "arn": f"{arn}:*",
        "creationTime": int(place.ago(_YOUNG_DAYS if young else 130 + random % 500).timestamp() * 1000),
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "logGroupName": name,
        "metricFilterCount": 0,
        "storedBytes": random * 7_340_033,
    }
    if random % 3:
        # Every third keeps its events for ever.
        made["retentionInDays"] = _RETENTIONS[random % len(_RETENTIONS)]
    return made


def log_stream(place: Place, number: int) -> dict[str, Any]:
    """A log group's only stream; its last event is as old as the group's fate says."""
    group = log_group(place, number)
    idle = place.fate("log_groups", number) is Fate.IDLE
    last = int(place.ago(100 if idle else 0.01).timestamp() * 1000)
    return {
        "arn": f"{group['logGroupArn']}:log-stream:main",
        "creationTime": group["creationTime"],
        "firstEventTimestamp": group["creationTime"],
        "lastEventTimestamp": last,
        "lastIngestionTime": last,
        "logStreamName": "main",
        "storedBytes": 0,
        "uploadSequenceToken": "0",
    }


def queue_url(place: Place, number: int, endpoint: str) -> str:
    return f"{endpoint}/{place.account}/{place.identity('queues', number)}"


def queue_attributes(place: Place, number: int) -> dict[str, str]:
    """SQS tells everything as text, times as whole seconds."""
    random = place.vary("queues", number, 10_000)
    created = str(int(place.ago(100 + random % 600).timestamp()))
    waiting = "0" if place.fate("queues", number) is Fate.IDLE else str(random % 50)
    return {
        "ApproximateNumberOfMessages": waiting,
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "CreatedTimestamp": created,
        "DelaySeconds": "0",
        "LastModifiedTimestamp": created,
        "MaximumMessageSize": "262144",
        "MessageRetentionPeriod": "345600",
        "QueueArn": f"arn:aws:sqs:{place.region}:{place.account}:{place.identity('queues', number)}",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }
