"""The vocabulary of every answer: findings, verdicts, evidence, savings, and what was not read.

Money is US dollars; a saving is dollars a month, a month being 730 hours. Times are UTC.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

HOURS_PER_MONTH = 730
"""AWS's own month for hourly prices (8,760 hours a year / 12)."""


def cents(amount: Decimal) -> float:
    """An amount to the cent, half a cent up."""
    return float(amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))


def known_sum(total: Decimal, open_ends: object) -> Decimal | None:
    """What findings add up to; None, and not 0, where it is nothing while `open_ends` says that not all is known."""
    return None if open_ends and not cents(total) else total


def a_month(total: Decimal | None, open_ends: object) -> str:
    """A known sum in words: of what is open, it is the least."""
    if total is None:
        return "saving not known"
    return f"{'at least ' if open_ends else ''}${cents(total):,.2f} a month at list price"


def _exact(amount: Decimal) -> float:
    return float(amount)


Usd = Annotated[Decimal, PlainSerializer(cents, return_type=float)]
"""Dollars, kept exact and written to the cent."""

UnitUsd = Annotated[Decimal, PlainSerializer(_exact, return_type=float)]
"""Dollars for one unit, written in full: a unit price may be far below a cent."""

Scalar = str | int | float | bool | None


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Category(StrEnum):
    """What an answer is about; `MCP_TOOL_CATEGORIES` selects tools by it."""

    CLEANUP = "cleanup"
    COST = "cost"
    CAPACITY = "capacity"
    SECURITY = "security"
    PERFORMANCE = "performance"
    UPGRADE = "upgrade"
    NETWORK = "network"
    STORAGE = "storage"
    CONTAINERS = "containers"
    MESSAGING = "messaging"
    DATABASE = "database"
    MONITORING = "monitoring"
    APPLICATION = "application"
    GOVERNANCE = "governance"


class Verdict(StrEnum):
    """The judgement on one resource. Everything that a verdict but `unknown` needs was read."""

    IDLE = "idle"
    """Nothing uses it."""
    UNDERUSED = "underused"
    """Used, but a smaller one would do."""
    OVERUSED = "overused"
    """At its limit: a larger one is needed."""
    COSTLY = "costly"
    """The same is to be had for less: another type, class, mode or setting."""
    OUTDATED = "outdated"
    """A version or generation that is, or soon will be, out of support, or superseded."""
    RISKY = "risky"
    """Open to those who should not reach it, or unprotected."""
    NONCOMPLIANT = "noncompliant"
    """Against a rule that the caller states, as a tag policy."""
    DEGRADED = "degraded"
    """Slow, failing or throttled."""
    IN_USE = "in_use"
    """Something shows use. Counted, not listed."""
    OK = "ok"
    """What the check looks for is not there. Counted, not listed."""
    TOO_NEW = "too_new"
    """Younger than the time it is judged over. Counted, not listed."""
    EXEMPT = "exempt"
    """Would be a finding, but carries the tag that exempts it. Counted, not listed."""
    UNKNOWN = "unknown"
    """A read that the judgement needs failed, or came back without data."""

    @property
    def actionable(self) -> bool:
        """Whether it is a finding: somebody should do something."""
        return self not in _NOT_ACTIONABLE


_NOT_ACTIONABLE = frozenset({Verdict.IN_USE, Verdict.OK, Verdict.TOO_NEW, Verdict.EXEMPT, Verdict.UNKNOWN})


FailureKind = Literal[
    "denied", "throttled", "unreachable", "no_credentials", "not_asked", "not_opted_in", "not_available", "error"
]
"""Why a read gave nothing. `not_opted_in`: the account's owner must switch the service on; `not_available`: AWS has
no such data of this account or period."""


class FailedRead(_Model):
    """A call to AWS that gave no answer, and what would make it give one."""

    call: str = Field(description="IAM action of the call, e.g. ec2:DescribeVolumes")
    account: str
    region: str = Field(description="region, or regions where it failed alike")
    kind: FailureKind
    error: str = Field(description="AWS's error code and message; the first, if several")
    remedy: str = Field(description="what to do about it")
    resource: str = Field("", description="the resource it was about, if one; the first, if several")
    times: int = Field(1, description="how often this call failed this way")


