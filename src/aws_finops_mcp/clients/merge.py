"""Writing a server into a client's own file, beside what is there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from aws_finops_mcp.clients import jsonc
from aws_finops_mcp.clients.client import Configuration

PRIVATE = 0o600


class MergeError(Exception):
    """The file can't be merged into, and was not touched. The message says where it is wrong."""


@dataclass(frozen=True)
class Merged:
    """What a merge did."""

    file: Path
    changed: bool
    backup: Path | None = None


def merge(configuration: Configuration, file: Path) -> Merged:
    """Add the server to a file, or replace the one of the same name; all else in it stays as it is.

    The old file is kept beside it, with the time in its name. Readers see the old file or the new one, never a part.

    Raises:
        MergeError: the file is broken, or can't be read or written.
    """
    try:
        file = file.resolve()  # a link stays a link
        old = file.read_bytes() if file.exists() else None
        text = (old or b"").decode("utf-8-sig")
        change = _in_toml if configuration.client.language == "toml" else _in_json
        new = change(configuration, text) if text.strip() else configuration.file_text()
        if new == text:
            return Merged(file, changed=False)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        backup = _backup(file, old) if old is not None else None
        write_private(file, new.encode())
    except UnicodeDecodeError as error:
        raise MergeError(f"{file}: is not UTF-8 at byte {error.start}; nothing was changed") from None
    except (jsonc.JsoncError, TOMLKitError) as error:
        raise MergeError(f"{file}: {_place(error)}; nothing was changed") from None
    except OSError as error:
        raise MergeError(f"{error.filename or file}: {error.strerror}") from None
    return Merged(file, changed=True, backup=backup)


def write_private(file: Path, content: bytes) -> None:
    """Replace a file by one that only its owner may read, at once."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _backup(file: Path, content: bytes) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    backup = file.with_name(f"{file.name}.{stamp}.bak")
    write_private(backup, content)
    return backup


def _in_json(configuration: Configuration, text: str) -> str:
    client, name = configuration.client, configuration.target.name
    root = _an_object(jsonc.parse(text), "the file")
    servers = root.members.get(client.servers)
    if servers is None:
        text = jsonc.with_member(text, root, client.servers, {name: configuration.entry})
    elif _an_object(servers, client.servers).value.get(name) != configuration.entry:
        text = jsonc.with_member(text, servers, name, configuration.entry)
    for entry in configuration.inputs:
        root = jsonc.parse(text)
        inputs = root.members.get("inputs")
        if inputs is None:
            text = jsonc.with_member(text, root, "inputs", [entry])
        elif not isinstance(inputs.value, list):
            raise jsonc.JsoncError("inputs: must be an array")
        elif entry["id"] not in [item.get("id") for item in inputs.value if isinstance(item, dict)]:
            text = jsonc.with_item(text, inputs, entry)
    return text


def _an_object(node: jsonc.Node, what: str) -> jsonc.Node:
    if not isinstance(node.value, dict):
        raise jsonc.JsoncError(f"{what}: must be an object in braces")
    return node


def _in_toml(configuration: Configuration, text: str) -> str:
    document = tomlkit.parse(text)
    servers: Any = document.setdefault(configuration.client.servers, tomlkit.table(is_super_table=True))
    if not isinstance(servers, dict):
        raise jsonc.JsoncError(f"{configuration.client.servers}: must be a table")
    if servers.get(configuration.target.name) != configuration.entry:
        servers[configuration.target.name] = configuration.entry
    return tomlkit.dumps(document)


def _place(error: Exception) -> str:
    return str(error).replace(" at line", ": line").replace(" col ", ", column ")
