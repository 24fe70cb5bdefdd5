"""What a family of services adds to the fictional company: resources as AWS describes them, metrics, and the truth."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Operations
from aws_finops_mcp.demo.double.metrics import NO_DATAPOINT, Key, Series
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.findings import Verdict

HOUR: Final = 3600
HOURS: Final = 130 * 24
"""How far back the metrics go, unless one says less."""


@dataclass(frozen=True)
class Rows:
    """Resources that one operation lists, as AWS describes them.

    Attributes:
        path: where the list is in the answer, e.g. ``Volumes``, ``DistributionList.Items``.
        rows: by region; a service without regions answers in us-east-1, or wherever it is asked: give them there.
        keep: whether a request asks for a row, by its parameters; every row without.
        beside_moto: the rows come after those that moto has; else moto is not asked.
    """

    service: str
    operation: str
    path: str
    rows: Mapping[str, Sequence[Any]]
    keep: Callable[[Mapping[str, Any], Any], bool] = lambda asked, row: True
    beside_moto: bool = True


@dataclass(frozen=True)
class Metric:
    """A metric of one resource: one value an hour, oldest first, or a function of the hour that gives it.

    Attributes:
        hourly: sum of each hour's measurements when ``samples`` is None or 1, else the sum of so many; a number for
            all hours alike; a function from hours ago (0 is the last full hour) to the value, None for no datapoint.
        samples: measurements an hour (60: a gauge published each minute, whose sum is 60 times its value); None:
            each unit is one measurement, as with Lambda's Invocations.
        peak: how many times the average the highest measurement of an hour is.
        hours: how many hours back it begins.
    """

    region: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    hourly: float | Callable[[int], float | None]
    unit: str = "Count"
    samples: int | None = 60
    peak: float = 1.0
    hours: int = HOURS

    @property
    def key(self) -> Key:
        return Key(ACCOUNT_ID, self.region, self.namespace, self.name, frozenset(self.dimensions.items()))

    def series(self, now: datetime) -> Series:
        """The series up to the last full hour."""
        end = int(now.timestamp()) // HOUR * HOUR
        hourly = self.hourly
        values = array("d")
        for ago in range(self.hours - 1, -1, -1):
            value = hourly(ago) if callable(hourly) else hourly
            values.append(NO_DATAPOINT if value is None else float(value))
        return Series(end - self.hours * HOUR, HOUR, values, self.unit, self.samples, self.peak)


NO_PRICE: Final = math.nan
"""Of a saving that nothing tells the size of: it is not 0."""


@dataclass(frozen=True)
class Case:
    """The truth about one resource: what a check, asked with its defaults, must say of it.

    Attributes:
        resource: its id or its name, as the finding has it.
        why: what makes it so, or what trap it is.
        monthly_usd: the saving, or `NO_PRICE`; None where the verdict has none, or it is not worked out.
        referred_by: what still refers to it; None where that is not told.
    """

    resource: str
    region: str
    verdict: Verdict
    why: str
    monthly_usd: float | None = None
    referred_by: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Family:
    """Everything that one module adds.

    Attributes:
        rows: listings.
        operations: answers to operations that are no mere lists, each a function from the call to the whole answer.
        charges: what its resources are billed for; what is free is not named.
        cases: the truth, by check. A resource that no case names must not be a finding.
    """

    rows: Sequence[Rows] = ()
    metrics: Sequence[Metric] = ()
    operations: Operations = field(default_factory=dict)
    charges: Sequence[Charge] = ()
    cases: Mapping[str, Sequence[Case]] = field(default_factory=dict)
