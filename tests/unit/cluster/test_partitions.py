"""Names of task list partitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto_server.cluster.partitions import own_partition, partition_name, split_name


@given(st.text(min_size=1).filter(lambda name: not name.startswith("/__cadence_sys/")), st.integers(0, 1000))
def test_a_partition_is_known_by_its_name(task_list: str, partition: int) -> None:
    assert split_name(partition_name(task_list, partition)) == (task_list, partition)


def test_the_root_has_the_name_of_the_list() -> None:
    assert partition_name("orders", 0) == "orders"
    assert partition_name("orders", 3) == "/__cadence_sys/orders/3"


@pytest.mark.parametrize(
    "name",
    ["", "orders/3", "/__cadence_sys/orders", "/__cadence_sys//3", "/__cadence_sys/orders/0", "/__cadence_sys/orders/x"],
)
def test_other_names_are_lists_of_their_own(name: str) -> None:
    assert split_name(name) == (name, 0)


def test_workflows_spread_over_the_partitions() -> None:
    own = [own_partition(f"order-{number}", 4) for number in range(400)]
    assert {own.count(partition) > 60 for partition in range(4)} == {True}
