"""Lambda's provisioned concurrency, which moto lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.awslambda.models import lambda_backends

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call


@dataclass(frozen=True)
class Provisioned:
    """So many environments kept warm for one version or alias of a function."""

    function: str
    qualifier: str
    executions: int
    modified: str


class ProvisionedConcurrency:
    """Configurations by account and region; whether a function exists is asked of the backend."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str], list[Provisioned]] = {}

    def add(self, account: str, region: str, configuration: Provisioned) -> None:
        self._by_place.setdefault((account, region), []).append(configuration)

    def list_configurations(self, call: Call) -> dict[str, Any]:
        function = _plain_name(str(call.parameters["FunctionName"]))
        _require_function(call, function)
        return {
            "ProvisionedConcurrencyConfigs": [
                {"FunctionArn": _arn(call, one), **_state(one)} for one in self._of(call, function)
            ]
        }

    def get_configuration(self, call: Call) -> dict[str, Any]:
        function = _plain_name(str(call.parameters["FunctionName"]))
        _require_function(call, function)
        for one in self._of(call, function):
            if one.qualifier == call.parameters["Qualifier"]:
                return _state(one)
        raise AwsError(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
            404,
        )

    def _of(self, call: Call, function: str) -> list[Provisioned]:
        return [one for one in self._by_place.get((call.account, call.region), []) if one.function == function]


def _state(one: Provisioned) -> dict[str, Any]:
    return {
        "RequestedProvisionedConcurrentExecutions": one.executions,
        "AvailableProvisionedConcurrentExecutions": one.executions,
        "AllocatedProvisionedConcurrentExecutions": one.executions,
        "Status": "READY",
        "LastModified": one.modified,
    }


def _plain_name(name: str) -> str:
    """Callers may give a name, a partial ARN or an ARN."""
    if "function:" in name:
        name = name.split("function:", 1)[1]
    return name.split(":", 1)[0]


def _arn(call: Call, one: Provisioned) -> str:
    return f"arn:aws:lambda:{call.region}:{call.account}:function:{one.function}:{one.qualifier}"


def _require_function(call: Call, function: str) -> None:
    known = lambda_backends[call.account][call.region].list_functions()
    if not any(one.function_name == function for one in known):
        arn = f"arn:aws:lambda:{call.region}:{call.account}:function:{function}"
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)
