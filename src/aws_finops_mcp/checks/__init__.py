"""What to look for: a file per AWS service, a declaration and a function per check.

A new check is a section in its service's file and its name in `CHECKS`.
"""

from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.ebs import UNUSED_VOLUMES
from aws_finops_mcp.checks.vpc import UNUSED_ELASTIC_IPS, UNUSED_NAT_GATEWAYS

CHECKS = (
    UNUSED_LAMBDA_FUNCTIONS,
    UNUSED_VOLUMES,
    UNUSED_ELASTIC_IPS,
    UNUSED_NAT_GATEWAYS,
)
