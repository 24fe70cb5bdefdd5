"""`ansible-playbook` that does once what it does in every run, packing modules, and in every task, loading filters.

    python packed_playbook.py DIRECTORY ARGUMENTS

What it packs it keeps in a directory of the run, which is this one here: for runs of the same Ansible.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from ansible import constants  # type: ignore[import-untyped]
from ansible.cli.playbook import PlaybookCLI  # type: ignore[import-untyped]
from ansible.plugins.loader import filter_loader, test_loader  # type: ignore[import-untyped]

if __name__ == "__main__":
    # A run ends before there is much to collect.
    gc.disable()
    packed = Path(sys.argv.pop(1))
    packed.mkdir(exist_ok=True)
    (Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache").symlink_to(packed)
    # What is loaded here, the processes of its tasks have.
    for loader in (filter_loader, test_loader):
        list(loader.all())
    PlaybookCLI.cli_executor()
