"""What a check is: a declaration, and a function that reads and judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from aws_finops_mcp.aws.reader import Reader
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Finding, Window
from aws_finops_mcp.prices.book import PriceBook

RegionParamsT = TypeVar("RegionParamsT", bound=RegionParams)


@dataclass(frozen=True)
class CheckContext:
    """What a check reads with: one region of one account, at one time."""

    read: Reader
    prices: PriceBook
    now: datetime

    def age_days(self, since: datetime) -> int:
        """Whole days from `since` to now."""
        return (self.now - since).days


@dataclass(frozen=True)
class Judged:
    """What a check found: one finding for each resource that it examined."""

    findings: Sequence[Finding]
    window: Window | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check(Generic[RegionParamsT]):
    """One question about one kind of resource.

    Attributes:
        name: the tool's name.
        noun: the resources, in the plural, for sentences.
        resource_type: CloudFormation resource type.
        iam_actions: every IAM action that `judge` may call.
        evidence: what each evidence key is and which call gives it.
        judge: reads the region and gives a verdict on every resource. It raises `ReadFailedError` only when the
            resources themselves could not be listed; when another read fails, the verdict is `unknown`.
    """

    name: str
    title: str
    noun: str
    category: Category
    description: str
    resource_type: str
    iam_actions: tuple[str, ...]
    params: type[RegionParamsT]
    evidence: Mapping[str, str]
    judge: Callable[[CheckContext, RegionParamsT], Judged]
    references: tuple[str, ...] = field(default=())


def tags_of(resource: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, str]:
    """EC2's list of tags as a dict, without those that AWS sets itself."""
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", ()) if not tag["Key"].startswith("aws:")}
