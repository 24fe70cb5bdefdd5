"""What the server tells an operator's monitoring of itself: metrics in a file (EMF), traces to a collector (OTLP).

Off unless the settings name where they go. Nothing here holds up or fails a call: both leave from threads of their own,
and what cannot be delivered is dropped. Neither carries an argument, an answer or a header: names of tools, outcomes,
AWS services and operations, regions, account numbers, counts, dollars and times.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, NoOpMeterProvider, Observation
from opentelemetry.trace import NoOpTracerProvider, Span, SpanKind, StatusCode, Tracer, set_span_in_context

from aws_finops_mcp import __version__
from aws_finops_mcp.aws.ledger import Call
from aws_finops_mcp.settings import Settings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

SERVICE = "aws-finops-mcp"

EXPORT_SECONDS = 3.0
"""How long one delivery of spans may take, retries included."""

STOP_SECONDS = 5.0
"""How long a worker that stops waits for the last delivery."""

MAX_AWS_SPANS = 500
"""Spans of AWS calls in one trace: an audit makes thousands of calls, and X-Ray shows 500 KB of a trace."""


class Level:
    """How many there are now, and the most there were since it was last asked for that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self._peak = 0

    def change(self, by: int) -> None:
        with self._lock:
            self._now += by
            self._peak = max(self._peak, self._now)

    def observe(self, _: CallbackOptions) -> Iterable[Observation]:
        with self._lock:
            peak, self._peak = self._peak, self._now
        return [Observation(peak)]


class Asked:
    """One call, from being asked to its end."""

    def __init__(self, instruments: Instruments, tool: str) -> None:
        self._instruments = instruments
        self._started = time.monotonic()
        self._waiting = True
        self._lock = threading.Lock()
        self._aws_spans = 0
        self._span: Span = instruments.tracer.start_span(
            f"tools/call {tool}",
            kind=SpanKind.SERVER,
            attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool},
        )
        self._context: Context = set_span_in_context(self._span)
        self.outcome = "error"
        """How it ended: complete, incomplete, refused (the caller's mistake), left (the caller did), error (ours)."""
        instruments.waiting.change(1)

    @property
    def trace_id(self) -> str | None:
        """The trace's id, for the log; None when there is none."""
        return f"{self._span.get_span_context().trace_id:032x}" if self._span.is_recording() else None

    def begin(self) -> None:
        """A thread took it up."""
        with self._lock:
            waited, self._waiting = self._waiting, False
        if waited:
            self._instruments.waiting.change(-1)
            self._instruments.running.change(1)
            waited_ms = round((time.monotonic() - self._started) * 1000, 1)
            self._span.set_attribute("aws_finops_mcp.waited_ms", waited_ms)

    def aws_call(self, call: Call) -> None:
        """AWS answered, or refused to. In whichever thread the call was made."""
        if not call.requests:
            return
        service, _, operation = call.action.partition(":")
        failed = call.outcome == "failed"
        self._instruments.count_aws(service, call.requests, float(call.usd), failed=failed)
        if not self._span.is_recording():
            return
        with self._lock:
            self._aws_spans += 1
            if self._aws_spans > MAX_AWS_SPANS:
                return
        end = time.time_ns()
        span = self._instruments.tracer.start_span(
            f"{service}.{operation}",
            context=self._context,
            kind=SpanKind.CLIENT,
            start_time=end - int(call.seconds * 1e9),
            attributes={
                "rpc.system": "aws-api",
                "rpc.service": service,
                "rpc.method": operation,
                "cloud.region": call.region,
                "cloud.account.id": call.account,
                "aws_finops_mcp.requests": call.requests,
                "aws_finops_mcp.cost_usd": float(call.usd),
            },
        )
        if failed:
            span.set_status(StatusCode.ERROR)
        span.end(end)

    def end(self) -> None:
        with self._lock:
            waited, self._waiting = self._waiting, False
            left_out = max(0, self._aws_spans - MAX_AWS_SPANS)
        (self._instruments.waiting if waited else self._instruments.running).change(-1)
        self._instruments.count_call(self.outcome, (time.monotonic() - self._started) * 1000)
        self._span.set_attribute("aws_finops_mcp.outcome", self.outcome)
        if left_out:
            self._span.set_attribute("aws_finops_mcp.aws_spans_left_out", left_out)
        if self.outcome == "error":
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class Instruments:
    """What is measured; CloudWatch shows `aws_calls` as `AwsCalls`.

    Each metric of each set of dimensions costs $0.30 a month (https://aws.amazon.com/cloudwatch/pricing/, 2026-11), so
    the AWS service is the only dimension; which tool was called is in the log and the traces.
    """

    def __init__(self, meter: Meter, tracer: Tracer) -> None:
        self.tracer = tracer
        self.waiting = Level()
        self.running = Level()
        self._calls = meter.create_counter("calls", "1")
        self._outcomes = {
            "error": meter.create_counter("errors", "1"),
            "refused": meter.create_counter("refused", "1"),
            "incomplete": meter.create_counter("incomplete", "1"),
        }
        self._latency = meter.create_histogram("latency", "ms")
        self._aws_calls = meter.create_counter("aws_calls", "1")
        self._aws_errors = meter.create_counter("aws_errors", "1")
        self._aws_cost = meter.create_counter("aws_cost", "USD")
        meter.create_observable_gauge("calls_waiting", [self.waiting.observe], "1")
        meter.create_observable_gauge("calls_in_progress", [self.running.observe], "1")

    def count_call(self, outcome: str, milliseconds: float) -> None:
        self._calls.add(1)
        self._latency.record(milliseconds)
        if outcome in self._outcomes:
            self._outcomes[outcome].add(1)

    def count_aws(self, service: str, requests: int, usd: float, *, failed: bool) -> None:
        of = {"AwsService": service}
        self._aws_calls.add(requests, of)
        self._aws_cost.add(usd, of)
        self._aws_errors.add(int(failed), of)


