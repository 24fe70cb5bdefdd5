"""EC2 instances that look idle, too large or at their limit, and are or are not: beside those of the company."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.compute_ec2_cases import cases
from aws_finops_mcp.demo.families.family import HOURS, Family, Metric, Rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.prices.instances import ec2_instance

_MIB: Final = 2**20
_SAMPLES: Final = 12
_AMI: Final = "ami-0c0de00000000c0de"
Hourly = float | Callable[[int], float | None]


@dataclass(frozen=True)
class Machine:
    """An instance as it is declared here; ``cpu`` and ``memory`` are percent, ``mib`` what it receives an hour."""

    name: str
    number: int
    kind: str
    region: str = US
    cpu: Hourly | None = None
    mib: Hourly = 200.0
    memory: Hourly | None = None
    made_days: int = 300
    started_days: int | None = None
    stopped: str | None = None
    # Dimensions that the agent adds beside the instance's id.
    agent: Mapping[str, str] = field(default_factory=lambda: {"ImageId": _AMI})
    peak: float = 1.1
    tags: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()

    @property
    def identity(self) -> str:
        return f"i-0c0{self.number:014x}"


def _at(now: datetime, ago: int) -> datetime:
    """When the hour began that was so many hours ago."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=ago + 1)


def _machines(now: datetime) -> Iterator[Machine]:
    def office(busy: float, quiet: float) -> Callable[[int], float]:
        return lambda ago: busy if _at(now, ago).weekday() < 5 and 9 <= _at(now, ago).hour < 17 else quiet

    def office_but_for_a_night(busy: float, quiet: float) -> Callable[[int], float]:
        usual = office(busy, quiet)
        return lambda ago: busy if 24 * 5 <= ago < 24 * 12 else usual(ago)

    def office_only(ago: int) -> float | None:
        when = _at(now, ago)
        return 40.0 if when.weekday() < 5 and 9 <= when.hour < 17 else None

    def on_days(first: int, last: int, busy: float, else_: float) -> Callable[[int], float]:
        return lambda ago: busy if first * 24 <= ago < last * 24 else else_

    balance = {"InstanceId": f"i-0c0{15:014x}"}
    yield Machine("cmp-keep-memory", 1, "m5.4xlarge", cpu=12, mib=2000)
    yield Machine("cmp-cache", 2, "r5.xlarge", cpu=10, memory=79, agent={"ImageId": _AMI, "InstanceType": "r5.xlarge"})
    yield Machine("cmp-no-data", 3, "m5.large")
    yield Machine("cmp-new", 4, "m5.large", cpu=0.5, mib=0.01, made_days=5)
    yield Machine("cmp-restarted", 5, "m5.large", cpu=0.5, mib=0.01, started_days=1)
    yield Machine("cmp-month-end", 6, "m5.large", cpu=on_days(12, 13, 75, 0.5), mib=on_days(12, 13, 900, 0.01))
    yield Machine("cmp-exempt", 7, "m5.large", cpu=0.5, mib=0.01, tags={"finops:exempt": "kept for the auditors"})
    yield Machine(
        "cmp-type-changed", 8, "m5.xlarge", cpu=20, memory=on_days(0, 10, 75, 30), agent={"InstanceType": "m5.xlarge"}
    )
    yield Machine("cmp-unmeasured", 9, "t3.large", cpu=8)
    yield Machine("cmp-gpu", 10, "g4dn.xlarge", cpu=3, mib=0.01)
    yield Machine("cmp-spot", 11, "m5.large", cpu=0.5, mib=0.01, more={"InstanceLifecycle": "spot"})
    node = {"kubernetes.io/cluster/nw-steady": "owned"}
    yield Machine("cmp-twin", 12, "m5.large", cpu=70, mib=900, memory=70, tags=node)
    yield Machine("cmp-twin", 12, "m5.large", EU, cpu=0.5, mib=0.01)
    yield Machine("cmp-hot", 13, "c5.xlarge", cpu=on_days(3, 13, 92, 40), mib=900, memory=60, peak=1.02)
    from_template = {"aws:ec2launchtemplate:id": "lt-0c00000000000000d", "aws:ec2launchtemplate:version": "1"}
    yield Machine("cmp-spike", 14, "c5.xlarge", tags=from_template, cpu=on_days(8, 9, 92, 66), mib=900, memory=60)
    yield Machine(
        "cmp-credits",
        15,
        "t3.small",
        cpu=19,
        metrics=(Metric(US, "AWS/EC2", "CPUCreditBalance", balance, 0.0, samples=_SAMPLES),),
    )
    yield Machine("cmp-memory-hot", 16, "r5.large", cpu=45, memory=88, mib=900)
    yield Machine("cmp-office", 17, "m5.large", cpu=office(60, 1), mib=office(500, 1), memory=60)
    yield Machine(
        "cmp-busy-week",
        18,
        "m5.large",
        cpu=office_but_for_a_night(60, 1),
        mib=office_but_for_a_night(500, 1),
        memory=60,
    )
    yield Machine("cmp-scheduled", 19, "m5.large", cpu=office_only, mib=office_only, memory=office_only)
    yield Machine("cmp-m4", 20, "m4.large", cpu=65, mib=900, memory=70)
    yield Machine("cmp-t2", 21, "t2.medium", cpu=15, mib=900, memory=72)
    windows = {"Platform": "Windows", "PlatformDetails": "Windows", "UsageOperation": "RunInstances:0002"}
    yield Machine("cmp-windows", 22, "m7i.large", cpu=65, mib=900, memory=70, more=windows)
    yield Machine("cmp-arm", 23, "m7g.large", cpu=65, mib=900, memory=70, more={"Architecture": "arm64"})
    # What it carries at most without a burst is 0.937 Gbit/s, 402,000 MiB an hour.
    for number, name, mib in ((28, "cmp-network-hot", on_days(3, 13, 385_000, 2000)), (29, "cmp-network", 200_000)):
        arm = {"Architecture": "arm64"}
        yield Machine(name, number, "m7g.large", cpu=65, mib=mib, memory=70, peak=1.0, more=arm)
    yield Machine(
        "cmp-stopped-lately",
        24,
        "m5.large",
        stopped=f"User initiated ({now - timedelta(days=6):%Y-%m-%d %H:%M:%S} GMT)",
    )
    yield Machine(
        "cmp-warm",
        25,
        "m5.large",
        stopped=f"User initiated ({now - timedelta(days=90):%Y-%m-%d %H:%M:%S} GMT)",
        tags={"aws:autoscaling:groupName": "cmp-warm-pool"},
    )
    yield Machine(
        "cmp-shut-down", 26, "t3.small", stopped="Client.InstanceInitiatedShutdown: Instance initiated shutdown"
    )
    yield Machine(
        "cmp-shut-down-lately",
        27,
        "t3.small",
        stopped="",
        cpu=lambda ago: 12.0 if ago >= 10 * 24 else None,
        mib=lambda ago: 50.0 if ago >= 10 * 24 else None,
    )
    yield Machine("cmp-shut-down", 26, "t3.small", EU, stopped="", made_days=9)


