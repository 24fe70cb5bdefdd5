"""The command `aws-finops-mcp`."""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from aws_finops_mcp import __version__
from aws_finops_mcp.cli_estimate import estimate
from aws_finops_mcp.cli_keys import keys_app
from aws_finops_mcp.cli_sts import sts_token
from aws_finops_mcp.clients.command import client_config, client_pages
from aws_finops_mcp.connect.command import connect, connect_page
from aws_finops_mcp.doctor.command import doctor
from aws_finops_mcp.findings import Category, a_month, known_sum
from aws_finops_mcp.settings import Settings, SettingsError, known_region, load_settings

app = typer.Typer(
    name="aws-finops-mcp",
    help="Tells what you waste on AWS, through your AI assistant: with evidence and a sourced price.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("client-config")(client_config)
app.command("client-pages", hidden=True)(client_pages)
app.command()(connect)
app.command("connect-page", hidden=True)(connect_page)
app.command()(doctor)
app.command()(estimate)
app.add_typer(keys_app, name="keys")
app.command("sts-token")(sts_token)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML file of settings; the environment wins over it.")
]


def _settings(config: Path | None) -> Settings:
    try:
        return load_settings(config)
    except SettingsError as error:
        raise _stop(str(error)) from None


def _stop(message: str, code: int = 2) -> typer.Exit:
    for line in message.splitlines():
        print(f"aws-finops-mcp: {line}", file=sys.stderr)
    return typer.Exit(code)


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    """Without a command: runs as MCP_SERVER_MODE says (stdio when it does not)."""
    if version:
        print(f"aws-finops-mcp {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        settings = _settings(None)
        if settings.mcp_server_mode == "http":
            serve(None)
        elif sys.stdin.isatty():
            print(context.get_help())
        else:
            stdio(None, "")


@app.command()
def serve(config: ConfigOption = None) -> None:
    """Serve MCP over HTTP."""
    from aws_finops_mcp.server.logs import configure_logs
    from aws_finops_mcp.server.serve import Server, check_start, refuse_taken_port, serve_alone

    try:
        settings = _settings(config)
        refuse_taken_port(settings)
        configure_logs(settings)
        check_start(settings)
        if settings.mcp_server_workers == 0:
            serve_alone(settings)
            return
    except SettingsError as error:
        raise _stop(str(error)) from None
    sys.argv[1:] = []  # gunicorn reads settings of its own from there
    os.environ.pop("GUNICORN_CMD_ARGS", None)
    Server(lambda: load_settings(config)).run()


@app.command()
def stdio(
    config: ConfigOption = None,
    through: Annotated[
        str, typer.Option(help="Pass everything on to the server that runs at this address, as on a provisioned host.")
    ] = "",
) -> None:
    """Serve MCP over standard input and output."""
    if through:
        from aws_finops_mcp.server.through import pass_through

        anyio.run(pass_through, through)
        return
    from aws_finops_mcp.server.calls import Calls
    from aws_finops_mcp.server.logs import configure_logs
    from aws_finops_mcp.server.mcp import build_mcp
    from aws_finops_mcp.server.memory import settle_memory
    from aws_finops_mcp.server.telemetry import check_metrics_file

    settings = _settings(config)
    try:
        configure_logs(settings)
        check_metrics_file(settings)
    except SettingsError as error:
        raise _stop(str(error)) from None
    calls = Calls(settings)
    calls.telemetry.start()
    try:
        server = build_mcp(calls)
        settle_memory()
        server.run("stdio")
    finally:
        calls.telemetry.stop()


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="The tool, e.g. find_unused_volumes; `list` lists them.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Its arguments, e.g. region_name=eu-west-1 period=30.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    config: ConfigOption = None,
) -> None:
    """Ask one question here, without a server. Exit code 0: complete; 3: some reads failed; 2: asked wrongly."""
    from aws_finops_mcp.declaration import ArgumentsError
    from aws_finops_mcp.server.calls import Calls, UnknownToolError
    from aws_finops_mcp.server.logs import configure_logs
    from aws_finops_mcp.server.text import as_text

    settings = _settings(config)
    configure_logs(settings.model_copy(update={"mcp_log_level": "WARNING", "mcp_log_file": None}))
    calls = Calls(settings)
    if name == "list":
        for tool in calls.tools.values():
            print(f"{tool.name:44} {tool.category:11} {tool.title}")
        return
    try:
        answer = calls.answer(name, _pairs(arguments or []))
    except (ArgumentsError, UnknownToolError) as error:
        raise _stop(str(error)) from None
    print(json.dumps(answer.model_dump(mode="json"), indent=2) if as_json else as_text(answer))
    if not answer.complete:
        raise typer.Exit(3)


