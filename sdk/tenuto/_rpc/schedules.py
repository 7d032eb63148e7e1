"""Schedules: workflows that the server starts by a cron expression. `Client.schedules` manages those of a domain."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tenuto._replay.definition import workflow_name
from tenuto._rpc.connection import ScheduleRpc
from tenuto._rpc.options import DEFAULT_EXECUTION_TIMEOUT, DEFAULT_TASK_TIMEOUT
from tenuto._types import RetryPolicy, Seconds, duration, to_timestamp
from tenuto.converter import json_bytes
from tenuto_api import api

if TYPE_CHECKING:
    from tenuto._rpc.client import Client

LIST_PAGE = 100


class OverlapPolicy(enum.IntEnum):
    """What a start does when a run before it is still open: it is dropped, waits for its turn, is made none the less, or has
    the run before it cancelled or terminated."""

    SKIP_NEW = api.SCHEDULE_OVERLAP_POLICY_SKIP_NEW
    BUFFER = api.SCHEDULE_OVERLAP_POLICY_BUFFER
    CONCURRENT = api.SCHEDULE_OVERLAP_POLICY_CONCURRENT
    CANCEL_PREVIOUS = api.SCHEDULE_OVERLAP_POLICY_CANCEL_PREVIOUS
    TERMINATE_PREVIOUS = api.SCHEDULE_OVERLAP_POLICY_TERMINATE_PREVIOUS

    def proto(self) -> api.ScheduleOverlapPolicy:
        """The interface's enum value."""
        return self.value


class CatchUpPolicy(enum.IntEnum):
    """Which starts are made up for that were missed while the schedule was paused or no server ran: none, the last, all."""

    SKIP = api.SCHEDULE_CATCH_UP_POLICY_SKIP
    ONE = api.SCHEDULE_CATCH_UP_POLICY_ONE
    ALL = api.SCHEDULE_CATCH_UP_POLICY_ALL

    def proto(self) -> api.ScheduleCatchUpPolicy:
        """The interface's enum value."""
        return self.value


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """When to start: five cron fields, a descriptor such as "@hourly", or "@every 90s"; UTC unless "CRON_TZ=Zone " is in front.

    Only from `start_time` to `end_time`. Each start waits a part of `jitter`, at most to the next time.
    """

    cron: str
    start_time: datetime | None = None
    end_time: datetime | None = None
    jitter: Seconds | None = None

    def proto(self) -> api.ScheduleSpec:
        """The interface's message."""
        message = api.ScheduleSpec(cron_expression=self.cron)
        if self.start_time is not None:
            message.start_time.CopyFrom(to_timestamp(self.start_time))
        if self.end_time is not None:
            message.end_time.CopyFrom(to_timestamp(self.end_time))
        if self.jitter is not None:
            message.jitter.CopyFrom(duration(self.jitter))
        return message


@dataclass(frozen=True, slots=True)
class ScheduleAction:
    """What to start: a workflow (class, run method, function or type name) with its arguments and options.

    A run's id is `id_prefix` (the schedule's id if empty), "-" and its time as in 2026-01-15T10:00:00Z.
    """

    workflow: Any
    task_list: str
    args: Sequence[Any] = ()
    id_prefix: str = ""
    execution_timeout: Seconds = DEFAULT_EXECUTION_TIMEOUT
    task_timeout: Seconds = DEFAULT_TASK_TIMEOUT
    retry_policy: RetryPolicy | None = None
    memo: Mapping[str, Any] | None = None
    search_attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SchedulePolicies:
    """What to do when a start meets an open run, or was missed. Starts missed longer ago than `catch_up_window` are given up.

    `pause_on_failure`: a run that fails or times out pauses the schedule. `buffer_limit`, `concurrency_limit`: how many starts
    may wait, how many runs may be open; 0 for the server's own limit.
    """

    overlap: OverlapPolicy = OverlapPolicy.SKIP_NEW
    catch_up: CatchUpPolicy = CatchUpPolicy.SKIP
    catch_up_window: Seconds | None = None
    pause_on_failure: bool = False
    buffer_limit: int = 0
    concurrency_limit: int = 0

    def proto(self) -> api.SchedulePolicies:
        """The interface's message."""
        message = api.SchedulePolicies(
            overlap_policy=self.overlap.proto(),
            catch_up_policy=self.catch_up.proto(),
            pause_on_failure=self.pause_on_failure,
            buffer_limit=self.buffer_limit,
            concurrency_limit=self.concurrency_limit,
        )
        if self.catch_up_window is not None:
            message.catch_up_window.CopyFrom(duration(self.catch_up_window))
        return message


