"""The tables of the benchmark of AWS calls, and what must be known to read them."""

from __future__ import annotations

from collections.abc import Sequence

from targets import Row, kib_a_resource, steps

COLUMNS = (
    "resources", "idle", "calls ours", "calls bound", "ratio", "first", "with first", "calls field", "s ours",
    "s bound", "ratio", "s field", "times faster", "MiB ours", "MiB bound",
)  # fmt: skip
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def row(one: Row) -> str:
    """One line of the table."""
    own, least, each = one.ours, one.bound, one.field
    cells = [
        f"{one.size:,} {one.kind}",
        f"{own['idle']:,}",
        f"{own['calls']:.0f}",
        f"{least['calls']:.0f}",
        f"{one.calls:.2f}",
        f"+{own.get('first', 0):.0f}",
        f"{one.calls_with_first:.2f}",
        f"{each['calls']:.0f}" if each else "pages",
        f"{own['seconds']:.2f}",
        f"{least['seconds']:.2f}",
        f"{one.seconds:.2f}",
        f"{each['seconds']:.1f}" if each else "",
        f"{one.faster:.0f}" if one.faster is not None else "",
        f"{own['peak_mib']:.0f}",
        f"{least['peak_mib']:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def growth(rows: Sequence[Row]) -> str:
    """How calls, time and memory of ours grow with the resources."""
    names = ("kind", "from", "to", "resources", "calls", "s", "MiB", "KiB a resource", "MiB bound")
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for small, large in steps(rows):
        cells = [
            small.kind,
            f"{small.size:,}",
            f"{large.size:,}",
            f"times {large.size / small.size:.0f}",
            f"times {large.ours['calls'] / small.ours['calls']:.1f}",
            f"times {large.ours['seconds'] / small.ours['seconds']:.1f}",
            f"{large.ours['peak_mib'] - small.ours['peak_mib']:+.0f}",
            f"{kib_a_resource(small, large):.1f}",
            f"{large.bound['peak_mib'] - small.bound['peak_mib']:+.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


NOTES = """The checks are those that a caller asks, with their defaults: find_unused_lambda_functions,
find_unused_volumes, find_idle_ebs_volumes, find_unused_log_groups and find_unused_sqs_queues. The bound makes the
reads that their answers hang on: for functions CloudFront's distributions, and two series of the region that tell
whether anything is provisioned; for log groups their tags, the functions that write to them, and the description of
those without events, 50 a call; for queues the subscriptions, event source mappings and tags, and, for each without a
message, its attributes (what waits, how old it is) and the queues whose dead letters it takes: two calls, since AWS
has none for several queues. Tags come by the hundred from GetResources, not from a ListQueueTags for each.

The first answer of a process asks for the account's number, and of a day for the prices of what it found: one to
three calls however many resources there are, which later answers of all workers share. The bound prices nothing, so
they are not in the ratio; `with first` has them in.

The field's calls for each resource are those that its tools make today: functions 1 GetMetricStatistics and, for an
idle one, 1 ListTags; attached volumes 2 GetMetricStatistics; log groups 1 DescribeLogStreams and, for an idle one, 1
DescribeMetricFilters; queues 1 GetQueueAttributes and 2 GetMetricStatistics. One fifth are idle. Unattached volumes
the field lists by pages too, so there is nothing to be faster than.

Where AWS's rates decide: 3,000 functions are 60 pages of 50, at 15 a second after a burst of 15 at least (60 - 15) /
15 = 3.0 s; at the four fifths of the rate that we take, (60 - 15) / 12 = 3.75 s. Log groups are listed by name, 1,000
a page (ListLogGroups): by DescribeLogGroups alone, 60 pages at 10 a second, they would take 5 s. The field's
DescribeLogStreams may be called 25 times a second: 3,000 take 119 s. SQS publishes no rate for its reads; we take at
most 80 a second of each after a burst of 100, the bound as many as eight at once get.

Some 245 MiB are code and AWS's models, loaded before anything is read. Memory grows by what is kept of each resource,
its description, its series and its finding; pages are let go as they come."""
