"""AssumeRole that minds trust, external ids and durations, and GetCallerIdentity that knows the result."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from aws_finops_mcp.demo.double.credentials import Credentials
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.double.roles import ROLE_ARN, Role

SHORTEST: Final = 900
LONGEST: Final = 43_200
_SESSION_NAME: Final = re.compile(r"^[\w+=,.@-]{2,64}$")


class Sts:
    """The two operations that callers of many accounts need."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def get_caller_identity(self, call: Call) -> dict[str, Any]:
        return {"UserId": call.caller.user_id, "Account": call.account, "Arn": call.caller.arn}

    def assume_role(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        arn, name = str(asked["RoleArn"]), str(asked["RoleSessionName"])
        duration = int(asked.get("DurationSeconds") or 3600)
        if not _SESSION_NAME.match(name):
            raise _invalid(
                name, "roleSessionName", f"Member must satisfy regular expression pattern: {_SESSION_NAME.pattern}"
            )
        if not SHORTEST <= duration <= LONGEST:
            bound = f"greater than or equal to {SHORTEST} and less than or equal to {LONGEST}"
            raise _invalid(str(duration), "durationSeconds", f"Member must have value {bound}")
        if not ROLE_ARN.match(arn):
            raise AwsError("ValidationError", f"{arn} is invalid")
        role = self._credentials.role(arn)
        if role is None or not _trusts(role, call, asked.get("ExternalId")):
            # AWS does not tell a role that is missing from one that does not trust the caller.
            message = f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise AwsError("AccessDenied", message, 403)
        if duration > role.longest:
            message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            raise AwsError("ValidationError", message)
        issued = self._credentials.issue(role, name, duration)
        return {
            "Credentials": {
                "AccessKeyId": issued.access_key,
                "SecretAccessKey": issued.secret_key,
                "SessionToken": issued.token,
                "Expiration": datetime.fromtimestamp(issued.expires, UTC),
            },
            "AssumedRoleUser": {"AssumedRoleId": issued.identity.user_id, "Arn": issued.identity.arn},
        }


def _trusts(role: Role, call: Call, external_id: Any) -> bool:
    return call.account in role.trusts and role.external_id in {None, external_id}


def _invalid(value: str, name: str, rule: str) -> AwsError:
    message = f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}"
    return AwsError("ValidationError", message)
