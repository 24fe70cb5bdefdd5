"""EC2 instances of previous generations, and such as would run for less on AWS's own processors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.ec2_instances import first_seen, hours, hours_instead, instances
from aws_finops_mcp.checks.ec2_types import (
    DESCRIBE_INSTANCE_TYPES,
    Machine,
    Machines,
    like,
    machines,
    read_types,
    that_would_do,
)
from aws_finops_mcp.checks.ec2_types_facts import AS_OF, GRAVITON, GRAVITON_PAGE, SUCCESSORS, UPGRADE_PATHS
from aws_finops_mcp.checks.reads import RESERVATIONS
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Category, Scalar, Verdict

_LINUX = ("RunInstances", "RunInstances:0010", "RunInstances:000g")
"""Linux, RHEL and SUSE: what has builds for Arm processors. Windows has none on EC2."""


def judge_generations(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """Outdated where AWS says so; costly where a successor of the same architecture is to be had for less."""
    known = machines(facts)
    return (_judge_generation(facts, instance, known) for instance in instances(facts))


def _judge_generation(facts: Facts, instance: Any, known: Machines | None) -> Judgement:
    known = known or Machines()
    machine = known.get(instance["InstanceType"])
    billed = instance["State"]["Name"] == "running" and not instance.get("InstanceLifecycle")
    ways: list[Machine] = []
    if machine is None:
        verdict, reason = Verdict.UNKNOWN, "its instance type could not be read"
    else:
        successors = that_would_do(machine, SUCCESSORS.get(machine.family, ()), like(machine), known)
        ways = [other for other in successors if other.current and other.architectures & machine.architectures]
        named = ", ".join(other.name for other in ways) or "none of its size is told"
        if not machine.current:
            verdict, reason = Verdict.OUTDATED, f"AWS calls {machine.name} a previous generation; successors: {named}"
        elif ways and billed:
            verdict, reason = Verdict.COSTLY, f"newer than {machine.name}: {named}"
        else:
            verdict, reason = Verdict.OK, f"{machine.name} is of a current generation"
    priced = verdict.actionable and billed and bool(ways)
    return _judgement(facts, instance, machine, verdict, reason, ways if priced else [])


def judge_graviton(facts: Facts, _params: RegionParams) -> Iterator[Judgement]:
    """Costly where an Arm type of the same size is to be had for less, and the system has builds for it."""
    known = machines(facts)
    for instance in instances(facts):
        if instance["State"]["Name"] == "running":
            yield _judge_graviton(facts, instance, known)


def _judge_graviton(facts: Facts, instance: Any, known: Machines | None) -> Judgement:
    known = known or Machines()
    machine = known.get(instance["InstanceType"])
    ways: list[Machine] = []
    system = instance.get("UsageOperation", "")
    if instance.get("Architecture") == "arm64":
        verdict, reason = Verdict.OK, "runs on an Arm processor"
    elif system not in _LINUX:
        verdict, reason = (
            Verdict.OK,
            f"{instance.get('PlatformDetails', 'its system')} has no build for Arm that is told",
        )
    elif instance.get("InstanceLifecycle"):
        verdict, reason = Verdict.OK, "Spot: its price is the market's"
    elif machine is None:
        verdict, reason = Verdict.UNKNOWN, "its instance type could not be read"
    else:
        ways = that_would_do(machine, GRAVITON.get(machine.family, ()), like(machine), known)
        if ways:
            verdict, reason = Verdict.COSTLY, f"of the same size: {', '.join(other.name for other in ways)}"
        else:
            verdict, reason = Verdict.OK, f"no Arm type is told that does what {machine.name} does"
    return _judgement(facts, instance, machine, verdict, reason, ways)


def _judgement(
    facts: Facts, instance: Any, machine: Machine | None, verdict: Verdict, reason: str, ways: list[Machine]
) -> Judgement:
    tags = tags_of(instance)
    evidence: dict[str, Scalar] = {
        "type": instance["InstanceType"],
        "current_generation": machine.current if machine else None,
        "state": instance["State"]["Name"],
        "system": instance.get("PlatformDetails"),
        "age_days": facts.age_days(first_seen(instance)),
    }
    return Judgement(
        resource_id=instance["InstanceId"],
        name=tags.get("Name", ""),
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=tags,
        parts=[hours(instance)] if ways else [],
        alternatives={other.name: [hours_instead(instance, other.name)] for other in ways},
    )


_EVIDENCE = {
    "type": "ec2:DescribeInstances, InstanceType",
    "current_generation": "ec2:DescribeInstanceTypes, CurrentGeneration: AWS's own word",
    "state": "State; a stopped instance is not billed by the hour",
    "system": "PlatformDetails",
    "age_days": "days since its first network interface or volume was attached",
    "change_to": "the type that saves the most",
    "alternatives": f"dollars a month that each type saves, below 0: costs more; families as of {AS_OF}",
}

OLD_GENERATIONS = Check(
    name="find_ec2_instances_with_old_generations",
    title="EC2 instances of previous generations",
    noun="EC2 instances",
    category=Category.UPGRADE,
    description=(
        "EC2 instances that AWS calls a previous generation, or that a successor of the same size and architecture "
        "costs less than, with dollars for each successor that the region offers. Free to ask."
    ),
    resource_type="AWS::EC2::Instance",
    params=RegionParams,
    inventory=(RESERVATIONS,),
    follow_ups=(read_types,),
    detail_actions=(DESCRIBE_INSTANCE_TYPES,),
    judge=judge_generations,
    evidence=_EVIDENCE,
    verdicts={
        Verdict.OUTDATED: "AWS calls its type a previous generation, be a successor cheaper or not",
        Verdict.COSTLY: "its type is current, but a later one with as much CPU and memory costs less",
        Verdict.UNKNOWN: "its type could not be read, or no successor has a sourced price",
    },
    remediation=(
        "Stop it, change the type, start it. From types before the fifth generation the image needs drivers for NVMe "
        "and ENA, and virtualisation must be HVM. Data of an instance store is lost when it is stopped."
    ),
    references=(
        UPGRADE_PATHS,
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resize-limitations.html",
    ),
    prices=("ec2.*",),
    limits=(
        "On-demand list prices: Savings Plans and reservations count with savings=net only. Software and drivers that "
        "need the older type are not looked at."
    ),
)

GRAVITON_CANDIDATES = Check(
    name="find_graviton_candidates",
    title="EC2 instances that would cost less on Graviton",
    noun="running EC2 instances",
    category=Category.UPGRADE,
    description=(
        "Running Linux instances on x86 processors that an Arm (Graviton) type of the same size costs less than, with "
        "dollars for each type that the region offers. Whether the software runs on Arm is not looked at. Free to ask."
    ),
    resource_type="AWS::EC2::Instance",
    params=RegionParams,
    inventory=(RESERVATIONS,),
    follow_ups=(read_types,),
    detail_actions=(DESCRIBE_INSTANCE_TYPES,),
    judge=judge_graviton,
    evidence=_EVIDENCE,
    verdicts={
        Verdict.COSTLY: "an Arm type with as much CPU and memory costs less",
        Verdict.UNKNOWN: "its type could not be read, or no Arm type has a sourced price",
    },
    remediation=(
        "Build images and packages for arm64, try one instance with a copy of the load, then change launch templates. "
        "Interpreted languages mostly just run; native libraries and agents need Arm builds."
    ),
    references=(GRAVITON_PAGE, "https://aws.amazon.com/ec2/graviton/"),
    prices=("ec2.*",),
    limits=(
        "Whether the software runs on Arm is not looked at. On-demand list prices; Windows and other licensed systems "
        "are left out."
    ),
)

CHECKS = (OLD_GENERATIONS, GRAVITON_CANDIDATES)
