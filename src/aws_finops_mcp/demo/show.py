"""Asks a running server every question that needs no arguments with the MCP client, and prints the answers as a table.

    python -m aws_finops_mcp.demo.show --url https://finops.example.test/mcp --user ops --password-file FILE --ca FILE

Exit code 0: every tool answered; 1: the server could not be reached, or an answer was an error.
"""

from __future__ import annotations

import base64
import json
import logging
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import anyio
import httpx2
import typer
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from rich.console import Console
from rich.table import Table

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.findings import Category

REGIONS = ("us-east-1", "eu-west-1")
"""Where the embedded account has resources."""

Answers = list[Mapping[str, Any]]


async def ask(url: str, user: str, password: str, ca: Path | None, mode: str = "auto") -> Answers:
    """Call each tool, in each region that it reads.

    Raises:
        RuntimeError: the server answered a call with an error.
    """
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    auth = httpx2.BasicAuth(user, password) if user else None
    answers: Answers = []
    async with (
        httpx2.AsyncClient(auth=auth, verify=context, timeout=120) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        for tool in (await client.list_tools()).tools:
            if tool.input_schema.get("required"):
                continue  # a question about a question
            regional = "region_name" in tool.input_schema.get("properties", {})
            for region in REGIONS if regional else ("",):
                result = await client.call_tool(tool.name, {"region_name": region} if regional else {})
                if result.is_error or result.structured_content is None:
                    raise RuntimeError(f"{tool.name}: {result.content}")
                answers.append(result.structured_content)
    return answers


def findings_table(answers: Answers) -> tuple[Table, float]:
    """What is unused, most valuable first, and the sum of what it costs a month."""
    rows = [
        (float((finding["saving"] or {}).get("monthly_usd", 0)), answer, finding)
        for answer in answers
        for finding in answer.get("findings", ())
    ]
    rows.sort(key=lambda row: -row[0])
    table = Table(title="What is unused", title_justify="left")
    table.add_column("USD a month", justify="right", no_wrap=True)
    table.add_column("region", no_wrap=True)
    table.add_column("resource", no_wrap=True)
    table.add_column("name", overflow="fold")
    table.add_column("why")
    for usd, answer, finding in rows:
        unpriced = " + unpriced" if (finding["saving"] or {}).get("unpriced") else ""
        verdict = "" if finding["verdict"] == "idle" else f"{finding['verdict']}: "
        resource = finding["resource_id"].rpartition(":function:")[2]
        name = "" if finding["name"] == resource else finding["name"]
        table.add_row(f"{usd:,.2f}{unpriced}", answer["region"], resource, name, verdict + finding["reason"])
    total = sum(row[0] for row in rows if row[2]["verdict"] == "idle")
    table.add_section()
    table.add_row(f"{total:,.2f}", "", "total", "", "at list prices, before discounts and commitments")
    return table, total


def costs_table(answer: Mapping[str, Any]) -> Table:
    """What each service cost."""
    title = f"Cost by service, {answer['start_date']} to {answer['end_date']}, {answer['metric']}"
    table = Table(title=title, title_justify="left")
    table.add_column("service")
    table.add_column("USD", justify="right")
    for row in answer["services"][:8]:
        table.add_row(row["service"], f"{row['cost_usd']:,.2f}")
    rest = sum(row["cost_usd"] for row in answer["services"][8:])
    table.add_row("others", f"{rest:,.2f}")
    table.add_section()
    table.add_row("total", f"{answer['total_usd']:,.2f}")
    return table


def client_config(url: str, user: str, password: str) -> str:
    """Configuration for an MCP client (Claude Code's .mcp.json and the like)."""
    server: dict[str, Any] = {"type": "http", "url": url}
    if user:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        server["headers"] = {"Authorization": f"Basic {token}"}
    return json.dumps({"mcpServers": {"aws-finops": server}}, indent=2)


def main(
    url: Annotated[str, typer.Option(help="The server's /mcp.")] = "http://localhost:8000/mcp",
    user: Annotated[str, typer.Option(help="Name for basic authentication.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="File with the password.")] = None,
    ca: Annotated[Path | None, typer.Option(help="Certificates to trust instead of the system's.")] = None,
) -> None:
    """Ask every question and print the answers."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    password = password_file.read_text(encoding="utf-8").strip() if password_file else ""
    console = Console(width=max(120, Console().width))
    try:
        answers = anyio.run(ask, url, user, password, ca)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        console.print(f"[red]{url} did not answer:[/] {_cause(error)}", markup=True)
        raise typer.Exit(1) from None
    table, _ = findings_table(answers)
    console.print(table)
    for answer in answers:
        if TOOLS[answer["tool"]].category is Category.COST:
            console.print(costs_table(answer))
    for answer in answers:
        if not answer["complete"]:
            console.print(f"[yellow]incomplete:[/] {answer['summary']}")
    for warning in dict.fromkeys(w for answer in answers for w in answer["warnings"]):
        console.print(f"[bold yellow]{warning}[/]")
    console.print(f"\nURL       {url}")
    if user:
        console.print(f"user      {user}\npassword  {password}", highlight=False, markup=False)
    if ca:
        console.print(f"CA        {ca}", highlight=False)
    console.print("\nConfiguration for an MCP client:")
    console.print(client_config(url, user, password), markup=False, highlight=False)
    if ca:
        console.print(f"The client must trust the demonstration's CA, e.g. NODE_EXTRA_CA_CERTS={ca}", highlight=False)


def _cause(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    typer.run(main)
