"""The matching service: takes offers from history, polls from frontends, and asks history to start what was matched.

Per task list there is one `Matcher`, which decides; this module is the waiting around it. A waiting poll is one future
and one timer; an offer that meets a waiting poll resolves that future, and the poll's own task asks history to start
the task. So no task is created for an offer, and a poll's caller who goes away is a cancelled `PollTask`: if it waited
it takes nothing, if history was being asked the question is withdrawn and the task goes back in line. (Should history
have started it meanwhile, the next question is answered "no such task" and the started one runs into its timeout.)

Of a list with partitions (`cluster/partitions`) each is a list of its own here. A poll that finds nothing in its partition
is passed on to the root's owner, at once if no other is, else after a while.

Nothing is stored. History holds every task and offers it again when its link to here breaks, when the ring gives the
list to another process, or when its shard has a new owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

from tenuto_api import api, internal
from tenuto_server import errors
from tenuto_server.cluster.partitions import split_name
from tenuto_server.cluster.router import Router
from tenuto_server.config.live import LiveSettings
from tenuto_server.config.runtime import SECOND, Runtime
from tenuto_server.matching import queries, spans
from tenuto_server.matching.lists import ListKey, Serving, TaskList
from tenuto_server.matching.matcher import Matcher, Offered, Poll, PollState, Query, Room, Task
from tenuto_server.matching.measures import Measured, measures
from tenuto_server.matching.queries import Asking, Askings
from tenuto_server.matching.settings import MatchingSettings
from tenuto_server.telemetry import logs, tracing
from tenuto_server.telemetry.measures import Family, status_of
from tenuto_server.transport.network import InternalCall, Network

log = logging.getLogger(__name__)

_STICKY = api.TASK_LIST_KIND_STICKY
_ACCEPTED = internal.OFFER_OUTCOME_ACCEPTED
_FULL = internal.OFFER_OUTCOME_FULL
_NO_STICKY_POLLER = internal.OFFER_OUTCOME_NO_STICKY_POLLER
_NO_POLLER = internal.OFFER_OUTCOME_NO_POLLER


class MatchingService:
    """Serves "OfferTasks", "PollTask", "QueryTask", "AnswerQuery", "DescribeTaskList" and "ListTaskLists" at `address`, by
    which the router knows this process."""

    def __init__(
        self,
        *,
        network: Network,
        router: Router,
        runtime: Runtime,
        settings: MatchingSettings | LiveSettings[MatchingSettings],
        address: str,
    ) -> None:
        self._network = network
        self._router = router
        self._runtime = runtime
        self._live = LiveSettings.of(settings, "matching")
        self._live.on_change(self._settings_changed)
        self._address = address
        # The event loop's time; asking for the running loop at every turn would cost a system call.
        self._time = runtime.monotonic
        self._lists: dict[ListKey, TaskList] = {}
        self._room = Room(self._settings.tasks_max)
        self._methods: dict[str, Callable[[InternalCall], Awaitable[bytes]]] = {
            "OfferTasks": self._offer_tasks,
            "PollTask": self._poll_task,
            "QueryTask": self._query_task,
            "AnswerQuery": self._answer_query,
            "DescribeTaskList": self._describe_task_list,
            "ListTaskLists": self._list_task_lists,
        }
        self._askings = Askings(runtime.new_id)
        self._running = False
        self._killed = False
        self._polls = 0
        self._no_polls = asyncio.Event()
        self._no_polls.set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._swept = 0.0
        self._measured = Measured()

    @property
    def _settings(self) -> MatchingSettings:
        return self._live.current

    def _settings_of(self, task_list: TaskList) -> MatchingSettings:
        return self._live.for_task_list(task_list.domain_name, split_name(task_list.key[1])[0], task_list.key[2])

    def _settings_changed(self) -> None:
        self._room.tasks_max = self._settings.tasks_max
        if not self._running:
            return
        now = self._time()
        for task_list in self._lists.values():
            task_list.matcher.set_limits(self._settings_of(task_list), now)
            self._deliver(task_list, now)

    async def start(self) -> None:
        """Begins to serve. Whoever starts the service also listens with `handle`."""
        self._time = asyncio.get_running_loop().time
        self._running = True
        self._network.on_lost(self._history_lost)
        self._router.on_change(self._router_changed)
        self._plan_sweep()

    async def stop(self) -> None:
        """Takes nothing more, answers waiting polls with "no task", and lets tasks that are being started go out. Take
        this process out of the ring first, so that the callers find the next owner."""
        self._close()
        try:
            async with asyncio.timeout(self._settings.drain_s):
                await self._no_polls.wait()
        except TimeoutError:
            log.warning("stopped with %d polls being served", self._polls)

    def kill(self) -> None:
        """Drops everything at once."""
        self._killed = True
        self._close()

    async def handle(self, call: InternalCall) -> bytes:
        """Serves one call between services."""
        method = self._methods.get(call.method)
        if method is None:
            raise errors.Unimplemented(f"matching has no method {call.method}")
        if not self._running:
            raise errors.Unavailable("matching is not running")
        begun, status = self._runtime.stopwatch(), errors.INTERNAL
        try:
            answer = await method(call)
            status = errors.OK
        except BaseException as error:
            status = status_of(error)
            raise
        finally:
            self._measured.calls.note(call.method, status, self._runtime.stopwatch() - begun)
        return answer

    def measures(self) -> Iterator[Family]:
        """What this process shows of itself."""
        return measures(self._measured, self._lists, self._room, self._polls)

    # --- offers -------------------------------------------------------------------------------------------------------
    async def _offer_tasks(self, call: InternalCall) -> bytes:
        request = internal.OfferTasksRequest.FromString(call.body)
        address = request.history_address
        now = self._time()
        for backlog in request.backlogs:
            self._note_backlog(backlog, address, now)
        return internal.OfferTasksResponse(
            outcomes=[self._offer(offer, address, now) for offer in request.offers]
        ).SerializeToString()

    def _offer(self, offer: internal.TaskOffer, address: str, now: float) -> internal.OfferOutcome:
        ref = offer.task
        key = (ref.domain_id, offer.task_list, ref.type)
        task_list = self._lists.get(key)
        sticky = offer.kind == _STICKY
        if sticky and (task_list is None or not task_list.matcher.has_recent_poller(now, self._settings.sticky_window_s)):
            return _NO_STICKY_POLLER
        if offer.only_if_polled and (task_list is None or not task_list.matcher.waiting_polls):
            return _NO_POLLER
        if task_list is None:
            task_list = self._load(key, sticky, now)
            if task_list is None:
                return _FULL
        # The bytes name the task: one message's bytes are always the same, written by one library.
        if task_list.matcher.offer(ref.SerializeToString(), offer.scheduled_ns, address, offer.traceparent) is Offered.FULL:
            return _FULL
        self._deliver(task_list, now)
        return _ACCEPTED

    def _note_backlog(self, backlog: internal.ListBacklog, address: str, now: float) -> None:
        key = (backlog.domain_id, backlog.task_list, backlog.type)
        task_list = self._lists.get(key) or self._load(key, sticky=False, now=now)
        if task_list is None:
            return
        if backlog.waiting > 0:
            task_list.backlogs[address] = backlog.waiting
        else:
            task_list.backlogs.pop(address, None)

    def _deliver(self, task_list: TaskList, now: float) -> None:
        """Hands out all that can be matched, and plans the next look where only time is in the way."""
        matcher = task_list.matcher
        if not matcher.waiting_polls:
            return
        while True:
            query = matcher.match_query(now)
            if query is not None and query.poll is not None:
                _wake(query.poll)
            match = matcher.match(now)
            if match is not None:
                _wake(match.poll)
            elif query is None:
                break
        at = matcher.retry_at(now)
        if at is None or not self._running:
            return
        if task_list.timer is not None:
            if task_list.timer.when() <= at:
                return
            task_list.timer.cancel()
        task_list.timer = asyncio.get_running_loop().call_at(at, self._deliver_later, task_list)

    def _deliver_later(self, task_list: TaskList) -> None:
        task_list.timer = None
        self._deliver(task_list, self._time())

    # --- polls --------------------------------------------------------------------------------------------------------
    async def _poll_task(self, call: InternalCall) -> bytes:
        request = internal.PollTaskRequest.FromString(call.body)
        now = self._time()
        key = (request.domain_id, request.task_list, request.type)
        until = self._poll_end(key, request.domain_name, call.deadline, now)
        if until <= now:
            return b""
        task_list = self._lists.get(key) or self._load(key, request.kind == _STICKY, now)
        if task_list is None:
            raise errors.ServiceBusy("too many task lists")
        base, partition = split_name(request.task_list)
        if not partition or request.kind == _STICKY:
            return await self._poll_here(task_list, request, now, until, call.deadline)
        scout = not task_list.has_scout
        task_list.has_scout = True
        try:
            wait_s = 0.0 if scout else self._settings.pass_on_after_s
            answer = await self._poll_here(task_list, request, now, min(until, now + wait_s), call.deadline)
            if answer or not self._running or self._time() >= until:
                return answer
            return await self._pass_on(request, base, until)
        finally:
            if scout:
                task_list.has_scout = False

    async def _poll_here(
        self, task_list: TaskList, request: internal.PollTaskRequest, now: float, until: float, deadline: float | None
    ) -> bytes:
        """A poll in this very list: the response of a task that was started, or empty bytes at `until`."""
        if not task_list.domain_name:
            task_list.domain_name = request.domain_name
            task_list.matcher.set_limits(self._settings_of(task_list), now)
        poll = task_list.matcher.add_poll(request.identity, now, request.max_tasks_per_second)
        if poll is None:
            raise errors.ServiceBusy("too many polls of the task list")
        self._polls += 1
        self._no_polls.clear()
        caller_gone = True
        try:
            self._deliver(task_list, now)
            answer = await self._serve(Serving(task_list, poll, request, until, deadline))
            caller_gone = False
            return answer
        finally:
            self._end_poll(task_list, poll, caller_gone)

    async def _pass_on(self, request: internal.PollTaskRequest, base: str, until: float) -> bytes:
        """The poll goes on at the root of its task list, under the same request id."""
        request.task_list = base
        address = self._router.matching_address(request.domain_id, base, request.type)
        timeout_s = until - self._time() + self._settings.deadline_margin_s
        return await self._network.call(address, "PollTask", request.SerializeToString(), timeout_s)

    def _poll_end(self, key: ListKey, domain_name: str, deadline: float | None, now: float) -> float:
        """When a poll that begins now gives up. One that strayed here is soon sent to look again."""
        wait_s = self._live.for_task_list(domain_name, split_name(key[1])[0], key[2]).poll_wait_s
        if not self._owns(key):
            wait_s = min(wait_s, self._settings.strayed_wait_s)
        until = now + wait_s
        return until if deadline is None else min(until, deadline - self._settings.deadline_margin_s)

    async def _serve(self, serving: Serving) -> bytes:
        """Waits for tasks until one was started; returns its poll response, or empty bytes when the time is over."""
        poll, matcher = serving.poll, serving.task_list.matcher
        while True:
            if poll.state is PollState.WAITING:
                await self._wait(poll, serving.until)
            if poll.query is not None:
                answer = await self._start_query(serving, poll.query)
            elif poll.task is not None:
                answer = await self._start(serving, poll.task)
            else:
                break
            if answer is not None:
                return answer + self._backlog_hint(serving.task_list)
            now = self._time()
            if now >= serving.until or not self._running:
                break
            matcher.rejoin(poll, now)
            self._deliver(serving.task_list, now)
        if self._killed:
            raise errors.Unavailable("matching was killed")
        return b""

    def _backlog_hint(self, task_list: TaskList) -> bytes:
        """The field of a decision poll's response that tells how many tasks wait; fields may follow one another in any
        order."""
        if task_list.key[2] != internal.TASK_TYPE_DECISION or not task_list.backlog:
            return b""
        return api.PollForDecisionTaskResponse(backlog_count_hint=task_list.backlog).SerializeToString()

    async def _wait(self, poll: Poll, until: float) -> None:
        """Returns when the poll was matched or its time is over (then without a task)."""
        loop = asyncio.get_running_loop()
        waiter = poll.waiter = loop.create_future()
        timer = loop.call_at(until, _resolve, waiter)
        try:
            await waiter
        finally:
            poll.waiter = None
            timer.cancel()

    def _end_poll(self, task_list: TaskList, poll: Poll, caller_gone: bool) -> None:
        """However a poll ended: it takes nothing any more, and a task it held or put back may go to another."""
        now = self._time()
        task_list.matcher.remove_poll(poll, now, caller_gone=caller_gone)
        self._deliver(task_list, now)
        self._polls -= 1
        if not self._polls:
            self._no_polls.set()

    # --- starting a task ----------------------------------------------------------------------------------------------
    async def _start(self, serving: Serving, task: Task) -> bytes | None:
        """Asks history to start the poll's task. Returns the poll response, or None where the task came to nothing:
        then it is finished or back in line. While the outcome is unknown the same question is asked again, for history
        answers one request id always the same."""
        if not (task.trace and tracing.state.on):
            return await self._ask_to_start(serving, task)
        span = spans.waited(serving, task)
        try:
            answer = await self._ask_to_start(serving, task)
        finally:
            tracing.leave(span)
        if answer is not None:
            tracing.end(span)
        return answer

    async def _ask_to_start(self, serving: Serving, task: Task) -> bytes | None:
        body = serving.question(task)
        pause_s = self._settings.start_retry_s
        error: errors.ServiceError | None = None
        # A task given up before is tried once: it rests between tries, while the poll does other things.
        for attempt in range(1 if task.give_ups else self._settings.start_attempts_max):
            if attempt:
                if self._time() + pause_s >= serving.until or not self._running:
                    break
                await asyncio.sleep(pause_s)
                pause_s *= 2
            try:
                timeout_s = self._start_timeout_s(serving.deadline)
                answer = await self._network.call(task.address, "StartTask", body, timeout_s)
            except (errors.Unavailable, errors.DeadlineExceeded, errors.ServiceBusy) as unknown:
                error = unknown
                continue
            except errors.ServiceError as refused:
                if refused.status in (errors.NOT_FOUND, errors.ABORTED):
                    self._finish(serving, started=False)
                    return None
                error = refused
                break
            self._finish(serving, started=True)
            self._measured.started(serving.task_list.key, self._runtime.now() - task.scheduled_ns)
            return answer
        self._give_up(serving, task, error)
        return None

    def _start_timeout_s(self, deadline: float | None) -> float:
        """How long history may take for one answer: not into the last moments of the poll, in which it travels back."""
        limit = self._settings.start_timeout_s
        if deadline is None:
            return limit
        left = deadline - self._time() - self._settings.deadline_margin_s / 4
        return max(0.001, min(limit, left))

    def _finish(self, serving: Serving, *, started: bool) -> None:
        serving.task_list.matcher.finish(serving.poll, self._time(), started=started)

    def _give_up(self, serving: Serving, task: Task, error: errors.ServiceError | None) -> None:
        key, matcher = serving.task_list.key, serving.task_list.matcher
        self._measured.give_ups += 1
        now = self._time()
        kept = matcher.put_back(serving.poll, now, unknown=True)
        if isinstance(error, errors.Unavailable | errors.DeadlineExceeded):
            matcher.rest_address(task.address, now)
        ref = internal.TaskRef.FromString(task.key)
        domain = serving.task_list.domain_name or ref.domain_id
        extra = logs.about(domain, ref.workflow_id, ref.run_id, task.trace)
        log.warning("%s did not start a task of %s (kept: %s): %r", task.address, key, kept, error, extra=extra)

    # --- queries ------------------------------------------------------------------------------------------------------
    async def _query_task(self, call: InternalCall) -> bytes:
        """Waits for a poller, then for its worker's answer; how long is the caller's matter."""
        request = internal.QueryTaskRequest.FromString(call.body)
        key = (request.domain_id, request.task_list, int(internal.TASK_TYPE_DECISION))
        now = self._time()
        if not self._owns(key):
            raise errors.Unavailable("the task list belongs to another matching process")
        task_list, sticky = self._lists.get(key), request.kind == _STICKY
        if sticky and (task_list is None or not task_list.matcher.has_recent_poller(now, self._settings.sticky_window_s)):
            return internal.QueryTaskResponse(no_sticky_poller=True).SerializeToString()
        if task_list is None:
            task_list = self._load(key, sticky, now)
            if task_list is None:
                raise errors.ServiceBusy("too many task lists")
        asking = self._askings.add(request)
        query = task_list.matcher.add_query(asking)
        try:
            if query is None:
                raise errors.ServiceBusy("too many queries of the task list")
            self._deliver(task_list, now)
            return await asking.answer
        finally:
            self._askings.remove(asking)
            if query is not None:
                task_list.matcher.remove_query(query)

    async def _start_query(self, serving: Serving, query: Query) -> bytes | None:
        """Asks history for what the worker must know of the run. Returns the poll response, or None where the query came
        to nothing."""
        poll, matcher = serving.poll, serving.task_list.matcher
        asking: Asking = query.asker
        body = asking.start_request(serving.request.task_list)
        try:
            timeout_s = self._start_timeout_s(serving.deadline)
            started = await self._network.call(asking.request.history_address, "StartQuery", body, timeout_s)
        except errors.ServiceError as error:
            late = isinstance(error, errors.DeadlineExceeded)
            asking.fail(errors.Unavailable("history did not answer in time") if late else error)
            matcher.remove_query(query)
            return None
        if poll.query is not query:
            # Its asker has gone meanwhile.
            return None
        matcher.finish_query(poll)
        return asking.poll_response(started, self._address)

    async def _answer_query(self, call: InternalCall) -> bytes:
        self._askings.answer(internal.AnswerQueryRequest.FromString(call.body))
        return b""

    # --- describing ---------------------------------------------------------------------------------------------------
    async def _describe_task_list(self, call: InternalCall) -> bytes:
        request = internal.DescribeTaskListRequest.FromString(call.body)
        task_list = self._lists.get((request.domain_id, request.task_list, request.type))
        return self._described(request.task_list, task_list, status=request.include_status).SerializeToString()

    def _described(self, name: str, task_list: TaskList | None, *, status: bool) -> api.DescribeTaskListResponse:
        response = api.DescribeTaskListResponse()
        response.task_list.name = name
        response.task_list.kind = _STICKY if task_list is not None and task_list.sticky else api.TASK_LIST_KIND_NORMAL
        now, now_ns = self._time(), self._runtime.now()
        if task_list is not None:
            pollers = task_list.matcher.pollers(now, self._settings.poller_window_s)
            for identity, poller in pollers.items():
                info = response.pollers.add(identity=identity, rate_per_second=poller.rate or self._settings.dispatch_rate)
                info.last_access_time.FromNanoseconds(now_ns - int((now - poller.last_seen) * SECOND))
        if status:
            backlog = task_list.backlog if task_list is not None else 0
            response.task_list_status.backlog_count_hint = backlog
            response.task_list_status.rate_per_second = (
                task_list.matcher.rate if task_list is not None else self._settings.dispatch_rate
            )
            response.task_list_status.empty = backlog == 0
        return response

    async def _list_task_lists(self, call: InternalCall) -> bytes:
        """The normal lists of a domain; a list's partitions are for its root's owner to know."""
        request = internal.ListTaskListsRequest.FromString(call.body)
        response = api.GetTaskListsByDomainResponse()
        for (domain_id, name, task_type), task_list in self._lists.items():
            if domain_id != request.domain_id or task_list.sticky or split_name(name)[1] or not self._owns(task_list.key):
                continue
            decision = task_type == internal.TASK_TYPE_DECISION
            found = response.decision_task_list_map if decision else response.activity_task_list_map
            found[name].CopyFrom(self._described(name, task_list, status=True))
        return response.SerializeToString()

    # --- lists --------------------------------------------------------------------------------------------------------
    def _load(self, key: ListKey, sticky: bool, now: float) -> TaskList | None:
        """A new, empty task list; None where there is no room for one."""
        if not key[1] or not key[2]:
            raise errors.BadRequest("a task list needs a name and a type")
        if len(self._lists) >= self._settings.lists_max:
            # Sweeping costs time in proportion to the lists: not with every call of a flood.
            if now - self._swept < 1.0:
                return None
            self._sweep(self._settings.sticky_window_s)
            if len(self._lists) >= self._settings.lists_max:
                return None
        task_list = self._lists[key] = TaskList(key, Matcher(now, self._settings, self._room), sticky)
        return task_list

    def _owns(self, key: ListKey) -> bool:
        try:
            return self._router.matching_address(*key) == self._address
        except errors.Unavailable:
            return False

    def _plan_sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweeper = loop.call_later(self._settings.sweep_interval_s, self._sweep_and_plan)

    def _sweep_and_plan(self) -> None:
        self._sweep(self._settings.unload_after_s)
        self._plan_sweep()

    def _sweep(self, idle_s: float) -> None:
        """Unloads the lists that nobody has polled for `idle_s` and that hold nothing, or nothing that will be asked
        for: tasks of a sticky list have long been moved to the normal one, and those of a list that has another owner
        by now were offered there."""
        now = self._swept = self._time()
        idle = [task_list for task_list in self._lists.values() if task_list.matcher.idle_s(now) >= idle_s]
        for task_list in idle:
            if task_list.matcher.is_empty or (
                task_list.matcher.idle_s(now) >= self._settings.unload_after_s
                and (task_list.sticky or not self._owns(task_list.key))
            ):
                self._unload(task_list)

    def _unload(self, task_list: TaskList) -> None:
        if task_list.timer is not None:
            task_list.timer.cancel()
            task_list.timer = None
        task_list.matcher.discard()
        queries.fail(task_list.matcher.waiting_queries(), errors.Unavailable("the task list was unloaded"))
        del self._lists[task_list.key]

    def _history_lost(self, address: str) -> None:
        if not self._running:
            return
        now = self._time()
        for task_list in self._lists.values():
            task_list.backlogs.pop(address, None)
            task_list.matcher.rest_address(address, now)
            self._deliver(task_list, now)

    def _router_changed(self) -> None:
        """Sends the waiting polls of lists that have another owner now to look for it. Their tasks stay: should the
        change prove a mistake of this process alone, history would not offer them again."""
        if not self._running:
            return
        for task_list in self._lists.values():
            waiting = task_list.matcher.waiting_queries()
            if (task_list.matcher.waiting_polls or waiting) and not self._owns(task_list.key):
                self._release(task_list)
                queries.fail(waiting, errors.Unavailable("the task list belongs to another matching process"))

    def _release(self, task_list: TaskList) -> None:
        """Ends the waiting of all polls in line."""
        for poll in task_list.matcher.line():
            if poll.waiter is not None:
                _resolve(poll.waiter)

    def _close(self) -> None:
        self._running = False
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._askings.fail_all(errors.Unavailable("matching stops"))
        for task_list in list(self._lists.values()):
            self._release(task_list)
            self._unload(task_list)


def _wake(poll: Poll) -> None:
    if poll.waiter is not None:
        _resolve(poll.waiter)


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
