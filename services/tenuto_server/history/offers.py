"""Offers of waiting tasks to matching, and the backlog behind them.

History holds the truth: a scheduled, not yet started task is in its run's state. Here it is only an id that waits for a poller. A
task is `added` when its schedule is durable, then on offer at the matching process that owns its task list, and `done` when
it starts or turns out not to wait any more. Matching keeps nothing: when its process goes, or the ring gives the list to
another, or its buffer is full, the task is offered again; and now and then all that is on offer, in case a loss went unnoticed.
A list has a bounded number of tasks on offer; the rest waits here, oldest first, and moves up as tasks are taken.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import NamedTuple

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.cluster.router import Router
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


class _List:
    """What waits for one task list: `backlog` not on offer, oldest first; `offered` on offer; `waiting` counts both.

    The backlog may also hold keys that do not wait any more; they are passed over."""

    __slots__ = ("backlog", "domain_id", "kind", "name", "offered", "retry_at", "sticky", "waiting")

    def __init__(self, domain_id: str, name: str, kind: TaskKind, sticky: bool) -> None:
        self.domain_id = domain_id
        self.name = name
        self.kind = kind
        self.sticky = sticky
        self.backlog: list[tuple[int, TaskKey]] = []
        self.offered: dict[TaskKey, str] = {}
        self.retry_at = 0.0
        self.waiting = 0


class Offers:
    """All waiting tasks of one history process. `on_no_sticky_poller(key)` is told of decisions that wait on a list which
    nobody polls any more."""

    def __init__(
        self,
        network: Network,
        router: Router,
        address: str,
        settings: HistorySettings,
        on_no_sticky_poller: Callable[[TaskKey], None],
    ) -> None:
        self._network = network
        self._router = router
        self._address = address
        self._settings = settings
        self._on_no_sticky_poller = on_no_sticky_poller
        self._lists: dict[tuple[str, str, TaskKind, bool], _List] = {}
        self._waiting: dict[TaskKey, tuple[_List, int]] = {}
        self._ready: dict[_List, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flush_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._repeat_timer: asyncio.TimerHandle | None = None
        self._stopped = False
        network.on_lost(self._lost)
        router.on_change(self._moved)

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
        self._waiting[key] = (task_list, dispatch.scheduled_ns)
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
        was_offered = task_list.offered.pop(key, None) is not None
        if not task_list.waiting:
            self._lists.pop((task_list.domain_id, task_list.name, task_list.kind, task_list.sticky), None)
            self._ready.pop(task_list, None)
        elif was_offered and task_list.backlog:
            task_list.retry_at = 0.0
            self._schedule(task_list)

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
        sending: dict[str, list[tuple[_List, int, TaskKey]]] = {}
        for task_list in ready:
            if task_list.retry_at > now:
                self._retry_later(task_list)
                continue
            try:
                address = self._router.matching_address(task_list.domain_id, task_list.name, int(task_list.kind))
            except errors.Unavailable:
                task_list.retry_at = now + self._settings.offer_retry
                self._retry_later(task_list)
                continue
            while task_list.backlog and len(task_list.offered) < self._settings.offers_max:
                scheduled_ns, key = heapq.heappop(task_list.backlog)
                if key not in task_list.offered and self._waits_on(key, task_list):
                    task_list.offered[key] = address
                    sending.setdefault(address, []).append((task_list, scheduled_ns, key))
        for address, offers in sending.items():
            task = asyncio.get_running_loop().create_task(self._send(address, offers))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _waits_on(self, key: TaskKey, task_list: _List) -> bool:
        waiting = self._waiting.get(key)
        return waiting is not None and waiting[0] is task_list

    async def _send(self, address: str, offers: list[tuple[_List, int, TaskKey]]) -> None:
        request = internal.OfferTasksRequest(
            history_address=self._address,
            offers=[_offer(task_list, scheduled_ns, key) for task_list, scheduled_ns, key in offers],
        )
        try:
            answer = await self._network.call(address, "OfferTasks", request.SerializeToString(), 5.0)
        except errors.ServiceError:
            # Whether matching holds them is unknown; a task that is offered twice starts once all the same.
            for task_list, scheduled_ns, key in offers:
                self._refused(task_list, scheduled_ns, key, address)
            return
        outcomes = internal.OfferTasksResponse.FromString(answer).outcomes
        for (task_list, scheduled_ns, key), outcome in zip(offers, outcomes, strict=True):
            if outcome == internal.OFFER_OUTCOME_ACCEPTED:
                continue
            if outcome == internal.OFFER_OUTCOME_NO_STICKY_POLLER:
                if self._waits_on(key, task_list):
                    self.done(key)
                    self._on_no_sticky_poller(key)
            else:
                self._refused(task_list, scheduled_ns, key, address)

    def _refused(self, task_list: _List, scheduled_ns: int, key: TaskKey, address: str) -> None:
        if task_list.offered.get(key) != address:
            return
        del task_list.offered[key]
        heapq.heappush(task_list.backlog, (scheduled_ns, key))
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
            self._take_back(task_list, [key for key, where in task_list.offered.items() if where == address])

    def _moved(self) -> None:
        """The ring changed: lists that belong elsewhere now are offered there."""
        for task_list in self._lists.values():
            try:
                address = self._router.matching_address(task_list.domain_id, task_list.name, int(task_list.kind))
            except errors.Unavailable:
                continue
            self._take_back(task_list, [key for key, where in task_list.offered.items() if where != address])

    def _take_back(self, task_list: _List, keys: list[TaskKey]) -> None:
        if self._stopped or not keys:
            return
        for key in keys:
            del task_list.offered[key]
            heapq.heappush(task_list.backlog, (self._waiting[key][1], key))
        task_list.retry_at = asyncio.get_running_loop().time() + self._settings.offer_retry
        self._retry_later(task_list)


def _offer(task_list: _List, scheduled_ns: int, key: TaskKey) -> internal.TaskOffer:
    return internal.TaskOffer(
        task=internal.TaskRef(
            domain_id=key.domain_id,
            workflow_id=key.workflow_id,
            run_id=key.run_id,
            type=_TASK_TYPES[key.kind],
            schedule_id=key.schedule_id,
            attempt=key.attempt,
        ),
        task_list=task_list.name,
        kind=api.TASK_LIST_KIND_STICKY if task_list.sticky else api.TASK_LIST_KIND_NORMAL,
        scheduled_ns=scheduled_ns,
    )
