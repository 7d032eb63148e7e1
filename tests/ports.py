"""Ports for the servers that tests start."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence

# Below what operating systems give to outgoing connections (from 32,768 on Linux): nobody gets one of these by chance between the
# look and the server's start.
_PORTS = range(15_000, 31_000)
# Test processes that run side by side look at different places.
_chance = random.SystemRandom()


def free_port(addresses: Sequence[str] = ("127.0.0.1",), count: int = 1) -> int:
    """The first of `count` ports in a row that nobody has on any of these addresses."""
    while True:
        first = _chance.randrange(_PORTS.start, _PORTS.stop - count)
        if all(_is_free(address, first + number) for address in addresses for number in range(count)):
            return first


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
