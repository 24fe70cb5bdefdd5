"""Cost Explorer's dimensions and filter expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.double.errors import AwsError

Predicate = Callable[[BillLine], bool]

_ISSUER: Final = "Amazon Web Services, Inc."


def _purchase_type(line: BillLine) -> str:
    """As usage is paid for; what is neither an instance nor a commitment has none."""
    if line.record_type.startswith("SavingsPlan"):
        return "Savings Plans"
    if line.record_type in {"DiscountedUsage", "RIFee"}:
        return "Standard Reserved Instances"
    return "On Demand Instances" if line.instance_type else "NoPurchaseType"


DIMENSIONS: Final[dict[str, Callable[[BillLine], str]]] = {
    "AZ": lambda line: "NoAZ",
    "INSTANCE_TYPE": lambda line: line.instance_type or "NoInstanceType",
    "INVOICING_ENTITY": lambda line: _ISSUER,
    "LEGAL_ENTITY_NAME": lambda line: _ISSUER,
    "LINKED_ACCOUNT": lambda line: line.account,
    "OPERATION": lambda line: "RunInstances" if line.instance_type else "NoOperation",
    "PLATFORM": lambda line: "Linux/UNIX" if line.instance_type else "NoPlatform",
    "PURCHASE_TYPE": _purchase_type,
    "RECORD_TYPE": lambda line: line.record_type,
    "REGION": lambda line: line.region,
    "RESOURCE_ID": lambda line: line.resource or "NoResourceId",
    "SERVICE": lambda line: line.service,
    "TENANCY": lambda line: "Shared" if line.instance_type else "NoTenancy",
    "USAGE_TYPE": lambda line: line.usage_type,
}

_TESTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "CONTAINS": lambda own, wanted: wanted in own,
    "ENDS_WITH": lambda own, wanted: own.endswith(wanted),
    "EQUALS": lambda own, wanted: own == wanted,
    "STARTS_WITH": lambda own, wanted: own.startswith(wanted),
}


def dimension(key: str) -> Callable[[BillLine], str]:
    """How a dimension is read off a line; refuses those that are not simulated."""
    read = DIMENSIONS.get(key)
    if read is None:
        raise AwsError("ValidationException", f"The simulated account has no cost dimension {key}.")
    return read


Reader = Callable[[BillLine], str]


def grouping(kind: str, key: str, categories: dict[str, Reader]) -> Reader:
    """How a group's key is read off a line: tags and cost categories carry their name, ``Team$checkout``."""
    if kind == "DIMENSION":
        return dimension(key)
    read = _labelled(kind, key, categories)
    return lambda line: f"{key}${read(line)}"


def _labelled(kind: str, key: str, categories: dict[str, Reader]) -> Reader:
    if kind == "TAG":
        return lambda line: line.tag(key)
    if kind == "COST_CATEGORY":
        # AWS answers an unknown category as one that no line is in.
        return categories.get(key, lambda line: "")
    raise AwsError("ValidationException", f"The simulated account does not group costs by {kind}.")


def predicate(expression: dict[str, Any], categories: dict[str, Reader]) -> Predicate:
    """An expression has exactly one root, as AWS demands."""
    roots = [name for name, value in expression.items() if value is not None]
    if len(roots) != 1:
        raise AwsError("ValidationException", "Expression contains more than one or no root operator.")
    root = roots[0]
    if root in {"And", "Or"}:
        parts = [predicate(part, categories) for part in expression[root]]
        if len(parts) < 2:
            raise AwsError("ValidationException", f"{root} expression must have at least 2 operands.")
        combine = all if root == "And" else any
        return lambda line: combine(part(line) for part in parts)
    if root == "Not":
        inner = predicate(expression["Not"], categories)
        return lambda line: not inner(line)
    if root == "Dimensions":
        return _test(dimension(str(expression[root].get("Key"))), expression[root])
    if root in {"Tags", "CostCategories"}:
        kind = "TAG" if root == "Tags" else "COST_CATEGORY"
        return _test(_labelled(kind, str(expression[root].get("Key")), categories), expression[root])
    raise AwsError("ValidationException", f"The simulated account does not filter costs by {root}.")


def _test(read: Reader, wanted: dict[str, Any]) -> Predicate:
    values = [str(value) for value in wanted.get("Values") or []]
    options = set(wanted.get("MatchOptions") or ["EQUALS"])
    if "ABSENT" in options:
        return lambda line: read(line) == ""
    if not values:
        raise AwsError("ValidationException", "Filter has no values.")
    kinds = options - {"CASE_SENSITIVE", "CASE_INSENSITIVE"} or {"EQUALS"}
    if len(kinds) != 1 or not kinds <= _TESTS.keys():
        raise AwsError("ValidationException", f"Invalid MatchOptions: {sorted(options)}.")
    test = _TESTS[kinds.pop()]
    if "CASE_INSENSITIVE" in options:
        folded = [value.casefold() for value in values]
        return lambda line: any(test(read(line).casefold(), value) for value in folded)
    return lambda line: any(test(read(line), value) for value in values)
