"""Metrics as CloudWatch reads them from a log: JSON lines in the embedded metric format (EMF), in a file.

A file, because the agent that ships the log lines anyway then needs no further port, permission or configuration: the
metrics come out of the lines at CloudWatch Logs, and what was written while no agent ran is read later.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from opentelemetry.sdk.metrics import Counter, Histogram
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ExponentialHistogramDataPoint,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation

log = structlog.get_logger("aws_finops_mcp.telemetry")

NAMESPACE = "aws-finops-mcp"

MAX_VALUES = 100
"""Values of one metric in one line, by the specification."""

UNITS = {"ms": "Milliseconds", "1": "Count", "USD": "None"}
"""The units of OpenTelemetry (UCUM) that the instruments here have, as CloudWatch names them."""

Values = dict[str, list[float]]


class EmfFileExporter(MetricExporter):
    """Appends what was counted since the last time. Opens the file anew each time, so it may be rotated at will."""

    def __init__(self, file: Path, service: str) -> None:
        super().__init__(
            preferred_temporality={Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA},
            preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()},
        )
        self._file = file
        self._common: dict[str, str | int] = {"Service": service, "host": socket.gethostname(), "pid": os.getpid()}
        self._failing = False

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Write all lines at once: other workers append to the same file."""
        lines = "".join(f"{json.dumps(line)}\n" for line in emf_lines(metrics_data, self._common))
        try:
            if lines:
                with self._file.open("ab", buffering=0) as file:
                    file.write(lines.encode())
        except OSError as error:
            if not self._failing:  # a disk stays full for long
                log.warning("metrics_not_written", file=str(self._file), error=error.strerror)
            self._failing = True
            return MetricExportResult.FAILURE
        self._failing = False
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing is held open."""


def emf_lines(data: MetricsData, common: Mapping[str, str | int]) -> Iterator[dict[str, Any]]:
    """One line for each set of dimensions, more where a metric has more values than one line may hold."""
    sets: dict[tuple[tuple[str, str], ...], Values] = {}
    units: dict[str, str] = {}
    moment = 0
    for metric in (m for r in data.resource_metrics for scope in r.scope_metrics for m in scope.metrics):
        name = metric.name.title().replace("_", "")  # OpenTelemetry's names have no case
        units[name] = UNITS[metric.unit or "1"]
        for point in metric.data.data_points:
            dimensions = tuple(sorted((key, str(value)) for key, value in (point.attributes or {}).items()))
            sets.setdefault(dimensions, {})[name] = _values(point)
            moment = max(moment, point.time_unix_nano // 1_000_000)
    for dimensions, values in sets.items():
        while values:
            now = {name: of[:MAX_VALUES] for name, of in values.items()}
            values = {name: of[MAX_VALUES:] for name, of in values.items() if len(of) > MAX_VALUES}
            yield {
                "_aws": {
                    "Timestamp": moment,
                    "CloudWatchMetrics": [
                        {
                            "Namespace": NAMESPACE,
                            "Dimensions": [["Service", *(name for name, _ in dimensions)]],
                            "Metrics": [{"Name": name, "Unit": units[name]} for name in now],
                        }
                    ],
                },
                **common,
                **dict(dimensions),
                **{name: of[0] if len(of) == 1 else of for name, of in now.items()},
            }


def _values(point: object) -> list[float]:
    if isinstance(point, NumberDataPoint):
        return [point.value]
    if not isinstance(point, ExponentialHistogramDataPoint):
        raise TypeError(f"{type(point).__name__}: no instrument here makes such points")
    # Buckets as narrow as this keep every value within a few percent; the ends are exact.
    values = [0.0] * point.zero_count
    base = 2.0**2.0**-point.scale
    for index, count in enumerate(point.positive.bucket_counts, point.positive.offset):
        middle = base**index * (1 + base) / 2
        values += [round(min(max(middle, point.min), point.max), 3)] * count
    return values
