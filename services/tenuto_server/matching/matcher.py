"""The state machine of one task list: pairs tasks that history offered with polls that wait. Pure.

Theory of operation. Inputs are method calls; time comes in with them as `now` (seconds of a clock that never runs
back). After an input that could have made a pair, the caller asks `match(now)` until it answers None, and hands each
match's task to its poll. Nothing here waits, and nothing here matters for good: history holds every task, and may offer
it again.

A task is, at any moment, in one of these states:

    (absent)  -- offer -->              BUFFERED
    BUFFERED  -- match -->              MATCHED    history is being asked to start it for the poll
    BUFFERED  -- rest_address -->       RESTING    the history process that offered it seems to be away
    MATCHED   -- finish -->             (absent)   started, or no longer waiting at history
    MATCHED   -- finish, offered again meanwhile, not started --> BUFFERED
    MATCHED   -- put_back -->           BUFFERED   nobody asked history
    MATCHED   -- put_back, unknown -->  RESTING    nobody knows whether history started it: asked again after a while
    MATCHED   -- put_back, unknown too often --> (absent)   whoever offered it is dead
    RESTING   -- time passes, offer --> BUFFERED

and a poll in one of these:

    (absent)  -- add_poll -->           WAITING
    WAITING   -- match -->              MATCHED    holds a task; takes no other
    MATCHED   -- rejoin -->             WAITING    its task came to nothing; at its old place in line
    WAITING, MATCHED -- remove_poll --> (absent)   answered, out of time, or its caller is gone; puts its task back

The task scheduled first goes out first, to the poll that came first. A task is known by its key: offered again it is
held once, and history is asked at the address that offered it last. At most `buffer_max` tasks are held beside those
put back, at most `polls_max` polls; both heaps are rebuilt when mostly made of what is gone.

A query waits beside the tasks. It is in nobody's state, only its asker waits for it, so it is paired or forgotten:

    (absent)  -- add_query -->          WAITING
    WAITING   -- match_query -->        MATCHED    history is being asked for the poll's answer
    MATCHED   -- finish_query -->       (absent)   on its way to the worker; its answer is no matter of the list
    MATCHED   -- remove_poll -->        WAITING    the poller has gone; at its old place in line
    WAITING, MATCHED -- remove_query --> (absent)  its asker has gone; a poll that held it holds nothing

Queries take polls in the order in which both came and are not bound to the dispatch rate; at most `queries_max` are held.
Where both wait, queries and tasks take the polls in turn.

A task is not dropped when the link to its history process breaks, for that process may be alive and take its own link
to be whole, and would not offer again. It rests; if the process is dead the shard's new owner offers the task again,
which ends the rest and gives the new address.

Dispatch is limited by a token bucket that holds a second's worth of tokens, at least one. Its rate is the lowest that a
poller asked for within `rate_hold_s`, or `dispatch_rate`. A task that was not started gives its token back.
"""

from __future__ import annotations

import enum
import heapq
import math
from typing import Any, NamedTuple

from tenuto_server.errors import InvariantViolation
from tenuto_server.matching.settings import MatchingSettings

_HEAP_SLACK = 64
# A shorter wait for a token could be lost in the rounding of the clock, and asked for again at the same moment for
# ever.
_RETRY_MIN_S = 0.001


class Offered(enum.Enum):
    """What became of an offer."""

    ACCEPTED = "accepted"
    FULL = "full"


class TaskState(enum.Enum):
    """Where a task stands; ABSENT also after it has gone."""

    ABSENT = "absent"
    BUFFERED = "buffered"
    MATCHED = "matched"
    RESTING = "resting"


class PollState(enum.Enum):
    """Where a poll stands; ABSENT also after it has gone."""

    ABSENT = "absent"
    WAITING = "waiting"
    MATCHED = "matched"


class QueryState(enum.Enum):
    """Where a query stands; ABSENT also after it has gone."""

    ABSENT = "absent"
    WAITING = "waiting"
    MATCHED = "matched"