def _row(machine: Machine, now: datetime) -> dict[str, Any]:
    """A reservation with the instance in it."""
    made = now - timedelta(days=machine.made_days)
    started = now - timedelta(days=machine.made_days if machine.started_days is None else machine.started_days)
    state = {"Code": 16, "Name": "running"} if machine.stopped is None else {"Code": 80, "Name": "stopped"}
    tags = {"Name": machine.name, **machine.tags}
    instance: dict[str, Any] = {
        "AmiLaunchIndex": 0,
        "Architecture": "x86_64",
        "BlockDeviceMappings": [],
        "EbsOptimized": True,
        "Hypervisor": "xen",
        "ImageId": _AMI,
        "InstanceId": machine.identity,
        "InstanceType": machine.kind,
        "LaunchTime": started,
        "Monitoring": {"State": "disabled"},
        "NetworkInterfaces": [],
        "Placement": {"AvailabilityZone": f"{machine.region}a", "GroupName": "", "Tenancy": "default"},
        "PlatformDetails": "Linux/UNIX",
        "RootDeviceName": "/dev/xvda",
        "RootDeviceType": "ebs",
        "State": state,
        "StateTransitionReason": machine.stopped or "",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "UsageOperation": "RunInstances",
        "UsageOperationUpdateTime": made,
        "VirtualizationType": "hvm",
        **machine.more,
    }
    return {
        "Groups": [],
        "Instances": [instance],
        "OwnerId": ACCOUNT_ID,
        "ReservationId": f"r-0c0{machine.number:014x}",
    }


def _asked_for(asked: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    wanted = asked.get("InstanceIds") or ()
    return not wanted or row["Instances"][0]["InstanceId"] in wanted


def _times(value: Hourly, factor: float) -> Hourly:
    if not callable(value):
        return value * factor
    given = value

    def scaled(ago: int) -> float | None:
        found = given(ago)
        return None if found is None else found * factor

    return scaled


def _metrics(machine: Machine) -> Iterator[Metric]:
    yield from machine.metrics
    own = {"InstanceId": machine.identity}
    back = min(HOURS, machine.made_days * 24)
    if machine.cpu is not None:
        cpu = _times(machine.cpu, _SAMPLES)
        yield Metric(machine.region, "AWS/EC2", "CPUUtilization", own, cpu, "Percent", _SAMPLES, machine.peak, back)
        for name in ("NetworkIn", "NetworkOut"):
            received = _times(machine.mib, _MIB)
            yield Metric(machine.region, "AWS/EC2", name, own, received, "Bytes", _SAMPLES, machine.peak, back)
    if machine.memory is not None:
        dimensions = {**own, **machine.agent}
        memory = _times(machine.memory, _SAMPLES)
        yield Metric(machine.region, "CWAgent", "mem_used_percent", dimensions, memory, "Percent", _SAMPLES, 1.1, back)
    if machine.name == "cmp-type-changed":
        # What the agent wrote before, under the type that it had then.
        ended: Hourly = lambda ago: 12.0 * 30 if ago >= 11 * 24 else None  # noqa: E731
        before = {**own, "InstanceType": "m5.large"}
        yield Metric(machine.region, "CWAgent", "mem_used_percent", before, ended, "Percent", _SAMPLES, 1.1, back)


def _charges(machines: Iterable[Machine]) -> Iterator[Charge]:
    """Running instances on demand; Spot has no list price."""
    for one in machines:
        if one.stopped is None and one.more.get("InstanceLifecycle") != "spot":
            unit = ec2_instance(one.kind, one.more.get("UsageOperation", "RunInstances"))
            yield Charge(one.region, one.identity, unit, 730, one.made_days, one.tags)


def family(now: datetime) -> Family:
    """Instances, their metrics, and the truth."""
    machines = tuple(_machines(now))
    rows: dict[str, list[dict[str, Any]]] = {US: [], EU: []}
    for machine in machines:
        rows[machine.region].append(_row(machine, now))
    return Family(
        rows=(Rows("ec2", "DescribeInstances", "Reservations", rows, _asked_for),),
        metrics=tuple(metric for machine in machines for metric in _metrics(machine)),
        charges=list(_charges(machines)),
        cases=cases(),
    )