class Price(_Model):
    """What one unit costs, and who says so."""

    usd: UnitUsd = Field(description="dollars for one unit")
    unit: str = Field(description="the unit, in the Price List's words, e.g. GB-Mo, Hrs")
    region: str
    source: str = Field(description="Price List API, or the document the figure is from")
    sku: str = Field("", description="the Price List's SKU")
    as_of: str = Field(description="date of the price, YYYY-MM-DD")


class SavingPart(_Model):
    """One term of a saving: quantity times unit price."""

    what: str
    quantity: float = Field(description="units a month; below 0: what is billed instead")
    usd: Usd = Field(description="dollars a month")
    price: str = Field(description="key into the answer's `prices`")
    resource: str = Field(
        "",
        description="the resource that is billed for it, if not the finding's own",
        exclude_if=lambda given: not given,
    )


class NetSaving(_Model):
    """What of a saving shows in the bill: after Savings Plans, reservations and private discounts."""

    monthly_usd: Usd | None = Field(description="dollars a month; null: not known, which is not 0")
    reason: str = Field("", description="why it is unknown, or less than list", exclude_if=lambda given: not given)
    billed_usd: Usd | None = Field(
        None,
        description="billed effective cost of what is saved, scaled to 730 h",
        exclude_if=lambda given: given is None,
    )
    covered: float | None = Field(
        None, description="part of it that a commitment covers, 0 to 1", exclude_if=lambda given: not given
    )
    lapses: str = Field(
        "",
        description="last day of the commitment that covers it; `first to last` where several may",
        exclude_if=lambda given: not given,
    )


class BilledSource(_Model):
    """Where billed costs are from, and of which days."""

    request: str
    metric: str
    start_date: str
    end_date: str = Field(description="included")


class NetTotal(_Model):
    """The net side of an answer's savings."""

    monthly_usd: Usd | None = Field(
        description="over all savings whose net is known, listed here or not; null: of none, which is not 0"
    )
    list_usd: Usd = Field(description="the same savings at list prices")
    unknown: int = Field(description="savings whose net is not known; they count nothing here")
    unknown_list_usd: Usd = Field(description="what those would save at list prices")
    source: BilledSource


class Saving(_Model):
    """What acting on a finding saves, at list price: before discounts, credits and commitments."""

    monthly_usd: Usd | None = Field(
        description="sum of the priced parts; a lower bound when `unpriced` is not empty, null: none has a price"
    )
    basis: Literal["list"] = "list"
    parts: tuple[SavingPart, ...] = ()
    unpriced: tuple[str, ...] = Field((), description="parts that cost money but have no sourced price here")
    net: NetSaving | None = Field(
        None, description="only where it was asked for (savings=net)", exclude_if=lambda given: given is None
    )

    @property
    def counted_usd(self) -> Decimal:
        """What it adds to a sum: what has no price adds nothing."""
        return self.monthly_usd or Decimal(0)


