"""What a matching process counts of itself, and how it describes that with what its task lists know anyway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenuto_api import internal
from tenuto_server.cluster.partitions import split_name
from tenuto_server.matching.lists import ListKey, TaskList
from tenuto_server.matching.matcher import Room
from tenuto_server.telemetry.measures import (
    Durations,
    Family,
    Histogram,
    Kind,
    Sample,
    counter,
    gauge,
    task_list_gauge,
)


class Measured:
    """The numbers that the service adds to."""

    __slots__ = ("calls", "give_ups", "waits")

    def __init__(self) -> None:
        # By method and gRPC status.
        self.calls = Durations()
        # From a task's schedule to its start, by the type of task.
        self.waits: dict[int, Histogram] = {
            internal.TASK_TYPE_DECISION: Histogram(),
            internal.TASK_TYPE_ACTIVITY: Histogram(),
        }
        self.give_ups = 0

    def started(self, key: ListKey, waited_ns: int) -> None:
        """A task of that list was started, so long after its schedule (two clocks: it may be less than nothing)."""
        self.waits[key[2]].observe(max(0, waited_ns) / 1e9)


def measures(own: Measured, lists: Mapping[ListKey, TaskList], room: Room, polls: int) -> Iterator[Family]:
    """All that a matching process shows."""
    yield own.calls.calls("matching")
    yield Family(
        "tenuto_matching_schedule_to_start_seconds",
        Kind.HISTOGRAM,
        "From a task's schedule until it went out to a poller.",
        ("type",),
        [Sample((_type_name(number),), waits) for number, waits in own.waits.items()],
    )
    yield counter("tenuto_matching_give_ups_total", "Tasks whose start history did not answer.", own.give_ups)
    yield gauge("tenuto_matching_task_lists", "Task lists and partitions in memory.", len(lists))
    yield gauge("tenuto_matching_tasks_held", "Tasks that history has offered here.", room.tasks)
    yield gauge("tenuto_matching_polls", "Polls being served.", polls)
    named = [(_labels(one), one) for one in lists.values()]
    backlog = ((labels, float(one.backlog)) for labels, one in named)
    yield task_list_gauge("tenuto_task_list_backlog", "Tasks that wait, here and at history.", backlog)
    waiting = ((labels, float(one.matcher.waiting_polls)) for labels, one in named)
    yield task_list_gauge("tenuto_task_list_polls_waiting", "Polls that wait for a task.", waiting)


def _labels(task_list: TaskList) -> tuple[str, str, str]:
    domain_id, name, number = task_list.key
    # Each sticky list is one worker's, under a name of chance; a partition counts as its list.
    shown = "_sticky" if task_list.sticky else split_name(name)[0]
    return task_list.domain_name or domain_id, shown, _type_name(number)


def _type_name(number: int) -> str:
    return "decision" if number == internal.TASK_TYPE_DECISION else "activity"
