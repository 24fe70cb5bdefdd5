"""The command `aws-finops-mcp sts-token`: shows a server who one is, by one's AWS credentials."""

from __future__ import annotations

import base64
import sys
from typing import Annotated

import typer

SECONDS = 300
"""For which the signature is good; it is meant to be used at once."""


def sts_token(
    audience: Annotated[str, typer.Option(help="The server's address, e.g. https://finops.example.com/mcp.")],
    region: Annotated[str, typer.Option(help="Whose STS is asked; your AWS configuration's when not given.")] = "",
) -> None:
    """Print a bearer token signed with your AWS credentials, good once: POST /session gives a session for it."""
    import boto3
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError

    from aws_finops_mcp.server.auth.presigned import AUDIENCE_HEADER, PREFIX, hosts_of

    try:
        session = boto3.Session(region_name=region or None)
        where = session.region_name
        credentials = session.get_credentials()
        if not where or credentials is None:
            missing = "credentials" if where else "region: say --region"
            print(f"aws-finops-mcp: AWS configuration: no {missing}", file=sys.stderr)
            raise typer.Exit(2)
        (host,) = hosts_of([where])
        address = f"https://{host}/?Action=GetCallerIdentity&Version=2011-06-15"
        request = AWSRequest("GET", address, headers={AUDIENCE_HEADER: audience})
        SigV4QueryAuth(credentials.get_frozen_credentials(), "sts", where, expires=SECONDS).add_auth(request)
    except BotoCoreError as error:
        print(f"aws-finops-mcp: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    print(PREFIX + base64.urlsafe_b64encode(str(request.url).encode()).decode().rstrip("="))
