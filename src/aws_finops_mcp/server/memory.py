"""What the garbage collector need not look at."""

from __future__ import annotations

import atexit
import gc


def settle_memory() -> None:
    """Take all that is loaded by now out of the garbage collector's rounds, until the next call.

    Code, models of tools and AWS's shapes live as long as the program: some 140,000 objects that each full round would
    walk while an answer of thousands of resources is made (40 % of its processor time for 3,000 volumes).
    Before a fork it also leaves the pages that workers share untouched: https://docs.python.org/3/library/gc.html#gc.freeze
    """
    atexit.unregister(gc.unfreeze)
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # what a library frees when the program ends must be found then
