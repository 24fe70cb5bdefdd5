"""The company's billing exports: what its Cost Explorer sums up, row by row, as AWS Data Exports writes it."""

from aws_finops_mcp.demo.billing_exports.write import write_exports

__all__ = ["write_exports"]
