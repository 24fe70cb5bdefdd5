"""Cost Explorer's GetCostAndUsage: what can be asked, and what it says; credits, refunds and tax are kept apart."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from aws_finops_mcp.aws.clients import GLOBAL_REGION
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.costs.names import check_record_types, check_services
from aws_finops_mcp.declaration import from_text
from aws_finops_mcp.findings import FailedRead
from aws_finops_mcp.settings import known_regions

Granularity = Literal["MONTHLY", "DAILY", "HOURLY"]

DIMENSIONS: Mapping[str, str] = {
    "service": "SERVICE",
    "region": "REGION",
    "account": "LINKED_ACCOUNT",
    "usage_type": "USAGE_TYPE",
    "record_type": "RECORD_TYPE",
    "instance_type": "INSTANCE_TYPE",
    "operation": "OPERATION",
    "purchase_type": "PURCHASE_TYPE",
    "availability_zone": "AZ",
    "platform": "PLATFORM",
    "tenancy": "TENANCY",
    "legal_entity": "LEGAL_ENTITY_NAME",
    "invoicing_entity": "INVOICING_ENTITY",
}
"""Our names of the dimensions that Cost Explorer groups by:
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html"""

UNTAGGED = "(none)"
"""Stands for costs that lack the tag, or that no rule of the cost category takes."""

_LABELLED = {"tag": "TAG", "cost_category": "COST_CATEGORY"}


@dataclass(frozen=True)
class Group:
    """What costs are grouped by: `kind` and `key` are Cost Explorer's, `name` is ours."""

    kind: str
    key: str
    name: str

    def value(self, text: str) -> str:
        """A group's key as people know it: of tags, `Team$checkout` says checkout; a value may hold a `$` too."""
        if self.kind == "DIMENSION":
            return text
        return text.removeprefix(f"{self.key}$") or UNTAGGED


def group_named(name: str) -> Group:
    """The group of a name: a dimension, `tag:<key>` or `cost_category:<name>`.

    Raises:
        ValueError: there is none.
    """
    if name in DIMENSIONS:
        return Group("DIMENSION", DIMENSIONS[name], name)
    label, _, key = name.partition(":")
    if label in _LABELLED and key.strip():
        return Group(_LABELLED[label], key.strip(), name)
    known = [*DIMENSIONS, "tag:<key>", "cost_category:<name>"]
    near = [ours for ours, theirs in DIMENSIONS.items() if theirs == name.upper()]
    near = near or difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
    raise ValueError(f"unknown dimension {name!r}; {hint}")


RECORD_TYPE = group_named("record_type")


def only(group: Group, values: Sequence[str]) -> dict[str, Any]:
    """The filter expression that keeps some values of a group."""
    if group.kind == "DIMENSION":
        return {"Dimensions": {"Key": group.key, "Values": list(values)}}
    root = "Tags" if group.kind == "TAG" else "CostCategories"
    given = [value for value in values if value != UNTAGGED]
    parts: list[dict[str, Any]] = [{root: {"Key": group.key, "Values": given}}] if given else []
    if UNTAGGED in values:
        parts.append({root: {"Key": group.key, "MatchOptions": ["ABSENT"]}})
    return parts[0] if len(parts) == 1 else {"Or": parts}


def all_of(parts: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """The filter expression that wants all of some; None when there is none."""
    found = [part for part in parts if part]
    return found[0] if len(found) == 1 else {"And": found} if found else None


NO_REGION = ("NoRegion", "global")
"""Where Cost Explorer puts what belongs to no region: tax, and services such as CloudFront."""


def _listed(value: Any) -> Any:
    """One value may stand without a list; commas belong to it, as those of tags may have some."""
    return [value] if isinstance(value, str) and not value.lstrip().startswith("[") else from_text(value)


Filters = Annotated[
    dict[str, Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]],
    BeforeValidator(from_text),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "default": {},
        }
    ),
]
"""Values by dimension, as callers give them."""


