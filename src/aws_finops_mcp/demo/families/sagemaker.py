"""The truth about SageMaker's endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.price_products_analytics import ENDPOINT_G5_XLARGE, ENDPOINT_M5_LARGE
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric, Rows
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.demo.prices import PRICES
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.analytics import sagemaker_endpoint_instance

_USD: Final = {"ml.m5.large": ENDPOINT_M5_LARGE, "ml.g5.xlarge": ENDPOINT_G5_XLARGE}


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of one variant; ``kind`` None: serverless; ``asked``: requests an hour, none for ``until`` hours."""

    name: str
    verdict: Verdict
    why: str
    region: str = US
    kind: str | None = "ml.m5.large"
    instances: int = 1
    asked: float = 0
    until: int = 0
    processed: float = 0
    alive_until: int = 0
    age: int = 200
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT_ID}:endpoint/{self.name}"

    @property
    def usd(self) -> float | None:
        if self.verdict is not Verdict.IDLE or self.kind is None:
            return None
        return _USD[self.kind] * PRICES[self.region].factor * self.instances * 730

    def row(self, now: datetime) -> dict[str, Any]:
        """As ListEndpoints has it."""
        made = now - timedelta(days=self.age)
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "CreationTime": made,
            "LastModifiedTime": made,
            "EndpointStatus": "InService",
        }

    def described(self, now: datetime) -> dict[str, Any]:
        """As DescribeEndpoint has it."""
        variant: dict[str, Any] = {"VariantName": "main", "CurrentWeight": 1.0}
        if self.kind:
            variant |= {"CurrentInstanceCount": self.instances, "DesiredInstanceCount": self.instances}
        else:
            variant["CurrentServerlessConfig"] = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
        return {**self.row(now), "EndpointConfigName": f"{self.name}-v1", "ProductionVariants": [variant]}

    def config(self, now: datetime) -> dict[str, Any]:
        """As DescribeEndpointConfig has it."""
        variant: dict[str, Any] = {"VariantName": "main", "ModelName": self.name}
        variant |= (
            {"InstanceType": self.kind, "InitialInstanceCount": 1}
            if self.kind
            else {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
        )
        config = {
            "EndpointConfigName": f"{self.name}-v1",
            "EndpointConfigArn": self.arn.replace("endpoint/", "endpoint-config/") + "-v1",
            "ProductionVariants": [variant],
            "CreationTime": now - timedelta(days=self.age),
        }
        return config | ({"AsyncInferenceConfig": {"OutputConfig": {}}} if self.processed else {})

    def metrics(self) -> Iterator[Metric]:
        """Requests are measured when there are some, instances always."""
        hours = min(130, self.age) * 24
        variant = {"EndpointName": self.name, "VariantName": "main"}
        if self.asked:
            yield Metric(self.region, "AWS/SageMaker", "Invocations", variant, self._asked, samples=None, hours=hours)
        if self.processed:
            own = {"EndpointName": self.name}
            yield Metric(self.region, "AWS/SageMaker", "InvocationsProcessed", own, self.processed, samples=None)
        if self.kind and self.instances:
            space, alive = "/aws/sagemaker/Endpoints", self._alive
            yield Metric(self.region, space, "CPUUtilization", variant, alive, "Percent", hours=hours)

    def _asked(self, ago: int) -> float | None:
        return self.asked if ago >= self.until else None

    def _alive(self, ago: int) -> float | None:
        return 60 * 0.4 if ago >= self.alive_until else None


IDLE, IN_USE = Verdict.IDLE, Verdict.IN_USE
ENDPOINTS: Final = (
    Endpoint("nw-async-images", IN_USE, "asynchronous: asked through its queue", processed=3),
    Endpoint("nw-fraud", IN_USE, "asked", asked=900),
    Endpoint("nw-fraud", IDLE, "of the same name in another region, and not asked", EU),
    Endpoint("nw-fresh", Verdict.TOO_NEW, "five days old", age=5),
    Endpoint("nw-legal", Verdict.EXEMPT, "tagged so", tags={"finops:exempt": "contract"}),
    Endpoint("nw-monthly", IN_USE, "asked ten days ago", asked=50, until=10 * 24),
    Endpoint("nw-poc-llm", IDLE, "two dear instances, never asked", kind="ml.g5.xlarge", instances=2),
    Endpoint("nw-scaled-in", Verdict.OK, "scaled to no instance", instances=0),
    Endpoint("nw-serverless", Verdict.OK, "serverless: it costs when it is asked", kind=None),
    Endpoint("nw-silent", Verdict.UNKNOWN, "its instances are not measured for days", alive_until=72),
    Endpoint("nw-since", IDLE, "not asked for three weeks", asked=50, until=21 * 24),
    *(Endpoint(f"nw-user-{n:03}", IN_USE, "one of several", EU, asked=9) for n in range(3)),
    Endpoint("nw-zz-last", IDLE, "the last of the list", EU, kind="ml.g5.xlarge"),
)


def _charges() -> Iterator[Charge]:
    for one in ENDPOINTS:
        if one.kind and one.instances:
            unit, hours = sagemaker_endpoint_instance(one.kind), one.instances * 730
            yield Charge(one.region, one.arn, unit, hours, one.age, one.tags)


def family(now: datetime) -> Family:
    """Endpoints; moto is not asked."""
    rows = {region: [one.row(now) for one in ENDPOINTS if one.region == region] for region in (US, EU)}
    return Family(
        rows=(
            Rows("sagemaker", "ListEndpoints", "Endpoints", rows, beside_moto=False),
            tag_rows((one.region, one.arn, one.tags) for one in ENDPOINTS if one.tags),
        ),
        operations={
            ("sagemaker", "DescribeEndpoint"): lambda call: _named(call, call.parameters["EndpointName"]).described(
                now
            ),
            ("sagemaker", "DescribeEndpointConfig"): lambda call: _named(
                call, str(call.parameters["EndpointConfigName"]).removesuffix("-v1")
            ).config(now),
        },
        metrics=[metric for one in ENDPOINTS for metric in one.metrics()],
        charges=list(_charges()),
        cases={"find_unused_sagemaker_endpoints": [Case(e.arn, e.region, e.verdict, e.why, e.usd) for e in ENDPOINTS]},
    )


def _named(call: Call, name: Any) -> Endpoint:
    for one in ENDPOINTS:
        if call.account == ACCOUNT_ID and (one.name, one.region) == (name, call.region):
            return one
    raise AwsError("ValidationException", f'Could not find endpoint "{name}".')
