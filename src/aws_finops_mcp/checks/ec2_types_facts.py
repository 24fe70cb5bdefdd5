"""Which families of instance types follow which, and what burstable types may use for ever.

Sizes, prices and whether a type is of a previous generation are not here: EC2 and the Price List tell them when they
are asked. A family that is missing here has no successor that is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AS_OF: Final = "2026-11-22"
"""When this table was made. Held against moto's copy of EC2's descriptions in part only, and not against EC2 itself."""
UPGRADE_PATHS: Final = "https://aws.amazon.com/ec2/previous-generation/"
GRAVITON_PAGE: Final = "https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-type-specifications.html"

_GENERAL = ("m6a", "m6i", "m7a", "m7i", "m8a", "m8i")
_COMPUTE = ("c6a", "c6i", "c7a", "c7i", "c8a", "c8i")
_MEMORY = ("r6a", "r6i", "r7a", "r7i", "r8a", "r8i")


def _later(families: tuple[str, ...], generation: int) -> tuple[str, ...]:
    return tuple(family for family in families if int(family[1]) > generation)


SUCCESSORS: Final[Mapping[str, tuple[str, ...]]] = {
    # Of the same architecture: nothing has to be built anew. Source: UPGRADE_PATHS, and for families that it does not
    # name yet, the later generations of the same class in GRAVITON_PAGE's tables.
    "t1": ("t3", "t3a"),
    "t2": ("t3", "t3a"),
    **{family: _later(_GENERAL, generation) for family, generation in (("m1", 1), ("m3", 3), ("m4", 4), ("m5", 5))},
    **{family: _later(_GENERAL, generation) for family, generation in (("m5a", 5), ("m6i", 6), ("m6a", 6))},
    **{family: _later(_COMPUTE, generation) for family, generation in (("c1", 1), ("c3", 3), ("c4", 4), ("c5", 5))},
    **{family: _later(_COMPUTE, generation) for family, generation in (("c5a", 5), ("c6i", 6), ("c6a", 6))},
    **{family: _later(_MEMORY, generation) for family, generation in (("m2", 2), ("r3", 3), ("r4", 4), ("r5", 5))},
    **{family: _later(_MEMORY, generation) for family, generation in (("r5a", 5), ("r6i", 6), ("r6a", 6))},
    "m5d": ("m6id", "m8id"),
    "c5d": ("c6id", "c8id"),
    "r5d": ("r6id", "r8id"),
    "i2": ("i3", "i4i", "i7i"),
    "i3": ("i4i", "i7i"),
    "d2": ("d3",),
    "x1": ("x2idn", "x8i"),
    "x1e": ("x2iedn",),
    "a1": ("m6g", "c6g", "m7g", "c7g"),
    "m6g": ("m7g", "m8g"),
    "c6g": ("c7g", "c8g"),
    "r6g": ("r7g", "r8g"),
    "r7g": ("r8g", "r9g"),
}
"""By family, those that take its place."""

GRAVITON: Final[Mapping[str, tuple[str, ...]]] = {
    # AWS's own processors, of the same memory by vCPU. Source: GRAVITON_PAGE.
    **dict.fromkeys(("t1", "t2", "t3", "t3a"), ("t4g",)),
    **dict.fromkeys(
        ("m1", "m3", "m4", "m5", "m5a", "m6i", "m6a", "m7i", "m7a", "m8i", "m8a", "m7i-flex", "m8i-flex"),
        ("m6g", "m7g", "m8g", "m9g"),
    ),
    **dict.fromkeys(
        ("c1", "c3", "c4", "c5", "c5a", "c6i", "c6a", "c7i", "c7a", "c8i", "c8a", "c7i-flex", "c8i-flex"),
        ("c6g", "c7g", "c8g", "c9g"),
    ),
    **dict.fromkeys(
        ("m2", "r3", "r4", "r5", "r5a", "r6i", "r6a", "r7i", "r7a", "r8i", "r8a", "r8i-flex"),
        ("r6g", "r7g", "r8g", "r9g"),
    ),
    **dict.fromkeys(("m5d", "m5ad", "m6id"), ("m6gd", "m7gd", "m8gd")),
    **dict.fromkeys(("c5d", "c5ad", "c6id"), ("c6gd", "c7gd", "c8gd")),
    **dict.fromkeys(("r5d", "r5ad", "r6id"), ("r6gd", "r7gd", "r8gd")),
    **dict.fromkeys(("c5n", "c6in"), ("c6gn", "c7gn", "c8gn")),
    **dict.fromkeys(("i3", "i4i"), ("i4g", "i8g")),
}
"""By family of x86 processors, those of Arm processors that may take its place once the software is built for them."""

_T3 = {"nano": 5.0, "micro": 10.0, "small": 20.0, "medium": 20.0, "large": 30.0, "xlarge": 40.0, "2xlarge": 40.0}
_T2 = {"nano": 5.0, "micro": 10.0, "small": 20.0, "medium": 20.0, "large": 30.0, "xlarge": 22.5, "2xlarge": 17.0}

BURSTABLE_BASELINE: Final[Mapping[str, float]] = {
    **{f"{family}.{size}": percent for family in ("t3", "t3a", "t4g") for size, percent in _T3.items()},
    **{f"t2.{size}": percent for size, percent in _T2.items()},
    "t1.micro": 10.0,
}
"""Percent of each vCPU, by type, as known; the page was not read again for this table:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html
(t1.micro is not in it: the figure is that of t2.micro)."""
