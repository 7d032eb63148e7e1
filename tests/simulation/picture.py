"""What the cluster says of every run, read through the public interface when all is quiet, to be checked and
compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp

from tenuto_api import api
from tenuto_server import errors

from .client import DOMAIN, Client, Doubtful, GaveUp, execution, whole_history
from .observed import Observed
from .program import CLOSING, attributes_of, kind_of


@dataclass(slots=True)
class Run:
    """One run: its events, and DescribeWorkflowExecution's answer."""

    workflow_id: str
    run_id: str
    events: list[api.HistoryEvent]
    describe: api.DescribeWorkflowExecutionResponse

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.workflow_id} {self.run_id[:8]}"

    @property
    def closing(self) -> str:
        """How it closed ("COMPLETED"), empty while it is open."""
        return CLOSING.get(kind_of(self.events[-1]), "") if self.events else ""

    @property
    def started(self) -> api.WorkflowExecutionStartedEventAttributes:
        """How it began; empty for a history that does not begin with that."""
        if not self.events:
            return api.WorkflowExecutionStartedEventAttributes()
        return self.events[0].workflow_execution_started_event_attributes

    def of_kind(self, kind: str) -> list[api.HistoryEvent]:
        """Its events of one kind, in order."""
        return [event for event in self.events if kind_of(event) == kind]

    @property
    def forked_at(self) -> api.HistoryEvent | None:
        """The event that made it a fork of another run, the last one if it is a fork of a fork."""
        for event in reversed(self.events):
            if getattr(attributes_of(event), "base_run_id", ""):
                return event
        return None

    def pending(self) -> str:
        """What Describe says of activities, children and the decision that are open, on one line."""
        describe = self.describe
        pending = [*describe.pending_activities, *describe.pending_children]
        if describe.HasField("pending_decision"):
            return " ".join(str([*pending, describe.pending_decision]).split())
        return " ".join(str(pending).split())

    def text(self) -> str:
        """Its events, a line each, for people."""
        lines = []
        for event in self.events:
            attributes = str(attributes_of(event)).replace("\n", " ")
            lines.append(f"  {event.event_id} {kind_of(event)} {attributes[:160]}")
        return "\n".join([f"history of {self.workflow_id} {self.run_id}:", *lines])


