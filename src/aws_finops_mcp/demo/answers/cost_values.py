"""Which values costs can be grouped and filtered by: dimensions, tags, cost categories."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo.answers.company import Company, Operations
from aws_finops_mcp.demo.answers.pages import page
from aws_finops_mcp.demo.double.bills import BillLine
from aws_finops_mcp.demo.double.cost_explorer import read_dates
from aws_finops_mcp.demo.double.cost_filters import dimension, predicate
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call

MOST: Final = 1000


def operations(company: Company) -> Operations:
    values = _Values(company)
    return {
        ("ce", "GetCostCategories"): values.cost_categories,
        ("ce", "GetDimensionValues"): values.dimension_values,
        ("ce", "GetTags"): values.tags,
        ("ce", "ListCostAllocationTags"): values.allocation_tags,
    }


class _Values:
    def __init__(self, company: Company) -> None:
        self._company = company

    def dimension_values(self, call: Call) -> dict[str, Any]:
        if call.parameters.get("Context") not in {None, "COST_AND_USAGE"}:
            raise AwsError("ValidationException", "The simulated account knows the context COST_AND_USAGE only.")
        values = self._values(call, dimension(str(call.parameters["Dimension"])))
        names = self._company.bills.account_names
        rows = [{"Value": value, "Attributes": {"description": names[value]} if value in names else {}}
                for value in values]  # fmt: skip
        return self._page(call, "DimensionValues", rows)

    def tags(self, call: Call) -> dict[str, Any]:
        """Keys, or a key's values; untagged costs are the empty value."""
        key = call.parameters.get("TagKey")
        if key:
            return self._page(call, "Tags", self._values(call, lambda line: line.tag(str(key))))
        keys = {name for line in self._lines(call) for name, _ in line.tags}
        return self._page(call, "Tags", self._found(call, keys))

    def cost_categories(self, call: Call) -> dict[str, Any]:
        name = call.parameters.get("CostCategoryName")
        categories = self._company.bills.categories if self._company.is_here(call) else {}
        if not name:
            return self._page(call, "CostCategoryNames", self._found(call, set(categories)))
        read = categories.get(str(name))
        return self._page(call, "CostCategoryValues", self._values(call, read) if read is not None else [])

    def allocation_tags(self, call: Call) -> dict[str, Any]:
        keys = sorted({name for line in self._lines_of(call) for name, _ in line.tags})
        wanted = call.parameters.get("Status")
        rows = [{"TagKey": key, "Type": "UserDefined", "Status": "Active"} for key in keys]
        return {"CostAllocationTags": rows if wanted in {None, "Active"} else []}

    def _values(self, call: Call, read: Callable[[BillLine], str]) -> list[str]:
        """By cost, the dearest first, as the console sorts them."""
        sums: dict[str, Decimal] = {}
        for line in self._lines(call):
            value = read(line)
            sums[value] = sums.get(value, Decimal(0)) + line.unblended
        found = set(self._found(call, set(sums)))
        return sorted(found, key=lambda value: (-sums[value], value))

    def _found(self, call: Call, values: set[str]) -> list[str]:
        search = str(call.parameters.get("SearchString") or "").casefold()
        return sorted(value for value in values if search in value.casefold())

    def _lines_of(self, call: Call) -> list[BillLine]:
        return self._company.bills.lines if self._company.is_here(call) else []

    def _lines(self, call: Call) -> list[BillLine]:
        start, end = read_dates(call.parameters["TimePeriod"], self._company.today)
        wanted = call.parameters.get("Filter")
        keep = predicate(wanted, self._company.bills.categories) if wanted else None
        lines = self._company.bills.between(start, end) if self._company.is_here(call) else []
        return [line for line in lines if keep is None or keep(line)]

    def _page(self, call: Call, result: str, rows: list[Any]) -> dict[str, Any]:
        items, more = page(call, rows, "NextPageToken", "MaxResults", MOST, "InvalidNextTokenException")
        return {result: items, "ReturnSize": len(items), "TotalSize": len(rows), **more}
