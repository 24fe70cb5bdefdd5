"""Stands in for ssh and aws: forwards the local port to $FAKE_SERVER, or says what $FAKE_SAYS has and ends."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path


def local_port() -> int:
    if "--parameters" in sys.argv:
        return int(json.loads(sys.argv[sys.argv.index("--parameters") + 1])["localPortNumber"][0])
    found = re.search(r"localhost:(\d+):127\.0\.0\.1:8000", " ".join(sys.argv))
    assert found
    return int(found[1])


async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while part := await source.read(65536):
            sink.write(part)
            await sink.drain()
    except OSError:
        pass
    sink.close()


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        behind, to_behind = await asyncio.open_connection("127.0.0.1", int(os.environ["FAKE_SERVER"]))
    except OSError:
        print("channel 2: open failed: connect failed: Connection refused", file=sys.stderr, flush=True)
        writer.close()
        return
    await asyncio.gather(copy(reader, to_behind), copy(behind, writer))


async def main() -> None:
    listening = await asyncio.start_server(forward, "127.0.0.1", local_port())
    await listening.serve_forever()


state = Path(os.environ["FAKE_STATE"])
with (state / "runs").open("a") as runs:
    runs.write(json.dumps(sys.argv) + "\n")
(state / "pid").write_text(str(os.getpid()))
says = os.environ.get("FAKE_SAYS", "")
if says and len((state / "runs").read_text().splitlines()) <= int(os.environ.get("FAKE_TIMES", "1000")):
    print(says, file=sys.stderr)
    sys.exit(255)
asyncio.run(main())
