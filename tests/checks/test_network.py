"""The pure functions of the network's checks: ports, networks, groups that name each other, means, owners."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.audits.engine import Engine
from aws_finops_mcp.aws.metrics import MetricSeries
from aws_finops_mcp.checks.addresses import PublicAddress, addresses_on
from aws_finops_mcp.checks.check import Facts, Judgement
from aws_finops_mcp.checks.cloudfront import mean_rate
from aws_finops_mcp.checks.dns_names import plain, pointers
from aws_finops_mcp.checks.elb import dimension_of
from aws_finops_mcp.checks.elb_target_group_health import weighted
from aws_finops_mcp.checks.elb_target_groups import group_query
from aws_finops_mcp.checks.nat_gateways import GIB, monthly_gib
from aws_finops_mcp.checks.public_ipv4 import lets_nobody_in, owner_of
from aws_finops_mcp.checks.reads import DISTRIBUTIONS_FROM_ANYWHERE, HOSTED_ZONES, record_sets
from aws_finops_mcp.checks.route53 import unit_of_last
from aws_finops_mcp.checks.security_group_exposure import SENSITIVE_TCP, Severity, is_wide, weigh
from aws_finops_mcp.checks.security_groups import referring_rules, with_users_of_users
from aws_finops_mcp.checks.tagging import with_tags
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.findings import CheckAnswer, Verdict

# --- what is open -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "first", "last", "severity"),
    [
        ("-1", 0, 65535, Severity.CRITICAL),
        ("tcp", 0, 65535, Severity.CRITICAL),
        ("tcp", 1, 65535, Severity.CRITICAL),
        ("17", 0, 65535, Severity.CRITICAL),
        ("tcp", 22, 22, Severity.HIGH),
        ("6", 20, 30, Severity.HIGH),
        ("tcp", 443, 3389, Severity.HIGH),
        ("udp", 161, 161, Severity.HIGH),
        ("udp", 22, 22, Severity.MEDIUM),
        # A 22 among the digits is no SSH.
        ("tcp", 2200, 2299, Severity.MEDIUM),
        ("tcp", 8080, 8080, Severity.MEDIUM),
        ("tcp", 79, 80, Severity.MEDIUM),
        ("47", 0, 65535, Severity.MEDIUM),
        ("tcp", 80, 80, Severity.NONE),
        ("tcp", 443, 443, Severity.NONE),
        ("udp", 443, 443, Severity.NONE),
        ("icmp", -1, -1, Severity.NONE),
        ("58", -1, -1, Severity.NONE),
        ("50", 0, 65535, Severity.NONE),
    ],
)
def test_what_is_open_is_weighed_by_ports_and_not_by_digits(
    protocol: str, first: int, last: int, severity: Severity
) -> None:
    assert weigh(protocol, first, last)[0] is severity


@given(first=st.integers(0, 65535), last=st.integers(0, 65535))
def test_a_range_is_as_bad_as_the_worst_port_in_it(first: int, last: int) -> None:
    low, high = sorted((first, last))
    severity = weigh("tcp", low, high)[0]
    assert (severity >= Severity.HIGH) == any(low <= port <= high for port in SENSITIVE_TCP)
    if low < high:
        assert severity is not Severity.NONE


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/7", "2000::/3"])
def test_the_internet_is_the_internet_however_it_is_written(cidr: str) -> None:
    assert is_wide(cidr)


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "203.0.113.0/24", "198.51.100.7/32", "2600:1f18::/32", "fd00::/16"])
def test_a_network_is_not_the_internet(cidr: str) -> None:
    assert not is_wide(cidr)


@pytest.mark.parametrize(
    ("sources", "private"),
    [
        ([], True),
        (["10.1.0.0/16", "192.168.0.0/16", "100.64.0.0/10"], True),
        (["10.0.0.0/8", "198.51.100.7/32"], False),
        # All networks hold private addresses too.
        (["0.0.0.0/0"], False),
        (["10.0.0.0/7"], False),
    ],
)
def test_who_gets_in_from_outside(sources: list[str], private: bool) -> None:
    rule = {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": source} for source in sources]}
    assert lets_nobody_in([{"IpPermissions": [rule]}]) is private


def test_a_prefix_list_may_hold_anybody() -> None:
    assert not lets_nobody_in([{"IpPermissions": [{"IpProtocol": "tcp", "PrefixListIds": [{"PrefixListId": "pl-1"}]}]}])


# --- groups that name each other --------------------------------------------------------------------------------


def group(name: str, *named: str) -> dict[str, Any]:
    pairs = [{"GroupId": other} for other in named]
    return {"GroupId": name, "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": pairs}]}


def test_what_a_group_in_use_names_is_in_use_and_a_ring_of_unused_ones_is_not() -> None:
    rules = referring_rules(
        [group("used", "a"), group("a", "b"), group("x", "y"), group("y", "x"), group("self", "self")]
    )
    assert with_users_of_users({"used"}, rules) == {"used", "a", "b"}
    assert rules == {"a": ["used"], "b": ["a"], "y": ["x"], "x": ["y"]}


@given(
    used=st.sets(st.integers(0, 9)),
    edges=st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=3), max_size=10),
)
def test_what_is_reached_is_closed_and_no_larger_than_it_must_be(used: set[int], edges: dict[int, list[int]]) -> None:
    rules = referring_rules([group(str(g), *(str(o) for o in others)) for g, others in edges.items()])
    reached = with_users_of_users({str(g) for g in used}, rules)
    assert {str(g) for g in used} <= reached
    for named, by in rules.items():
        assert named in reached or not set(by) & reached
    assert all(g in {str(u) for u in used} or set(rules.get(g, ())) & reached for g in reached)


# --- figures ----------------------------------------------------------------------------------------------------


@given(hourly=st.floats(0, 1e12), hours=st.integers(1, 8760))
def test_a_steady_gateway_processes_its_hour_730_times_a_month(hourly: float, hours: int) -> None:
    assert monthly_gib(hourly * GIB * hours, hours) == pytest.approx(hourly * 730, rel=1e-9)


def test_no_time_is_no_traffic() -> None:
    assert monthly_gib(5.0, 0) == 0


series = st.lists(st.tuples(st.floats(0, 100), st.floats(1, 1e6)), min_size=1, max_size=10)


@given(series)
def test_a_weighted_mean_lies_between_the_extremes(days: list[tuple[float, float]]) -> None:
    values, weights = tuple(v for v, _ in days), tuple(w for _, w in days)
    mean = weighted([MetricSeries(values, len(days))], [MetricSeries(weights, len(days))])
    assert mean is not None
    assert min(values) - 1e-6 <= mean <= max(values) + 1e-6
    assert mean_rate(values, weights) == pytest.approx(mean)


def test_a_hit_rate_measured_since_yesterday_is_weighed_by_yesterdays_requests() -> None:
    assert mean_rate([50.0, 100.0], [9e9, 9e9, 100.0, 300.0]) == 87.5
    assert mean_rate([], [5.0]) is None
    assert mean_rate([50.0], [0.0]) is None


@pytest.mark.parametrize(("zones", "unit"), [(1, ""), (25, ""), (26, ".over_25"), (400, ".over_25")])
def test_a_zone_less_saves_the_price_of_the_last_one(zones: int, unit: str) -> None:
    assert unit_of_last(zones) == f"route53.hosted_zone{unit}"


# --- names ------------------------------------------------------------------------------------------------------


def test_cloudwatchs_names_are_parts_of_the_arns() -> None:
    balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
    target = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2d6bc24d8a067"
    assert dimension_of(balancer) == "app/web/50dc6c495c0c9188"
    query = group_query({"TargetGroupArn": target}, balancer, "RequestCount", "Sum")
    assert dict(query.dimensions) == {
        "LoadBalancer": "app/web/50dc6c495c0c9188",
        "TargetGroup": "targetgroup/web/73e2d6bc24d8a067",
    }


def test_a_name_is_the_same_in_every_way_that_it_is_written() -> None:
    assert plain("dualstack.Web-1.us-east-1.elb.amazonaws.com.") == "web-1.us-east-1.elb.amazonaws.com"


def test_records_and_origins_point_at_names() -> None:
    zone = {"Id": "/hostedzone/Z1", "ResourceRecordSetCount": 4}
    records = [
        {"Name": "a.example.", "Type": "A", "AliasTarget": {"DNSName": "dualstack.lb.example.com."}},
        {"Name": "b.example.", "Type": "CNAME", "ResourceRecords": [{"Value": "LB.example.com"}]},
    ]
    origin = {"Id": "E1", "Origins": {"Items": [{"DomainName": "lb.example.com"}]}}
    facts = Facts(
        datetime.now(UTC),
        {HOSTED_ZONES: [zone]},
        details={record_sets("/hostedzone/Z1"): records, DISTRIBUTIONS_FROM_ANYWHERE: [origin]},
    )
    assert pointers(facts)["lb.example.com"] == [
        "Route 53 record a.example A, alias",
        "Route 53 record b.example CNAME",
        "CloudFront distribution E1, origin",
    ]


@pytest.mark.parametrize(
    ("interface", "owner"),
    [
        ({"Attachment": {"InstanceId": "i-1"}, "Description": "Primary"}, "instance i-1"),
        ({"InterfaceType": "nat_gateway", "Description": "Interface for NAT Gateway nat-0a1"}, "NAT gateway nat-0a1"),
        ({"InterfaceType": "interface", "Description": "ELB app/web/50dc"}, "load balancer app/web/50dc"),
        ({"InterfaceType": "interface", "Description": "ELB old-one"}, "load balancer old-one"),
        ({"InterfaceType": "interface", "Description": "RDSNetworkInterface"}, "database"),
        ({"InterfaceType": "global_accelerator_managed", "Description": ""}, "accelerator"),
        ({"InterfaceType": "vpc_endpoint", "Description": "mine"}, "vpc endpoint mine"),
    ],
)
def test_an_interface_tells_what_has_it(interface: dict[str, Any], owner: str) -> None:
    assert str(owner_of(interface)) == owner


def test_every_public_address_of_an_interface_counts_once() -> None:
    own = {"PublicIp": "192.0.2.1"}
    elastic = {"PublicIp": "192.0.2.2", "AllocationId": "eipalloc-1"}
    interface = {
        "Association": own,
        "PrivateIpAddresses": [{"Association": own}, {"Association": elastic}, {"PrivateIpAddress": "10.0.0.9"}],
    }
    found = list(addresses_on(interface))
    assert found == [PublicAddress("192.0.2.1"), PublicAddress("192.0.2.2", "eipalloc-1")]
    assert [address.resource_id for address in found] == ["192.0.2.1", "eipalloc-1"]
    assert list(addresses_on({})) == []


def test_a_finding_whose_tags_are_not_known_is_none() -> None:
    judged = [
        Judgement("known", Verdict.IDLE, "idle", {}, referred_by=("a record",)),
        Judgement("unread", Verdict.IDLE, "idle", {}, referred_by=("a record",)),
        Judgement("used", Verdict.IN_USE, "used", {}),
    ]
    known, unread, used = with_tags(judged, {"known": {"finops:exempt": "yes"}})
    assert (known.verdict, dict(known.tags)) == (Verdict.IDLE, {"finops:exempt": "yes"})
    assert (unread.verdict, tuple(unread.referred_by)) == (Verdict.UNKNOWN, ())
    assert used.verdict is Verdict.IN_USE


# --- answers ----------------------------------------------------------------------------------------------------


def ask(engine: Engine, name: str, **arguments: object) -> CheckAnswer:
    tool = TOOLS[name]
    answer: CheckAnswer = tool.answer(engine.asking(), tool.parse(arguments))
    return answer


def test_the_most_open_groups_come_first(engine: Engine) -> None:
    findings = ask(engine, "find_overly_permissive_security_groups").findings
    ranks = {"critical": 3, "high": 2, "medium": 1}
    found = [ranks[str((finding.evidence or {})["severity"])] for finding in findings]
    assert len(set(found)) == 3
    assert found == sorted(found, reverse=True)


def test_what_points_at_an_unused_load_balancer_is_named(engine: Engine) -> None:
    (campaign,) = (f for f in ask(engine, "find_unused_load_balancers").findings if f.name == "nb-campaign-2024")
    assert campaign.referred_by == (
        "Route 53 record zz-campaign.nb-shop.example A, alias",
        "CloudFront distribution E0NBCAMPAIGN, origin",
    )
    assert campaign.saving
    assert {(part.price, part.resource) for part in campaign.saving.parts} == {
        ("elb.application.hours", ""),
        ("ipv4.in_use", "198.18.1.20"),
        ("ipv4.in_use", "198.18.1.21"),
    }


def test_what_costs_nothing_has_no_saving(engine: Engine) -> None:
    answer = ask(engine, "find_unused_target_groups")
    assert answer.counts.idle
    assert answer.monthly_saving_usd is None
    assert {finding.saving for finding in answer.findings} == {None}


def test_without_the_load_balancers_no_group_is_unused_for_want_of_an_age(
    engine: Engine, account: EmbeddedAccount
) -> None:
    whole = ask(engine, "find_unused_target_groups")
    account.faults.deny("elasticloadbalancing:DescribeLoadBalancers")
    answer = ask(engine, "find_unused_target_groups")
    assert 0 < answer.counts.idle < whole.counts.idle
    assert answer.counts.unknown >= whole.counts.idle - answer.counts.idle


def test_every_public_address_is_attributed(engine: Engine) -> None:
    answer = ask(engine, "find_public_ipv4_addresses", detail="full")
    kinds = {str((finding.evidence or {})["owner_kind"]) for finding in answer.findings}
    assert {"instance", "NAT gateway", "load balancer", "database", "ECS task", "None"} <= kinds
    ips = [(finding.evidence or {})["public_ip"] for finding in answer.findings]
    assert len(ips) == len(set(ips)) == answer.counts.examined
