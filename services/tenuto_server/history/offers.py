"""Offers of waiting tasks to matching, and the backlog behind them.

History holds the truth: a scheduled, not yet started task is in its run's state. Here it is only an id that waits for a poller. A
task is `added` when it is scheduled, then on offer at the matching process that owns its task list, and `done` when it starts or
turns out not to wait any more. It may be on offer before its schedule is durable; who asks for it then waits. Matching keeps
nothing: when its process goes, or the ring gives the list to another, or its buffer is full, the task is offered again; and now
and then all that is on offer, in case a loss went unnoticed. A list has a bounded number of tasks on offer; the rest waits here,
oldest first, and moves up as tasks are taken. Where a list has partitions (`cluster/partitions`) each task is offered to one of
them at a time.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import NamedTuple

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.cluster.partitions import Turn, own_partition, partition_name
from tenuto_server.cluster.router import Router
from tenuto_server.config.live import LiveSettings
from tenuto_server.history.engine.tasks import Dispatch, TaskKind
from tenuto_server.history.settings import HistorySettings
from tenuto_server.transport.network import Network

_TASK_TYPES = {TaskKind.DECISION: internal.TASK_TYPE_DECISION, TaskKind.ACTIVITY: internal.TASK_TYPE_ACTIVITY}


class TaskKey(NamedTuple):
    """Names a task that waits."""

    domain_id: str
    workflow_id: str
    run_id: str
    kind: TaskKind
    schedule_id: int
    attempt: int


class _Place(NamedTuple):
    """Where a task is on offer: the partition's name, the process that owns it, and which try this was."""

    name: str
    address: str
    turn: Turn


class _Sent(NamedTuple):
    """An offer under way."""

    task_list: _List
    scheduled_ns: int
    key: TaskKey
    place: _Place
    trace: str


class _List:
    """What waits for one task list: `backlog` not on offer, oldest first; `offered` on offer; `waiting` counts both; `turns`
    says of some what they try next.

    The backlog may also hold keys that do not wait any more; they are passed over."""

    __slots__ = ("backlog", "domain_id", "kind", "name", "offered", "retry_at", "sticky", "told", "turns", "waiting")

    def __init__(self, domain_id: str, name: str, kind: TaskKind, sticky: bool) -> None:
        self.domain_id = domain_id
        self.name = name
        self.kind = kind
        self.sticky = sticky
        self.backlog: list[tuple[int, TaskKey]] = []
        self.offered: dict[TaskKey, _Place] = {}
        self.turns: dict[TaskKey, Turn] = {}
        self.retry_at = 0.0
        self.waiting = 0
        # How many tasks beside those on offer matching knows to wait here.
        self.told = 0


