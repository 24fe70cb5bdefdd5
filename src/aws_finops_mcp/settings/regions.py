"""The AWS regions that there are, as botocore knows them."""

from __future__ import annotations

import difflib
from functools import cache

import botocore.loaders


@cache
def known_regions() -> frozenset[str]:
    """The regions that botocore knows, read without a session: that would fail for a profile that there is not."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def known_region(region: str) -> str:
    """Give back `region` if botocore knows it.

    Raises:
        ValueError: naming the nearest known region.
    """
    if region not in known_regions():
        near = difflib.get_close_matches(region, sorted(known_regions()), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "e.g. us-east-1, eu-west-1"
        raise ValueError(f"not an AWS region; {hint}")
    return region


def region_names(region: str) -> tuple[str, ...]:
    """How AWS writes a region: by its code, and by two names, as `Europe (Ireland)` and `EU (Ireland)`."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    name = next((str(one["regions"][region]["description"]) for one in partitions if region in one["regions"]), region)
    return region, name, name.replace("Europe (", "EU (")
