"""Check of Amazon API Gateway: stages of REST, HTTP and WebSocket APIs that are slow or fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import Category, Verdict

REST_APIS = read("apigateway", "GetRestApis", "items", {"limit": 500}, token=("position", "position"))
OTHER_APIS = read("apigatewayv2", "GetApis", "Items", {"MaxResults": "500"})
"""HTTP and WebSocket APIs: another API, the same permission."""


@dataclass(frozen=True)
class Metrics:
    """What CloudWatch calls a kind of API's metrics.

    Attributes:
        requests: what was asked; several are added up.
        failures: what failed on the side of the API.
        refusals: what failed on the side of the caller.
        time: milliseconds.
    """

    requests: tuple[str, ...]
    failures: tuple[str, ...]
    refusals: tuple[str, ...]
    time: str


KINDS: Mapping[str, Metrics] = {
    "REST": Metrics(("Count",), ("5XXError",), ("4XXError",), "Latency"),
    "HTTP": Metrics(("Count",), ("5xx",), ("4xx",), "Latency"),
    "WEBSOCKET": Metrics(
        ("MessageCount",), ("IntegrationError", "ExecutionError"), ("ClientError",), "IntegrationLatency"
    ),
}


@dataclass(frozen=True)
class Stage:
    """A stage of an API of any kind."""

    api_id: str
    api_name: str
    name: str
    kind: str
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def resource_id(self) -> str:
        return f"{self.api_id}/{self.name}"

    @property
    def dimensions(self) -> tuple[tuple[str, str], ...]:
        """REST APIs go by name, the others by id; without the stage, CloudWatch adds all stages up."""
        api = ("ApiName", self.api_name) if self.kind == "REST" else ("ApiId", self.api_id)
        return (api, ("Stage", self.name))

    def query(self, metric: str, statistic: str) -> MetricQuery:
        return MetricQuery("AWS/ApiGateway", metric, self.dimensions, statistic, DAY)

    def queries(self) -> list[MetricQuery]:
        known = KINDS[self.kind]
        counts = (*known.requests, *known.failures, *known.refusals)
        times = [self.query(known.time, statistic) for statistic in ("Sum", "SampleCount", "p95")]
        return [*(self.query(metric, "Sum") for metric in counts), *times]


def _stages_read(api: Any) -> Read:
    if "ApiId" in api:
        return read("apigatewayv2", "GetStages", "Items", {"ApiId": api["ApiId"]}, resource=api["ApiId"])
    return read("apigateway", "GetStages", "item", {"restApiId": api["id"]}, resource=api["id"])


class ApiPerformanceParams(PeriodParams):
    """Arguments of `analyze_api_gateway_performance`."""

    period: int = Field(7, ge=1, le=455, description="days to look back")
    latency_threshold: float = Field(1000.0, gt=0, description="milliseconds, on average or at the 95th percentile")
    error_threshold: float = Field(1.0, gt=0, le=100, description="percent of requests that failed with 5xx")


def _apis(facts: Facts) -> list[Any]:
    return [*facts.items(REST_APIS), *(facts.maybe(OTHER_APIS) or ())]


def read_stages(facts: Facts, _params: ApiPerformanceParams) -> Iterator[Read]:
    """The stages of every API."""
    return (_stages_read(api) for api in _apis(facts))


def stages(facts: Facts) -> list[Stage]:
    """Every stage whose API's stages could be read."""
    return [_stage(api, row) for api in _apis(facts) for row in facts.maybe(_stages_read(api)) or ()]


def _stage(api: Any, row: Any) -> Stage:
    if "ApiId" in api:
        tags = {**api.get("Tags", {}), **row.get("Tags", {})}
        return Stage(api["ApiId"], api["Name"], row["StageName"], api["ProtocolType"], tags)
    tags = {**api.get("tags", {}), **row.get("tags", {})}
    return Stage(api["id"], api["name"], row["stageName"], "REST", tags)


def read_metrics(facts: Facts, _params: ApiPerformanceParams) -> Iterator[MetricQuery]:
    """Six or seven series a stage."""
    return (query for stage in stages(facts) for query in stage.queries())


def judge_stages(facts: Facts, params: ApiPerformanceParams) -> Iterator[Judgement]:
    """A stage is degraded when its requests take too long, or too many of them fail."""
    # Not a dimension of REST APIs: their ids. Two of one name are one to CloudWatch.
    alike = Counter(stage.dimensions for stage in stages(facts))
    for api in _apis(facts):
        if facts.maybe(_stages_read(api)) is None:
            api_id, name = api.get("ApiId") or api["id"], api.get("Name") or api["name"]
            yield Judgement(api_id, Verdict.UNKNOWN, "its stages could not be read", {}, name)
    for stage in stages(facts):
        yield _judge(facts, params, stage, alike[stage.dimensions])