def _pairs(arguments: list[str]) -> dict[str, Any]:
    from aws_finops_mcp.declaration import ArgumentsError

    pairs = [argument.partition("=") for argument in arguments]
    for name, equals, _ in pairs:
        if not equals:
            raise ArgumentsError(f"{name}: give arguments as name=value")
    return {name: value for name, _, value in pairs}


@app.command()
def audit(
    checks: Annotated[list[str] | None, typer.Argument(help="Checks to run; all when none is named.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Region, or several; the server's own when none.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Account's alias, or several; `all`: every one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answers as JSON.")] = False,
    config: ConfigOption = None,
) -> None:
    """Run many checks over accounts and regions, reading each inventory once. Exit codes as those of `check`."""
    from aws_finops_mcp.audits.audit import audit as run_audit
    from aws_finops_mcp.audits.engine import Engine
    from aws_finops_mcp.checks import CHECKS
    from aws_finops_mcp.declaration import ArgumentsError
    from aws_finops_mcp.server.logs import configure_logs
    from aws_finops_mcp.server.text import as_text

    settings = _settings(config)
    configure_logs(settings.model_copy(update={"mcp_log_level": "WARNING", "mcp_log_file": None}))
    known = {check.name: check for check in CHECKS}
    unknown = [name for name in checks or () if name not in known]
    if unknown:
        raise _stop(f"{', '.join(unknown)}: no such check; `aws-finops-mcp check list` names them")
    engine = Engine.of(settings.model_copy(update={"mcp_deadline": 3600.0}))
    accounts = engine.accounts if account == ["all"] else account or engine.accounts[:1]
    try:
        regions = [known_region(name) for name in region or (settings.aws_region,)]
        answers = run_audit(engine.asking(), [known[name] for name in checks or known], accounts, regions)
    except (ArgumentsError, ValueError) as error:
        raise _stop(str(error)) from None
    if as_json:
        print(json.dumps([answer.model_dump(mode="json") for answer in answers], indent=2))
    else:
        print("\n\n".join(as_text(answer) for answer in answers))
        total = sum((answer.monthly_saving_usd or Decimal(0) for answer in answers), Decimal(0))
        open_ends = not all(answer.complete and not answer.unpriced for answer in answers)
        text = a_month(known_sum(total, open_ends), open_ends)
        print(f"\nTotal: {text}, from {sum(a.calls.total for a in answers)} AWS calls.")
    if not all(answer.complete for answer in answers):
        raise typer.Exit(3)


CategoriesOption = Annotated[str, typer.Option("--categories", help="Only the tools of these, e.g. cleanup,cost.")]


def _of_categories(settings: Settings, categories: str) -> Settings:
    if not categories:
        return settings
    try:
        return Settings.model_validate({**settings.model_dump(), "mcp_tool_categories": categories})
    except ValueError:
        raise _stop(f"--categories: got {categories!r}; there are: {', '.join(Category)}") from None


@app.command("iam-policy")
def print_iam_policy(categories: CategoriesOption = "", config: ConfigOption = None) -> None:
    """Print the least IAM policy for the server's role, as JSON."""
    from aws_finops_mcp.audits.catalogue import offered
    from aws_finops_mcp.audits.policy import iam_policy

    settings = _of_categories(_settings(config), categories)
    print(
        json.dumps(
            iam_policy(offered(settings.categories).values(), settings.mcp_accounts, settings.exports_by_region()),
            indent=2,
        )
    )


