"""What would invoke a Lambda function: mappings, subscriptions, rules, schedules; and its aliases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.events import rules_read, targets_read
from aws_finops_mcp.checks.reads import EVENT_BUSES, EVENT_SOURCE_MAPPINGS, SCHEDULES, SUBSCRIPTIONS

ALIASES_READ = 10
"""Of how many idle functions of a region: there is no call for several, and Lambda takes 15 a second.

What invokes an alias is found without them; of 25, they were a fifth of the time of 3,000 functions.
"""

RULES_READ = 50
"""Of how many rules of a bus the targets: a call each, ten a second."""

INVENTORY = (EVENT_SOURCE_MAPPINGS, SUBSCRIPTIONS, EVENT_BUSES, SCHEDULES)
ACTIONS = ("events:ListRules", "events:ListTargetsByRule", "lambda:ListAliases")


def referrer_reads(facts: Facts, idle: Sequence[str]) -> Iterator[Read]:
    """What follows for some idle functions, by name: the rules of each bus, and aliases."""
    if idle:
        yield from (rules_read(bus["Name"]) for bus in facts.maybe(EVENT_BUSES) or ())
        yield from map(_aliases, idle[:ALIASES_READ])


def read_targets(facts: Facts, _params: object) -> Iterator[Read]:
    """What the rules call that AWS does not manage, where rules were read."""
    for rules in _rules_of_buses(facts):
        own = [rule for rule in rules if not rule.get("ManagedBy")]
        yield from map(targets_read, own[:RULES_READ])


def aliases(facts: Facts, name: str) -> list[str] | None:
    """A function's aliases; None: not read."""
    wanted = _aliases(name)
    found = facts.maybe(wanted) if wanted in facts.details else None
    return None if found is None else [alias["Name"] for alias in found]


def sources(facts: Facts) -> Mapping[str, list[str]]:
    """By the ARN of a function: what would invoke it; a version or alias is its function here."""
    found: dict[str, list[str]] = defaultdict(list)
    for arn, words in _invokers(facts):
        found[_unqualified(arn)].append(words)
    return found


def _invokers(facts: Facts) -> Iterator[tuple[str, str]]:
    for mapping in facts.maybe(EVENT_SOURCE_MAPPINGS) or ():
        source = mapping.get("EventSourceArn") or mapping["UUID"]
        yield mapping.get("FunctionArn", ""), f"event source mapping of {source}"
    for subscription in facts.maybe(SUBSCRIPTIONS) or ():
        if subscription["Protocol"] == "lambda":
            yield subscription["Endpoint"], f"subscription of {subscription['TopicArn']}"
    for rule in chain.from_iterable(_rules_of_buses(facts)):
        targets = targets_read(rule)
        state = "" if rule.get("State") != "DISABLED" else ", disabled"
        for target in (facts.maybe(targets) or ()) if targets in facts.details else ():
            yield target["Arn"], f"EventBridge rule {rule['Name']} of bus {rule['EventBusName']}{state}"
    for schedule in facts.maybe(SCHEDULES) or ():
        state = "" if schedule.get("State") != "DISABLED" else ", disabled"
        yield schedule.get("Target", {}).get("Arn", ""), f"schedule {schedule['GroupName']}/{schedule['Name']}{state}"


def _rules_of_buses(facts: Facts) -> Iterator[Sequence[Any]]:
    for bus in facts.maybe(EVENT_BUSES) or ():
        rules = rules_read(bus["Name"])
        if rules in facts.details:
            yield facts.maybe(rules) or ()


def _aliases(name: str) -> Read:
    request = {"FunctionName": name}
    return read("lambda", "ListAliases", "Aliases", request, token=("NextMarker", "Marker"), resource=name)


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])
