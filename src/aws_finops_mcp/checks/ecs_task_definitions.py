"""Revisions of ECS task definitions that nothing runs any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.checks.ecs import (
    CLUSTER_ARNS,
    SERVICE_ACTIONS,
    TOKEN,
    deployments,
    describe_task_definition,
    describe_tasks,
    list_tasks,
    rules_that_run_on,
    service_descriptions,
    service_lists,
    services,
    some,
    unread_services,
)
from aws_finops_mcp.checks.reads import EVENT_BUSES, SCHEDULES
from aws_finops_mcp.checks.tagging import tags_by_arn, tags_read, unless_exempt
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

DEFINITIONS = read(
    "ecs", "ListTaskDefinitions", "taskDefinitionArns", {"status": "ACTIVE", "maxResults": 100}, token=TOKEN
)
TAGS = tags_read("ecs:task-definition")
HALVINGS = 14
"""So many looks find the age in a family of 16,384 revisions; each halves what is left."""


class OldTaskDefinitionsParams(RegionParams):
    """Arguments of `find_old_ecs_task_definitions`."""

    age_days: int = Field(90, ge=1, le=3650, description="days since a revision was registered that make it old")


def _split(arn: str) -> tuple[str, int | None]:
    """Family's ARN and revision; none is named by what always runs the latest."""
    start, _, last = arn.rpartition("/")
    family, _, revision = last.partition(":")
    return f"{start}/{family}", int(revision) if revision else None


def _families(facts: Facts) -> dict[str, list[int]]:
    """The active revisions of each family, oldest first."""
    families: dict[str, list[int]] = defaultdict(list)
    for arn in facts.items(DEFINITIONS):
        family, revision = _split(arn)
        families[family].append(revision or 0)
    return {family: sorted(revisions) for family, revisions in families.items()}


# --- what runs a revision --------------------------------------------------------------------------------------------


def _targets(rule: str, bus: str) -> Read:
    return read("events", "ListTargetsByRule", "Targets", {"Rule": rule, "EventBusName": bus}, resource=rule)


def _schedule(schedule: Mapping[str, Any]) -> Read:
    request = {"Name": schedule["Name"], "GroupName": schedule.get("GroupName", "default")}
    return read("scheduler", "GetSchedule", "Target", request, resource=schedule["Name"])


def _places(facts: Facts) -> Iterator[tuple[str, str]]:
    for cluster in facts.maybe(CLUSTER_ARNS) or ():
        yield from ((cluster, bus["Name"]) for bus in facts.maybe(EVENT_BUSES) or ())


def _schedules(facts: Facts) -> Iterator[Mapping[str, Any]]:
    clusters = set(facts.maybe(CLUSTER_ARNS) or ())
    return (one for one in facts.maybe(SCHEDULES) or () if one.get("Target", {}).get("Arn") in clusters)


def read_what_runs(facts: Facts, params: OldTaskDefinitionsParams) -> Iterator[Read]:
    """Services and tasks of every cluster, and what starts tasks there."""
    yield from service_lists(facts, params)
    yield from map(list_tasks, facts.maybe(CLUSTER_ARNS) or ())
    yield from (rules_that_run_on(cluster, bus) for cluster, bus in _places(facts))
    yield from map(_schedule, _schedules(facts))


def read_what_it_runs(facts: Facts, params: OldTaskDefinitionsParams) -> Iterator[Read]:
    """Which revisions services, tasks and rules name."""
    yield from service_descriptions(facts, params)
    yield from _task_descriptions(facts)
    for cluster, bus in _places(facts):
        yield from (_targets(rule, bus) for rule in facts.maybe(rules_that_run_on(cluster, bus)) or ())


def _task_descriptions(facts: Facts) -> Iterator[Read]:
    for cluster in facts.maybe(CLUSTER_ARNS) or ():
        for arns in some(facts.maybe(list_tasks(cluster)) or (), 100):
            yield describe_tasks(cluster, arns)


def _used(facts: Facts) -> Iterator[tuple[str, str]]:
    """What names a revision, and the name."""
    for service in services(facts):
        for one in (service, *deployments(service)):
            if one.get("taskDefinition"):
                yield f"service {service['serviceName']}", one["taskDefinition"]
    for wanted in _task_descriptions(facts):
        yield from (("a running task", task["taskDefinitionArn"]) for task in facts.maybe(wanted) or ())
    for cluster, bus in _places(facts):
        for rule in facts.maybe(rules_that_run_on(cluster, bus)) or ():
            for target in facts.maybe(_targets(rule, bus)) or ():
                if "EcsParameters" in target:
                    yield f"rule {rule}", target["EcsParameters"]["TaskDefinitionArn"]
    for schedule in _schedules(facts):
        for target in facts.maybe(_schedule(schedule)) or ():
            if "EcsParameters" in target:
                yield f"schedule {schedule['Name']}", target["EcsParameters"]["TaskDefinitionArn"]


def _all_read(facts: Facts) -> bool:
    """Whether everything that may name a revision was read."""
    if any(facts.maybe(wanted) is None for wanted in (CLUSTER_ARNS, EVENT_BUSES, SCHEDULES)):
        return False
    wanted = [list_tasks(cluster) for cluster in facts.items(CLUSTER_ARNS)]
    wanted += _task_descriptions(facts)
    wanted += map(_schedule, _schedules(facts))
    for cluster, bus in _places(facts):
        rules = rules_that_run_on(cluster, bus)
        wanted += [rules, *(_targets(rule, bus) for rule in facts.maybe(rules) or ())]
    return all(facts.maybe(one) is not None for one in wanted) and not any(unread_services(facts))


