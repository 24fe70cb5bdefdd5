"""What a timer does beside the server: caches give back what nobody needs, and somebody is told of a full disk."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from aws_finops_mcp.audits.store import FILE as ANSWERS
from aws_finops_mcp.audits.store import AnswerStore
from aws_finops_mcp.costs.cache import FILE as BILLING
from aws_finops_mcp.costs.cache import BillingCache
from aws_finops_mcp.prices.cache import FILE as PRICES
from aws_finops_mcp.prices.cache import PriceCache
from aws_finops_mcp.settings import Settings

log = logging.getLogger("aws_finops_mcp.maintenance")

MIB = 1 << 20
WRITTEN = ("STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY")
"""systemd's names of the directories of a service."""


def maintain(settings: Settings, free_mib: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Prune the caches and look at the disks; False when somebody should look too."""
    cache = settings.mcp_cache_dir
    pruned = [
        _prune(cache and cache / PRICES, PriceCache(cache).prune, "prices"),
        _prune(cache and cache / ANSWERS, AnswerStore(cache).prune, "answers"),
        _prune(cache and cache / BILLING, BillingCache(cache).prune, "billing answers"),
    ]
    roomy = [_room(directory, free_mib) for directory in _directories(settings, environment)]
    return all(pruned + roomy)


def _prune(file: Path | None, prune: Callable[[], int], what: str) -> bool:
    """Prune a cache. One that cannot even be made smaller is removed: it holds nothing that cannot be had again."""
    try:
        went = prune()
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            log.info("the cache of %s is in use, it is pruned next time: %s", what, file)
            return True
        log.warning("the cache of %s cannot be pruned and is removed: %s: %s", what, file, error)
        return file is not None and _remove(file)
    log.info("removed %d %s that nobody can use any more: %s", went, what, file)
    return True


def _remove(file: Path) -> bool:
    try:
        for part in (file, file.with_name(f"{file.name}-journal")):
            part.unlink(missing_ok=True)
    except OSError as error:
        log.error("%s: %s", file, error.strerror)
        return False
    return True


def _directories(settings: Settings, environment: Mapping[str, str]) -> Iterator[Path]:
    """Where the server writes, each once."""
    named = [part for name in WRITTEN for part in environment.get(name, "").split(":") if part]
    given = [settings.mcp_cache_dir, settings.mcp_log_file and settings.mcp_log_file.parent]
    found = dict.fromkeys([*(Path(name) for name in named), *(path for path in given if path)])
    return (directory for directory in found if directory.is_dir())


def _room(directory: Path, free_mib: int) -> bool:
    usage = shutil.disk_usage(directory)
    free = usage.free // MIB
    enough = free >= free_mib
    log.log(
        logging.INFO if enough else logging.ERROR,
        "%s: %d MiB free of %d%s",
        directory,
        free,
        usage.total // MIB,
        "" if enough else f", below the {free_mib} that should be: make room, or give it a larger disk",
    )
    return enough
