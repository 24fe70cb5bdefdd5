"""The documentation's page about the way to the server: what one sees, what it means, what to do."""

from __future__ import annotations

from collections.abc import Iterator

from aws_finops_mcp.connect.causes import CAUSES, STATUS

_HEAD = """# The way to the server

<!-- Made by `aws-finops-mcp connect-page > docs/connect.md`. -->

```bash
aws-finops-mcp connect --ssh finops                                            # an SSH tunnel, kept open
aws-finops-mcp connect --ssm i-0123456789abcdef0                               # SSM port forwarding, kept open
aws-finops-mcp connect --url https://finops.example.com/mcp --auth api-key     # no tunnel: am I let in?
```

runs the system's `ssh` or `aws ssm start-session`, waits until the server answers `/health` through it, says
`Connected`, and opens it again when it breaks: after a sleep, another network, a restart of the host. `--check` opens
it, checks it and closes it; `--port` takes another local port than 8000 (give the same to `client-config`). For SSH
your own configuration counts (`~/.ssh/config`: user, key, jump host), for SSM that of the AWS CLI (`AWS_PROFILE`,
`AWS_REGION`).

When it can't, it says which of these it is, and what the server said. For a tunnel, what may pass by itself is tried
again, more and more slowly, `--tries` times; an address is asked once. Exit code 1 is one of these, 2 that it was asked
wrongly.

| it says | what to do | tried again |
|---|---|---|
"""


def page() -> str:
    """The page, as Markdown."""
    return _HEAD + "".join(f"{row}\n" for row in _rows())


def _rows() -> Iterator[str]:
    for cause in dict.fromkeys((*CAUSES, *STATUS.values())):
        said = f"{cause.means} ({cause.shows})" if cause in STATUS.values() else cause.means
        yield f"| {said} | {cause.fix.replace('|', chr(92) + '|')} | {'' if cause.lasting else 'yes'} |"
