"""The command `connect`."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Annotated

import typer
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from aws_finops_mcp.clients.secret import header_of, secret_from_environment
from aws_finops_mcp.clients.target import Auth, Target, TargetError, target_of
from aws_finops_mcp.connect.causes import STATUS, BrokenError
from aws_finops_mcp.connect.health import check as check_address
from aws_finops_mcp.connect.tunnel import Tunnel


def connect(
    ssh: Annotated[str, typer.Option(help="A host of your SSH configuration, or user@address.")] = "",
    ssm: Annotated[str, typer.Option(help="An instance's id, by Session Manager.")] = "",
    url: Annotated[str, typer.Option(help="An HTTPS address: needs no tunnel, it is only checked.")] = "",
    auth: Annotated[Auth | None, typer.Option(help="How to log in: basic for --url, none for tunnels.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="This machine's end of the tunnel.")] = 8000,
    check: Annotated[bool, typer.Option("--check", help="Open it, check it, and close it.")] = False,
    tries: Annotated[int, typer.Option(min=1, help="How often to try before giving up.")] = 8,
) -> None:
    """Open a tunnel to the server and keep it open. Exit code 1: can't, and says why; 2: asked wrongly."""
    try:
        target = target_of(url=url, ssh=ssh, ssm=ssm, port=port, auth=auth)
        if target.auth is Auth.OAUTH or target.service:
            raise TargetError(f"--auth: {target.auth} can't be checked here; give basic, api-key, iam or none")
        header = header_of(target)
        headers = {header.name: header.value(secret_from_environment(header))} if header else {}
    except TargetError as error:
        for line in str(error).splitlines():
            print(f"aws-finops-mcp: {line}", file=sys.stderr)
        raise typer.Exit(2) from None
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    tunnel = None if url else Tunnel(target)
    try:
        if tunnel is None:
            check_address(target.url, headers)
            print(f"{target.url} answers you.", flush=True)
        else:
            _keep(tunnel, target, headers, tries, once=check)
    except BrokenError as error:
        _tell(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print("closed", file=sys.stderr)
    finally:
        if tunnel:
            tunnel.close()
        signal.signal(signal.SIGTERM, before)


def connect_page() -> None:
    """Print the documentation's page about the way to the server, as Markdown."""
    from aws_finops_mcp.connect.page import page

    print(page(), end="")


def _keep(tunnel: Tunnel, target: Target, headers: dict[str, str], tries: int, *, once: bool) -> None:
    """Open the tunnel, and open it again whenever it breaks."""
    opened = False

    def again(error: BaseException) -> bool:
        # What worked once will work again: a laptop that wakes up finds no name and no network at first. Not so a key
        # that was revoked meanwhile.
        return isinstance(error, BrokenError) and (
            not error.cause.lasting or (opened and error.cause not in STATUS.values())
        )

    retrying = Retrying(
        retry=retry_if_exception(again),
        wait=wait_exponential_jitter(multiplier=0.5, max=30, jitter=0.5),
        stop=stop_after_attempt(tries),
        before_sleep=_tell_attempt,
        reraise=True,
    )

    def open_and_check() -> None:
        tunnel.open()
        check_address(target.url, headers)

    while True:
        retrying(open_and_check)
        print(f"Connected: {target.url}", flush=True)
        if once:
            return
        if not opened:
            print("Press Ctrl-C to close it.", flush=True)
        opened = True
        _tell(tunnel.watch())


def _tell_attempt(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, BrokenError):
        wait = state.next_action.sleep if state.next_action else 0
        _tell(error)
        print(f"trying again in {wait:.0f} s", file=sys.stderr, flush=True)


def _tell(error: BrokenError) -> None:
    print(f"{error.cause.means}\n  → {error.cause.fix}", file=sys.stderr)
    for line in error.said.splitlines()[-5:]:
        print(f"  | {line}", file=sys.stderr)
    sys.stderr.flush()


def _as_interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
