"""An organisation of 50 accounts, 4 regions and 2,000 resources in each, audited in one question.

    python benchmarks/organisation.py [--accounts 50] [--regions 4] [--resources 2000] [--check] [--write]

Calls take no time but the embedded account's own, so that what is measured is the work: ours and the account's, each a
process, by the processor time that the kernel counts for them. Where ours is the larger, the account is not in the way.
Every account is read through its role; the prices are asked anew. Memory is the highest resident size.

`--check` ends with status 1 when a place is not answered whole, or the account takes more time than we do.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from results import measured_with, peak_mib, write_section

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import Clients
from aws_finops_mcp.aws.rates import Limiter
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.checks.awslambda import UNUSED_LAMBDA_FUNCTIONS
from aws_finops_mcp.checks.ebs import UNUSED_VOLUMES
from aws_finops_mcp.checks.ebs_use import IDLE_VOLUMES
from aws_finops_mcp.checks.logs import UNUSED_LOG_GROUPS
from aws_finops_mcp.checks.sqs import UNUSED_SQS_QUEUES
from aws_finops_mcp.checks.vpc import UNUSED_ELASTIC_IPS
from aws_finops_mcp.demo.estate.declared import Organisation
from aws_finops_mcp.demo.process import AccountProcess
from aws_finops_mcp.findings import CheckAnswer
from aws_finops_mcp.prices.cache import PriceCache
from aws_finops_mcp.server.memory import settle_memory
from aws_finops_mcp.settings import AccountSettings

CHECKS = (
    UNUSED_LAMBDA_FUNCTIONS,
    UNUSED_VOLUMES,
    IDLE_VOLUMES,
    UNUSED_LOG_GROUPS,
    UNUSED_SQS_QUEUES,
    UNUSED_ELASTIC_IPS,
)
EXTERNAL_ID = "northwind-7421"
ACCOUNTS, REGIONS, RESOURCES = 50, 4, 2000


@dataclass(frozen=True)
class Audited:
    """The answers, an account and region after the other, and what they took."""

    answers: list[CheckAnswer]
    calls: int
    seconds: float
    own_seconds: float
    """Of the processor, as all that follows."""
    account_seconds: float
    own_mib: float
    account_mib: float

    @property
    def incomplete(self) -> list[str]:
        """Which check was not answered whole where, and why."""
        return [
            f"{one.tool} of {one.account} in {one.region}: {one.failed_reads[0].call} {one.failed_reads[0].error}"
            for one in self.answers
            if one.failed_reads
        ]


def run(organisation: Organisation, account: AccountProcess, cache_dir: Path) -> Audited:
    """Audit all accounts and regions; the process's environment names the account already."""
    accounts = {
        name: AccountSettings(
            role_arn=f"arn:aws:iam::{identity}:role/{organisation.role}", external_id=organisation.external_id or ""
        )
        for identity, name in organisation.account_names.items()
    }
    # AWS's rates are for each account and region, and have their place in aws_calls.py.
    engine = Engine(
        organisation.region_names[0],
        clients=Clients(accounts),
        price_cache=PriceCache(cache_dir),
        gate=Gate(Limiter(share=1000)),
    )
    settle_memory()
    account.ask("calls.reset")
    before, own_before, started = processor_seconds(account.pid), time.process_time(), time.perf_counter()
    answers = audit(engine.asking(), CHECKS, list(accounts), organisation.region_names)
    return Audited(
        answers=answers,
        calls=account.ask("calls.total"),
        seconds=time.perf_counter() - started,
        own_seconds=time.process_time() - own_before,
        account_seconds=processor_seconds(account.pid) - before,
        own_mib=peak_mib(),
        account_mib=peak_mib(account.pid),
    )


def processor_seconds(pid: int) -> float:
    """What a process used of the processors so far."""
    # The name, in parentheses, may hold spaces.
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


COLUMNS = (
    "accounts", "regions", "resources", "examined", "findings", "calls", "s", "calls/s", "ms a call, ours",
    "ms a call, account", "MiB ours", "MiB account",
)  # fmt: skip
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def row(organisation: Organisation, audited: Audited) -> str:
    """The line of the table."""
    cells = [
        f"{organisation.accounts}",
        f"{organisation.regions}",
        f"{organisation.accounts * organisation.regions * organisation.estate.total:,}",
        f"{sum(one.counts.examined for one in audited.answers):,}",
        f"{sum(one.counts.found for one in audited.answers):,}",
        f"{audited.calls:,}",
        f"{audited.seconds:.1f}",
        f"{audited.calls / audited.seconds:.0f}",
        f"{audited.own_seconds / audited.calls * 1000:.2f}",
        f"{audited.account_seconds / audited.calls * 1000:.2f}",
        f"{audited.own_mib:.0f}",
        f"{audited.account_mib:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def missed(audited: Audited) -> list[str]:
    """Each target that is missed, in words."""
    found = [f"{len(audited.incomplete)} answers are not whole, first {one}" for one in audited.incomplete[:1]]
    if audited.account_seconds > audited.own_seconds:
        found.append(
            f"the account took {audited.account_seconds:.1f} s of the processor, we only {audited.own_seconds:.1f} s"
        )
    return found


def main() -> int:
    """Measure, print and write; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--regions", type=int, default=REGIONS)
    parser.add_argument("--resources", type=int, default=RESOURCES, help="in each region of each account")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    asked = parser.parse_args()
    organisation = Organisation(asked.accounts, asked.regions, asked.resources, external_id=EXTERNAL_ID)
    with AccountProcess(organisation=organisation, seeded=False) as account, TemporaryDirectory() as folder:
        for name in [name for name in os.environ if name.startswith(("AWS_", "MCP_"))]:
            del os.environ[name]
        os.environ.update(account.environment)
        audited = run(organisation, account, Path(folder))
    print(HEADER, row(organisation, audited), sep="\n", flush=True)
    wrong = missed(audited)
    if asked.write:
        given = {"accounts": ACCOUNTS, "regions": REGIONS, "resources": RESOURCES}
        options = "".join(
            f" --{name} {vars(asked)[name]}" for name, usual in given.items() if vars(asked)[name] != usual
        )
        command = f"python benchmarks/organisation.py{options}{' --check' * asked.check} --write"
        text = (
            f"{measured_with(command)}, without latency: {', '.join(check.name for check in CHECKS)} in one audit. "
            "Milliseconds are of processor time. The program says more.",
            "\n".join((HEADER, row(organisation, audited))),
            "Every answer is whole, and the account takes less time than we do."
            if not wrong
            else f"Missed: {'; '.join(wrong)}.",
        )
        write_section("An organisation", "\n\n".join(text))
    if asked.check and wrong:
        print("\n".join(wrong), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