class Offers:
    """All waiting tasks of one history process. `on_no_sticky_poller(key)` is told of decisions that wait on a list which
    nobody polls any more; `partitions(domain_id, task_list, kind)` says over how many partitions a list is spread."""

    def __init__(
        self,
        network: Network,
        router: Router,
        address: str,
        settings: HistorySettings | LiveSettings[HistorySettings],
        on_no_sticky_poller: Callable[[TaskKey], None],
        partitions: Callable[[str, str, TaskKind], int],
    ) -> None:
        self._network = network
        self._router = router
        self._address = address
        self._live = LiveSettings.of(settings, "history")
        self._on_no_sticky_poller = on_no_sticky_poller
        self._partitions = partitions
        self._lists: dict[tuple[str, str, TaskKind, bool], _List] = {}
        # The list, when it was scheduled, and its trace context.
        self._waiting: dict[TaskKey, tuple[_List, int, str]] = {}
        self._ready: dict[_List, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flush_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._repeat_timer: asyncio.TimerHandle | None = None
        self._stopped = False
        network.on_lost(self._lost)
        router.on_change(self._moved)

    @property
    def _settings(self) -> HistorySettings:
        return self._live.current

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: TaskKey) -> bool:
        return key in self._waiting

    def add(self, key: TaskKey, dispatch: Dispatch) -> None:
        """The task waits from now on. Adding it again changes nothing, but that it may wait on another list than before."""
        if self._stopped:
            return
        name = (key.domain_id, dispatch.task_list, dispatch.kind, dispatch.sticky)
        task_list = self._lists.get(name)
        waiting = self._waiting.get(key)
        if waiting is not None:
            if waiting[0] is task_list:
                return
            self.done(key)
        if task_list is None:
            task_list = self._lists[name] = _List(*name)
        task_list.waiting += 1
        self._waiting[key] = (task_list, dispatch.scheduled_ns, dispatch.trace)
        if self._repeat_timer is None:
            self._repeat_timer = asyncio.get_running_loop().call_later(self._settings.offer_repeat, self._repeat)
        heapq.heappush(task_list.backlog, (dispatch.scheduled_ns, key))
        self._schedule(task_list)

    def done(self, key: TaskKey) -> None:
        """The task does not wait any more: it started, or its time has passed."""
        waiting = self._waiting.pop(key, None)
        if waiting is None:
            return
        task_list = waiting[0]
        task_list.waiting -= 1
        task_list.turns.pop(key, None)
        was_offered = task_list.offered.pop(key, None) is not None
        if not task_list.waiting:
            self._lists.pop((task_list.domain_id, task_list.name, task_list.kind, task_list.sticky), None)
            self._ready.pop(task_list, None)
        elif was_offered and task_list.backlog:
            task_list.retry_at = 0.0
            self._schedule(task_list)

    def waiting(self) -> list[tuple[str, str, TaskKind, bool, int]]:
        """How many tasks wait: domain id, list, type, whether the list is sticky, and their number."""
        return [(one.domain_id, one.name, one.kind, one.sticky, one.waiting) for one in self._lists.values()]

    def clear(self) -> None:
        """Forgets everything: the process lost its shards."""
        self._lists.clear()
        self._waiting.clear()
        self._ready.clear()

    def forget(self, is_lost: Callable[[TaskKey], bool]) -> None:
        """Forgets the tasks that another process looks after now."""
        for key in [key for key in self._waiting if is_lost(key)]:
            self.done(key)

    def kill(self) -> None:
        """Stops at once."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        for timer in (self._timer, self._repeat_timer):
            if timer is not None:
                timer.cancel()
        self.clear()

    def _schedule(self, task_list: _List) -> None:
        self._ready[task_list] = None
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Sends what is ready, one call a matching process."""
        self._flush_due = False
        if self._stopped:
            return
        now = asyncio.get_running_loop().time()
        ready, self._ready = self._ready, {}
        sending: dict[str, list[_Sent]] = {}
        backlogs: dict[str, list[internal.ListBacklog]] = {}
        for task_list in ready:
            if task_list.retry_at > now:
                self._retry_later(task_list)
                continue
            try:
                self._take(task_list, sending)
                self._tell(task_list, backlogs)
            except errors.Unavailable:
                task_list.retry_at = now + self._settings.offer_retry
                self._retry_later(task_list)
        # In the order of their making: a set of names would have another in every process.
        for address in dict.fromkeys([*sending, *backlogs]):
            work = self._send(address, sending.get(address, []), backlogs.get(address, []))
            task = asyncio.get_running_loop().create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self, task_list: _List, sending: dict[str, list[_Sent]]) -> None:
        """Moves tasks from the backlog to those on offer. Raises Unavailable where nobody owns the list."""
        partitions = 1 if task_list.sticky else self._partitions(task_list.domain_id, task_list.name, task_list.kind)
        root = self._place(task_list, task_list.name, Turn.ROOT)
        while task_list.backlog and len(task_list.offered) < self._settings.offers_max:
            scheduled_ns, key = heapq.heappop(task_list.backlog)
            if key not in task_list.offered and self._waits_on(key, task_list):
                place = root if partitions == 1 else self._partition(task_list, key, root, partitions)
                task_list.offered[key] = place
                sent = _Sent(task_list, scheduled_ns, key, place, self._waiting[key][2])
                sending.setdefault(place.address, []).append(sent)

    def _partition(self, task_list: _List, key: TaskKey, root: _Place, partitions: int) -> _Place:
        turn = task_list.turns.get(key, Turn.OWN_IF_POLLED)
        own = own_partition(key.workflow_id, partitions)
        if turn is Turn.ROOT or own == 0:
            return root
        return self._place(task_list, partition_name(task_list.name, own), turn)

    def _place(self, task_list: _List, name: str, turn: Turn) -> _Place:
        return _Place(name, self._router.matching_address(task_list.domain_id, name, int(task_list.kind)), turn)

    def _tell(self, task_list: _List, backlogs: dict[str, list[internal.ListBacklog]]) -> None:
        """Notes how many tasks wait here, for those who describe the list."""
        waiting = task_list.waiting - len(task_list.offered)
        if waiting == task_list.told or task_list.sticky:
            return
        task_list.told = waiting
        address = self._place(task_list, task_list.name, Turn.ROOT).address
        backlogs.setdefault(address, []).append(
            internal.ListBacklog(
                domain_id=task_list.domain_id, task_list=task_list.name, type=_TASK_TYPES[task_list.kind], waiting=waiting
            )
        )

    def _waits_on(self, key: TaskKey, task_list: _List) -> bool:
        waiting = self._waiting.get(key)
        return waiting is not None and waiting[0] is task_list

    async def _send(self, address: str, offers: list[_Sent], backlogs: list[internal.ListBacklog]) -> None:
        request = internal.OfferTasksRequest(
            history_address=self._address, offers=[_offer(sent) for sent in offers], backlogs=backlogs
        )
        try:
            answer = await self._network.call(address, "OfferTasks", request.SerializeToString(), 5.0)
        except errors.ServiceError:
            # Whether matching holds them is unknown; a task that is offered twice starts once all the same.
            for sent in offers:
                self._refused(sent)
            return
        outcomes = internal.OfferTasksResponse.FromString(answer).outcomes
        for sent, outcome in zip(offers, outcomes, strict=True):
            if outcome != internal.OFFER_OUTCOME_ACCEPTED:
                self._not_accepted(sent, outcome)

    def _not_accepted(self, sent: _Sent, outcome: internal.OfferOutcome) -> None:
        task_list, key = sent.task_list, sent.key
        if outcome == internal.OFFER_OUTCOME_NO_STICKY_POLLER:
            if self._waits_on(key, task_list):
                self.done(key)
                self._on_no_sticky_poller(key)
        elif outcome == internal.OFFER_OUTCOME_NO_POLLER:
            if task_list.offered.get(key) == sent.place:
                del task_list.offered[key]
                task_list.turns[key] = Turn.ROOT
                heapq.heappush(task_list.backlog, (sent.scheduled_ns, key))
                self._schedule(task_list)
        else:
            self._refused(sent)

    def _refused(self, sent: _Sent) -> None:
        """Offers the task again after a while; one that found the root full then waits in its own partition."""
        task_list, key = sent.task_list, sent.key
        if task_list.offered.get(key) != sent.place:
            return
        del task_list.offered[key]
        if key in task_list.turns:
            task_list.turns[key] = Turn.OWN if sent.place.turn is Turn.ROOT else Turn.ROOT
        heapq.heappush(task_list.backlog, (sent.scheduled_ns, key))
        task_list.retry_at = asyncio.get_running_loop().time() + self._settings.offer_retry
        self._retry_later(task_list)

    def _retry_later(self, task_list: _List) -> None:
        """One timer serves all lists that wait for another try."""
        self._ready[task_list] = None
        if self._timer is None and not self._stopped:
            self._timer = asyncio.get_running_loop().call_later(self._settings.offer_retry, self._retry)

    def _retry(self) -> None:
        self._timer = None
        if not self._flush_due:
            self._flush()

    def _repeat(self) -> None:
        """Offers again what has been on offer for long: whoever holds it holds it once."""
        self._repeat_timer = None
        for task_list in self._lists.values():
            self._take_back(task_list, list(task_list.offered))
        if self._waiting:
            self._repeat_timer = asyncio.get_running_loop().call_later(self._settings.offer_repeat, self._repeat)

    def _lost(self, address: str) -> None:
        """A link broke: what was on offer there is offered again, once someone is there."""
        for task_list in self._lists.values():
            task_list.told = 0
            self._take_back(task_list, [key for key, place in task_list.offered.items() if place.address == address])

    def _moved(self) -> None:
        """The ring changed: lists that belong elsewhere now are offered there."""
        for task_list in self._lists.values():
            try:
                moved = [
                    key
                    for key, place in task_list.offered.items()
                    if self._place(task_list, place.name, place.turn) != place
                ]
            except errors.Unavailable:
                continue
            # Its new owner knows nothing of the backlog.
            task_list.told = 0
            self._take_back(task_list, moved)

    def _take_back(self, task_list: _List, keys: list[TaskKey]) -> None:
        if self._stopped or not keys:
            return
        for key in keys:
            del task_list.offered[key]
            heapq.heappush(task_list.backlog, (self._waiting[key][1], key))
        task_list.retry_at = asyncio.get_running_loop().time() + self._settings.offer_retry
        self._retry_later(task_list)


def _offer(sent: _Sent) -> internal.TaskOffer:
    task_list, key, place = sent.task_list, sent.key, sent.place
    return internal.TaskOffer(
        task=internal.TaskRef(
            domain_id=key.domain_id,
            workflow_id=key.workflow_id,
            run_id=key.run_id,
            type=_TASK_TYPES[key.kind],
            schedule_id=key.schedule_id,
            attempt=key.attempt,
        ),
        task_list=place.name,
        kind=api.TASK_LIST_KIND_STICKY if task_list.sticky else api.TASK_LIST_KIND_NORMAL,
        scheduled_ns=sent.scheduled_ns,
        only_if_polled=place.turn is Turn.OWN_IF_POLLED,
        traceparent=sent.trace,
    )
