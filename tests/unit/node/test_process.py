"""A process of a cluster, started in the test's own."""

from __future__ import annotations

import asyncio

from tenuto_server.node.process import ServerProcess
from tenuto_server.node.settings import load
from tenuto_server.visibility import query


def test_a_frontend_has_made_the_parser_of_queries_before_it_serves() -> None:
    """It takes a tenth of a second of the event loop: the first caller of a list, and all others, would wait."""
    query._parser.cache_clear()
    process = ServerProcess("frontend", load("", ["store=memory://", "internal.port=0"]))

    async def serve() -> int:
        await process.start()
        made = query._parser.cache_info().currsize
        await process.stop()
        return made

    assert asyncio.run(serve()) == 1
