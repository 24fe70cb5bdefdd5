"""`python -m aws_finops_mcp` is `aws-finops-mcp`."""

from aws_finops_mcp.cli import app

app()
