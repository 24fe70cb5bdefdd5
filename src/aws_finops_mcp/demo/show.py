"""Asks a running server with the MCP client what is wasted, what was billed and why, and prints the answers as tables.

    python -m aws_finops_mcp.demo.show --url https://finops.example.test/mcp --user ops --password-file FILE --ca FILE

Exit code 0: every tool answered; 1: the server could not be reached, or an answer was an error.
"""

from __future__ import annotations

import base64
import json
import logging
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import anyio
import httpx2
import typer
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ImageContent
from rich.console import Console, RenderableType
from rich.table import Table

REGIONS = ("us-east-1", "eu-west-1")
"""Where the embedded account has resources."""

COST_OF_TEAMS = (
    "SELECT TagValue AS team, round(sum(BilledCost), 2) AS billed_usd, round(sum(EffectiveCost), 2) AS effective_usd "
    "FROM cost_by_tag WHERE TagKey ILIKE 'team' AND BillingMonth = "
    "(SELECT max(BillingMonth) FROM cost_by_tag WHERE BillingMonth < strftime(current_date, '%Y-%m')) "
    "GROUP BY ALL ORDER BY effective_usd DESC"
)
"""What each team's use cost in the last month that is over; null is what nobody tagged."""

QUESTIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "find_savings": ("What do we waste?", {"regions": list(REGIONS), "max_results": 25}),
    "get_cost_by_service": ("What do we pay for?", {}),
    "explain_cost_change": ("Why was last month's bill another than the one before?", {"picture": True}),
    "query_billing_data": (
        "What does each team cost, as billed, and after discounts and commitments?",
        {"sql": COST_OF_TEAMS},
    ),
    "list_checks": ("What else is looked at?", {}),
}
"""By tool: what a person asks, and the arguments that an assistant makes of it."""

Answers = dict[str, Mapping[str, Any]]


async def ask(
    url: str, user: str, password: str, ca: Path | None, mode: str = "auto", picture: Path | None = None
) -> Answers:
    """Ask what the demonstration shows; gives back the answers by tool.

    Args:
        picture: where the picture that comes with an answer is kept.

    Raises:
        RuntimeError: the server answered a call with an error.
    """
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    auth = httpx2.BasicAuth(user, password) if user else None
    answers: Answers = {}
    async with (
        httpx2.AsyncClient(auth=auth, verify=context, timeout=120) as http,
        # With all tools listed, the client holds each answer to its tool's schema.
        Client(streamable_http_client(f"{url}?categories=all", http_client=http), mode=mode) as client,
    ):
        for tool, (_, arguments) in QUESTIONS.items():
            result = await client.call_tool(tool, arguments)
            if result.is_error or result.structured_content is None:
                raise RuntimeError(f"{tool}: {result.content}")
            answers[tool] = result.structured_content
            for image in (block for block in result.content if isinstance(block, ImageContent)):
                if picture:
                    picture.write_bytes(base64.b64decode(image.data))
    return answers


def savings_table(answer: Mapping[str, Any]) -> Table:
    """What acting on the findings saves, most valuable first."""
    table = Table(title=f"Savings: {answer['checks']} checks in {', '.join(answer['regions'])}", title_justify="left")
    table.add_column("USD a month", justify="right", no_wrap=True)
    table.add_column("region", no_wrap=True)
    table.add_column("resource", overflow="fold", max_width=40)
    table.add_column("verdict", no_wrap=True)
    table.add_column("why")
    for row in answer["savings"]:
        unpriced = " + unpriced" if row.get("unpriced") else ""
        resource = row["resource_id"].rpartition(":")[2]
        name = f" ({row['name']})" if row["name"] and row["name"] != resource else ""
        table.add_row(
            f"{row['monthly_usd']:,.2f}{unpriced}", row["region"], resource + name, row["verdict"], row["reason"]
        )
    if answer["omitted"]:
        table.add_row("", "", f"and {answer['omitted']} more", "", "")
    table.add_section()
    total = answer["monthly_saving_usd"]
    least = "" if answer["complete"] and not answer["unpriced"] else "at least, "
    table.add_row(
        "not known" if total is None else f"{total:,.2f}", "", "total", "", f"{least}at list prices, before commitments"
    )
    return table


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


def changes_table(answer: Mapping[str, Any]) -> Table:
    """From one amount to the other, by effect, with the largest cause of each."""
    title = f"From {answer['baseline_start_date']}…{answer['baseline_end_date']} to "
    title += f"{answer['start_date']}…{answer['end_date']}, {answer['metric']}"
    table = Table(title=title, title_justify="left")
    table.add_column("effect")
    table.add_column("USD", justify="right")
    table.add_column("most of it")
    table.add_row("before", f"{answer['baseline_usd']:,.2f}", "")
    for effect, usd in answer["effects_usd"].items():
        of_it = max(answer["causes"], key=lambda cause: abs(cause["effects_usd"].get(effect, 0)))
        what = " ".join(filter(None, (of_it["service"], of_it.get("usage_type"), of_it.get("record_type"))))
        table.add_row(effect.replace("_", " "), f"{usd:+,.2f}", f"{of_it['effects_usd'].get(effect, 0):+,.2f} {what}")
    table.add_section()
    table.add_row("after", f"{answer['comparison_usd']:,.2f}", "")
    return table


def rows_table(answer: Mapping[str, Any]) -> Table:
    """The rows of a question in SQL."""
    table = Table(title=f"From the bill's own rows (export {answer['export']})", title_justify="left")
    for column in answer["columns"]:
        table.add_column(column["name"], justify="left" if column["type"] == "VARCHAR" else "right")
    for row in answer["rows"]:
        table.add_row(*("-" if value is None else str(value) for value in row.values()))
    return table


def checks_line(answer: Mapping[str, Any]) -> str:
    """How many checks there are, by category."""
    by_category = Counter(row["category"] for row in answer["checks"])
    return f"{len(answer['checks'])} checks: " + ", ".join(f"{name} {count}" for name, count in by_category.items())


SHOWN: Mapping[str, Callable[[Mapping[str, Any]], RenderableType]] = {
    "find_savings": savings_table,
    "get_cost_by_service": costs_table,
    "explain_cost_change": changes_table,
    "query_billing_data": rows_table,
    "list_checks": checks_line,
}


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
    picture: Annotated[Path | None, typer.Option(help="File for the picture of why costs changed, PNG.")] = None,
) -> None:
    """Ask, and print the answers."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    password = password_file.read_text(encoding="utf-8").strip() if password_file else ""
    console = Console(width=max(120, Console().width))
    try:
        answers = anyio.run(ask, url, user, password, ca, "auto", picture)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        console.print(f"[red]{url} did not answer:[/] {_cause(error)}", markup=True)
        raise typer.Exit(1) from None
    for tool, (question, _) in QUESTIONS.items():
        console.print(f"\n[bold]{question}[/] [dim]({tool})[/]")
        console.print(SHOWN[tool](answers[tool]), highlight=False)
        if tool == "explain_cost_change" and picture:
            console.print(f"picture: {picture}", highlight=False)
    for answer in answers.values():
        if not answer["complete"]:
            console.print(f"[yellow]incomplete:[/] {answer['summary']}")
    for warning in dict.fromkeys(w for answer in answers.values() for w in answer["warnings"]):
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