class Task:
    """A task as it was offered. `key` is opaque to the matcher. `address` is whom to ask to start it, as last offered.
    `give_ups` counts how often it was put back with its start unknown since then. `rest` tells its newest rest from those that
    offers ended. `trace` is the caller's own, unused here."""

    __slots__ = ("address", "give_ups", "key", "offered_again", "rest", "scheduled_ns", "sequence", "state", "trace")

    def __init__(self, key: bytes, scheduled_ns: int, sequence: int, address: str) -> None:
        self.key = key
        self.scheduled_ns = scheduled_ns
        self.sequence = sequence
        self.address = address
        self.state = TaskState.ABSENT
        self.give_ups = 0
        self.offered_again = False
        self.rest = 0
        self.trace = ""


class Poll:
    """A poll. `task` or `query` is what it holds, from the match until that is finished or put back. `waiter` is the
    caller's own, unused here."""

    __slots__ = ("identity", "query", "rank", "state", "task", "waiter")

    def __init__(self, identity: str, rank: int) -> None:
        self.identity = identity
        self.rank = rank
        self.state = PollState.ABSENT
        self.task: Task | None = None
        self.query: Query | None = None
        self.waiter: Any = None


class Query:
    """A query. `poll` is the one that holds it, from the match on. `asker` is the caller's own, unused here."""

    __slots__ = ("asker", "poll", "rank", "state")

    def __init__(self, rank: int, asker: Any) -> None:
        self.rank = rank
        self.asker = asker
        self.state = QueryState.ABSENT
        self.poll: Poll | None = None


class Match(NamedTuple):
    """This poll gets this task; `poll.task` says so too."""

    task: Task
    poll: Poll


class Poller:
    """A caller of polls: when it was last seen (as `now`) and the rate it asked for (0: none)."""

    __slots__ = ("last_seen", "rate")

    def __init__(self, last_seen: float, rate: float) -> None:
        self.last_seen = last_seen
        self.rate = rate


class Room:
    """How many tasks all lists of a process hold, matched ones included, and how many offers fill them up."""

    __slots__ = ("tasks", "tasks_max")

    def __init__(self, tasks_max: int) -> None:
        self.tasks = 0
        self.tasks_max = tasks_max