class Telemetry:
    """Metrics and traces of one process; silent until started, and where the settings name no place for them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stops: list[threading.Thread] = []
        self._instruments = Instruments(
            NoOpMeterProvider().get_meter(SERVICE), NoOpTracerProvider().get_tracer(SERVICE)
        )

    @property
    def wanted(self) -> bool:
        """Whether there is anything to start."""
        return bool(self._settings.mcp_metrics_file or self._settings.mcp_traces_endpoint)

    def start(self) -> None:
        """Start to deliver. In the process that answers: threads do not survive the fork that makes a worker."""
        if not self.wanted or self._stops:
            return
        # Some hundred modules, which a server without telemetry never reads.
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource

        from aws_finops_mcp.server.emf import EmfFileExporter

        settings = self._settings
        # It says in many lines what one error says.
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)
        resource = Resource.create(
            {"service.name": SERVICE, "service.version": __version__, "host.name": socket.gethostname()}
        )
        meter: Meter = NoOpMeterProvider().get_meter(SERVICE)
        tracer: Tracer = NoOpTracerProvider().get_tracer(SERVICE)
        if settings.mcp_metrics_file:
            exporter = EmfFileExporter(settings.mcp_metrics_file, SERVICE)
            reader = PeriodicExportingMetricReader(exporter, settings.mcp_metrics_interval * 1000)
            meters = MeterProvider([reader], resource, shutdown_on_exit=False)
            meter = meters.get_meter(SERVICE, __version__)
            self._stops.append(threading.Thread(target=meters.shutdown, name="stop-metrics", daemon=True))
        if settings.mcp_traces_endpoint:
            tracers = _tracer_provider(settings, resource)
            tracer = tracers.get_tracer(SERVICE, __version__)
            self._stops.append(threading.Thread(target=tracers.shutdown, name="stop-traces", daemon=True))
        self._instruments = Instruments(meter, tracer)

    def stop(self) -> None:
        """Deliver what there is, for a few seconds at most, and deliver no more."""
        stops, self._stops = self._stops, []
        self._instruments = Instruments(
            NoOpMeterProvider().get_meter(SERVICE), NoOpTracerProvider().get_tracer(SERVICE)
        )
        end = time.monotonic() + STOP_SECONDS
        for thread in stops:
            thread.start()
        for thread in stops:
            thread.join(max(0.0, end - time.monotonic()))

    @contextmanager
    def asked(self, tool: str) -> Iterator[Asked]:
        """Measure one call."""
        asked = Asked(self._instruments, tool)
        try:
            yield asked
        finally:
            asked.end()


def check_metrics_file(settings: Settings) -> None:
    """Find out at the start, not an interval later.

    Raises:
        SettingsError: metrics cannot be written where the settings say.
    """
    if settings.mcp_metrics_file is not None:
        try:
            with settings.mcp_metrics_file.open("ab"):
                pass
        except OSError as error:
            raise SettingsError(f"MCP_METRICS_FILE: {settings.mcp_metrics_file}: {error.strerror}") from None


def _tracer_provider(settings: Settings, resource: Resource) -> TracerProvider:
    import requests
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    session = requests.Session()
    session.trust_env = False  # a proxy of the environment is for AWS, not for this host's own port
    exporter = OTLPSpanExporter(
        f"{settings.mcp_traces_endpoint}/v1/traces",
        timeout=EXPORT_SECONDS,
        compression=Compression.NoCompression,
        session=session,
    )
    tracers = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.mcp_traces_sample)),
        resource=resource,
        shutdown_on_exit=False,
        id_generator=AwsXRayIdGenerator(),
    )
    tracers.add_span_processor(BatchSpanProcessor(exporter))
    return tracers
