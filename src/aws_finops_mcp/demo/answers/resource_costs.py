"""Fourteen days of costs by resource: the bill's lines, split among the resources that caused them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from aws_finops_mcp.demo.answers.company import Company, Operations
from aws_finops_mcp.demo.answers.resource_shares import by_resource
from aws_finops_mcp.demo.double.bills import BillLine, Bills
from aws_finops_mcp.demo.double.cost_explorer import RESOURCE_DAYS, CostExplorer


def operations(company: Company) -> Operations:
    explorer = CostExplorer(
        Bills(lambda: list(_lines(company)), company.bills.account_names, company.bills.categories), company.clock
    )
    return {("ce", "GetCostAndUsageWithResources"): explorer.get_cost_and_usage_with_resources}


def _lines(company: Company) -> Iterator[BillLine]:
    first = company.today - timedelta(days=RESOURCE_DAYS)
    for line in company.bills.between(first, company.today + timedelta(days=1)):
        yield from by_resource(line, company.ids() if company.seeded else {}, company.today)
