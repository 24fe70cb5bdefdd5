"""The command `aws-finops-mcp estimate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def estimate(
    region: Annotated[str, typer.Option(help="Where it will be.")],
    config: Annotated[Path | None, typer.Option("--config", help="TOML file of settings.")] = None,
) -> None:
    """Print what things will cost a month: on the standard input a JSON list of {what, unit, quantity}."""
    from pydantic import TypeAdapter, ValidationError

    from aws_finops_mcp.audits.engine import Engine
    from aws_finops_mcp.audits.estimate import Planned, as_lines
    from aws_finops_mcp.audits.estimate import estimate as estimate_cost
    from aws_finops_mcp.settings import SettingsError, known_region, load_settings

    try:
        engine = Engine.of(load_settings(config))
        reader = engine.reader(known_region(region))
        planned = TypeAdapter(list[Planned]).validate_json(sys.stdin.read())
    except ValidationError as error:
        for problem in error.errors():
            where = ".".join(map(str, problem["loc"])) or "standard input"
            print(f"aws-finops-mcp: {where}: {problem['msg']}", file=sys.stderr)
        raise typer.Exit(2) from None
    except (SettingsError, ValueError) as error:
        print(f"aws-finops-mcp: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    book = engine.prices(reader)
    cost = estimate_cost(book, planned)
    print("\n".join(as_lines(book, cost)))
    for failed in reader.ledger.failed_reads:
        print(f"   not read  {failed.call} in {failed.region}: {failed.error}; {failed.remedy}")
