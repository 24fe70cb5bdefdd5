"""The least IAM policy: what the offered tools call, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, IDENTITY, Tool
from aws_finops_mcp.audits.net import IAM_ACTIONS as NET_ACTIONS
from aws_finops_mcp.settings import AccountSettings


def iam_policy(tools: Iterable[Tool], accounts: Mapping[str, AccountSettings]) -> dict[str, Any]:
    """The policy for the server's role: the tools' actions, and the accounts' roles to assume.

    None of the actions can be limited to single resources: they list and describe.
    """
    own = {action for tool in tools if tool.name not in ALWAYS_LISTED for action in tool.iam_actions}
    # Those that lead to all others make the calls of what is offered, list an account's regions, and net savings.
    actions = sorted(own | {IDENTITY, "ec2:DescribeRegions", *NET_ACTIONS})
    statements: list[dict[str, Any]] = [
        {"Sid": "ReadForFindings", "Effect": "Allow", "Action": actions, "Resource": "*"}
    ]
    roles = sorted({account.role_arn for account in accounts.values() if account.role_arn})
    if roles:
        statements.append(
            {"Sid": "AssumeAccountRoles", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
        )
    return {"Version": "2012-10-17", "Statement": statements}