@dataclass(slots=True)
class Picture:
    """All runs by run id. `listed`: (run id, close status) as visibility lists them."""

    runs: dict[str, Run] = field(default_factory=dict)
    listed: list[tuple[str, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def of(self, workflow_id: str) -> list[Run]:
        """The runs of one workflow id in the order of their beginnings."""
        return sorted((run for run in self.runs.values() if run.workflow_id == workflow_id), key=_began)


def _began(run: Run) -> tuple[int, str]:
    first = run.forked_at or (run.events[0] if run.events else None)
    return (0, "") if first is None else (first.event_time.ToNanoseconds(), run.run_id)


async def take(client: Client, observed: Observed) -> Picture:
    """Reads everything: whatever visibility lists, whatever was acknowledged, and the runs these lead to."""
    picture = Picture()
    names = await _listed(client, picture)
    for start in observed.starts:
        names[start.run_id] = start.workflow_id
    for reset in observed.resets:
        if reset.run_id:
            names[reset.run_id] = reset.workflow_id
    for told in observed.signals:
        if told.run_id:
            names[told.run_id] = told.workflow_id
    for decided in observed.decisions:
        names[decided.run_id] = decided.workflow_id
    for delivered in observed.deliveries:
        names[delivered.run_id] = delivered.workflow_id
    while names:
        run_id, workflow_id = names.popitem()
        run = await read_run(client, workflow_id, run_id, picture)
        if run is None:
            continue
        picture.runs[run_id] = run
        for found_run_id, found_id in _leads(run):
            if found_run_id and found_run_id not in picture.runs:
                names[found_run_id] = found_id
    return picture


async def read_run(client: Client, workflow_id: str, run_id: str, picture: Picture, page_size: int = 0) -> Run | None:
    """One run; what goes wrong is a problem of the picture."""
    request = api.DescribeWorkflowExecutionRequest(domain=DOMAIN, workflow_execution=execution(workflow_id, run_id))
    try:
        events = await whole_history(client, workflow_id, run_id, page_size)
        describe = await client.call("DescribeWorkflowExecution", request, api.DescribeWorkflowExecutionResponse)
    except (errors.ServiceError, Doubtful, GaveUp) as error:
        picture.problems.append(f"{workflow_id} {run_id} cannot be read: {error!r}")
        return None
    return Run(workflow_id, run_id, events, describe)


async def _listed(client: Client, picture: Picture) -> dict[str, str]:
    """Workflow ids by run id, of all runs in the visibility index."""
    names: dict[str, str] = {}
    everything = api.StartTimeFilter(earliest_time=Timestamp(seconds=0), latest_time=Timestamp(seconds=4_000_000_000))
    open_request = api.ListOpenWorkflowExecutionsRequest(domain=DOMAIN, start_time_filter=everything, page_size=1000)
    closed_request = api.ListClosedWorkflowExecutionsRequest(domain=DOMAIN, start_time_filter=everything, page_size=1000)
    opened = await client.call("ListOpenWorkflowExecutions", open_request, api.ListOpenWorkflowExecutionsResponse)
    closed = await client.call("ListClosedWorkflowExecutions", closed_request, api.ListClosedWorkflowExecutionsResponse)
    for info in [*opened.executions, *closed.executions]:
        names[info.workflow_execution.run_id] = info.workflow_execution.workflow_id
        picture.listed.append((info.workflow_execution.run_id, info.close_status))
    return names


async def listed_open(client: Client) -> set[str]:
    """Workflow ids of all runs that the visibility index holds for open."""
    everything = api.StartTimeFilter(earliest_time=Timestamp(seconds=0), latest_time=Timestamp(seconds=4_000_000_000))
    request = api.ListOpenWorkflowExecutionsRequest(domain=DOMAIN, start_time_filter=everything, page_size=1000)
    opened = await client.call("ListOpenWorkflowExecutions", request, api.ListOpenWorkflowExecutionsResponse)
    return {info.workflow_execution.workflow_id for info in opened.executions}


def _leads(run: Run) -> list[tuple[str, str]]:
    """(run id, workflow id) of the runs that this one names."""
    found = []
    for event in run.events:
        kind, attributes = kind_of(event), attributes_of(event)
        if kind == "workflow_execution_continued_as_new":
            found.append((attributes.new_execution_run_id, run.workflow_id))
        elif kind == "workflow_execution_started":
            found.append((attributes.continued_execution_run_id, run.workflow_id))
        elif kind in ("decision_task_failed", "decision_task_timed_out"):
            found.append((attributes.base_run_id, run.workflow_id))
        elif kind == "child_workflow_execution_started":
            found.append((attributes.workflow_execution.run_id, attributes.workflow_execution.workflow_id))
    return found


async def differences(client: Client, before: Picture, page_size: int = 0) -> list[str]:
    """What another reading says otherwise of the same runs."""
    problems: list[str] = []
    for run in before.runs.values():
        again = Picture()
        after = await read_run(client, run.workflow_id, run.run_id, again, page_size)
        problems += again.problems
        if after is not None:
            problems += compare(run, after)
    return problems


def compare(before: Run, after: Run) -> list[str]:
    """Two readings of one run must be the same."""
    problems = []
    if before.events != after.events:
        problems.append(
            f"{before.name} reads otherwise: {_first_difference(before.events, after.events)}\n"
            f"{before.text()}\nthen\n{after.text()}"
        )
    if before.describe != after.describe:
        problems.append(f"{before.name} is described otherwise:\n{before.describe}\nthen\n{after.describe}")
    return problems


def compare_open(before: Run, after: Run) -> list[str]:
    """A run that goes on may have more events afterwards, never less or others. If it has none, nothing that was pending may
    be gone, but activities and children that ended while a decision is started: their events wait in its buffer."""
    if before.events != after.events[: len(before.events)]:
        return compare(before, after)
    if len(before.events) < len(after.events):
        return []
    activities, children, decision = _pending(before)
    activities_after, children_after, decision_after = _pending(after)
    gone = (activities - activities_after) | (children - children_after)
    if (decision and not decision_after) or (gone and not decision_after):
        return [f"{before.name} had pending {_pending(before)} and has {_pending(after)}"]
    return []


def _pending(run: Run) -> tuple[set[int], set[int], bool]:
    """Schedule ids of pending activities, initiated ids of pending children, whether a decision is pending."""
    return (
        {one.schedule_id for one in run.describe.pending_activities},
        {one.initiated_id for one in run.describe.pending_children},
        run.describe.HasField("pending_decision"),
    )


def _first_difference(before: Sequence[api.HistoryEvent], after: Sequence[api.HistoryEvent]) -> str:
    for one, other in zip(before, after, strict=False):
        if one != other:
            return f"event {one.event_id} {kind_of(one)} / {other.event_id} {kind_of(other)}"
    return f"{len(before)} events, then {len(after)}"
