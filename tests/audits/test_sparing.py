"""An audit spares the account: it stays within AWS's published rates, and bounds its requests under way in total."""

from __future__ import annotations

from dataclasses import replace

from aws_finops_mcp.audits.audit import audit
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.clients import CONNECTIONS
from aws_finops_mcp.aws.reader import Gate
from aws_finops_mcp.checks import CHECKS
from aws_finops_mcp.demo.account import EmbeddedAccount

SCARCE = [
    check
    for check in CHECKS
    if any(action.startswith(("lambda:", "logs:", "route53:", "apigateway:", "tag:")) for action in check.iam_actions)
    and not any(action.startswith("s3:") for action in check.iam_actions)
]
"""The checks that read what AWS gives least of. Of S3 it publishes no rate: reading it would only take longer."""


def test_no_call_of_an_audit_is_throttled_at_awss_rates(engine: Engine, account: EmbeddedAccount) -> None:
    asking = replace(engine, gate=Gate()).asking()
    account.faults.aws_rates()
    audit(asking, SCARCE, engine.accounts, ["us-east-1"])
    made = asking.ledger.made
    assert len(made) > 200
    assert [(call.action, call.requests) for call in made if call.requests != 1 or call.outcome != "ok"] == []


def test_an_audit_has_no_more_requests_under_way_than_the_gate_lets_through(
    engine: Engine, account: EmbeddedAccount
) -> None:
    account.faults.delay("*", 1)  # long enough for more to pile up than the gate lets through
    checks = [check for check in CHECKS if check.category == "cleanup"][:12]
    audit(
        engine.asking(), checks, engine.accounts, ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1"]
    )
    assert account.calls.total_peak == CONNECTIONS
