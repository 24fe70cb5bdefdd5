"""APIs of API Gateway with their stages, and the truth about how they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Operations
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.network_rows import hex_of, metrics, only
from aws_finops_mcp.demo.inventory import EU, US
from aws_finops_mcp.findings import Verdict

Hourly = float | Callable[[int], float | None]
OK, DEGRADED, UNKNOWN = Verdict.OK, Verdict.DEGRADED, Verdict.UNKNOWN


@dataclass(frozen=True)
class Stage:
    """A stage: ``hourly`` requests, of which ``failures`` failed; ``ms`` is what one takes."""

    name: str
    verdict: Verdict
    why: str
    hourly: Hourly | None = 100.0
    failures: Hourly | None = None
    ms: float = 40.0
    peak: float = 1.5


@dataclass(frozen=True)
class Api:
    """An API of any kind."""

    name: str
    kind: str
    stages: tuple[Stage, ...]
    region: str = US
    number: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def api_id(self) -> str:
        return hex_of(f"{self.region}{self.name}{self.number}", 10)

    def row(self, now: datetime) -> dict[str, Any]:
        made = now - timedelta(days=300)
        if self.kind == "REST":
            return {"id": self.api_id, "name": self.name, "createdDate": made, "tags": dict(self.tags)}
        return {
            "ApiId": self.api_id,
            "Name": self.name,
            "ProtocolType": self.kind,
            "RouteSelectionExpression": "$request.method $request.path",
            "CreatedDate": made,
            "Tags": dict(self.tags),
        }

    def stage_rows(self) -> list[dict[str, Any]]:
        key = "stageName" if self.kind == "REST" else "StageName"
        return [{key: stage.name} for stage in self.stages]

    def metrics(self) -> list[Metric]:
        return [metric for stage in self.stages for metric in self._metrics(stage)]

    def _metrics(self, stage: Stage) -> list[Metric]:
        requests, failures, time = {
            "REST": ("Count", "5XXError", "Latency"),
            "HTTP": ("Count", "5xx", "Latency"),
            "WEBSOCKET": ("MessageCount", "IntegrationError", "IntegrationLatency"),
        }[self.kind]
        own = {"ApiName": self.name} if self.kind == "REST" else {"ApiId": self.api_id}
        own["Stage"] = stage.name
        made = []
        for name, hourly in ((requests, stage.hourly), (failures, stage.failures)):
            if hourly is not None:
                made += metrics(self.region, "AWS/ApiGateway", own, {name: hourly})
        if stage.hourly is not None:
            milliseconds = 100 * stage.ms
            made.append(
                Metric(
                    self.region,
                    "AWS/ApiGateway",
                    time,
                    own,
                    milliseconds,
                    "Milliseconds",
                    samples=100,
                    peak=stage.peak,
                )
            )
        return made


def _fillers() -> tuple[Api, ...]:
    """More REST APIs than AWS gives on a page that nobody asked to be longer."""
    return tuple(Api(f"nb-filler-{n:02}", "REST", (Stage("v1", OK, "never called", None),)) for n in range(26))


APIS: Final = (
    *_fillers(),
    Api(
        "nb-orders",
        "REST",
        (
            Stage("prod", OK, "quick"),
            Stage("staging", DEGRADED, "3 s a request, beside a quick stage", ms=3000.0),
            Stage("load", DEGRADED, "one in twenty takes 1.4 s", ms=500.0, peak=3.0),
        ),
    ),
    Api("nb-payments", "REST", (Stage("prod", DEGRADED, "8% fail", failures=8.0),)),
    Api("nb-stock", "REST", (Stage("prod", OK, "all failed in one hour, 0.6% of all", failures=only(30, 31, 100.0)),)),
    Api("nb-twin", "REST", (Stage("prod", UNKNOWN, "two APIs of one name cannot be told apart", failures=20.0),)),
    Api("nb-twin", "REST", (Stage("prod", UNKNOWN, "two APIs of one name cannot be told apart", None),), number=2),
    Api(
        "nb-batch-api",
        "REST",
        (Stage("prod", Verdict.EXEMPT, "slow, exempt by tag", ms=9000.0),),
        tags={"finops:exempt": "answers in the night"},
    ),
    Api("nb-search", "HTTP", (Stage("$default", DEGRADED, "HTTP, 5% fail", failures=5.0),)),
    Api("nb-images", "HTTP", (Stage("$default", OK, "HTTP, quick"),)),
    Api(
        "nb-chat",
        "WEBSOCKET",
        (Stage("live", DEGRADED, "WebSocket, its integration takes 2 s", ms=2000.0), Stage("next", OK, "unused", None)),
    ),
    Api("nb-orders", "REST", (Stage("prod", DEGRADED, "slow here, quick elsewhere", ms=1800.0),), region=EU),
)


def family(now: datetime) -> Family:
    """APIs and stages."""

    def rows(kinds: tuple[str, ...], region: str) -> list[dict[str, Any]]:
        return [api.row(now) for api in APIS if api.region == region and api.kind in kinds]

    others = ("HTTP", "WEBSOCKET")
    return Family(
        rows=(
            Rows("apigateway", "GetRestApis", "items", {r: rows(("REST",), r) for r in (US, EU)}, beside_moto=False),
            Rows("apigatewayv2", "GetApis", "Items", {r: rows(others, r) for r in (US, EU)}, beside_moto=False),
        ),
        metrics=[metric for api in APIS for metric in api.metrics()],
        operations=_operations(),
        cases={
            "analyze_api_gateway_performance": tuple(
                Case(f"{api.api_id}/{stage.name}", api.region, stage.verdict, stage.why)
                for api in APIS
                for stage in api.stages
            )
        },
    )


def _operations() -> Operations:
    by_id = {(api.region, api.api_id): api for api in APIS}

    def stages(call: Call, parameter: str, path: str) -> dict[str, Any]:
        api = by_id.get((call.region, call.parameters[parameter]))
        if api is None:
            raise AwsError("NotFoundException", "Invalid API identifier specified", 404)
        return {path: api.stage_rows()}

    return {
        ("apigateway", "GetStages"): lambda call: stages(call, "restApiId", "item"),
        ("apigatewayv2", "GetStages"): lambda call: stages(call, "ApiId", "Items"),
    }