class Schedules:
    """The schedules of a client's domain. Calls on one that is not there raise EntityNotExistsError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(
        self,
        schedule_id: str,
        spec: ScheduleSpec | str,
        action: ScheduleAction,
        *,
        policies: SchedulePolicies | None = None,
        memo: Mapping[str, Any] | None = None,
        search_attributes: Mapping[str, Any] | None = None,
        paused: bool = False,
        pause_reason: str = "",
    ) -> None:
        """Makes a schedule, paused if wanted. `spec` may be a cron expression alone. Raises BadRequestError also where the
        schedule exists."""
        request = api.CreateScheduleRequest(
            domain=self._client.domain,
            schedule_id=schedule_id,
            spec=_spec(spec),
            action=self._action(action),
            policies=(policies or SchedulePolicies()).proto(),
        )
        for key, value in (memo or {}).items():
            request.memo.fields[key].CopyFrom(self._client.payload([value]))
        _set_attributes(request.search_attributes, search_attributes)
        if paused:
            request.state.paused = True
            request.state.pause_info.reason = pause_reason
            request.state.pause_info.paused_by = self._client.connection.identity
        # Not repeated on passing errors: a second try would find the first one's schedule.
        await self._client.connection.call_once(ScheduleRpc.create, request)

    async def describe(self, schedule_id: str) -> api.DescribeScheduleResponse:
        """What it is set to and what it has done, as the interface tells it."""
        request = api.DescribeScheduleRequest(domain=self._client.domain, schedule_id=schedule_id)
        return await self._client.connection.call(ScheduleRpc.describe, request)

    async def list(self, *, page_size: int = LIST_PAGE) -> AsyncIterator[api.ScheduleListEntry]:
        """All schedules of the domain, newest first."""
        request = api.ListSchedulesRequest(domain=self._client.domain, page_size=page_size)
        while True:
            response = await self._client.connection.call(ScheduleRpc.list, request)
            for entry in response.schedules:
                yield entry
            if not response.next_page_token:
                return
            request.next_page_token = response.next_page_token

    async def update(
        self,
        schedule_id: str,
        *,
        spec: ScheduleSpec | str | None = None,
        action: ScheduleAction | None = None,
        policies: SchedulePolicies | None = None,
        search_attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Replaces the parts that are given; runs that are open go on as they are."""
        request = api.UpdateScheduleRequest(domain=self._client.domain, schedule_id=schedule_id)
        if spec is not None:
            request.spec.CopyFrom(_spec(spec))
        if action is not None:
            request.action.CopyFrom(self._action(action))
        if policies is not None:
            request.policies.CopyFrom(policies.proto())
        _set_attributes(request.search_attributes, search_attributes)
        await self._client.connection.call(ScheduleRpc.update, request)

    async def pause(self, schedule_id: str, reason: str = "") -> None:
        """No starts until it is unpaused; runs that are open go on."""
        request = api.PauseScheduleRequest(
            domain=self._client.domain,
            schedule_id=schedule_id,
            reason=reason,
            identity=self._client.connection.identity,
        )
        await self._client.connection.call(ScheduleRpc.pause, request)

    async def unpause(self, schedule_id: str, reason: str = "", *, catch_up: CatchUpPolicy | None = None) -> None:
        """Starts again. `catch_up` decides, this once, on the starts that were missed meanwhile."""
        request = api.UnpauseScheduleRequest(domain=self._client.domain, schedule_id=schedule_id, reason=reason)
        if catch_up is not None:
            request.catch_up_policy = catch_up.proto()
        await self._client.connection.call(ScheduleRpc.unpause, request)

    async def delete(self, schedule_id: str) -> None:
        """Ends it; runs that are open go on. One that is not there is deleted already."""
        request = api.DeleteScheduleRequest(domain=self._client.domain, schedule_id=schedule_id)
        await self._client.connection.call(ScheduleRpc.delete, request)

    async def backfill(
        self,
        schedule_id: str,
        start_time: datetime,
        end_time: datetime,
        *,
        backfill_id: str = "",
        overlap: OverlapPolicy | None = None,
    ) -> None:
        """Starts what would have been started in a range of time, both ends included. An id that was used before does
        nothing; at most ten backfills wait."""
        request = api.BackfillScheduleRequest(
            domain=self._client.domain,
            schedule_id=schedule_id,
            start_time=to_timestamp(start_time),
            end_time=to_timestamp(end_time),
            backfill_id=backfill_id,
        )
        if overlap is not None:
            request.overlap_policy = overlap.proto()
        await self._client.connection.call(ScheduleRpc.backfill, request)

    def _action(self, action: ScheduleAction) -> api.ScheduleAction:
        message = api.ScheduleAction()
        start = message.start_workflow
        start.workflow_type.name = workflow_name(action.workflow)
        start.task_list.name = action.task_list
        start.input.CopyFrom(self._client.payload(action.args))
        start.workflow_id_prefix = action.id_prefix
        start.execution_start_to_close_timeout.CopyFrom(duration(action.execution_timeout))
        start.task_start_to_close_timeout.CopyFrom(duration(action.task_timeout))
        if action.retry_policy is not None:
            start.retry_policy.CopyFrom(action.retry_policy.proto())
        for key, value in (action.memo or {}).items():
            start.memo.fields[key].CopyFrom(self._client.payload([value]))
        _set_attributes(start.search_attributes, action.search_attributes)
        return message


def _spec(spec: ScheduleSpec | str) -> api.ScheduleSpec:
    return (ScheduleSpec(spec) if isinstance(spec, str) else spec).proto()


def _set_attributes(attributes: api.SearchAttributes, values: Mapping[str, Any] | None) -> None:
    for key, value in (values or {}).items():
        attributes.indexed_fields[key].data = json_bytes(value)
