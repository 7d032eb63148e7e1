"""Workers of the simulated programs, raw against the interface, and as unreliable as a seed wants them.

A decision worker may answer late, twice, with a failure, not at all, with decisions the server must refuse, or with an
empty decision heartbeat; with a sticky task list it keeps histories and reads on from where they end. An activity
worker may fail, heartbeat, fall silent, answer late or twice. `manners.rude` 0 makes all of them well-behaved, whatever
they were.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field

from tenuto_api import api
from tenuto_server import errors

from .client import DOMAIN, TRANSIENT, Client, Doubtful, GaveUp, whole_history
from .observed import Answered, Decided, Delivered, Observed
from .program import ACTIVITY_TIMEOUT_S, DECISION_TIMEOUT_S, HEARTBEAT_TIMEOUT_S, decide, seconds

POLL_TIMEOUT_S = 20.0
CACHED_RUNS_MAX = 8


@dataclass(slots=True)
class Manners:
    """Shared by all workers of a run. `rude`: the chance that a task is handled badly. `think_s`: the longest that a
    decision takes; with slow workers tasks pile up at matching."""

    rude: float = 0.0
    think_s: float = 0.05
    problems: list[str] = field(default_factory=list)


class DecisionWorker:
    """Polls `task_list`, and a sticky list of its own where `sticky`."""

    def __init__(
        self,
        name: str,
        client: Client,
        observed: Observed,
        manners: Manners,
        task_list: str,
        *,
        sticky: bool,
        local: bool,
    ) -> None:
        self.name = name
        self._client = client
        self._random = client.random
        self._observed = observed
        self._manners = manners
        self._task_list = task_list
        self._sticky = sticky
        self._inline = sticky and local
        self._cache: dict[str, list[api.HistoryEvent]] = {}
        self._answers = 0

    async def run(self) -> None:
        """Works for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll(api.TaskList(name=self._task_list, kind=api.TASK_LIST_KIND_NORMAL)))
            if self._sticky:
                sticky = api.TaskList(name=f"sticky:{self.name}", kind=api.TASK_LIST_KIND_STICKY, base_name=self._task_list)
                group.create_task(self._poll(sticky))

    async def _poll(self, task_list: api.TaskList) -> None:
        request = api.PollForDecisionTaskRequest(domain=DOMAIN, task_list=task_list, identity=self.name)
        while True:
            try:
                task = await self._client.once("PollForDecisionTask", request, api.PollForDecisionTaskResponse, POLL_TIMEOUT_S)
            except TRANSIENT:
                await asyncio.sleep(self._random.uniform(0.1, 1.0))
                continue
            following: api.PollForDecisionTaskResponse | None = task
            while following is not None and following.task_token:
                following = await self._work(following)

    async def _work(self, task: api.PollForDecisionTaskResponse) -> api.PollForDecisionTaskResponse | None:
        """One task, badly or well; returns the next one where the answer brought it."""
        try:
            events = await self._history(task)
        except (GaveUp, Doubtful, errors.ServiceError):
            return None
        await asyncio.sleep(self._random.uniform(0, self._manners.think_s))
        if self._random.random() >= self._manners.rude:
            return await self._answer(task, events)
        how = self._random.choice(["die", "late", "twice", "fail", "bad", "heartbeat", "forget"])
        if how == "die":
            return None
        if how == "late":
            await asyncio.sleep(self._random.uniform(0.5, DECISION_TIMEOUT_S * 1.5))
        elif how == "forget":
            self._cache.clear()
            return None
        elif how == "twice":
            both = [self._answer(task, events), self._answer(task, events)]
            first, second = await asyncio.gather(*both)
            return first or second
        elif how == "fail":
            await self._fail(task, events)
            return None
        return await self._answer(task, events, how)

    async def _history(self, task: api.PollForDecisionTaskResponse) -> list[api.HistoryEvent]:
        """The whole history up to this task's start, from the task, the cache or the server."""
        run_id = task.workflow_execution.run_id
        events = list(task.history.events)
        cached = self._cache.pop(run_id, [])
        if not events or events[0].event_id != 1:
            if cached and events and cached[-1].event_id + 1 == events[0].event_id:
                events = cached + events
            else:
                events = await whole_history(self._client, task.workflow_execution.workflow_id, run_id)
                events = [event for event in events if event.event_id <= task.started_event_id]
                if task.attempt > 0:
                    raise GaveUp("a transient decision is not in the stored history")
                if events[-1].event_id < task.started_event_id:
                    # A decision goes out before its start is durable: this one's has been lost, and its answer is refused.
                    raise GaveUp("the decision's start is not in the stored history")
        elif task.next_page_token:
            events = await self._rest(task, events)
        ids = [event.event_id for event in events]
        if ids != list(range(1, len(ids) + 1)) or ids[-1] != task.started_event_id:
            execution = task.workflow_execution
            self._manners.problems.append(
                f"a decision task of {execution.workflow_id} {execution.run_id} came with events {ids}, "
                f"started {task.started_event_id}, previous {task.previous_started_event_id.value}, attempt {task.attempt}"
            )
            raise GaveUp("a bad history")
        return events

    async def _rest(self, task: api.PollForDecisionTaskResponse, events: list[api.HistoryEvent]) -> list[api.HistoryEvent]:
        request = api.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, workflow_execution=task.workflow_execution)
        request.next_page_token = task.next_page_token
        while request.next_page_token:
            page = await self._client.call("GetWorkflowExecutionHistory", request, api.GetWorkflowExecutionHistoryResponse)
            events.extend(page.history.events)
            request.next_page_token = page.next_page_token
        return events

    async def _answer(
        self, task: api.PollForDecisionTaskResponse, events: list[api.HistoryEvent], how: str = ""
    ) -> api.PollForDecisionTaskResponse | None:
        execution = task.workflow_execution
        request = api.RespondDecisionTaskCompletedRequest(task_token=task.task_token, identity=self._identity())
        if how == "heartbeat":
            request.force_create_new_decision_task = True
        else:
            request.decisions.extend(decide(events, execution.workflow_id))
        if how == "bad":
            timer = api.StartTimerDecisionAttributes(timer_id="twice", start_to_fire_timeout=seconds(5))
            request.decisions.extend([api.Decision(start_timer_decision_attributes=timer)] * 2)
        if self._sticky:
            request.sticky_attributes.worker_task_list.name = f"sticky:{self.name}"
            request.sticky_attributes.schedule_to_start_timeout.CopyFrom(seconds(2))
            request.return_new_decision_task = self._inline
        try:
            answer = await self._client.call(
                "RespondDecisionTaskCompleted", request, api.RespondDecisionTaskCompletedResponse, patience_s=10
            )
        except (GaveUp, Doubtful, errors.ServiceError):
            return None
        may_fail = how == "bad" or any(_closes(decision) for decision in request.decisions)
        self._note(task, request.identity, events, len(request.decisions), may_fail=may_fail)
        if self._sticky:
            self._cache[execution.run_id] = events
            while len(self._cache) > CACHED_RUNS_MAX:
                del self._cache[next(iter(self._cache))]
        return answer.decision_task if answer.HasField("decision_task") else None

    async def _fail(self, task: api.PollForDecisionTaskResponse, events: list[api.HistoryEvent]) -> None:
        if task.attempt > 0:
            return
        request = api.RespondDecisionTaskFailedRequest(
            task_token=task.task_token,
            cause=api.DECISION_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
            identity=self._identity(),
        )
        try:
            await self._client.call("RespondDecisionTaskFailed", request, api.RespondDecisionTaskFailedResponse, patience_s=10)
        except (GaveUp, Doubtful, errors.ServiceError):
            return
        self._note(task, request.identity, events, 0, may_fail=True)

    def _note(
        self,
        task: api.PollForDecisionTaskResponse,
        identity: str,
        events: list[api.HistoryEvent],
        decisions: int,
        *,
        may_fail: bool,
    ) -> None:
        execution = task.workflow_execution
        self._observed.decisions.append(
            Decided(
                workflow_id=execution.workflow_id,
                run_id=execution.run_id,
                identity=identity,
                started_event_id=task.started_event_id,
                attempt=task.attempt,
                may_fail=may_fail,
                decisions=decisions,
                seen=tuple(events),
            )
        )

    def _identity(self) -> str:
        self._answers += 1
        return f"{self.name}/{self._answers}"