class Matcher:
    """One task list."""

    __slots__ = (
        "_asked_rate", "_buffer", "_buffered", "_burst", "_last_poll", "_limits", "_line", "_pollers", "_polls",
        "_queries", "_query_line", "_query_rank", "_query_was_last",
        "_rank", "_rate", "_rate_set", "_refilled", "_resting", "_resting_count", "_room", "_sequence", "_tasks",
        "_tokens", "_waiting",
    )  # fmt: skip

    def __init__(self, now: float, limits: MatchingSettings, room: Room) -> None:
        self._limits = limits
        self._room = room
        self._tasks: dict[bytes, Task] = {}
        # (scheduled, sequence, task): the sequence keeps tasks of one moment in the order in which they came.
        self._buffer: list[tuple[int, int, Task]] = []
        self._buffered = 0
        # (when it is ready, sequence, task)
        self._resting: list[tuple[float, int, Task]] = []
        self._resting_count = 0
        self._sequence = 0
        self._line: list[tuple[int, Poll]] = []
        self._waiting = 0
        self._polls = 0
        self._rank = 0
        # Queries held; and those in line, with some that have left it.
        self._queries: dict[Query, None] = {}
        self._query_line: list[tuple[int, Query]] = []
        self._query_rank = 0
        self._query_was_last = False
        self._pollers: dict[str, Poller] = {}
        self._last_poll = now
        self._asked_rate = 0.0
        self._rate_set = now
        self._rate = limits.dispatch_rate
        self._burst = float(max(1, math.ceil(self._rate)))
        self._tokens = self._burst
        self._refilled = now

    def set_limits(self, limits: MatchingSettings, now: float) -> None:
        """The settings have changed. What is held over new limits stays."""
        if limits is self._limits:
            return
        self._limits = limits
        self._refill(now)
        self._apply_rate()

    # --- tasks --------------------------------------------------------------------------------------------------------
    def offer(self, key: bytes, scheduled_ns: int, address: str, trace: str = "") -> Offered:
        """A history process offers a task. FULL leaves everything as it was."""
        task = self._tasks.get(key)
        if task is not None:
            task.address = address
            task.give_ups = 0
            if task.state is TaskState.MATCHED:
                task.offered_again = True
            elif task.state is TaskState.RESTING:
                self._resting_count -= 1
                self._push(task)
                self._tidy_resting()
            return Offered.ACCEPTED
        if self.backlog >= self._limits.buffer_max or self._room.tasks >= self._room.tasks_max:
            return Offered.FULL
        self._room.tasks += 1
        self._sequence += 1
        task = Task(key, scheduled_ns, self._sequence, address)
        task.trace = trace
        self._tasks[key] = task
        self._push(task)
        return Offered.ACCEPTED

    def finish(self, poll: Poll, now: float, *, started: bool) -> None:
        """History answered about the poll's task: started, or not waiting there any more. In the second case the task
        stays if it was offered again meanwhile, for then the answer may be older than the offer."""
        task = self._release(poll, "finish")
        if not started:
            self._give_back_token(now)
            if task.offered_again:
                self._push(task)
                return
        self._forget(task)

    def put_back(self, poll: Poll, now: float, *, unknown: bool = False) -> bool:
        """The poll's task goes back in line, at its old place; where history's answer stayed `unknown` only after a
        rest, a longer one each time. False if it was let go: this was once too often."""
        task = self._release(poll, "put_back")
        self._give_back_token(now)
        if task.offered_again or not unknown:
            self._push(task)
            return True
        task.give_ups += 1
        if task.give_ups > self._limits.give_ups_max:
            self._forget(task)
            return False
        self._rest(task, now + min(self._limits.rest_s * 2 ** (task.give_ups - 1), self._limits.rest_max_s))
        return True

    def rest_address(self, address: str, now: float) -> int:
        """A history process seems to be away: its tasks in line rest for the shortest time, so that polls do not spend
        themselves on them one by one. Returns how many."""
        tasks = [task for task in self._tasks.values() if task.address == address and task.state is TaskState.BUFFERED]
        for task in tasks:
            self._buffered -= 1
            self._rest(task, now + self._limits.rest_s)
        self._buffer = [entry for entry in self._buffer if entry[2].state is TaskState.BUFFERED]
        heapq.heapify(self._buffer)
        return len(tasks)

    def discard(self) -> None:
        """Forgets all tasks in line: the list is being unloaded."""
        for task in list(self._tasks.values()):
            if task.state is not TaskState.MATCHED:
                self._forget(task)
        self._buffer, self._buffered = [], 0
        self._resting, self._resting_count = [], 0

    # --- polls --------------------------------------------------------------------------------------------------------
    def add_poll(self, identity: str, now: float, rate: float = 0.0) -> Poll | None:
        """A poll joins the end of the line. `rate` is the dispatch rate it asks for, tasks a second, 0 for none. None
        where the line is full."""
        rate = rate if rate > 0 else 0.0
        self._see(identity, now, rate)
        if self._polls >= self._limits.polls_max:
            return None
        self._set_rate(rate, now)
        self._rank += 1
        self._polls += 1
        poll = Poll(identity, self._rank)
        self._queue(poll)
        return poll

    def rejoin(self, poll: Poll, now: float) -> None:
        """A matched poll waits again, at its old place, after its task was finished or put back."""
        if poll.state is not PollState.MATCHED or poll.task is not None or poll.query is not None:
            raise InvariantViolation(f"rejoin in state {poll.state.name}, task {poll.task}, query {poll.query}")
        self._last_poll = now
        self._queue(poll)

    def remove_poll(self, poll: Poll, now: float, *, caller_gone: bool = False) -> None:
        """The poll is over and takes nothing any more; what it still holds is put back. A caller that is still there
        counts as seen just now: it is about to poll again."""
        if poll.state is PollState.ABSENT:
            raise InvariantViolation("remove_poll in state ABSENT")
        if poll.task is not None:
            self.put_back(poll, now)
        if poll.query is not None:
            self._queue_query(poll.query)
            poll.query = None
        if poll.state is PollState.WAITING:
            self._waiting -= 1
        poll.state = PollState.ABSENT
        self._polls -= 1
        if not caller_gone:
            self._see(poll.identity, now, None)
        if len(self._line) > 2 * self._waiting + _HEAP_SLACK:
            self._line = [entry for entry in self._line if entry[1].state is PollState.WAITING]
            heapq.heapify(self._line)

    # --- queries ------------------------------------------------------------------------------------------------------
    def add_query(self, asker: Any) -> Query | None:
        """A query joins the end of its line. None where there are too many."""
        if len(self._queries) >= self._limits.queries_max:
            return None
        self._query_rank += 1
        query = Query(self._query_rank, asker)
        self._queries[query] = None
        self._queue_query(query)
        return query

    def match_query(self, now: float) -> Query | None:
        """The next query that gets a poll (its `poll`, whose `query` it is), or None: no query, no poll, or it is a task's
        turn, which `match` will give."""
        while self._query_line and self._query_line[0][1].state is not QueryState.WAITING:
            heapq.heappop(self._query_line)
        if not self._query_line or not self._waiting:
            return None
        if self._query_was_last and self._may_match(now):
            return None
        self._query_was_last = True
        _, query = heapq.heappop(self._query_line)
        query.state = QueryState.MATCHED
        query.poll = self._pop_poll()
        query.poll.query = query
        return query

    def finish_query(self, poll: Poll) -> None:
        """The poll's query is handed out, or cannot be."""
        query = poll.query
        if query is None:
            raise InvariantViolation(f"finish_query of a poll in state {poll.state.name} without query")
        self.remove_query(query)

    def remove_query(self, query: Query) -> None:
        """The query is over; nothing happens if it was before."""
        if query.poll is not None:
            query.poll.query = None
            query.poll = None
        query.state = QueryState.ABSENT
        self._queries.pop(query, None)
        if len(self._query_line) > 2 * len(self._queries) + _HEAP_SLACK:
            self._query_line = [entry for entry in self._query_line if entry[1].state is QueryState.WAITING]
            heapq.heapify(self._query_line)

    def waiting_queries(self) -> list[Query]:
        """The queries in line, in their order."""
        return [query for _, query in sorted(self._query_line) if query.state is QueryState.WAITING]

    # --- pairs --------------------------------------------------------------------------------------------------------
    def match(self, now: float) -> Match | None:
        """The next pair, or None: no task, no poll, or no token (see `retry_at`)."""
        if not self._may_match(now):
            return None
        self._query_was_last = False
        self._tokens -= 1.0
        task = self._pop_task()
        poll = self._pop_poll()
        poll.task = task
        return Match(task, poll)

    def _may_match(self, now: float) -> bool:
        if self._resting:
            self._wake(now)
        if not self._buffered or not self._waiting:
            return False
        self._refill(now)
        return self._tokens >= 1.0

    def retry_at(self, now: float) -> float | None:
        """When to ask `match` again though nothing else happens: where a poll waits, and a task waits for a token or
        rests; else None."""
        if not self._waiting:
            return None
        if not self._buffered:
            return self._resting[0][0] if self._resting_count else None
        self._refill(now)
        return now if self._tokens >= 1.0 else now + max((1.0 - self._tokens) / self._rate, _RETRY_MIN_S)

    # --- what can be seen ---------------------------------------------------------------------------------------------
    @property
    def backlog(self) -> int:
        """Tasks in line, those that rest included."""
        return self._buffered + self._resting_count

    @property
    def waiting_polls(self) -> int:
        """Polls in line."""
        return self._waiting

    def line(self) -> list[Poll]:
        """The polls in line, in their order."""
        return [poll for _, poll in sorted(self._line) if poll.state is PollState.WAITING]

    @property
    def rate(self) -> float:
        """The dispatch rate in force, tasks a second."""
        return self._rate

    def pollers(self, now: float, window_s: float) -> dict[str, Poller]:
        """Who was seen within the window, by identity, the latest first."""
        latest_first = sorted(self._pollers.items(), key=lambda known: -known[1].last_seen)
        return {identity: poller for identity, poller in latest_first if now - poller.last_seen <= window_s}

    def has_recent_poller(self, now: float, window_s: float) -> bool:
        """Whether a poll waits or is being served, or one was here within the window."""
        return self._polls > 0 or (bool(self._pollers) and now - self._last_poll <= window_s)

    def idle_s(self, now: float) -> float:
        """Seconds since the last poll, 0 while there is one; since the list was made where there was none."""
        return 0.0 if self._polls else now - self._last_poll

    @property
    def is_empty(self) -> bool:
        """Whether neither tasks nor polls nor queries are held."""
        return not self._tasks and not self._polls and not self._queries

    # --- inside -------------------------------------------------------------------------------------------------------
    def _push(self, task: Task) -> None:
        task.state = TaskState.BUFFERED
        task.offered_again = False
        self._buffered += 1
        heapq.heappush(self._buffer, (task.scheduled_ns, task.sequence, task))

    def _pop_task(self) -> Task:
        # What leaves the line otherwise is taken out of the heap at once: this one is in line.
        _, _, task = heapq.heappop(self._buffer)
        task.state = TaskState.MATCHED
        self._buffered -= 1
        return task

    def _queue(self, poll: Poll) -> None:
        poll.state = PollState.WAITING
        self._waiting += 1
        heapq.heappush(self._line, (poll.rank, poll))

    def _queue_query(self, query: Query) -> None:
        query.state = QueryState.WAITING
        query.poll = None
        heapq.heappush(self._query_line, (query.rank, query))

    def _pop_poll(self) -> Poll:
        while True:
            _, poll = heapq.heappop(self._line)
            if poll.state is PollState.WAITING:
                break
        poll.state = PollState.MATCHED
        self._waiting -= 1
        return poll

    def _release(self, poll: Poll, event: str) -> Task:
        task = poll.task
        if task is None or task.state is not TaskState.MATCHED:
            raise InvariantViolation(f"{event} of a poll in state {poll.state.name} with task {task}")
        poll.task = None
        return task

    def _forget(self, task: Task) -> None:
        task.state = TaskState.ABSENT
        self._room.tasks -= 1
        del self._tasks[task.key]

    def _rest(self, task: Task, until: float) -> None:
        task.state = TaskState.RESTING
        self._resting_count += 1
        self._sequence += 1
        task.rest = self._sequence
        heapq.heappush(self._resting, (until, self._sequence, task))

    def _tidy_resting(self) -> None:
        """Takes tasks whose rest an offer ended out of the heap, once they are most of it."""
        if len(self._resting) > 2 * self._resting_count + _HEAP_SLACK:
            self._resting = [entry for entry in self._resting if _rests(entry)]
            heapq.heapify(self._resting)

    def _wake(self, now: float) -> None:
        """Puts the tasks that have rested back in line."""
        while self._resting and self._resting[0][0] <= now:
            entry = heapq.heappop(self._resting)
            if _rests(entry):
                self._resting_count -= 1
                self._push(entry[2])

    def _see(self, identity: str, now: float, rate: float | None) -> None:
        self._last_poll = now
        poller = self._pollers.get(identity)
        if poller is not None:
            poller.last_seen = now
            if rate is not None:
                poller.rate = rate
            return
        if len(self._pollers) >= self._limits.pollers_max:
            del self._pollers[min(self._pollers, key=lambda known: self._pollers[known].last_seen)]
        self._pollers[identity] = Poller(now, rate or 0.0)

    def _set_rate(self, asked: float, now: float) -> None:
        """A lower rate counts at once and a repeated one keeps its hold; a higher one, or none, only when the hold
        ends."""
        held = self._asked_rate > 0 and now - self._rate_set < self._limits.rate_hold_s
        if held and (asked <= 0 or asked > self._asked_rate):
            return
        self._rate_set = now
        if asked == self._asked_rate:
            return
        self._refill(now)
        self._asked_rate = asked
        self._apply_rate()

    def _apply_rate(self) -> None:
        asked = self._asked_rate
        self._rate = min(asked, self._limits.dispatch_rate) if asked > 0 else self._limits.dispatch_rate
        self._burst = float(max(1, math.ceil(self._rate)))
        self._tokens = min(self._tokens, self._burst)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._refilled) * self._rate)
        self._refilled = now

    def _give_back_token(self, now: float) -> None:
        self._refill(now)
        self._tokens = min(self._burst, self._tokens + 1.0)


def _rests(entry: tuple[float, int, Task]) -> bool:
    """Whether an entry of the resting counts still: an offer ends a rest, and the task may have begun another since."""
    _, rest, task = entry
    return task.state is TaskState.RESTING and task.rest == rest