class Finding(_Model):
    """One resource and the verdict on it; a field that was not asked for is absent."""

    resource_id: str | None = None
    name: str | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    evidence: dict[str, Scalar] | None = Field(
        None, description="the numbers behind the verdict; `evidence_sources` explains each; null: not read"
    )
    tags: dict[str, str] | None = None
    managed_by: str | None = Field(None, description="what made it, by its tags: change it there, or it comes back")
    referred_by: tuple[str, ...] | None = Field(
        None, description="what still refers to it, of what `referrers` names; absent: nothing of that"
    )
    saving: Saving | None = Field(None, description="absent where acting on the finding saves nothing by itself")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The fields' schema: the serializer below only leaves some out."""
        return handler({key: value for key, value in schema.items() if key != "serialization"})

    @model_serializer(mode="wrap")
    def _without_absent(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is empty or was not asked for: a page holds more findings."""
        return {key: value for key, value in write(self).items() if value not in (None, "", {}, (), [])}


class Window(_Model):
    """The time that a verdict looks back over."""

    start: datetime
    end: datetime
    days: int


class Calls(_Model):
    """What an answer cost to make."""

    total: int = Field(description="requests sent to AWS, retries included")
    cost_usd: UnitUsd = Field(description="what AWS bills for these requests")
    seconds: float
    by_action: dict[str, int]


class Answer(_Model):
    """What every tool gives back."""

    tool: str
    summary: str
    complete: bool = Field(description="false when a read failed: then no finding does not mean no waste")
    account: str
    warnings: tuple[str, ...] = ()
    failed_reads: tuple[FailedRead, ...] = ()
    more_failed_reads: tuple[str, ...] = Field(
        (), description="call and kind of the reads that failed too, in short", exclude_if=lambda given: not given
    )
    calls: Calls


class Counts(_Model):
    """How many resources got which verdict; one that no resource got is absent, but for `unknown`."""

    examined: int
    found: int = Field(description="resources that somebody should do something about")
    idle: int = 0
    underused: int = 0
    overused: int = 0
    costly: int = 0
    outdated: int = 0
    risky: int = 0
    noncompliant: int = 0
    degraded: int = 0
    in_use: int = 0
    ok: int = 0
    too_new: int = 0
    exempt: int = 0
    unknown: int = 0

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The fields' schema: the serializer below only leaves some out."""
        return handler({key: value for key, value in schema.items() if key != "serialization"})

    @model_serializer(mode="wrap")
    def _without_zeros(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: count for key, count in write(self).items() if count or key in ("examined", "found", "unknown")}


class CheckAnswer(Answer):
    """The answer of a check: totals over all findings, then the findings, most valuable first."""

    region: str
    resource_type: str = Field(description="CloudFormation resource type")
    window: Window | None = None
    counts: Counts
    monthly_saving_usd: Usd | None = Field(
        description="over all findings, listed here or not, at list prices; a lower bound unless all was read and "
        "priced; null: not known, or nothing to save"
    )
    net: NetTotal | None = Field(
        None, description="only where it was asked for (savings=net)", exclude_if=lambda given: given is None
    )
    unpriced: int = Field(description="findings with a part that has no sourced price")
    findings: tuple[Finding, ...] = Field(description="what was found by saving, then what is unknown")
    omitted: int = Field(description="findings that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")
    remediation: str = Field("", description="what people do about it; this server changes nothing")
    referrers: str = Field("", description="where it was looked for what still refers to a finding")
    evidence_sources: dict[str, str] = Field(description="what each evidence key is and which call gave it")
    prices: dict[str, Price] = Field(description="the prices that the savings use")


class SavingRow(_Model):
    """One saving: what to do to one resource, after what others already save is taken off."""

    check: str = Field(description="the check that found it; run_check tells more")
    region: str
    resource_type: str
    resource_id: str
    name: str
    verdict: Verdict
    reason: str
    monthly_usd: Usd = Field(description="dollars a month that this adds to the total")
    net: NetSaving | None = Field(
        None, description="only where it was asked for (savings=net)", exclude_if=lambda given: given is None
    )
    parts: tuple[SavingPart, ...]
    unpriced: tuple[str, ...] = Field((), exclude_if=lambda given: not given)
    alternatives: tuple[str, ...] = Field(
        (), description="other findings on what this one already saves: not in the total", exclude_if=lambda g: not g
    )
    referred_by: tuple[str, ...] = Field((), exclude_if=lambda given: not given)
    managed_by: str = Field("", exclude_if=lambda given: not given)


class SavingsAnswer(Answer):
    """Savings of many checks, each billed resource counted once, most valuable first."""

    regions: tuple[str, ...]
    checks: int = Field(description="checks that were run")
    monthly_saving_usd: Usd | None = Field(
        description="over all savings, listed here or not, at list prices; a lower bound unless all was read and "
        "priced; null: not known"
    )
    net: NetTotal | None = Field(
        None, description="only where it was asked for (savings=net)", exclude_if=lambda given: given is None
    )
    overlap_usd: Usd = Field(description="dollars a month that would have been counted twice")
    by_check: dict[str, Usd] = Field(description="dollars a month by check, largest first")
    unpriced: int = Field(description="findings with a part that has no sourced price")
    unknown: int = Field(description="resources that could not be judged")
    savings: tuple[SavingRow, ...]
    omitted: int = Field(description="savings that this page leaves out")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")
    full_result: str = Field("", description="resource with all savings, for an hour")
    prices: dict[str, Price] = Field(description="the prices that the savings use")


class CheckRow(_Model):
    """One check, in a line."""

    name: str
    title: str
    category: Category
    resource_type: str
    finds: tuple[Verdict, ...]
    saves: bool = Field(description="whether acting on a finding can save money")


class ChecksAnswer(Answer):
    """The checks that there are; `run_check` runs any of them."""

    checks: tuple[CheckRow, ...]
