"""What was billed, what is forecast, and what commitments save: Cost Explorer and its neighbours."""

from __future__ import annotations

from typing import Any

from aws_finops_mcp.costs import (
    allocation,
    anomalies,
    breakdown,
    budgets,
    by_service,
    commitments,
    comparison,
    compute_optimizer,
    daily_trend,
    data_transfer,
    explanation,
    forecast,
    optimization_hub,
    reservations,
    savings_plans,
    trusted_advisor,
)
from aws_finops_mcp.costs.exports import conformance, describe, query
from aws_finops_mcp.costs.tool import CostTool

COST_TOOLS: tuple[CostTool[Any, Any], ...] = (
    *by_service.TOOLS,
    *breakdown.TOOLS,
    *comparison.TOOLS,
    *explanation.TOOLS,
    *daily_trend.TOOLS,
    *data_transfer.TOOLS,
    *allocation.TOOLS,
    *forecast.TOOLS,
    *anomalies.TOOLS,
    *budgets.TOOLS,
    *optimization_hub.TOOLS,
    *compute_optimizer.TOOLS,
    *trusted_advisor.TOOLS,
    *commitments.TOOLS,
    *savings_plans.TOOLS,
    *reservations.TOOLS,
    query.QUERY,
    describe.DESCRIBE,
    conformance.CONFORMANCE,
)
"""Every tool on costs."""
