"""Endpoints of SageMaker whose instances wait for requests that do not come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.metrics import DAY, MetricQuery, MetricSeries
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import NO_REFERRERS, Check, Facts, Judgement, Part
from aws_finops_mcp.checks.tagging import tags_read, with_listed_tags
from aws_finops_mcp.declaration import PeriodParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Category, Scalar, Verdict
from aws_finops_mcp.prices.analytics import sagemaker_endpoint_instance

ENDPOINTS = read("sagemaker", "ListEndpoints", "Endpoints", {"MaxResults": 100, "StatusEquals": "InService"})
TAGS = tags_read("sagemaker:endpoint")


class UnusedEndpointsParams(PeriodParams):
    """Arguments of `find_unused_sagemaker_endpoints`."""

    period: int = Field(14, ge=1, le=455, description="days without a request that make an endpoint idle")


def endpoint_read(name: str) -> Read:
    """The variants of one endpoint, and their instances now."""
    return read("sagemaker", "DescribeEndpoint", "", {"EndpointName": name}, resource=name)


def config_read(name: str) -> Read:
    """Of what type the instances of an endpoint's variants are."""
    return read("sagemaker", "DescribeEndpointConfig", "", {"EndpointConfigName": name}, resource=name)


def read_endpoints(facts: Facts, _params: object) -> Iterator[Read]:
    """The listing has names only."""
    return (endpoint_read(endpoint["EndpointName"]) for endpoint in facts.items(ENDPOINTS))


def read_configs(facts: Facts, _params: object) -> Iterator[Read]:
    """A configuration may be that of several endpoints."""
    described = (_described(facts, endpoint) for endpoint in facts.items(ENDPOINTS))
    return (config_read(one["EndpointConfigName"]) for one in described if one)


