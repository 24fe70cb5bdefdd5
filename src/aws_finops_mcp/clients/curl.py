"""curl, for scripts and for finding out what is wrong."""

from __future__ import annotations

import json
import shlex

from aws_finops_mcp.clients.client import Client, Entry, Trouble
from aws_finops_mcp.clients.secret import Header
from aws_finops_mcp.clients.target import Auth, Target

QUESTION = {"tool": "find_unused_volumes", "arguments": {"region_name": "us-east-1"}}


def _address(target: Target, header: Header | None, inline: str | None) -> Entry:
    return {"url": target.url}


def _shell(target: Target, entry: Entry, header: Header | None, inline: str | None) -> str:
    """A question by curl, with the secret on its standard input: arguments are for every user of the machine to see."""
    options: list[str] = []
    if header:
        value = header.value(f"${header.variable}" if inline is None else inline)
        options = [f'header = "{header.name}: {value}"']
    if target.service:
        options = [
            'user = "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
            'header = "X-Amz-Security-Token: $AWS_SESSION_TOKEN"',
            f'aws-sigv4 = "aws:amz:{target.region}:{target.service}"',
        ]
    words = ["curl", "-sS", *(["--config", "-"] if options else []), target.url]
    question = shlex.join(["-H", "Content-Type: application/json", "-d", json.dumps(QUESTION)])
    end = "EOF" if inline is None else "'EOF'"
    stdin = [f" <<{end}", *options, "EOF"] if options else [""]
    return f"{shlex.join(words)} \\\n  {question}" + "\n".join(stdin) + "\n"


def _refuses(target: Target) -> str:
    if target.transport.stdio:
        return "curl speaks to addresses only"
    if target.auth is Auth.OAUTH:
        return "curl can't log in with a browser"
    return ""


CURL = Client(
    name="curl",
    title="curl",
    address=_address,
    shell=_shell,
    refuses=_refuses,
    works="the answer is JSON with `findings`",
    troubles=(
        Trouble("curl: (6) Could not resolve host", "DNS: the name is wrong, or not yet published."),
        Trouble("curl: (7) Failed to connect", "Nothing listens: the tunnel is not open, or the server is down."),
        Trouble("curl: (28)", "Timed out: a security group does not let you in."),
        Trouble("curl: (60) SSL certificate problem", "The certificate has expired, or is of a staging authority."),
        Trouble('HTTP 401, `"error"` in the body', "No or wrong name, password or key."),
    ),
)
