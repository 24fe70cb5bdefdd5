"""What a check is: a declaration of what it reads, and pure functions from what was read to verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, FailedRead, Scalar, Verdict, Window
from aws_finops_mcp.prices.book import Part

RegionParamsT = TypeVar("RegionParamsT", bound=RegionParams)


@dataclass(frozen=True)
class Facts:
    """What was read for a check: nothing here calls AWS.

    Attributes:
        now: the time of the reading, UTC.
        inventory: what each declared read gave, or why it gave nothing.
        series: what each metric query gave.
        details: what each read of a follow-up or of one resource gave, or why it gave nothing.
    """

    now: datetime
    inventory: Mapping[Read, Sequence[Any] | FailedRead]
    series: Mapping[MetricQuery, MetricSeries] = field(default_factory=dict)
    details: Mapping[Read, Sequence[Any] | FailedRead] = field(default_factory=dict)
    window: Window | None = None

    def items(self, wanted: Read) -> Sequence[Any]:
        """What a read gave, for one that the check can't do without: the engine has seen to it that it succeeded."""
        found = self.inventory[wanted]
        if isinstance(found, FailedRead):
            raise TypeError(f"{wanted.iam_action} failed, and only a check's first read is sure to have succeeded")
        return found

    def maybe(self, wanted: Read) -> Sequence[Any] | None:
        """What a read gave, None when it failed."""
        found = self.inventory[wanted] if wanted in self.inventory else self.details[wanted]
        return None if isinstance(found, FailedRead) else found

    def age_days(self, since: datetime) -> int:
        """Whole days from `since` to now."""
        return (self.now - since).days


@dataclass(frozen=True)
class Judgement:
    """The verdict on one resource, before it is priced.

    Attributes:
        tags: all of the resource's tags: the engine takes those that exempt it, and those that say what made it.
        parts: what would no longer be billed, and, below 0, what would be billed instead.
        alternatives: by name, what it may be changed to, each with what would then be billed (below 0) instead of
            `parts`. The one that saves the most is the saving; what each saves becomes evidence.
        coming: dollars a month that are not saved now, by evidence key: what will be billed from a date on. Each is
            priced into the evidence; one without a price is absent.
        unpriced: what would no longer be billed but can't be counted.
        referred_by: what still refers to the resource, e.g. "launch template lt-1 (web), version 3".
        weight: how bad it is, where that is not dollars: of findings that save as much, the heaviest come first.
    """

    resource_id: str
    verdict: Verdict
    reason: str
    evidence: Mapping[str, Scalar]
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Part] = ()
    alternatives: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    coming: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    unpriced: Sequence[str] = ()
    referred_by: Sequence[str] = ()
    weight: float = 0


DATAPOINTS = "datapoints"
"""The evidence key of datapoints seen and expected; the engine adds it where a check does not say it by itself."""


def _no_metrics(_facts: Facts, _params: Any) -> Iterable[MetricQuery]:
    return ()


@dataclass(frozen=True)
class Check(Generic[RegionParamsT]):
    """One question about one kind of resource.

    Attributes:
        name: the tool's name.
        noun: the resources, in the plural, for sentences.
        resource_type: CloudFormation resource type.
        inventory: what it reads. Without the first nothing can be said; where another failed, `judge` gets None
            for it and says `unknown` if the verdict hangs on it.
        count: how many resources it looks at, where these are not what the first read of the inventory gave.
        judge: a verdict on every resource: pure, from what was read.
        evidence: what each evidence key is and which call gives it.
        verdicts: what the verdicts mean here: all that make a finding, others where their name does not say it.
        remediation: what people do about it; the server itself changes nothing.
        limits: what it does not see, and what its saving leaves out.
        prices: patterns of the names of all units that it prices with (`ebs.*`); none where it saves nothing.
        follow_ups: reads that follow from those before, a level a function: pure. What they gave is in the facts'
            `details`. The first takes what `inventory` gave (services of each cluster), the next also what that gave.
        metrics: the series to read, from the inventory and its follow-ups: pure.
        details: reads of single resources, of few of them, from inventory, follow-ups and metrics, a level a function:
            pure. The next level also takes what the one before gave.
        detail_actions: IAM actions of the reads that `follow_ups` and `details` may ask for.
        everywhere: its resources have no region: it reads the whole account, whatever region is asked for.
        saves: whether acting on a finding can save money; where not, nothing is priced and the answer names no total.
        referrers: what `judge` looks among for what still refers to a finding, or `NO_REFERRERS`; "" where it does not
            look, and nothing is called idle.
    """

    name: str
    title: str
    noun: str
    category: Category
    description: str
    resource_type: str
    params: type[RegionParamsT]
    inventory: tuple[Read, ...]
    judge: Callable[[Facts, RegionParamsT], Iterable[Judgement]]
    evidence: Mapping[str, str]
    verdicts: Mapping[Verdict, str]
    remediation: str
    references: tuple[str, ...]
    limits: str
    prices: tuple[str, ...] = ()
    metrics: Callable[[Facts, RegionParamsT], Iterable[MetricQuery]] = _no_metrics
    details: tuple[Callable[[Facts, RegionParamsT], Iterable[Read]], ...] = ()
    detail_actions: tuple[str, ...] = ()
    follow_ups: tuple[Callable[[Facts, RegionParamsT], Iterable[Read]], ...] = ()
    count: Callable[[Facts, RegionParamsT], int] | None = None
    everywhere: bool = False
    saves: bool = True
    referrers: str = ""

    @property
    def seeks(self) -> tuple[Verdict, ...]:
        """The verdicts that make a finding of this check."""
        return tuple(verdict for verdict in self.verdicts if verdict.actionable)

    @property
    def reads_metrics(self) -> bool:
        return self.metrics is not _no_metrics

    @property
    def evidence_sources(self) -> dict[str, str]:
        """`evidence`, and what the engine adds to it."""
        added = {DATAPOINTS: "cloudwatch:GetMetricData, datapoints of all its series: seen/expected"}
        return {**(added if self.reads_metrics else {}), **self.evidence}

    @property
    def iam_actions(self) -> tuple[str, ...]:
        """Every IAM action that the check may call, and no other."""
        actions = {wanted.iam_action for wanted in self.inventory} | set(self.detail_actions)
        if self.saves:
            actions.add("pricing:GetProducts")
        if self.reads_metrics:
            actions.add("cloudwatch:GetMetricData")
        return tuple(sorted(actions))


NO_REFERRERS = "nothing, AWS tells of nothing that refers to one"
"""Of resources that only what uses them knows of."""

__all__ = ["DATAPOINTS", "NO_REFERRERS", "Check", "Facts", "Judgement", "Part", "tags_of"]


def tags_of(resource: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, str]:
    """A list of tags, as most services give it, as a dict."""
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", ())}
