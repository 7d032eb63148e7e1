"""Which writes go together in one request."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

import pytest

from tenuto_server.persistence.cassandra.session import Bound, Statement
from tenuto_server.persistence.cassandra.writing import Write, plan, together
from tenuto_server.persistence.interface import StoreUnavailable

PUT = Statement("put", "INSERT INTO t (a) VALUES (?)")


def write(number: int, partition: Hashable, size: int = 10) -> Write:
    return Write(Bound(PUT, (number,)), partition, size)


def planned(writes: list[Write]) -> list[list[int]]:
    return [[bound.parameters[0] for bound in request] for request in plan(writes)]


def test_nothing_is_no_request() -> None:
    assert planned([]) == []


def test_small_rows_of_several_partitions_go_together_ten_at_most() -> None:
    assert planned([write(n, n) for n in range(25)]) == [list(range(10)), list(range(10, 20)), list(range(20, 25))]


def test_rows_of_one_partition_go_together_wherever_they_stand() -> None:
    assert planned([write(0, "a", 3000), write(1, "b", 3000), write(2, "a", 3000), write(3, "b", 3000)]) == [[0, 2], [1, 3]]


def test_several_partitions_stay_below_the_warning_of_five_kilobytes() -> None:
    sizes = [1500, 1500, 1500, 100, 4000, 200]
    requests = planned([write(n, n, size) for n, size in enumerate(sizes)])
    assert requests == [[0, 1], [2, 3], [4], [5]]
    assert all(sum(sizes[n] for n in request) < 5000 for request in requests)


def test_a_large_row_goes_alone_and_takes_no_other_with_it() -> None:
    assert planned([write(0, "a"), write(1, "b", 1 << 20), write(2, "c")]) == [[1], [0, 2]]


def test_many_rows_of_one_partition_are_split_by_count_and_by_bytes() -> None:
    by_count = planned([write(n, "a", 100) for n in range(450)])
    assert [len(request) for request in by_count] == [200, 200, 50]
    assert [n for request in by_count for n in request] == list(range(450))
    by_size = planned([write(n, "a", 200 << 10) for n in range(5)])
    assert by_size == [[0, 1], [2, 3], [4]]


def test_the_first_failure_is_told_when_all_have_ended() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        ended.append(number)
        if number % 2:
            raise StoreUnavailable(str(number))

    async def run() -> None:
        await together([])
        await together([work(0)])
        await together([work(number) for number in (2, 3, 4, 5)])

    with pytest.raises(StoreUnavailable, match="3"):
        asyncio.run(run())
    assert sorted(ended) == [0, 2, 3, 4, 5]
