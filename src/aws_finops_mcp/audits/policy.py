"""The least IAM policy: what the offered tools call, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, IDENTITY, Tool
from aws_finops_mcp.audits.net import IAM_ACTIONS as NET_ACTIONS
from aws_finops_mcp.aws.iam import DEPENDENT
from aws_finops_mcp.costs.exports.query import RESOURCE_ACTIONS
from aws_finops_mcp.settings import MANAGED, AccountSettings, AthenaSettings, ExportSettings


def iam_policy(
    tools: Iterable[Tool], accounts: Mapping[str, AccountSettings], exports: Iterable[ExportSettings] = ()
) -> dict[str, Any]:
    """The policy for the server's role: the tools' actions, the accounts' roles to assume, and the exports of the bill.

    The tools' actions can not be limited to single resources: they list and describe. Only an export's files are read
    as such, so that needs a configured export, and is limited to its place; and what Athena does in the name of the
    role to the workgroup, the table and the place of its results.

    Args:
        exports: those that are configured, each with its region.
    """
    own = {action for tool in tools if tool.name not in ALWAYS_LISTED for action in tool.iam_actions}
    own |= {also for action in own for also in DEPENDENT.get(action, ())}
    # Who a caller is, AWS tells everybody, whatever policies say.
    own -= {*RESOURCE_ACTIONS, IDENTITY}
    # Those that lead to all others make the calls of what is offered, list an account's regions, and net savings.
    actions = sorted(own | {"ec2:DescribeRegions", *NET_ACTIONS})
    statements: list[dict[str, Any]] = [
        {"Sid": "ReadForFindings", "Effect": "Allow", "Action": actions, "Resource": "*"}
    ]
    roles = sorted({account.role_arn for account in accounts.values() if account.role_arn})
    if roles:
        statements.append(
            {"Sid": "AssumeAccountRoles", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
        )
    # With another account's role it is that role that reads: its template has it.
    configured = [one for one in exports if not reads_by_role(one, accounts)]
    for number, export in enumerate((one for one in configured if one.in_s3), 1):
        statements += statements_of_files(export, number, _aws(export))
    through_athena = {
        resource: actions
        for export in configured
        if export.athena
        for resource, actions in _of_athena(export, export.athena).items()
    }
    for number, (resource, own_actions) in enumerate(sorted(through_athena.items()), 1):
        statements.append(
            {"Sid": f"AskAthena{number}", "Effect": "Allow", "Action": list(own_actions), "Resource": resource}
        )
    return {"Version": "2012-10-17", "Statement": statements}


def reads_by_role(export: ExportSettings, accounts: Mapping[str, AccountSettings], first: str = "") -> bool:
    """Whether an export is read with the role of another account; one that names none, with that of the `first`."""
    account = accounts.get(export.account or first)
    return account is not None and bool(account.role_arn)


def _aws(export: ExportSettings) -> str:
    """The partition, as ARNs begin."""
    kind = export.region.rpartition("-")[0].rpartition("-")[0]
    return "arn:" + {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(kind, "aws")


def statements_of_files(export: ExportSettings, number: int, aws: str) -> list[dict[str, Any]]:
    """To list and read the files of one export in S3; `aws` is how ARNs begin."""
    bucket, _, prefix = export.location.removeprefix("s3://").partition("/")
    place = f"{bucket}/{prefix}/*" if prefix else f"{bucket}/*"
    return [
        {
            "Sid": f"{'List' if action == 's3:ListBucket' else 'Read'}Export{number}",
            "Effect": "Allow",
            "Action": [action],
            "Resource": f"{aws}:s3:::{resource}",
        }
        for action, resource in (("s3:ListBucket", bucket), ("s3:GetObject", place))
    ]


def _of_athena(export: ExportSettings, athena: AthenaSettings) -> dict[str, tuple[str, ...]]:
    """What one export needs, by resource.

    https://docs.aws.amazon.com/athena/latest/ug/managed-policies.html
    """
    aws = _aws(export)
    place = f"{export.region or '*'}:*"
    catalogue = ("glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable")
    needed = {
        f"{aws}:athena:{place}:workgroup/{athena.workgroup}": (
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:GetWorkGroup",
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
        ),
        f"{aws}:glue:{place}:catalog": catalogue,
        f"{aws}:glue:{place}:database/{athena.database}": catalogue,
        f"{aws}:glue:{place}:table/{athena.database}/{athena.table}": catalogue,
        "*": ("pricing:GetProducts", "s3:GetBucketLocation"),
    }
    if athena.results != MANAGED:
        bucket, _, prefix = athena.results.removeprefix("s3://").partition("/")
        objects = f"{bucket}/{prefix}/*" if prefix else f"{bucket}/*"
        needed[f"{aws}:s3:::{objects}"] = (
            "s3:AbortMultipartUpload",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        )
    return needed
