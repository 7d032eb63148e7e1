"""Addresses as people write them."""

from __future__ import annotations


def split_address(address: str) -> tuple[str | None, int]:
    """Host (None: every address) and port of "host:port"; ValueError where it is not that."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError(f"an address is host:port, not {address!r}")
    return host.strip("[]") or None, int(port)
