"""Every operation that is answered here, in one table."""

from __future__ import annotations

from typing import Final

from aws_finops_mcp.demo.answers import (
    anomalies,
    budgets,
    comparisons,
    compute_optimizer,
    cost_values,
    forecasts,
    optimization_hub,
    reservations,
    reserved_nodes,
    resource_costs,
    rightsizing,
    savings_plans,
    trusted_advisor,
    versions,
)
from aws_finops_mcp.demo.answers.company import Company, Operations

_MODULES: Final = (
    anomalies,
    budgets,
    comparisons,
    compute_optimizer,
    cost_values,
    forecasts,
    optimization_hub,
    reservations,
    reserved_nodes,
    resource_costs,
    rightsizing,
    savings_plans,
    trusted_advisor,
    versions,
)


def operations(company: Company) -> Operations:
    """What moto lacks, or answers with nothing in it."""
    found: Operations = {}
    for module in _MODULES:
        found |= module.operations(company)
    return found
