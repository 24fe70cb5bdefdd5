"""How well each resource was measured: datapoints seen and expected of its series, beside each verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from aws_finops_mcp.aws.metrics import MetricQuery, MetricSeries
from aws_finops_mcp.checks.check import DATAPOINTS, Judgement


class Datapoints:
    """The series of a check, by the resource that they are of."""

    def __init__(self, series: Mapping[MetricQuery, MetricSeries]) -> None:
        """Sort the series by the values of their dimensions."""
        self._by_value: dict[str, list[tuple[frozenset[str], MetricSeries]]] = defaultdict(list)
        for query, one in series.items():
            values = frozenset(value for _, value in query.dimensions)
            for value in values:
                self._by_value[value].append((values, one))

    def of(self, judgement: Judgement) -> dict[str, str]:
        """`seen/expected` over all series of the judged resource, as evidence; nothing where none is of it.

        A check that says it by itself, of the series that it judges by, is left to it.
        """
        if DATAPOINTS in judgement.evidence:
            return {}
        names = set(_names(judgement))
        found = [entry for name in names for entry in self._by_value.get(name, ())]
        # What is known by two names (a service and its cluster) is not its namesake in another cluster.
        places = names | set(judgement.resource_id.rpartition(":")[2].split("/")[1:])
        own = [entry for entry in found if entry[0] <= places] or found
        series = {id(one): one for _, one in own}.values()
        if not series:
            return {}
        return {DATAPOINTS: f"{sum(one.seen for one in series)}/{sum(one.expected for one in series)}"}


def _names(judgement: Judgement) -> Iterator[str]:
    """What dimensions may call it: its id, its name, what its ARN ends with; a part of that may name another."""
    last = judgement.resource_id.rpartition(":")[2]
    yield from (judgement.resource_id, judgement.name, last, last.partition("/")[2])
