"""A process that appends to the log "log" of a SQLite file until it is killed, for `test_sqlite_processes`.

Usage: python -m tests.unit.persistence.appender FILE FIRST_SEQ LANES. Each acknowledged sequence number is a line on
standard output, written before the next append of its lane begins. LANES appends are in flight at a time.
"""

from __future__ import annotations

import asyncio
import os
import sys

from tenuto_server.persistence.sqlite import SqliteStore


def body(seq: int) -> bytes:
    """What row `seq` holds: enough for overflow pages."""
    return b"%d " % seq * 1500


async def _main(path: str, first: int, lanes: int) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.create_log("log")

    async def lane(number: int) -> None:
        seq = first + number
        while True:
            await store.append("log", seq, body(seq))
            os.write(1, b"%d\n" % seq)
            seq += lanes

    await asyncio.gather(*[lane(number) for number in range(lanes)])


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