def checked_filters(filters: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Give filters back if AWS would take them.

    Raises:
        ValueError: naming what would cost a request and match nothing.
    """
    for name, values in filters.items():
        group_named(name)
        if not values:
            raise ValueError(f"{name} has no values; leave it out, or name some")
        if name == "region":
            unknown = [value for value in values if value not in (*known_regions(), *NO_REGION)]
            if unknown:
                raise ValueError(f"{', '.join(unknown)}: not an AWS region; {' and '.join(NO_REGION)} are allowed")
        if name == "account" and any(len(value) != 12 or not value.isdigit() for value in values):
            raise ValueError("account: must be account numbers of 12 digits")
        if name == "record_type":
            check_record_types(values)
        if name == "service":
            check_services(values)
    return filters


def expression(filters: Mapping[str, tuple[str, ...]], exclude: Mapping[str, tuple[str, ...]]) -> dict[str, Any] | None:
    """Cost Explorer's filter expression."""
    kept = [only(group_named(name), values) for name, values in sorted(filters.items())]
    left_out = [{"Not": only(group_named(name), values)} for name, values in sorted(exclude.items())]
    return all_of([*kept, *left_out])


def part_of(record_type: str) -> Literal["usage", "tax", "reductions"]:
    """What a record type is: a Savings Plan's negation is usage, it takes back what covered usage states in full."""
    name = record_type.casefold()
    if name == "tax":
        return "tax"
    return "reductions" if name == "credit" or "refund" in name or name.endswith("discount") else "usage"


@dataclass
class Amounts:
    """Dollars: usage and fees, tax, and credits, refunds and discounts, which are zero or negative."""

    usage: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    reductions: Decimal = Decimal(0)

    @property
    def cost(self) -> Decimal:
        return self.usage + self.tax + self.reductions

    def add(self, part: str, amount: Decimal) -> None:
        setattr(self, part, getattr(self, part) + amount)


@dataclass(frozen=True)
class Question:
    """What is asked. `first` and `last` are days, both included; at most two `groups`."""

    first: date
    last: date
    metric: str
    groups: tuple[Group, ...] = ()
    granularity: Granularity = "MONTHLY"
    filter: dict[str, Any] | None = None

    def read(self, groups: Sequence[Group], filter_: dict[str, Any] | None, *more_metrics: str) -> Read:
        start, end = self.first.isoformat(), (self.last + timedelta(days=1)).isoformat()
        if self.granularity == "HOURLY":
            start, end = f"{start}T00:00:00Z", f"{end}T00:00:00Z"
        request: dict[str, Any] = {
            "TimePeriod": {"Start": start, "End": end},
            "Granularity": self.granularity,
            "Metrics": [self.metric, *more_metrics],
        }
        if groups:
            request["GroupBy"] = [{"Type": group.kind, "Key": group.key} for group in groups]
        if filter_:
            request["Filter"] = filter_
        token = ("NextPageToken", "NextPageToken")
        return read("ce", "GetCostAndUsage", "", request, token=token, region=GLOBAL_REGION)


@dataclass
class Costs:
    """The answer to a question: amounts by period and values of its groups."""

    rows: dict[tuple[str, tuple[str, ...]], Amounts] = field(default_factory=lambda: defaultdict(Amounts))
    record_types: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    currencies: set[str] = field(default_factory=set)
    estimated: bool = False
    account_names: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Amounts:
        return added(self.rows.values())

    def by_keys(self) -> dict[tuple[str, ...], Amounts]:
        """Over all periods."""
        found: dict[tuple[str, ...], list[Amounts]] = defaultdict(list)
        for (_, keys), amounts in self.rows.items():
            found[keys].append(amounts)
        return {keys: added(some) for keys, some in found.items()}


def added(some: Iterable[Amounts]) -> Amounts:
    """Their sum."""
    total = Amounts()
    for one in some:
        for part in ("usage", "tax", "reductions"):
            total.add(part, getattr(one, part))
    return total


def read_costs(billing: Billing, question: Question) -> Costs | FailedRead:
    """Ask once, with record types as the second group; of two groups, once for each part that there is.

    A request is $0.01 a page: one for up to one group, two to four for two.
    """
    groups = question.groups
    if len(groups) < 2 or RECORD_TYPE in groups:
        asked = groups if RECORD_TYPE in groups else (*groups, RECORD_TYPE)
        at = asked.index(RECORD_TYPE)
        (pages,) = billing.ask(question.read(asked, question.filter))
        if isinstance(pages, FailedRead):
            return pages
        costs = Costs()
        for period, keys, amount in _cells(costs, pages, question.metric, asked):
            own = keys if RECORD_TYPE in groups else keys[:at] + keys[at + 1 :]
            costs.rows[period, own].add(part_of(keys[at]), amount)
            costs.record_types[keys[at]] += amount
        return _one_currency(billing, question, costs)
    return _read_pairs(billing, question)


def _read_pairs(billing: Billing, question: Question) -> Costs | FailedRead:
    """Both groups are taken: what is tax or a reduction is asked apart, and taken off the whole."""
    costs = Costs()
    answers = billing.ask_all(
        question.read(question.groups, question.filter), question.read((RECORD_TYPE,), question.filter)
    )
    if isinstance(answers, FailedRead):
        return answers
    whole, types = answers
    for _, (kind,), amount in _cells(costs, types, question.metric, (RECORD_TYPE,)):
        costs.record_types[kind] += amount
    for period, keys, amount in _cells(costs, whole, question.metric, question.groups):
        costs.rows[period, keys].add("usage", amount)
    apart: dict[str, list[str]] = defaultdict(list)
    for kind in sorted(costs.record_types):
        apart[part_of(kind)].append(kind)
    parts = [part for part in ("tax", "reductions") if apart[part]]
    reads = [question.read(question.groups, all_of((question.filter, only(RECORD_TYPE, apart[p])))) for p in parts]
    answers = billing.ask_all(*reads)
    if isinstance(answers, FailedRead):
        return answers
    for part, pages in zip(parts, answers, strict=True):
        for period, keys, amount in _cells(costs, pages, question.metric, question.groups):
            costs.rows[period, keys].add(part, amount)
            costs.rows[period, keys].add("usage", -amount)
    return _one_currency(billing, question, costs)


def _cells(
    costs: Costs, pages: Iterable[Any], metric: str, groups: Sequence[Group]
) -> Iterator[tuple[str, tuple[str, ...], Decimal]]:
    """Period, values of the groups, and amount of every group of every page."""
    for page in pages:
        for one in page.get("DimensionValueAttributes", ()):
            costs.account_names[one["Value"]] = one.get("Attributes", {}).get("description", "")
        for result in page["ResultsByTime"]:
            costs.estimated = costs.estimated or bool(result.get("Estimated"))
            for cell in result["Groups"]:
                amount = cell["Metrics"][metric]
                costs.currencies.add(amount["Unit"])
                keys = tuple(group.value(key) for group, key in zip(groups, cell["Keys"], strict=True))
                yield result["TimePeriod"]["Start"], keys, Decimal(amount["Amount"])


def _one_currency(billing: Billing, question: Question, costs: Costs) -> Costs | FailedRead:
    """Amounts of several currencies have no sum."""
    if len(costs.currencies) <= 1:
        return costs
    return billing.fail(
        question.read((), None),
        "not_available",
        f"the costs are in {' and '.join(sorted(costs.currencies))}, which have no sum",
        "ask for one account at a time: filters={account: [...]} of get_costs",
    )