def _closes(decision: api.Decision) -> bool:
    kind = decision.WhichOneof("attributes") or ""
    return kind.startswith(("complete_", "fail_", "cancel_workflow", "continue_as_new"))


class ActivityWorker:
    """Polls `task_list` for activities, several at a time."""

    def __init__(
        self, name: str, client: Client, observed: Observed, manners: Manners, task_list: str, *, slots: int = 2
    ) -> None:
        self.name = name
        self._client = client
        self._random = client.random
        self._observed = observed
        self._manners = manners
        self._task_list = task_list
        self._slots = slots
        self._polls = 0

    async def run(self) -> None:
        """Works for ever."""
        async with asyncio.TaskGroup() as group:
            for _slot in range(self._slots):
                group.create_task(self._poll())

    async def _poll(self) -> None:
        task_list = api.TaskList(name=self._task_list, kind=api.TASK_LIST_KIND_NORMAL)
        while True:
            self._polls += 1
            poll = f"{self.name}/{self._polls}"
            request = api.PollForActivityTaskRequest(domain=DOMAIN, task_list=task_list, identity=poll)
            try:
                task = await self._client.once("PollForActivityTask", request, api.PollForActivityTaskResponse, POLL_TIMEOUT_S)
            except TRANSIENT:
                await asyncio.sleep(self._random.uniform(0.1, 1.0))
                continue
            if task.task_token:
                execution = task.workflow_execution
                self._observed.deliveries.append(
                    Delivered(execution.workflow_id, execution.run_id, task.activity_id, task.attempt, poll)
                )
                await self._work(task, poll)

    async def _work(self, task: api.PollForActivityTaskResponse, poll: str) -> None:
        seed, generation, polite, heartbeats = json.loads(task.input.data)
        chance = random.Random(f"{seed}/{generation}/{task.activity_id}/{task.attempt}")
        rude = not polite and self._manners.rude > 0
        how = chance.choice(["well", "fail", "fatal", "silent", "late", "twice", "fail twice"]) if rude else "well"
        if how == "silent":
            return
        if how == "late":
            await asyncio.sleep(chance.uniform(ACTIVITY_TIMEOUT_S * 0.7, ACTIVITY_TIMEOUT_S * 1.3))
        elif heartbeats:
            if await self._beat(task, poll, beats=chance.randint(1, 4)):
                await self._cancelled(task, poll)
                return
        else:
            await asyncio.sleep(chance.choice([0.0, 0.01, 0.2, 1.0]))
        if how in ("fail", "fatal"):
            await self._failed(task, poll, how)
        elif how == "twice":
            await asyncio.gather(self._completed(task, poll + "a"), self._completed(task, poll + "b"))
        elif how == "fail twice":
            await asyncio.gather(self._failed(task, poll + "a", "fail"), self._completed(task, poll + "b"))
        else:
            await self._completed(task, poll)

    async def _beat(self, task: api.PollForActivityTaskResponse, poll: str, beats: int) -> bool:
        """Heartbeats for a while; True where the server asks to cancel."""
        for beat in range(beats):
            await asyncio.sleep(HEARTBEAT_TIMEOUT_S / 3)
            request = api.RecordActivityTaskHeartbeatRequest(
                task_token=task.task_token, details=api.Payload(data=b"%d" % beat), identity=poll
            )
            try:
                answer = await self._client.call(
                    "RecordActivityTaskHeartbeat", request, api.RecordActivityTaskHeartbeatResponse, patience_s=3
                )
            except (GaveUp, Doubtful, errors.ServiceError):
                return False
            if answer.cancel_requested:
                return True
        return False

    async def _completed(self, task: api.PollForActivityTaskResponse, identity: str) -> None:
        execution = task.workflow_execution
        result = api.Payload(data=identity.encode())
        if self._random.random() < 0.7:
            await self._respond(
                task,
                api.RespondActivityTaskCompletedRequest(task_token=task.task_token, result=result, identity=identity),
                "completed",
            )
            return
        request = api.RespondActivityTaskCompletedByIDRequest(
            domain=DOMAIN, workflow_execution=execution, activity_id=task.activity_id, result=result, identity=identity
        )
        await self._respond(task, request, "completed")

    async def _failed(self, task: api.PollForActivityTaskResponse, identity: str, reason: str) -> None:
        failure = api.Failure(reason=reason)
        request = api.RespondActivityTaskFailedRequest(task_token=task.task_token, failure=failure, identity=identity)
        await self._respond(task, request, "failed")

    async def _cancelled(self, task: api.PollForActivityTaskResponse, identity: str) -> None:
        request = api.RespondActivityTaskCanceledRequest(task_token=task.task_token, identity=identity)
        await self._respond(task, request, "canceled")

    async def _respond(
        self,
        task: api.PollForActivityTaskResponse,
        request: api.RespondActivityTaskCompletedRequest
        | api.RespondActivityTaskCompletedByIDRequest
        | api.RespondActivityTaskFailedRequest
        | api.RespondActivityTaskCanceledRequest,
        outcome: str,
    ) -> None:
        name = type(request).__name__.removesuffix("Request")
        try:
            await self._client.call(name, request, getattr(api, f"{name}Response"), patience_s=10)
        except (GaveUp, Doubtful, errors.ServiceError):
            return
        execution = task.workflow_execution
        # An answer by id goes to whichever attempt is running, so it is known only to the run.
        attempt = -1 if name.endswith("ByID") else task.attempt
        self._observed.answers.append(
            Answered(execution.workflow_id, execution.run_id, task.activity_id, attempt, request.identity, outcome)
        )