# --- how old revisions are -------------------------------------------------------------------------------------------


def _old(facts: Facts, family: str, revisions: Sequence[int], age_days: int) -> tuple[int, int, bool]:
    """Of revisions, oldest first: how many are known to be old, how many may be, and whether a look failed.

    A revision is registered after all before it, so looking at the middle of what is left is enough.
    """
    low, high = 0, len(revisions)
    while low < high:
        middle = (low + high) // 2
        wanted = describe_task_definition(f"{family}:{revisions[middle]}")
        if wanted not in facts.details:
            return low, high, False
        found = facts.maybe(wanted)
        if not found or found[0].get("registeredAt") is None:
            return low, high, True
        if facts.age_days(found[0]["registeredAt"]) >= age_days:
            low = middle + 1
        else:
            high = middle
    return low, high, False


def _candidates(facts: Facts) -> Iterator[tuple[str, list[int], list[int]]]:
    """Each family with its revisions, and those that nothing names; the latest is what its name alone runs."""
    used = {_split(name) for _, name in _used(facts)}
    for family, revisions in _families(facts).items():
        yield family, revisions, [number for number in revisions[:-1] if (family, number) not in used]


def look_at_the_middle(facts: Facts, params: OldTaskDefinitionsParams) -> Iterator[Read]:
    """The next revision to look at of each family, until it is known which are old."""
    for family, _, unused in _candidates(facts):
        low, high, failed = _old(facts, family, unused, params.age_days)
        if low < high and not failed:
            yield describe_task_definition(f"{family}:{unused[(low + high) // 2]}")


# --- the check -------------------------------------------------------------------------------------------------------


def judge_task_definitions(facts: Facts, params: OldTaskDefinitionsParams) -> Iterator[Judgement]:
    """Of every family: its revisions come and go together."""
    whole, tags = _all_read(facts), tags_by_arn(facts, TAGS)
    named: dict[str, set[str]] = defaultdict(set)
    for what, name in _used(facts):
        named[_split(name)[0]].add(what)
    for family, revisions, unused in _candidates(facts):
        known, possible, failed = _old(facts, family, unused, params.age_days)
        old = unused[:known]
        evidence: dict[str, Scalar] = {
            "revisions": len(revisions),
            "latest": revisions[-1],
            "named_by_nothing": len(unused),
        }
        if not unused:
            verdict, reason = Verdict.IN_USE, "its latest revision, and others that something names"
        elif known < possible:
            verdict, reason = Verdict.UNKNOWN, "the age of its revisions could not be read"
            reason += "" if failed else ": there are too many"
        elif not old:
            verdict, reason = Verdict.TOO_NEW, f"what nothing names is younger than {params.age_days} days"
        elif not whole:
            verdict, reason = Verdict.UNKNOWN, f"{len(old)} revisions are old, but not all that may name them was read"
        else:
            verdict = Verdict.IDLE
            reason = f"nothing names {len(old)} of its revisions, registered {params.age_days} days ago or more"
            evidence["old_revisions"] = ranges(old)
        verdict, reason = unless_exempt(verdict, reason, tags)
        yield Judgement(
            resource_id=family,
            name=family.rpartition("/")[2],
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            tags=(tags or {}).get(f"{family}:{revisions[-1]}", {}),
            referred_by=[f"{what} (another revision)" for what in sorted(named[family])],
        )


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers, those in a row as one: 1-14, 16."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


OLD_ECS_TASK_DEFINITIONS = Check(
    name="find_old_ecs_task_definitions",
    title="Old revisions of ECS task definitions",
    noun="task definition families",
    category=Category.CONTAINERS,
    description=(
        "Active revisions of ECS task definitions, registered `age_days` or more ago, that no service, running task, "
        "EventBridge rule or schedule names; the latest of a family is never one. They cost nothing. Free to ask."
    ),
    resource_type="AWS::ECS::TaskDefinition",
    params=OldTaskDefinitionsParams,
    inventory=(DEFINITIONS, CLUSTER_ARNS, SCHEDULES, EVENT_BUSES, TAGS),
    follow_ups=(read_what_runs, read_what_it_runs, *(look_at_the_middle,) * HALVINGS),
    detail_actions=(
        *SERVICE_ACTIONS,
        "ecs:DescribeTaskDefinition",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "events:ListRuleNamesByTarget",
        "events:ListTargetsByRule",
        "scheduler:GetSchedule",
    ),
    judge=judge_task_definitions,
    saves=False,
    referrers="services, running tasks, EventBridge rules and schedules of the account",
    evidence={
        "revisions": "ecs:ListTaskDefinitions, active revisions of the family",
        "latest": "the highest of them, which runs where only the family is named",
        "named_by_nothing": "those, without the latest, that nothing names, whatever their age",
        "old_revisions": "of these, the ones registered (ecs:DescribeTaskDefinition, registeredAt) long enough ago",
    },
    verdicts={
        Verdict.IDLE: "the family has old revisions that nothing names",
        Verdict.IN_USE: "each revision is the latest, or something names it",
        Verdict.TOO_NEW: "none of the revisions that nothing names is old enough",
        Verdict.UNKNOWN: "an age, the tags, or something that may name a revision could not be read",
    },
    remediation=(
        "Deregister the revisions; tasks that run are not stopped. State machines, pipelines and rollbacks may name a "
        "revision too, which no read here shows: keep a few behind the latest."
    ),
    references=("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deregister-task-definition-v2.html",),
    limits="Pipelines and Step Functions that name a revision are not seen.",
)

CHECKS = (OLD_ECS_TASK_DEFINITIONS,)