@app.command("iam-role-template")
def print_iam_role_template(categories: CategoriesOption = "", config: ConfigOption = None) -> None:
    """Print the CloudFormation template of the role by which another account lets the server read it, as JSON."""
    from aws_finops_mcp.audits.catalogue import offered
    from aws_finops_mcp.audits.policy import reads_by_role
    from aws_finops_mcp.audits.role_template import role_template

    settings = _of_categories(_settings(config), categories)
    accounts = settings.mcp_accounts
    first = next(iter(accounts), "")
    exports = [one for one in settings.exports_by_region() if reads_by_role(one, accounts, first)]
    print(json.dumps(role_template(offered(settings.categories).values(), exports), indent=2))


@app.command("reference")
def print_reference() -> None:
    """Print the reference page of all tools, as Markdown."""
    from aws_finops_mcp.audits.reference import reference

    print(reference(), end="")


@app.command()
def maintain(
    free_mib: Annotated[int, typer.Option(help="MiB that must be free where the server writes.")] = 100,
    config: ConfigOption = None,
) -> None:
    """Prune the caches and look how much room is left. Exit code 1: too little, or a cache can not be removed."""
    from aws_finops_mcp.server.logs import configure_logs
    from aws_finops_mcp.server.maintenance import maintain as run_maintenance

    settings = _settings(config)
    configure_logs(settings.model_copy(update={"mcp_log_file": None}))
    if not run_maintenance(settings, free_mib):
        raise typer.Exit(1)


@app.command("accuracy")
def print_accuracy() -> None:
    """Ask every check about the embedded company, whose truth is known, and print how right it is, as Markdown."""
    from aws_finops_mcp.audits.engine import Engine
    from aws_finops_mcp.aws.rates import Limiter
    from aws_finops_mcp.aws.reader import Gate

    for name in [name for name in os.environ if name.startswith(("AWS_", "MCP_"))]:
        del os.environ[name]
    try:
        from aws_finops_mcp.demo.account import EmbeddedAccount
        from aws_finops_mcp.demo.accuracy import measure_all, report
        from aws_finops_mcp.demo.other_tools import section
    except ModuleNotFoundError as error:
        raise _stop(f"{error.name} is missing: pip install 'aws-finops-mcp[demo]'") from None
    with EmbeddedAccount() as account:
        os.environ.update(account.environment)
        # The embedded account needs no sparing.
        engine = Engine("us-east-1", exempt_tag="finops:exempt", gate=Gate(Limiter(share=1000)))
        print(report(measure_all(engine, account.cases), section(engine)), end="")


@app.command("settings")
def show_settings(config: ConfigOption = None) -> None:
    """Check the settings and print those in force."""
    for name, value in _settings(config).model_dump(mode="json").items():
        print(f"{name} = {json.dumps(value)}")


@app.command()
def demo(
    account_only: Annotated[bool, typer.Option("--account-only", help="Only the embedded account.")] = False,
    account_host: Annotated[str, typer.Option(help="Address of the embedded account.")] = "127.0.0.1",
    account_port: Annotated[int, typer.Option(help="Its port; 0 takes a free one.")] = 0,
    account_exports: Annotated[
        Path | None, typer.Option(help="With --account-only: where to write the exports of its bill.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same company.")] = 7,
) -> None:
    """Serve over a simulated AWS account: no AWS, no root and no container is needed."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # a real account's settings must not reach the demonstration
    try:
        from aws_finops_mcp.demo.run import run_account, run_demo
    except ModuleNotFoundError as error:
        raise _stop(f"{error.name} is missing: pip install 'aws-finops-mcp[demo]'") from None
    try:
        if account_only:
            run_account(account_host, account_port, seed, account_exports)
        else:
            settings = _settings(None)
            raise typer.Exit(run_demo(settings, account_host, account_port, seed))
    except OSError as error:
        raise _stop(f"{account_host}:{account_port}: {error.strerror}") from None
