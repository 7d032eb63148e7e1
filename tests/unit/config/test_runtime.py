"""Randomness that is fetched in pieces: as wide, as various and as separate as that which is fetched each time."""

from __future__ import annotations

import os

from tenuto_server.config.runtime import PooledRandom, Runtime


def test_numbers_have_the_bits_that_were_asked_for() -> None:
    random = PooledRandom()
    for bits in (1, 7, 8, 63, 128, 20_000, 40_000):
        numbers = [random.getrandbits(bits) for _ in range(200)]
        assert all(0 <= number < 1 << bits for number in numbers)
        assert max(number.bit_length() for number in numbers) > bits - 8
    assert random.getrandbits(0) == 0
    assert sorted({random.randrange(3) for _ in range(200)}) == [0, 1, 2]


def test_no_piece_is_used_twice() -> None:
    runtime = Runtime()
    assert len({runtime.new_id() for _ in range(5_000)}) == 5_000


def test_a_forked_child_draws_other_numbers() -> None:
    random = PooledRandom()
    random.getrandbits(8)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, random.getrandbits(128).to_bytes(16, "big"))
        os._exit(0)
    os.waitpid(child, 0)
    drawn = os.read(reading, 16)
    os.close(reading)
    os.close(writing)
    assert drawn != random.getrandbits(128).to_bytes(16, "big")
