"""Every check finds exactly what the embedded account's truth table says is idle, at its price."""

from __future__ import annotations

import pytest

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.demo import company
from aws_finops_mcp.findings import CheckAnswer, Verdict

KINDS = {
    "find_unused_lambda_functions": "functions",
    "find_unused_volumes": "volumes",
    "find_unused_elastic_ips": "addresses",
    "find_unused_nat_gateways": "nat_gateways",
}


def of_a_family(name: str | None) -> bool:
    """Whether a resource is one that a family adds: its own truth is tested with that of its checks."""
    return bool(name and name.startswith("nb-"))


def ask(engine: Engine, name: str, **arguments: object) -> CheckAnswer:
    tool = TOOLS[name]
    answer = tool.answer(engine.asking(), tool.parse(arguments))
    assert isinstance(answer, CheckAnswer)
    return answer


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
@pytest.mark.parametrize("name", KINDS)
def test_exactly_the_idle_ones_are_found(engine: Engine, name: str, region: str) -> None:
    answer = ask(engine, name, region_name=region)
    assert answer.complete
    named = {finding.name for finding in answer.findings if not of_a_family(finding.name)}
    assert named == set(company.expected_idle(KINDS[name], region))
    assert {finding.verdict for finding in answer.findings} <= {Verdict.IDLE}


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
@pytest.mark.parametrize("name", [name for name in KINDS if name != "find_unused_nat_gateways"])
def test_each_is_priced_at_its_regions_list_price(engine: Engine, name: str, region: str) -> None:
    answer = ask(engine, name, region_name=region)
    found = {
        f.name: round(float(f.saving.counted_usd), 2) for f in answer.findings if f.saving and not of_a_family(f.name)
    }
    assert found == pytest.approx(company.expected_idle(KINDS[name], region), abs=0.011)
    assert {price.region for price in answer.prices.values()} <= {region}
    assert {price.source for price in answer.prices.values()} <= {"AWS Price List API"}


def test_a_nat_gateway_saves_its_hours_and_its_address(engine: Engine) -> None:
    answer = ask(engine, "find_unused_nat_gateways", region_name="us-east-1")
    for finding in answer.findings:
        assert finding.saving
        parts = {part.price: round(float(part.usd), 2) for part in finding.saving.parts}
        assert parts == {"nat.hours": 32.85, "ipv4.in_use": 3.65}


def test_most_valuable_first_and_the_total_is_over_all(engine: Engine) -> None:
    everything = ask(engine, "find_unused_volumes", region_name="us-east-1")
    first = ask(engine, "find_unused_volumes", region_name="us-east-1", max_results=1)
    savings = [finding.saving.counted_usd for finding in everything.findings if finding.saving]
    assert savings == sorted(savings, reverse=True)
    assert first.findings == everything.findings[:1]
    assert first.omitted == len(everything.findings) - 1
    assert first.monthly_saving_usd == everything.monthly_saving_usd == sum(savings)


def test_a_region_without_listed_prices_is_unpriced_never_another_regions(engine: Engine) -> None:
    client = engine.clients.client("ec2", "ap-southeast-2")
    volume = client.create_volume(AvailabilityZone="ap-southeast-2a", Size=10, VolumeType="gp3")["VolumeId"]
    try:
        answer = ask(engine, "find_unused_volumes", region_name="ap-southeast-2", min_age_days=0)
    finally:
        client.delete_volume(VolumeId=volume)
    (finding,) = answer.findings
    assert finding.saving
    assert finding.saving.unpriced == ("gp3 storage (ebs.gp3.storage in ap-southeast-2)",)
    assert finding.saving.monthly_usd is answer.monthly_saving_usd is None
    assert answer.unpriced == 1
    assert "no sourced price" in answer.summary
    assert answer.prices == {}
