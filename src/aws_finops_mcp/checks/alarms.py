"""What checks share about CloudWatch alarms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def all_alarms(pages: Iterable[Any]) -> Iterator[Any]:
    """Metric and composite alarms, of the pages that `reads.ALARMS` gives."""
    for page in pages:
        yield from page.get("MetricAlarms", ())
        yield from page.get("CompositeAlarms", ())
