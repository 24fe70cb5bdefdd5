"""Instance types as EC2 describes them, and which of them would do in the place of another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aws_finops_mcp.aws.reader import chunks
from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.ec2_instances import instances
from aws_finops_mcp.checks.ec2_types_facts import BURSTABLE_BASELINE, GRAVITON, SUCCESSORS

DESCRIBE_INSTANCE_TYPES = "ec2:DescribeInstanceTypes"
VALUES_PER_FILTER = 200
_CLASSIC = re.compile(r"([cmr])(\d.*)")
"""Compute, general and memory optimised families of a generation differ only in memory by vCPU: 2, 4 and 8 GiB."""


@dataclass(frozen=True)
class Machine:
    """An instance type, as far as it counts whether a load fits on it."""

    name: str
    vcpus: int
    memory_mib: int
    architectures: frozenset[str]
    current: bool
    """AWS's own word: false is a previous generation."""
    gbps: float | None
    """Network bandwidth that it always has; None where EC2 tells none."""
    accelerated: bool
    instance_store: bool
    bare_metal: bool

    @property
    def family(self) -> str:
        return self.name.partition(".")[0]

    @property
    def baseline(self) -> float | None:
        """Percent of its vCPUs that a burstable type may use for ever; None for the others."""
        return BURSTABLE_BASELINE.get(self.name)


class Machines(dict[str, Machine]):
    """Types by name."""

    @cached_property
    def by_family(self) -> Mapping[str, list[Machine]]:
        """Every family's types, the smallest first."""
        found: dict[str, list[Machine]] = defaultdict(list)
        for machine in sorted(self.values(), key=lambda machine: (machine.vcpus, machine.memory_mib)):
            found[machine.family].append(machine)
        return found


@dataclass(frozen=True)
class Load:
    """What a type must have for a load to fit on it.

    Attributes:
        vcpus: at its peak.
        usual_vcpus: on average: what counts for burstable types.
        memory_mib: at its peak.
        gbps: at its peak.
    """

    vcpus: float
    usual_vcpus: float
    memory_mib: float
    gbps: float


def siblings(family: str) -> tuple[str, ...]:
    """The families of the same generation and processor: m5 has c5 and r5."""
    classic = _CLASSIC.fullmatch(family)
    return tuple(letter + classic[2] for letter in "cmr") if classic else (family,)


def read_types(facts: Facts, _params: Any) -> Iterator[Read]:
    """The types of all families that the region's instances are of, or could be: a call for each 100 types.

    The same read for all checks, so that an audit makes it once. EC2 describes what the region offers, so a size that a
    family does not have is never proposed.
    """
    return _reads(_families(one["InstanceType"].partition(".")[0] for one in instances(facts)))


def _families(of: Iterable[str]) -> list[str]:
    wanted: set[str] = set()
    for family in set(of):
        wanted |= {*siblings(family), *SUCCESSORS.get(family, ()), *GRAVITON.get(family, ())}
    return sorted(wanted)


def _reads(families: list[str]) -> Iterator[Read]:
    for some in chunks(families, VALUES_PER_FILTER):
        filters = [{"Name": "instance-type", "Values": [f"{family}.*" for family in some]}]
        request = {"Filters": filters, "MaxResults": 100}
        yield read("ec2", "DescribeInstanceTypes", "InstanceTypes", request)


def machines(facts: Facts) -> Machines | None:
    """The types by name; None when one of the reads failed."""
    found = Machines()
    for wanted in read_types(facts, None):
        described = facts.maybe(wanted)
        if described is None:
            return None
        found.update({one["InstanceType"]: _machine(one) for one in described})
    return found


def _machine(described: Any) -> Machine:
    cards = described.get("NetworkInfo", {}).get("NetworkCards", ())
    bandwidths = [card["BaselineBandwidthInGbps"] for card in cards if card.get("BaselineBandwidthInGbps")]
    accelerators = ("GpuInfo", "FpgaInfo", "InferenceAcceleratorInfo", "MediaAcceleratorInfo", "NeuronInfo")
    return Machine(
        name=described["InstanceType"],
        vcpus=described["VCpuInfo"]["DefaultVCpus"],
        memory_mib=described["MemoryInfo"]["SizeInMiB"],
        architectures=frozenset(described["ProcessorInfo"].get("SupportedArchitectures", ())) - {"i386"},
        current=described.get("CurrentGeneration", True),
        gbps=sum(bandwidths) if bandwidths else None,
        accelerated=any(described.get(name) for name in accelerators),
        instance_store=bool(described.get("InstanceStorageSupported")),
        bare_metal=bool(described.get("BareMetal")),
    )


def that_would_do(now: Machine, families: Iterable[str], load: Load, known: Machines) -> list[Machine]:
    """Of each family the smallest type that a load fits on, in the place of `now`."""
    smallest = (
        next((m for m in known.by_family.get(family, ()) if m.name != now.name and _fits(now, m, load)), None)
        for family in families
    )
    return [machine for machine in smallest if machine is not None]


def _fits(now: Machine, other: Machine, load: Load) -> bool:
    if other.bare_metal != now.bare_metal or other.accelerated != now.accelerated:
        return False
    if now.instance_store and not other.instance_store:
        return False
    if other.vcpus < load.vcpus or other.memory_mib < load.memory_mib:
        return False
    if other.baseline is not None and load.usual_vcpus > other.vcpus * other.baseline / 100:
        return False
    # Where EC2 tells no bandwidth of either, nothing can be compared: types of before 2017.
    return now.gbps is None or (other.gbps is not None and other.gbps >= load.gbps)


def like(machine: Machine) -> Load:
    """A load that takes all of a type but for its network: what replaces it must be as large."""
    usual = machine.vcpus * (machine.baseline if machine.baseline is not None else 100) / 100
    return Load(machine.vcpus, usual, machine.memory_mib, 0)
