"""OpenSearch domains of the fictional company, and the truth about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric
from aws_finops_mcp.demo.families.support_dates import clock_case, surcharge_of, surcharges
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict
from aws_finops_mcp.prices.databases import opensearch_extended_support, opensearch_instance

_MONTH: Final = 730
_A_CALL: Final = 5


@dataclass(frozen=True)
class Domain:
    """One domain; ``rate`` None: nothing was ever measured of it."""

    name: str
    version: str = "OpenSearch_3.1"
    kind: str = "r6g.large.search"
    count: int = 2
    masters: int = 0
    region: str = US
    rate: float | None = 900.0
    cpu: float = 52.0
    memory: float = 61.0
    size: int = 100
    tags: Mapping[str, str] = field(default_factory=lambda: {"Team": "catalog"})

    @property
    def arn(self) -> str:
        return f"arn:aws:es:{self.region}:{ACCOUNT_ID}:domain/{self.name}"

    def row(self) -> dict[str, Any]:
        """As DescribeDomains has it."""
        config: dict[str, Any] = {
            "InstanceType": self.kind,
            "InstanceCount": self.count,
            "DedicatedMasterEnabled": bool(self.masters),
            "WarmEnabled": False,
        }
        if self.masters:
            config |= {"DedicatedMasterType": "m5.large.search", "DedicatedMasterCount": self.masters}
        return {
            "DomainId": f"{ACCOUNT_ID}/{self.name}",
            "DomainName": self.name,
            "ARN": self.arn,
            "Created": True,
            "Deleted": False,
            "EngineVersion": self.version,
            "ClusterConfig": config,
            "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": self.size},
        }

    def metrics(self) -> Iterator[Metric]:
        """What CloudWatch has of it."""
        if self.rate is None:
            return
        own = {"DomainName": self.name, "ClientId": ACCOUNT_ID}
        for name, value, unit in (
            ("SearchRate", self.rate, "Count"),
            ("IndexingRate", self.rate / 10, "Count"),
            ("CPUUtilization", self.cpu, "Percent"),
            ("JVMMemoryPressure", self.memory, "Percent"),
        ):
            yield Metric(self.region, "AWS/ES", name, own, value * 60, unit)


DOMAINS: Final = (
    Domain("nw-busy"),
    Domain("nw-five", "Elasticsearch_5.6", count=1),
    Domain("nw-kept", rate=0.0, cpu=3.0, memory=30.0, tags={"finops:exempt": "yes"}),
    Domain("nw-legacy", "OpenSearch_2.5"),
    Domain("nw-catalog-old", "OpenSearch_2.5", count=1, rate=0.0, cpu=2.0, memory=30.0),
    Domain("nw-logs-old", "Elasticsearch_7.10", "m5.large.search", 3, rate=0.3, cpu=4.0, memory=38.0),
    Domain("nw-products", "OpenSearch_2.19", "r6g.xlarge.search", masters=3, cpu=12.0, memory=33.0),
    Domain("nw-small", kind="t3.small.search", count=1, rate=20.0, cpu=5.0, memory=30.0),
    Domain("nw-unmeasured", rate=None),
    # The name that is idle in us-east-1 is in use here.
    Domain("nw-logs-old", region=EU),
)


def family(now: datetime) -> Family:
    """Domains, for the checks of OpenSearch."""
    return Family(
        rows=(tag_rows((each.region, each.arn, each.tags) for each in DOMAINS),),
        operations={("opensearch", "ListDomainNames"): _list, ("opensearch", "DescribeDomains"): _describe},
        metrics=[metric for each in DOMAINS for metric in each.metrics()],
        charges=list(_charges(now)),
        cases={
            "find_underutilized_opensearch_domains": (*_USAGE, _idle_and_old(now)),
            "find_outdated_opensearch_versions": _versions(now),
        },
    )


def _charges(now: datetime) -> Iterator[Charge]:
    for one in DOMAINS:
        nodes = [(one.kind, one.count), ("m5.large.search", one.masters)]
        for kind, count in nodes:
            if count:
                yield Charge(one.region, one.arn, opensearch_instance(kind), count * _MONTH, tags=one.tags)
        yield Charge(one.region, one.arn, "opensearch.gp3.storage", one.size * one.count, tags=one.tags)
        ends, dearer_from = {
            "Elasticsearch_5.6": (("2025-11-07", "2028-11-07"), "2028-11-08"),
            "OpenSearch_2.5": (_OLD, _PROLONGED),
        }.get(one.version, (None, ""))
        if ends:
            # All of them are of large instances, which are four units.
            usual = (opensearch_extended_support(), 4.0 * one.count * _MONTH)
            dearer = (opensearch_instance(one.kind), float(one.count * _MONTH))
            yield from surcharges(now, one.region, one.arn, usual, dearer, ends, dearer_from=dearer_from, tags=one.tags)


def _of(region: str) -> list[Domain]:
    return [each for each in DOMAINS if each.region == region]


def _list(call: Call) -> dict[str, Any]:
    own = _of(call.region) if call.account == ACCOUNT_ID else []
    return {"DomainNames": [{"DomainName": each.name, "EngineType": each.version.split("_")[0]} for each in own]}


def _describe(call: Call) -> dict[str, Any]:
    names = list(call.parameters.get("DomainNames") or [])
    if not 1 <= len(names) <= _A_CALL:
        raise AwsError("ValidationException", f"Please provide a maximum of {_A_CALL} domain names to describe.", 400)
    return {"DomainStatusList": [each.row() for each in _of(call.region) if each.name in names]}


_USAGE: Final = (
    Case("nw-logs-old", US, Verdict.IDLE, "nobody searches it", 3 * 0.142 * _MONTH + 3 * 100 * 0.122),
    Case("nw-products", US, Verdict.UNDERUSED, "never above 12% of CPU", 2 * (0.335 - 0.167) * _MONTH),
    Case("nw-busy", US, Verdict.IN_USE, "busy"),
    Case("nw-small", US, Verdict.IN_USE, "hardly used, but there is nothing smaller"),
    Case("nw-unmeasured", US, Verdict.UNKNOWN, "nothing was measured"),
    Case("nw-kept", US, Verdict.EXEMPT, "idle, and tagged so"),
    Case("nw-logs-old", EU, Verdict.IN_USE, "the same name is in use here"),
)


def _idle_and_old(now: datetime) -> Case:
    usd = 0.167 * _MONTH + 100 * 0.122 + surcharge_of(now, *_OLD, (4 * 0.0065 * _MONTH, 0.167 * _MONTH), _PROLONGED)
    return Case("nw-catalog-old", US, Verdict.IDLE, "idle, and out of standard support: both are saved", usd)


_OLD: Final = ("2025-11-07", "2027-11-07")
_PROLONGED: Final = "2026-11-07"


def _versions(now: datetime) -> tuple[Case, ...]:
    """By AWS's published dates."""
    unit = 4 * 0.0065 * _MONTH
    prolonged = (2 * unit, 2 * 0.167 * _MONTH)
    return (
        clock_case("nw-five", US, "a large is four units", now, "2025-11-07", "2028-11-07", (unit, unit)),
        clock_case("nw-legacy", US, "prolonged, at the instance's price", now, *_OLD, prolonged, _PROLONGED),
        clock_case("nw-catalog-old", US, "idle too", now, *_OLD, (unit, prolonged[1] / 2), _PROLONGED),
        clock_case("nw-logs-old", US, "until 2027", now, "2027-11-07", "2030-11-07"),
        clock_case("nw-products", US, "until 2027", now, "2027-11-07", "2030-11-07"),
        Case("nw-busy", US, Verdict.OK, "no end announced"),
        Case("nw-logs-old", EU, Verdict.OK, "no end announced"),
    )
