"""Turns what boto3 raises into a `FailedRead`: which call, where, why, and what would help."""

from __future__ import annotations

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from aws_finops_mcp.aws.iam import DEPENDENT
from aws_finops_mcp.aws.switched_off import remedy_of
from aws_finops_mcp.findings import FailedRead

_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|NotAuthorized|AuthorizationError|Forbidden|OptInRequired")
_THROTTLED = re.compile(r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|LimitExceeded|RequestThrottled")
_CREDENTIALS = re.compile(
    r"ExpiredToken|InvalidClientTokenId|UnrecognizedClient|AuthFailure|SignatureDoesNotMatch|InvalidAccessKeyId|"
    r"InvalidSignature|IncompleteSignature"
)
_ENCODED = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)


def failed_read(error: Exception, *, action: str, account: str, region: str, resource: str = "") -> FailedRead:
    """Describe `error`, raised by a call of `action`."""

    def describe(kind: str, text: str, remedy: str) -> FailedRead:
        return FailedRead.model_validate(
            {
                "call": action,
                "account": account,
                "region": region,
                "kind": kind,
                "error": text[:500],
                "remedy": remedy,
                "resource": resource,
            }
        )

    if isinstance(error, ClientError):
        if error.operation_name == "AssumeRole" and not action.endswith(":AssumeRole"):
            return _assume_role(error, account, region)
        code = error.response.get("Error", {}).get("Code", "Unknown")
        message = _ENCODED.sub("", error.response.get("Error", {}).get("Message", ""))
        text = f"{code}: {message}" if message else code
        if remedy := remedy_of(action, text):
            return describe("not_opted_in", text, remedy)
        if _DENIED.search(code):
            return describe("denied", text, f"allow the IAM action {_with_dependent(action)} for the server's role")
        if _CREDENTIALS.search(code):
            return describe("no_credentials", text, "renew or correct the server's AWS credentials")
        if _THROTTLED.search(code):
            return describe("throttled", text, "ask again in a minute; AWS limits how often this can be called")
        return describe("error", text, "see the error; AWS did not answer this call")
    if isinstance(
        error,
        (
            NoCredentialsError,
            PartialCredentialsError,
            CredentialRetrievalError,
            TokenRetrievalError,
            ProfileNotFound,
        ),
    ):
        return describe(
            "no_credentials",
            str(error),
            "give the host an instance role, or set AWS_PROFILE for the server's process",
        )
    if isinstance(error, (BotoConnectionError, HTTPClientError)):
        return describe(
            "unreachable",
            f"{type(error).__name__}: {error}",
            "check the host's way to AWS: route, NAT, endpoint, proxy",
        )
    if isinstance(error, BotoCoreError):
        return describe("error", f"{type(error).__name__}: {error}", "see the error; the call could not be made")
    raise error


def _with_dependent(action: str) -> str:
    """The action, and those that AWS asks for beside it."""
    dependent = DEPENDENT.get(action, ())
    return f"{action}, which needs {' and '.join(dependent)} too," if dependent else action


def _assume_role(error: ClientError, account: str, region: str) -> FailedRead:
    """The call itself was never made: the account's role could not be assumed."""
    return FailedRead(
        call="sts:AssumeRole",
        account=account,
        region=region,
        kind="denied" if _DENIED.search(error.response["Error"].get("Code", "")) else "error",
        error=f"{error.response['Error'].get('Code')}: {error.response['Error'].get('Message', '')}"[:500],
        remedy="allow sts:AssumeRole on the account's role for the server's role, and the server's role (with the "
        "external id, if one) in that role's trust policy",
    )
