"""The check itself: reads a store piece by piece, and hands each piece to the rules.

First the shards' rows and the logs (`logs`), then every workflow with its runs, each with its history, timer, tasks and
visibility record; then the other way round, so that nothing is there that belongs to no run: timers and tasks of each shard,
visibility records of each domain, histories. Beside the logs, which an owner would hold as well, a page of rows is in memory at
a time.

While a cluster runs, rows change between two reads, and what has just moved is only in its log. So there, what looks wrong is
looked at again, after a while and with the logs read anew, and counts only if it is wrong each time (`Patience`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from tenuto_server.check import logs as log_reading
from tenuto_server.check import run_rules
from tenuto_server.check.findings import Finding, Kind, Report
from tenuto_server.check.logs import Logs, Names
from tenuto_server.cluster.sharding import shard_of
from tenuto_server.config.runtime import Runtime
from tenuto_server.errors import InvariantViolation
from tenuto_server.history import storing
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.storing import CURRENT_KEY, StoredRun
from tenuto_server.persistence import scans
from tenuto_server.persistence.domains import Domains
from tenuto_server.persistence.interface import Store, Table, TimerRow
from tenuto_server.persistence.rows import INT64_MAX, UnknownEncoding, int_of_key, split_ids, unpack
from tenuto_server.visibility import tree
from tenuto_server.visibility.tree import Leaf, Op, Query

_PAGE = 100
_HISTORY_PAGE = 20
_AT_ONCE = 8
_UNREADABLE = (UnknownEncoding, InvariantViolation, ValueError, LookupError)

T = TypeVar("T")
Snapshot = tuple[RunState, StoredRun]


class Patience(NamedTuple):
    """How often something that looks wrong is looked at again before it counts, and how many seconds apart."""

    times: int = 0
    pause_s: float = 0.0


STOPPED = Patience()
RUNNING = Patience(4, 3.0)


class Checker:
    """One check of one open store."""

    def __init__(self, store: Store, runtime: Runtime, patience: Patience = STOPPED, kept_max: int = 1000) -> None:
        self.report = Report(kept_max)
        self._store = store
        self._runtime = runtime
        self._patience = patience
        self._domains = Domains(store)
        self._known_domains: dict[str, bool] = {}
        self._logs = Logs(0)
        self._logs_read_s = 0.0

    async def run(self) -> Report:
        """Looks at everything. Raises StoreUnavailable."""
        await self._shards()
        await self._all_partitions(Table.RUNS, self._workflow)
        await self._only_in_logs()
        for shard in range(self._logs.shards):
            await self._timers(shard)
            await self._tasks(shard)
        await self._visibility()
        await self._all_partitions(Table.HISTORY, self._history_owner)
        return self.report

    # --- looking again ---------------------------------------------------------------------------------------------------
    async def _settled(self, look: Callable[[], Awaitable[list[Finding]]]) -> None:
        found = await look()
        for _ in range(self._patience.times):
            if not found:
                return
            before = self._runtime.monotonic()
            await asyncio.sleep(self._patience.pause_s)
            if self._logs_read_s <= before:
                await self._read_logs()
            found = await look()
        self.report.add(found)

    async def _together(self, items: Sequence[T], look: Callable[[T], Awaitable[list[Finding]]]) -> None:
        for first in range(0, len(items), _AT_ONCE):
            some = items[first : first + _AT_ONCE]
            await asyncio.gather(*(self._settled(lambda item=item: look(item)) for item in some))  # type: ignore[misc]

    async def _read_logs(self) -> None:
        self._logs_read_s = self._runtime.monotonic()
        self._logs = await log_reading.read(self._store)

    # --- shards and logs -------------------------------------------------------------------------------------------------
    async def _shards(self) -> None:
        async def look() -> list[Finding]:
            await self._read_logs()
            return self._logs.findings

        await self._settled(look)
        self.report.looked_at["shards"] = self._logs.shards
        self.report.looked_at["logs"] = self._logs.count

    # --- workflows -------------------------------------------------------------------------------------------------------
    async def _all_partitions(self, table: Table, look: Callable[[str], Awaitable[list[Finding]]]) -> None:
        token = b""
        while True:
            page, token = await self._store.list_partitions(table, token, _PAGE)
            await self._together(page, look)
            what = "workflows" if table is Table.RUNS else "histories"
            self.report.looked_at[what] += len(page)
            if not token:
                return

    async def _only_in_logs(self) -> None:
        """Workflows without any snapshot yet."""
        for domain_id, workflow_id in sorted(self._logs.named):
            partition = storing.workflow_partition(domain_id, workflow_id)
            if not await self._store.scan(Table.RUNS, partition, None, 1):
                await self._together([partition], self._workflow)
                self.report.looked_at["workflows"] += 1

    async def _workflow(self, partition: str) -> list[Finding]:
        """All runs of a workflow id."""
        try:
            domain_id, workflow_id = split_ids(partition)
        except ValueError:
            return [Finding(Kind.WORKFLOW, f"partition {partition!r} names no workflow")]
        logs = self._logs
        found: list[Finding] = []
        if not await self._has_domain(domain_id):
            found.append(Finding(Kind.DOMAIN, "its domain is not there", domain_id, workflow_id))
        open_runs: list[str] = []
        current, newest = "", ""
        seen: set[str] = set()
        async for rows in scans.pages(self._store, Table.RUNS, partition, _PAGE):
            for key, value in rows:
                run_id, is_open, problems = await self._stored_run(logs, (domain_id, workflow_id), key, value, seen)
                found += problems
                if key == CURRENT_KEY:
                    current = run_id
                if is_open:
                    open_runs.append(run_id)
                seen.add(run_id)
        # In the order of the log: a later one continues or follows the one before.
        for run_id in logs.named.get((domain_id, workflow_id), ()):
            if run_id in seen or (domain_id, workflow_id, run_id) in logs.deleted:
                continue
            is_open, problems = await self._run(logs, (domain_id, workflow_id, run_id), None)
            found += problems
            newest = run_id
            if is_open:
                open_runs.append(run_id)
        found += self._one_open((domain_id, workflow_id), open_runs, newest or current)
        return found

    def _one_open(self, workflow: tuple[str, str], open_runs: list[str], newest: str) -> list[Finding]:
        if len(open_runs) > 1:
            return [Finding(Kind.WORKFLOW, f"{len(open_runs)} runs are open: {', '.join(open_runs)}", *workflow)]
        if open_runs and open_runs[0] != newest:
            return [
                Finding(Kind.WORKFLOW, f"the open run is not the newest, which is {newest or 'missing'}", *workflow, open_runs[0])
            ]
        return []

    async def _stored_run(
        self, logs: Logs, workflow: tuple[str, str], key: bytes, value: bytes, seen: set[str]
    ) -> tuple[str, bool, list[Finding]]:
        """A snapshot row: the run's id, whether it is open, and what is wrong."""
        try:
            state, stored = storing.read_run(value)
        except _UNREADABLE as error:
            return "", False, [Finding(Kind.SNAPSHOT, f"row {key!r} cannot be read: {error}", *workflow)]
        names = (state.domain_id, state.workflow_id, state.run_id)
        if names[:2] != workflow or key not in (CURRENT_KEY, storing.run_key(state.run_id)):
            return state.run_id, False, [Finding(Kind.SNAPSHOT, f"{names} stands in row {key!r}", *workflow)]
        if names in logs.deleted or (key != CURRENT_KEY and state.run_id in seen):
            # A run that is being removed; or one that lost and regained its place: its newest row was looked at.
            return state.run_id, False, []
        self.report.looked_at["runs"] += 1
        is_open, problems = await self._run(logs, names, (state, stored))
        return state.run_id, is_open, problems

    # --- runs ------------------------------------------------------------------------------------------------------------
    async def _run(self, logs: Logs, names: Names, snapshot: Snapshot | None) -> tuple[bool, list[Finding]]:
        """Whether a run is open, and what is wrong with it."""
        shard = shard_of(*names[:2], logs.shards) if logs.shards else -1

        def say(kind: Kind, problems: Iterable[str]) -> list[Finding]:
            return [Finding(kind, text, *names, shard) for text in problems]

        found: list[Finding] = []
        if shard not in logs.rows:
            found += say(Kind.SHARD, ["the run's shard has no row"])
        try:
            reached = run_rules.reached(names, snapshot, logs.steps.get(names, []))
        except _UNREADABLE as error:
            return False, [*found, *say(Kind.SNAPSHOT, [f"the log does not follow the snapshot: {error}"])]
        state = reached.state
        if state.next_event_id <= 1:
            found += say(Kind.SNAPSHOT, ["nothing ever happened to it"])
        found += say(Kind.HISTORY, await self._history(names, reached))
        stored = None if reached.has_more or snapshot is None else snapshot[1]
        found += say(Kind.WAKING, run_rules.judge_waking(state, stored))
        if stored is not None:
            found += say(Kind.TIMER, await self._timer_of(names, shard, stored))
            found += say(Kind.TASK, await self._tasks_of(shard, stored))
            found += say(Kind.VISIBILITY, await self._listed(names, state))
        return state.is_open, found

    async def _history(self, names: Names, reached: run_rules.Reached) -> list[str]:
        judge = run_rules.HistoryJudge(names)
        partition = storing.history_partition_of(*names)
        async for rows in scans.pages(self._store, Table.HISTORY, partition, _HISTORY_PAGE):
            for key, value in rows:
                first = int_of_key(key)
                if first >= reached.stored_next_id:
                    if reached.has_more:
                        # A picture whose snapshot was not written: whoever replays the log writes it again.
                        continue
                    judge.problems.append(f"event {first} is stored, and the snapshot ends with {reached.stored_next_id - 1}")
                    continue
                try:
                    _, data = unpack(value, "history batch", storing.VERSION)
                    judge.take(first, storing.split_frames(data))
                except (*_UNREADABLE, TypeError) as error:
                    judge.problems.append(f"the batch at event {first} cannot be read: {error}")
        if reached.frames:
            judge.take(reached.stored_next_id, reached.frames)
        judge.compare(reached.state)
        return judge.problems

    async def _timer_of(self, names: Names, shard: int, stored: StoredRun) -> list[str]:
        if not stored.timer_ns:
            return []
        key = storing.timer_key_of(*names)
        after: tuple[int, bytes] = (stored.timer_ns, key[:-1])
        while True:
            rows = await self._store.scan_timers(shard, stored.timer_ns, after, _PAGE)
            if any(row.key == key for row in rows):
                return []
            if len(rows) < _PAGE or rows[-1].key > key:
                return [f"the timer at {stored.timer_ns}, which is to wake it, is missing"]
            after = (rows[-1].fire_ns, rows[-1].key)

    async def _tasks_of(self, shard: int, stored: StoredRun) -> list[str]:
        if not stored.tasks:
            return []
        values = await self._store.read(Table.TASKS, storing.tasks_partition(shard), list(stored.tasks))
        missing = sum(value is None for value in values)
        return [f"{missing} of its {len(values)} undispatched tasks are missing"] if missing else []

    async def _listed(self, names: Names, state: RunState) -> list[str]:
        query = Query(names[0], Leaf(tree.system("RunID"), Op.IN, (names[2],)), tree.BY_RUN)
        page = await self._store.list_visibility(query, 2, b"")
        return list(run_rules.judge_listed(state, page.records))

    async def _has_domain(self, domain_id: str) -> bool:
        if domain_id not in self._known_domains:
            self._known_domains[domain_id] = await self._domains.get_by_id(domain_id) is not None
        return self._known_domains[domain_id]

    # --- the other way round ---------------------------------------------------------------------------------------------
    async def _snapshot(self, names: Names) -> Snapshot | None:
        partition = storing.workflow_partition(*names[:2])
        for value in await self._store.read(Table.RUNS, partition, [CURRENT_KEY, storing.run_key(names[2])]):
            if value is None:
                continue
            try:
                state, stored = storing.read_run(value)
            except _UNREADABLE:
                # Told of where the workflow was looked at.
                continue
            if state.run_id == names[2]:
                return state, stored
        return None

    def _moves(self, names: Names, snapshot: Snapshot | None) -> bool:
        """Whether the logs hold more of the run than its snapshot, so that rows beside that may be anything."""
        version = 0 if snapshot is None else snapshot[0].version
        return names in self._logs.deleted or any(step.version > version for step in self._logs.steps.get(names, []))

    async def _timers(self, shard: int) -> None:
        after: tuple[int, bytes] | None = None
        while True:
            rows = await self._store.scan_timers(shard, INT64_MAX, after, _PAGE)
            await self._together(rows, self._timer)
            self.report.looked_at["timers"] += len(rows)
            if len(rows) < _PAGE:
                return
            after = (rows[-1].fire_ns, rows[-1].key)

    async def _timer(self, row: TimerRow) -> list[Finding]:
        try:
            names = storing.timer_owner(row.key)
        except ValueError:
            return [Finding(Kind.TIMER, f"{row.key!r} names no run", shard=row.shard)]
        snapshot = await self._snapshot(names)
        if self._moves(names, snapshot) or not await self._is_there(row):
            return []
        if snapshot is None:
            return [Finding(Kind.TIMER, f"the timer at {row.fire_ns} wakes a run that is not there", *names, row.shard)]
        if snapshot[1].timer_ns != row.fire_ns:
            text = f"the timer at {row.fire_ns} is left over, the run's is at {snapshot[1].timer_ns}"
            return [Finding(Kind.TIMER, text, *names, row.shard)]
        return []

    async def _is_there(self, row: TimerRow) -> bool:
        """Whether the timer is there still."""
        found = await self._store.scan_timers(row.shard, row.fire_ns, (row.fire_ns, row.key[:-1]), _PAGE)
        return any(one.key == row.key for one in found)

    async def _tasks(self, shard: int) -> None:
        async for rows in scans.pages(self._store, Table.TASKS, storing.tasks_partition(shard), _PAGE):
            await self._together([(shard, key, value) for key, value in rows], self._task)
            self.report.looked_at["tasks"] += len(rows)

    async def _task(self, row: tuple[int, bytes, bytes]) -> list[Finding]:
        shard, key, value = row
        try:
            task, _ = storing.read_task(value)
        except _UNREADABLE as error:
            return [Finding(Kind.TASK, f"row {key!r} cannot be read: {error}", shard=shard)]
        names = (task.domain_id, task.workflow_id, task.run_id)
        snapshot = await self._snapshot(names)
        if self._moves(names, snapshot) or not any(await self._store.read(Table.TASKS, storing.tasks_partition(shard), [key])):
            return []
        if snapshot is None:
            return [Finding(Kind.TASK, "an undispatched task of a run that is not there", *names, shard)]
        if key not in snapshot[1].tasks:
            return [Finding(Kind.TASK, "an undispatched task is left over", *names, shard)]
        return []

    async def _visibility(self) -> None:
        after = ""
        while True:
            page = await self._domains.list(after, _PAGE)
            for domain in page:
                self._known_domains.setdefault(domain.id, True)
            if len(page) < _PAGE:
                break
            after = page[-1].name
        for domain_id in sorted(self._known_domains):
            token = b""
            while True:
                listed = await self._store.list_visibility(tree.everything(domain_id), _PAGE, token)
                names = [(record.domain_id, record.workflow_id, record.run_id) for record in listed.records]
                await self._together(names, self._listed_run)
                self.report.looked_at["visibility records"] += len(names)
                token = listed.next_token
                if not token:
                    break

    async def _listed_run(self, names: Names) -> list[Finding]:
        snapshot = await self._snapshot(names)
        if snapshot is not None or self._moves(names, snapshot):
            return []
        query = Query(names[0], Leaf(tree.system("RunID"), Op.IN, (names[2],)), tree.BY_RUN)
        if not (await self._store.list_visibility(query, 1, b"")).records:
            return []
        return [Finding(Kind.VISIBILITY, "the run that it shows is not there", *names)]

    async def _history_owner(self, partition: str) -> list[Finding]:
        try:
            domain_id, workflow_id, run_id = split_ids(partition)
        except ValueError:
            return [Finding(Kind.HISTORY, f"partition {partition!r} names no run")]
        names = (domain_id, workflow_id, run_id)
        snapshot = await self._snapshot(names)
        if snapshot is not None or self._moves(names, snapshot):
            return []
        if not await self._store.scan(Table.HISTORY, partition, None, 1):
            return []
        # A reset that a crash interrupted leaves such rows: nothing names them, and they harm nobody.
        return [Finding(Kind.HISTORY, "events of a run that is not there", *names, is_notice=True)]
