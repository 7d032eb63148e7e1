"""Which shard a workflow belongs to: a fixed hash, so that a stored workflow is found again for ever. Pure."""

from __future__ import annotations

import hashlib


def shard_of(domain_id: str, workflow_id: str, shard_count: int) -> int:
    """The shard, 0 <= shard < shard_count, of every run of this workflow id. `shard_count` is fixed for the cluster's
    life.

    The first 8 bytes of BLAKE2b over domain id, a zero byte and workflow id (UTF-8), as a big-endian number, modulo
    `shard_count`. Domain ids are the server's own UUIDs and hold no zero byte, so no two pairs are written alike.
    """
    digest = hashlib.blake2b(f"{domain_id}\0{workflow_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % shard_count
