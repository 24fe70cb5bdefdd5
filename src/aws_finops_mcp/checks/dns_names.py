"""What points at the DNS name of a resource: records of the account's zones, and origins of its distributions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Facts
from aws_finops_mcp.checks.reads import DISTRIBUTIONS_FROM_ANYWHERE, HOSTED_ZONES, record_sets

OWN_RECORDS = 2
"""A zone with no more has its name servers and its start of authority, which point at nothing of ours."""

RECORDS = "route53:ListResourceRecordSets"
NAMED_BY = "records of the account's Route 53 zones; firewalls that allow it by number are not to be seen"
"""Of an address."""

REFERRERS = "records of the account's Route 53 zones, origins of its CloudFront distributions"


def pointer_reads(facts: Facts) -> Iterator[Read]:
    """The reads that `pointers` needs; `facts` has the hosted zones."""
    yield DISTRIBUTIONS_FROM_ANYWHERE
    yield from record_reads(facts)


def record_reads(facts: Facts) -> Iterator[Read]:
    """The records of every zone that has some."""
    zones = facts.maybe(HOSTED_ZONES) or ()
    return (
        record_sets(zone["Id"]) for zone in zones if zone.get("ResourceRecordSetCount", OWN_RECORDS + 1) > OWN_RECORDS
    )


def pointers(facts: Facts) -> Mapping[str, list[str]]:
    """By DNS name: what points at it, as far as it could be read."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, record in _records(facts):
        found[plain(name)].append(record)
    if DISTRIBUTIONS_FROM_ANYWHERE in facts.details:
        for distribution in facts.maybe(DISTRIBUTIONS_FROM_ANYWHERE) or ():
            for origin in distribution["Origins"].get("Items", ()):
                found[plain(origin["DomainName"])].append(f"CloudFront distribution {distribution['Id']}, origin")
    return found


def _records(facts: Facts) -> Iterator[tuple[str, str]]:
    for read in record_reads(facts):
        for record in (facts.maybe(read) if read in facts.details else None) or ():
            what = f"Route 53 record {record['Name'].rstrip('.')} {record['Type']}"
            alias = record.get("AliasTarget")
            if alias:
                yield alias["DNSName"], f"{what}, alias"
            yield from ((value["Value"], what) for value in record.get("ResourceRecords", ()))


def all_read(facts: Facts, wanted: Iterable[Read]) -> bool:
    """Whether everything was read that may point at something."""
    return facts.maybe(HOSTED_ZONES) is not None and all(facts.maybe(read) is not None for read in wanted)


def plain(name: str) -> str:
    """A DNS name as others write it too."""
    return name.lower().rstrip(".").removeprefix("dualstack.")
