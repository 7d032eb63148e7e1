"""The partitions of a task list: how they are named, and which one a task or a poll goes to.

A busy task list may be split over several matching processes. Partition 0, the root, has the list's own name; the others have
names in a space that no user's list can have. A task first tries the partition of its workflow, where it stays only if a poll
waits there; else it goes to the root; only if the root is full does it wait in its own partition. A poll goes to a partition by
chance and, finding nothing there, is passed on to the root. So with few tasks or few polls all meet at the root, and with many
of both each partition works for itself.
"""

from __future__ import annotations

import enum
import zlib

RESERVED_PREFIX = "/__cadence_sys/"


class Turn(enum.IntEnum):
    """What a task tries next."""

    OWN_IF_POLLED = 0
    ROOT = 1
    OWN = 2


def partition_name(task_list: str, partition: int) -> str:
    """The name of a partition of the task list."""
    return f"{RESERVED_PREFIX}{task_list}/{partition}" if partition else task_list


def split_name(name: str) -> tuple[str, int]:
    """The task list and the number of the partition of that name."""
    if name.startswith(RESERVED_PREFIX):
        task_list, slash, number = name.removeprefix(RESERVED_PREFIX).rpartition("/")
        if slash and task_list and number.isascii() and number.isdigit() and number[0] != "0":
            return task_list, int(number)
    return name, 0


def own_partition(workflow_id: str, count: int) -> int:
    """The partition, of `count`, that a workflow's tasks try first."""
    return zlib.crc32(workflow_id.encode()) % count
