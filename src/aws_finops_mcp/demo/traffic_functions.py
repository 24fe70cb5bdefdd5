"""Metrics of functions that Lambda Insights measures, or that have provisioned concurrency in use."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from aws_finops_mcp.demo import inventory
from aws_finops_mcp.demo.double.metrics import Key, MetricStore, Series

HOUR = 3600
DAYS = 130
STARTS = 0.01
"""How many of the invocations find no environment that is warm."""


def record(end: int, metrics: MetricStore) -> None:
    """Define them up to ``end``: as much each hour, so that the truth about them is plain."""
    for function in inventory.FUNCTIONS:
        if function.insights is None:
            continue
        for namespace, dimension, name, unit, total, samples, peak in _series(function, function.insights):
            dimensions = frozenset({(dimension, function.name)})
            key = Key(inventory.ACCOUNT_ID, function.region, namespace, name, dimensions)
            values = array("d", [total]) * (DAYS * 24)
            metrics.define(key, Series(end - DAYS * 24 * HOUR, HOUR, values, unit, samples, peak))


def _series(
    function: inventory.Function, insights: inventory.Insights
) -> Iterator[tuple[str, str, str, str, float, int | None, float]]:
    """Namespace, dimension, name, unit, the total of an hour, its measurements, and the highest by the average."""
    invocations = function.per_day / 24
    number = int(invocations)
    running = invocations * insights.milliseconds
    own, extension = ("AWS/Lambda", "FunctionName"), ("LambdaInsights", "function_name")
    yield *own, "Invocations", "Count", invocations, None, 1.0
    yield *own, "Errors", "Count", 0.0, number, 1.0
    yield *own, "Duration", "Milliseconds", running, number, 2.5
    yield *extension, "used_memory_max", "Megabytes", insights.used_mib / 1.25 * number, number, 1.25
    yield *extension, "memory_utilization", "Percent", insights.used_mib / function.memory * 80 * number, number, 1.25
    yield *extension, "cpu_total_time", "Milliseconds", running * insights.vcpus, number, 2.5
    starts = max(1, int(number * STARTS))
    yield *extension, "init_duration", "Milliseconds", insights.init_milliseconds / 1.25 * starts, starts, 1.25
    if function.provisioned:
        yield *own, "ProvisionedConcurrentExecutions", "Count", function.provisioned_in_use * 60.0, 60, 1.0
        spilled = function.spillover
        yield *own, "ProvisionedConcurrencySpilloverInvocations", "Count", spilled, None if spilled else 60, 1.0
