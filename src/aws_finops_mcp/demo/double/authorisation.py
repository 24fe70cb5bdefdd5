"""Whether the caller's policies allow a call: what IAM asks them, of which resources, under which conditions.

Sessions of roles are held to their roles' policies; everybody else may do everything. Policies of resources, sessions
and organisations are not evaluated.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aws_finops_mcp.aws.iam import DEPENDENT
from aws_finops_mcp.demo.double.athena import Athena
from aws_finops_mcp.demo.double.credentials import Credentials
from aws_finops_mcp.demo.double.errors import access_denied
from aws_finops_mcp.demo.double.policies import Decision, Request, decide
from aws_finops_mcp.demo.double.request import Call

# AWS answers it whatever policies say, an explicit deny included.
_ALWAYS: Final = "sts:GetCallerIdentity"
_ATHENA_OF_A_QUERY: Final = frozenset({"GetQueryExecution", "GetQueryResults", "StopQueryExecution"})


class Authorisation:
    """Refuses what a role's policies do not allow."""

    def __init__(self, credentials: Credentials, athena: Athena) -> None:
        self._credentials = credentials
        self._athena = athena

    def check(self, call: Call) -> None:
        """Refuse the call, naming the action that is not allowed."""
        permissions = self._credentials.permissions(call.caller)
        if permissions is None or call.iam_action == _ALWAYS:
            return
        keys = _keys(call)
        asked = [Request(call.iam_action, resource, keys) for resource in self._resources(call)]
        asked += [Request(action) for action in DEPENDENT.get(call.iam_action, ())]
        for request in asked:
            said = {decide(policies, request) for policies in permissions}
            if said != {Decision.ALLOWED}:
                raise access_denied(
                    call.service,
                    call.protocol,
                    request.action,
                    call.caller.arn,
                    call.query_era,
                    request.resource,
                    Decision.DENIED in said,
                )

    def _resources(self, call: Call) -> tuple[str, ...]:
        """What the action is asked for; all of them must be allowed. "*" for actions that IAM can't limit."""
        if call.service == "athena":
            asked = call.parameters
            name = asked.get("WorkGroup", "primary")
            if call.name in _ATHENA_OF_A_QUERY:
                query = self._athena.queries.get(str(asked["QueryExecutionId"]))
                name = query.workgroup if query else "?"
            return (_arn(call, f"workgroup/{name}"),)
        named = _RESOURCES.get(call.service)
        return named(call, call.parameters) if named else ("*",)


def _arn(call: Call, resource: str) -> str:
    return f"arn:aws:{call.service}:{call.region}:{call.account}:{resource}"


def _of_glue(call: Call, asked: dict[str, Any]) -> tuple[str, ...]:
    if "DatabaseName" not in asked:
        return ("*",)
    database, table = asked["DatabaseName"], asked.get("Name", asked.get("TableName", "*"))
    return tuple(_arn(call, one) for one in ("catalog", f"database/{database}", f"table/{database}/{table}"))


def _of_logs(call: Call, asked: dict[str, Any]) -> tuple[str, ...]:
    if "logGroupName" not in asked:
        return ("*",)
    stream = f":log-stream:{asked['logStreamName']}" if call.name.endswith("LogEvents") else ""
    return (_arn(call, f"log-group:{asked['logGroupName']}{stream}"),)


def _of_s3(_: Call, asked: dict[str, Any]) -> tuple[str, ...]:
    if "Bucket" not in asked:
        return ("*",)
    return (f"arn:aws:s3:::{asked['Bucket']}" + (f"/{asked['Key']}" if "Key" in asked else ""),)


def _of_route53(_: Call, asked: dict[str, Any]) -> tuple[str, ...]:
    zone = str(asked.get("HostedZoneId", "")).rpartition("/")[2]
    return (f"arn:aws:route53:::hostedzone/{zone}" if zone else "*",)


# Where the product's policies name resources, by service.
_RESOURCES: Final[dict[str, Callable[[Call, dict[str, Any]], tuple[str, ...]]]] = {
    "glue": _of_glue,
    "logs": _of_logs,
    "route53": _of_route53,
    "s3": _of_s3,
    "sts": lambda _, asked: (str(asked["RoleArn"]) if "RoleArn" in asked else "*",),
}


def _keys(call: Call) -> dict[str, tuple[str, ...]]:
    """Condition keys that the product's policies use."""
    if (call.service, call.name) == ("cloudwatch", "PutMetricData"):
        return {"cloudwatch:namespace": (str(call.parameters["Namespace"]),)}
    if (call.service, call.name) == ("route53", "ChangeResourceRecordSets"):
        sets = [one["ResourceRecordSet"] for one in call.parameters["ChangeBatch"]["Changes"]]
        return {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": tuple(
                str(one["Name"]).lower().rstrip(".") for one in sets
            ),
            "route53:ChangeResourceRecordSetsRecordTypes": tuple(str(one["Type"]) for one in sets),
        }
    return {}
