"""Local dispatch: activities that the deciding worker runs itself, as soon as the server has recorded their start.

That saves them the way over the task list. It is asked for where the activity is of this worker and a slot is free, which is
kept until the answer comes; a server that does not grant it leaves the activity out of its answer and dispatches it as ever.
"""

from __future__ import annotations

from collections.abc import Iterable

from tenuto._worker.activities import ActivityRunner
from tenuto._worker.pollers import Pollers
from tenuto_api import api


class LocalDispatch:
    """See the module. `pollers` are those of the task list whose activities `runner` runs."""

    def __init__(self, pollers: Pollers[api.PollForActivityTaskResponse], runner: ActivityRunner, task_list: str) -> None:
        self._pollers = pollers
        self._runner = runner
        self._task_list = task_list

    async def ask(self, decisions: Iterable[api.Decision]) -> list[api.ScheduleActivityTaskDecisionAttributes]:
        """Marks the activities among the decisions that can run here now. A slot is kept for each: `start` or `give_up`."""
        asked: list[api.ScheduleActivityTaskDecisionAttributes] = []
        for decision in decisions:
            if not decision.HasField("schedule_activity_task_decision_attributes"):
                continue
            wanted = decision.schedule_activity_task_decision_attributes
            if wanted.task_list.name != self._task_list or not self._runner.knows(wanted.activity_type.name):
                continue
            if not await self._pollers.reserve():
                break
            wanted.request_local_dispatch = True
            asked.append(wanted)
        return asked

    def give_up(self, asked: Iterable[api.ScheduleActivityTaskDecisionAttributes]) -> None:
        """The decisions came to nothing."""
        for _ in asked:
            self._pollers.release()

    def start(
        self,
        asked: Iterable[api.ScheduleActivityTaskDecisionAttributes],
        granted: api.RespondDecisionTaskCompletedResponse,
        decided: api.PollForDecisionTaskResponse,
    ) -> None:
        """Runs what the server granted."""
        for wanted in asked:
            if wanted.activity_id in granted.activities_to_dispatch_locally:
                info = granted.activities_to_dispatch_locally[wanted.activity_id]
                self._pollers.run_reserved(_task(wanted, info, decided))
            else:
                self._pollers.release()


def _task(
    wanted: api.ScheduleActivityTaskDecisionAttributes,
    info: api.ActivityLocalDispatchInfo,
    decided: api.PollForDecisionTaskResponse,
) -> api.PollForActivityTaskResponse:
    """The activity task as a poll would have brought it."""
    return api.PollForActivityTaskResponse(
        task_token=info.task_token,
        workflow_execution=decided.workflow_execution,
        workflow_type=decided.workflow_type,
        workflow_domain=wanted.domain,
        activity_id=wanted.activity_id,
        activity_type=wanted.activity_type,
        input=wanted.input if wanted.HasField("input") else None,
        header=wanted.header if wanted.HasField("header") else None,
        scheduled_time=info.scheduled_time,
        started_time=info.started_time,
        scheduled_time_of_this_attempt=info.scheduled_time_of_this_attempt,
        schedule_to_close_timeout=wanted.schedule_to_close_timeout,
        start_to_close_timeout=wanted.start_to_close_timeout,
        heartbeat_timeout=wanted.heartbeat_timeout,
    )
