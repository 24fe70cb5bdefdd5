"""What no check looks at, though others ask for it, and why: for the page of checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

NOT_CHECKED: Final[Mapping[str, str]] = {
    "bytes between zones of instances and databases": "CloudWatch measures no bytes by pair of zones: not read. NAT "
    "gateways and load balancers, whose bytes it measures, have checks; what the bill says of all is told by "
    "`analyze_data_transfer_costs`",
    "SageMaker notebooks and Studio apps": "they publish no metric of use: not read. That one runs says nothing of "
    "whether somebody works with it",
    "WorkSpaces": "what one costs hangs on bundle, licence and running mode, which no call gives in the Price List's "
    "words: without a price nothing would be ranked. AWS's own Cost Optimizer for WorkSpaces switches them by use",
    "candidates for Spot": "whether work bears to be interrupted is not to be seen from outside, and Spot's price is a "
    "market's: no list price of a month can be named",
    "CloudTrail data events": "AWS tells their number neither by trail nor by selector: not read. "
    "`find_duplicate_cloudtrail_trails` tells which trails record some, `get_costs` by usage type what they cost",
    "FSx's own backups": "they are incremental, and FSx tells of each the size of its file system alone. Those that "
    "AWS Backup makes are in `find_backups_kept_too_long`",
    "EMR and Glue": "no check yet of EMR, where AWS/ElasticMapReduce IsIdle would tell; Glue is billed by a job's "
    "seconds, and costs nothing at rest",
}
"""By what is not looked at."""


def section() -> Iterator[str]:
    """The part of the page, as lines of Markdown."""
    yield from ("## Not checked", "", "| what | why |", "|---|---|")
    yield from (f"| {what} | {why} |" for what, why in NOT_CHECKED.items())
