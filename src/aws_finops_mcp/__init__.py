"""aws-finops-mcp: what you waste on AWS, with evidence, told to your AI assistant."""

__version__ = "0.1.0"
