"""What Lambda Insights, where it is installed, measures of a function beyond Lambda's own metrics."""

from __future__ import annotations

from typing import Any

from aws_finops_mcp.aws.metrics import DAY, MetricQuery

_LAYERS = (":layer:LambdaInsightsExtension", ":layer:LambdaInsightsExtension-Arm64")


def may_have_insights(function: Any) -> bool:
    """Whether it has the extension's layer, or is an image, which may hold the extension without one."""
    layers = [layer["Arn"].rpartition(":")[0] for layer in function.get("Layers", ())]
    return function.get("PackageType") == "Image" or any(arn.endswith(_LAYERS) for arn in layers)


def insights(name: str, metric: str, statistic: str) -> MetricQuery:
    """A series of all versions of a function."""
    return MetricQuery("LambdaInsights", metric, (("function_name", name),), statistic, DAY)


def own(name: str, metric: str, statistic: str) -> MetricQuery:
    """A series that Lambda itself writes."""
    return MetricQuery("AWS/Lambda", metric, (("FunctionName", name),), statistic, DAY)
