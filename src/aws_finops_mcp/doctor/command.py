"""The command `doctor`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from aws_finops_mcp.settings import SettingsError, load_settings


def doctor(
    only: Annotated[list[str] | None, typer.Option(help="Only this probe, or several.")] = None,
    name: Annotated[str, typer.Option(help="The public name; the first of MCP_ALLOWED_HOSTS when not given.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, for monitoring.")] = False,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
) -> None:
    """Look at this host and say what is wrong. Exit code 0: nothing, 1: warnings, 2: failures, 3: asked wrongly."""
    from aws_finops_mcp.doctor.examination import EXIT, PROBES, examine
    from aws_finops_mcp.doctor.host import ETC, Host, become_the_service

    unknown = set(only or ()) - {probe.name for probe in PROBES}
    try:
        if unknown:
            known = ", ".join(probe.name for probe in PROBES)
            raise SettingsError(f"--only: got {', '.join(sorted(unknown))}; there are: {known}")
        become_the_service(etc=config.parent if config else ETC)
        settings = load_settings(config)
    except SettingsError as error:
        for line in str(error).splitlines():
            print(f"aws-finops-mcp: {line}", file=sys.stderr)
        raise typer.Exit(3) from None
    host = Host(settings, name or next(iter(settings.mcp_allowed_hosts), ""))
    examined = examine(host, [probe for probe in PROBES if not only or probe.name in only])
    if as_json:
        print(json.dumps(examined.as_json(), indent=2))
    else:
        print("\n".join(examined.lines()))
    raise typer.Exit(EXIT[examined.state])
