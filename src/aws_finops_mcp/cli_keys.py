"""The commands `aws-finops-mcp keys …`: who may call with an API key."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from aws_finops_mcp.settings import Scopes, SettingsError, load_settings

keys_app = typer.Typer(
    help="Make, list, rotate and revoke API keys. The server sees a change with the next request.", no_args_is_help=True
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The part of the key before the dot.")]
FileOption = Annotated[Path | None, typer.Option("--file", help="The file of keys; MCP_AUTH_KEYS_FILE when not given.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="TOML file of settings.")]
StdinOption = Annotated[
    bool,
    typer.Option("--stdin", help="Keep the key on standard input, which another host made; print nothing of it."),
]


def _stop(message: str) -> typer.Exit:
    for line in message.splitlines():
        print(f"aws-finops-mcp: {line}", file=sys.stderr)
    return typer.Exit(2)


def _file(given: Path | None, config: Path | None) -> Path:
    if given is not None:
        return given
    try:
        file = load_settings(config).mcp_auth_keys_file
    except SettingsError as error:
        raise _stop(str(error)) from None
    if file is None:
        raise _stop("MCP_AUTH_KEYS_FILE: not set; set it, or say --file")
    return file


@keys_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, as logs and budgets know it.")],
    days: Annotated[int, typer.Option(help="Days until it expires; 0: never.", min=0, max=3650)] = 365,
    categories: Annotated[str, typer.Option(help="Only tools of these, e.g. cleanup,cost.")] = "",
    accounts: Annotated[str, typer.Option(help="Only these accounts, by alias.")] = "",
    regions: Annotated[str, typer.Option(help="Only these regions; `global`: what has none.")] = "",
    calls_per_day: Annotated[int | None, typer.Option(help="AWS calls a day.", min=1)] = None,
    usd_per_day: Annotated[str, typer.Option(help="Dollars a day that AWS may bill for these, e.g. 2.50.")] = "",
    stdin: StdinOption = False,
    file: FileOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a key and print it, once: only a digest of it is kept."""
    scopes = _scopes(categories, accounts, regions, calls_per_day, usd_per_day)
    _make(_file(file, config), name, scopes, timedelta(days=days) if days else None, stdin=stdin)


@keys_app.command("rotate")
def rotate(
    identity: IdArgument,
    stdin: StdinOption = False,
    file: FileOption = None,
    config: ConfigOption = None,
) -> None:
    """Make another key like this one, for as long, and print it; the old one is good until it is revoked."""
    from aws_finops_mcp.server.auth.key_file import KeyFileError, active_key

    where = _file(file, config)
    try:
        old = active_key(where, identity.partition(".")[0])
    except KeyFileError as error:
        raise _stop(str(error)) from None
    _make(where, old.name, old.scopes, old.expires - old.created if old.expires else None, stdin=stdin)


def _make(file: Path, name: str, scopes: Scopes, lifetime: timedelta | None, *, stdin: bool) -> None:
    """Make a key and print it, or keep the one on standard input and print nothing."""
    from aws_finops_mcp.server.auth.key_file import KeyFileError, create_key, keep_key

    expires = datetime.now(UTC).replace(microsecond=0) + lifetime if lifetime else None
    text, told = "", "it is not shown again:"
    try:
        if stdin:
            key, new = keep_key(file, sys.stdin.read(1000).strip(), name, scopes, expires)
            told = "kept" if new else "kept already"
        else:
            key, text = create_key(file, name, scopes, expires)
    except KeyFileError as error:
        raise _stop(str(error)) from None
    until = f"until {key.expires:%Y-%m-%d}" if key.expires else "until it is revoked"
    print(f"aws-finops-mcp: {key.id} of {key.name}, {until}; {told}", file=sys.stderr)
    if text:
        print(text)


def _scopes(categories: str, accounts: str, regions: str, calls: int | None, usd: str) -> Scopes:
    given: dict[str, Any] = {
        "categories": _words(categories),
        "accounts": _words(accounts),
        "regions": _words(regions),
        "calls_per_day": calls,
    }
    try:
        given["usd_per_day"] = Decimal(usd) if usd else None
        return Scopes.model_validate(given)
    except InvalidOperation:
        raise _stop(f"--usd-per-day: got {usd!r}; must be dollars, e.g. 2.50") from None
    except ValidationError as error:
        options = [f"--{str(e['loc'][0]).replace('_', '-')}: got {e['input']!r}: {e['msg']}" for e in error.errors()]
        raise _stop("\n".join(options)) from None


def _words(text: str) -> tuple[str, ...] | None:
    return tuple(word.strip() for word in text.split(",") if word.strip()) or None


@keys_app.command("list")
def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
    file: FileOption = None,
    config: ConfigOption = None,
) -> None:
    """List the keys: id, name, state, dates and what each may do. No key can be told from it."""
    from aws_finops_mcp.server.auth.key_file import KeyFileError, read_keys

    try:
        keys = read_keys(_file(file, config)).values()
    except KeyFileError as error:
        raise _stop(str(error)) from None
    now = datetime.now(UTC)
    if as_json:
        rows = [key.model_dump(mode="json", exclude={"sha256"}, exclude_none=True) for key in keys]
        print(json.dumps([row | {"state": key.state(now)} for row, key in zip(rows, keys, strict=True)], indent=2))
        return
    for key in keys:
        expires = f"{key.expires:%Y-%m-%d}" if key.expires else "never"
        limits = key.scopes.model_dump(mode="json", exclude_none=True)
        scope = " ".join(f"{name}={_text(value)}" for name, value in limits.items()) or "everything"
        print(f"{key.id:14} {key.name:20} {key.state(now):8} made {key.created:%Y-%m-%d} expires {expires:10} {scope}")


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


@keys_app.command("revoke")
def revoke(
    identity: IdArgument,
    file: FileOption = None,
    config: ConfigOption = None,
) -> None:
    """Revoke a key, from the next request on."""
    from aws_finops_mcp.server.auth.key_file import KeyFileError, revoke_key

    try:
        key = revoke_key(_file(file, config), identity.partition(".")[0])
    except KeyFileError as error:
        raise _stop(str(error)) from None
    print(f"{key.id} of {key.name}: revoked")