def _judge(facts: Facts, params: ApiPerformanceParams, stage: Stage, alike: int) -> Judgement:
    known = KINDS[stage.kind]
    requests = _total(facts, stage, known.requests)
    failures = _total(facts, stage, known.failures)
    sums, counts, slowest = (facts.series[stage.query(known.time, s)] for s in ("Sum", "SampleCount", "p95"))
    measured = sum(counts.values)
    average = sum(sums.values) / measured if measured else None
    p95 = weighted(slowest, counts)
    rate = 100 * failures / requests if requests else None
    slow = average is not None and p95 is not None and max(average, p95) >= params.latency_threshold
    failing = rate is not None and rate >= params.error_threshold
    found = []
    if slow:
        found.append(f"takes {average:,.0f} ms on average, 95% of requests within {p95:,.0f} ms")
    if failing:
        found.append(f"{rate:.1f}% of {requests:,.0f} requests failed with 5xx")
    if any(facts.series[query].failed for query in stage.queries()):
        verdict, reason = Verdict.UNKNOWN, "its metrics could not be read"
    elif not requests and not measured:
        verdict, reason = Verdict.OK, f"no requests in {params.period} days"
    elif found and alike > 1:
        verdict = Verdict.UNKNOWN
        reason = f"{'; '.join(found)}; but {alike} REST APIs have this name and stage, which CloudWatch adds up"
    elif found:
        verdict, reason = Verdict.DEGRADED, "; ".join(found)
    else:
        verdict, reason = Verdict.OK, "quick and without many failures"
    return Judgement(
        resource_id=stage.resource_id,
        name=stage.api_name,
        verdict=verdict,
        reason=reason,
        evidence={
            "kind": stage.kind,
            "stage": stage.name,
            "requests": requests,
            "average_ms": None if average is None else round(average, 1),
            "p95_ms": None if p95 is None else round(p95, 1),
            "failures": failures,
            "failure_percent": None if rate is None else round(rate, 3),
            "refusals": _total(facts, stage, known.refusals),
        },
        tags=stage.tags,
        weight=max((p95 or 0) / params.latency_threshold, (rate or 0) / params.error_threshold),
    )


def _total(facts: Facts, stage: Stage, metrics: tuple[str, ...]) -> float:
    return sum(value for metric in metrics for value in facts.series[stage.query(metric, "Sum")].values)


def weighted(values: MetricSeries, weights: MetricSeries) -> float | None:
    """The mean of daily values, a day with more requests counting for more; None without any."""
    total = sum(weights.values)
    pairs = zip(values.values, weights.values, strict=False)
    return sum(value * weight for value, weight in pairs) / total if total else None


API_PERFORMANCE = Check(
    name="analyze_api_gateway_performance",
    title="API stages that are slow or fail",
    noun="API stages",
    category=Category.PERFORMANCE,
    description=(
        "Stages of REST, HTTP and WebSocket APIs that take `latency_threshold` ms or more, on average or at the 95th "
        "percentile, or fail `error_threshold` percent of requests. Costs $0.01 per 150 stages to ask (GetMetricData)."
    ),
    resource_type="AWS::ApiGateway::Stage",
    params=ApiPerformanceParams,
    inventory=(REST_APIS, OTHER_APIS),
    follow_ups=(read_stages,),
    count=lambda facts, _params: len(stages(facts)),
    metrics=read_metrics,
    judge=judge_stages,
    saves=False,
    evidence={
        "kind": "apigateway:GET (GetRestApis, GetApis): REST, HTTP or WEBSOCKET",
        "stage": "GetStages; each stage is judged by itself",
        "requests": "cloudwatch:GetMetricData, AWS/ApiGateway Count (WebSocket: MessageCount), sum of the window",
        "average_ms": "Latency (WebSocket: IntegrationLatency), Sum / SampleCount over the whole window",
        "p95_ms": "its p95 of each day, weighted by the day's requests",
        "failures": "5XXError, 5xx (WebSocket: IntegrationError + ExecutionError), sum",
        "failure_percent": "failures of requests",
        "refusals": "4XXError, 4xx (WebSocket: ClientError), sum: the callers' failures, which are not judged",
    },
    verdicts={
        Verdict.DEGRADED: "slower than latency_threshold, or error_threshold percent or more failed",
        Verdict.OK: "neither, or no requests",
        Verdict.UNKNOWN: "its stages or metrics could not be read, or other REST APIs have the same name and stage",
    },
    remediation=(
        "Compare Latency with IntegrationLatency: what the integration takes is the backend's. 5xx of 502 and 504 are "
        "the backend's answers and timeouts. APIs of one name should get names of their own, to be told apart."
    ),
    references=(
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html",
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html",
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html",
    ),
    limits=(
        "Metrics of REST APIs carry the API's name, not its id: of namesakes with a stage of the same name nothing is "
        "said. Which method is slow, and whether the integration is, is not looked at."
    ),
)

CHECKS = (API_PERFORMANCE,)