def _described(facts: Facts, endpoint: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = facts.maybe(endpoint_read(endpoint["EndpointName"]))
    return found[0] if found else None


def _config(facts: Facts, described: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = facts.maybe(config_read(described["EndpointConfigName"]))
    return found[0] if found else None


def _of_variant(endpoint: str, variant: str, metric: str, statistic: str) -> MetricQuery:
    namespace = "/aws/sagemaker/Endpoints" if metric == "CPUUtilization" else "AWS/SageMaker"
    return MetricQuery(namespace, metric, (("EndpointName", endpoint), ("VariantName", variant)), statistic, DAY)


def _processed(endpoint: str) -> MetricQuery:
    """Requests that an asynchronous endpoint took from its queue."""
    return MetricQuery("AWS/SageMaker", "InvocationsProcessed", (("EndpointName", endpoint),), "Sum", DAY)


def _requests(facts: Facts, described: Mapping[str, Any]) -> list[MetricQuery]:
    name = described["EndpointName"]
    queries = [_of_variant(name, one["VariantName"], "Invocations", "Sum") for one in described["ProductionVariants"]]
    config = _config(facts, described)
    # One whose configuration could not be read may be asynchronous.
    return [*queries, _processed(name)] if config is None or config.get("AsyncInferenceConfig") else queries


def _alive(described: Mapping[str, Any]) -> list[MetricQuery]:
    """What every instance reports: where it has no gap, a lack of requests is one."""
    name = described["EndpointName"]
    variants = (one for one in described["ProductionVariants"] if one.get("CurrentInstanceCount"))
    return [_of_variant(name, one["VariantName"], "CPUUtilization", "Maximum") for one in variants]


def read_requests(facts: Facts, _params: object) -> Iterator[MetricQuery]:
    """Two series a variant."""
    for endpoint in facts.items(ENDPOINTS):
        described = _described(facts, endpoint)
        if described:
            yield from (*_requests(facts, described), *_alive(described))


def judge_endpoints(facts: Facts, params: UnusedEndpointsParams) -> Iterator[Judgement]:
    """Idle when no variant was asked, and its instances were measured every day."""
    return with_listed_tags(facts, TAGS, (_judge(facts, params, one) for one in facts.items(ENDPOINTS)))


def _judge(facts: Facts, params: UnusedEndpointsParams, endpoint: Mapping[str, Any]) -> Judgement:
    described = _described(facts, endpoint)
    requests = [facts.series[query] for query in _requests(facts, described)] if described else []
    alive = [facts.series[query] for query in _alive(described)] if described else []
    config = _config(facts, described) if described else None
    verdict, reason = _verdict(facts, params, endpoint, requests, alive, known=bool(described))
    instances = sum(one.get("CurrentInstanceCount", 0) for one in (described or {}).get("ProductionVariants", ()))
    failed = not described or any(one.failed for one in requests)
    evidence: dict[str, Scalar] = {
        "requests": None if failed else sum(value for one in requests for value in one.values),
        "instances": instances if described else None,
        "instance_types": ", ".join(sorted({one.get("InstanceType", "serverless") for one in _variants(config)}))
        or None,
        "asynchronous": None if config is None else bool(config.get("AsyncInferenceConfig")),
        "age_days": facts.age_days(endpoint["CreationTime"]),
        "datapoints": f"{sum(one.seen for one in alive)}/{sum(one.expected for one in alive)}" if alive else None,
    }
    parts, unpriced = _cost(described, config) if verdict is Verdict.IDLE and described else ([], [])
    return Judgement(
        resource_id=endpoint["EndpointArn"],
        name=endpoint["EndpointName"],
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        parts=parts,
        unpriced=unpriced,
    )


def _variants(config: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    variants: Sequence[Mapping[str, Any]] = (config or {}).get("ProductionVariants", ())
    return variants


def _verdict(
    facts: Facts,
    params: UnusedEndpointsParams,
    endpoint: Mapping[str, Any],
    requests: Sequence[MetricSeries],
    alive: Sequence[MetricSeries],
    *,
    known: bool,
) -> tuple[Verdict, str]:
    times = sum(value for one in requests for value in one.values)
    age = facts.age_days(endpoint["CreationTime"])
    if times:
        return Verdict.IN_USE, f"{times:,.0f} requests in {params.period} days"
    if not known:
        return Verdict.UNKNOWN, "its variants could not be read"
    if any(one.failed for one in (*requests, *alive)):
        return Verdict.UNKNOWN, "its metrics could not be read"
    if not alive:
        return Verdict.OK, "no instance runs: serverless, or scaled to none"
    if age < params.period:
        return Verdict.TOO_NEW, f"made {age} days ago, less than the {params.period} days looked back over"
    if any(one.seen < params.period for one in alive):
        return Verdict.UNKNOWN, "no request was measured, but its instances were not measured on every day either"
    return Verdict.IDLE, f"no request in {params.period} days"


def _cost(described: Mapping[str, Any], config: Mapping[str, Any] | None) -> tuple[list[Part], list[str]]:
    types = {one["VariantName"]: one.get("InstanceType") for one in _variants(config)}
    parts: list[Part] = []
    unpriced: list[str] = []
    for variant in described["ProductionVariants"]:
        name, number = variant["VariantName"], variant.get("CurrentInstanceCount", 0)
        kind = types.get(name)
        if number and kind:
            what = f"{number} x {kind} of variant {name}"
            parts.append(Part(what, sagemaker_endpoint_instance(kind), number * HOURS_PER_MONTH))
        elif number:
            unpriced.append(f"{number} instances of variant {name}, whose type could not be read")
    return parts, unpriced


UNUSED_ENDPOINTS = Check(
    name="find_unused_sagemaker_endpoints",
    title="SageMaker endpoints that nobody asks",
    noun="SageMaker endpoints",
    category=Category.COST,
    description=(
        "SageMaker endpoints, real-time and asynchronous, whose instances got no request for `period` days, with what "
        "the instances cost. Costs $0.01 per 500 variants to ask (GetMetricData), and two calls an endpoint."
    ),
    resource_type="AWS::SageMaker::Endpoint",
    params=UnusedEndpointsParams,
    inventory=(ENDPOINTS, TAGS),
    follow_ups=(read_endpoints, read_configs),
    detail_actions=("sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"),
    metrics=read_requests,
    judge=judge_endpoints,
    evidence={
        "requests": "cloudwatch:GetMetricData, AWS/SageMaker Invocations of all variants, of asynchronous endpoints "
        "InvocationsProcessed too, sum of the window; empty when not read",
        "instances": "sagemaker:DescribeEndpoint, CurrentInstanceCount of all variants",
        "instance_types": "sagemaker:DescribeEndpointConfig, InstanceType",
        "asynchronous": "whether the configuration has an AsyncInferenceConfig",
        "age_days": "days since CreationTime",
        "datapoints": "daily datapoints of /aws/sagemaker/Endpoints CPUUtilization seen / expected, which instances "
        "always report; without requests there are none of Invocations",
    },
    verdicts={
        Verdict.IDLE: "instances run, measured on every day of the window, and no request came",
        Verdict.IN_USE: "requests came",
        Verdict.OK: "no instance runs: serverless, or scaled to none",
        Verdict.TOO_NEW: "younger than the window",
        Verdict.UNKNOWN: "its variants, metrics or tags could not be read, or the metrics have gaps",
    },
    remediation=(
        "Delete the endpoint: model and configuration stay, and it can be made again from them. One that is needed now "
        "and then is cheaper as a serverless or an asynchronous one that scales to no instance."
    ),
    references=(
        "https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html",
        "https://aws.amazon.com/sagemaker/pricing/",
    ),
    prices=("sagemaker.endpoint.*",),
    limits=(
        "Shadow variants, inference components, storage of instances and Savings Plans are not counted. Notebooks and "
        "Studio apps publish no metric of use, and are not judged."
    ),
    referrers=NO_REFERRERS,
)

CHECKS = (UNUSED_ENDPOINTS,)
