"""Recognising a request: which account, region, service and operation it is for, and what it asks."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from aws_finops_mcp.aws.iam import iam_action
from aws_finops_mcp.demo.double.credentials import Credentials, Identity

Environ = dict[str, Any]

_CREDENTIAL: Final = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")

# What services sign as, where that is not what botocore calls them.
_SIGNING_NAMES: Final[dict[str, str]] = {
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
    "email": "ses",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}


@dataclass
class Call:
    """One recognised request on its way through the double."""

    environ: Environ
    body: bytes
    access_key: str
    caller: Identity
    account: str
    region: str
    service: str
    operation: OperationModel
    protocol: str
    path_parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.operation.name)

    @property
    def iam_action(self) -> str:
        return iam_action(self.service, self.name)

    @property
    def query_era(self) -> bool:
        """JSON services that still answer with the error codes of their query days."""
        return "awsQueryCompatible" in self.operation.service_model.metadata

    @property
    def token(self) -> str | None:
        """What temporary credentials are shown with."""
        token: str | None = self.environ.get("HTTP_X_AMZ_SECURITY_TOKEN")
        return token

    @cached_property
    def parameters(self) -> dict[str, Any]:
        request = Request(self.fresh_environ())
        parser = PROTOCOL_PARSERS[self.protocol](self.operation)
        parsed: dict[str, Any] = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": self.path_parameters,
            }
        )
        return parsed

    def fresh_environ(self) -> Environ:
        """The request as it came, with its body unread."""
        environ = {key: value for key, value in self.environ.items() if not key.startswith("werkzeug.request")}
        environ["wsgi.input"] = io.BytesIO(self.body)
        environ["CONTENT_LENGTH"] = str(len(self.body))
        return environ


def read_body(environ: Environ) -> bytes:
    """Take the body whole, unpacked: clients compress large CloudWatch and logs requests."""
    length = environ.get("CONTENT_LENGTH") or 0
    stream = environ["wsgi.input"]
    body: bytes = stream.read() if environ.get("wsgi.input_terminated") else stream.read(int(length))
    if environ.get("HTTP_CONTENT_ENCODING") == "gzip" and "/s3/" not in environ.get("HTTP_AUTHORIZATION", ""):
        body = gzip.decompress(body)
        del environ["HTTP_CONTENT_ENCODING"]
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def recognise(environ: Environ, body: bytes, credentials: Credentials) -> Call | None:
    """None for what is no signed AWS request or names no operation that botocore knows."""
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if credential is None:
        return None
    access_key, region, signing_name = credential.groups()
    for service in _services(signing_name, environ, body):
        request = Request({**environ, "wsgi.input": io.BytesIO(body)})
        try:
            model = get_service_model(service)
            operation, path_parameters = get_service_router(service).match(request)
            protocol = determine_request_protocol(model, request.content_type)
        except (NotFound, NotImplementedError, UnknownServiceError):
            continue
        caller = credentials.identify(access_key)
        account = environ.setdefault("HTTP_X_MOTO_ACCOUNT_ID", caller.account)
        return Call(environ, body, access_key, caller, account, region, service, operation, protocol, path_parameters)
    return None


def warm_up(services: Iterable[str]) -> None:
    """Read the models that the first requests would wait for."""
    for service in services:
        get_service_model(service)
        get_service_router(service)


def _services(signing_name: str, environ: Environ, body: bytes) -> Iterable[str]:
    """The services that may have signed so, the likely one first."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    path = environ.get("PATH_INFO", "")
    if signing_name == "elasticloadbalancing":
        version = parse_qs(body.decode("latin-1")).get("Version", [""])[0]
        return ("elb", "elbv2") if version.startswith("2012") else ("elbv2", "elb")
    if signing_name == "apigateway":
        return ("apigatewayv2", "apigateway") if path.startswith("/v2/") else ("apigateway", "apigatewayv2")
    if signing_name == "dynamodb":
        return ("dynamodbstreams",) if target.startswith("DynamoDBStreams") else ("dynamodb",)
    if signing_name == "es":
        return ("opensearch", "es") if path.startswith("/2021-01-01/") else ("es", "opensearch")
    if signing_name == "ses":
        return ("sesv2", "ses") if path.startswith("/v2/") else ("ses", "sesv2")
    if signing_name == "s3" and path.startswith("/v20180820/"):
        return ("s3control",)
    return (_SIGNING_NAMES.get(signing_name, signing_name),)
