"""What must hold between workflows: parents and their children, signals and cancel requests from one to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tenuto_api import api
from tenuto_server.history.handlers.calls import POLICY_REASON

from .picture import Picture, Run
from .program import CLOSING, TARGETS, attributes_of, kind_of

CHILD = "start_child_workflow_execution_initiated"
SIGNAL = "signal_external_workflow_execution_initiated"
CANCEL = "request_cancel_external_workflow_execution_initiated"
# These name the decision that wanted the call, and come long after it.
CALL_FAILURES = (
    "start_child_workflow_execution_failed",
    "signal_external_workflow_execution_failed",
    "request_cancel_external_workflow_execution_failed",
)
_CHILD_ENDS = {f"child_workflow_execution_{how.lower()}": how for how in CLOSING.values()}
_OUTCOMES = {
    "start_child_workflow_execution_failed": CHILD,
    **dict.fromkeys(_CHILD_ENDS, CHILD),
    "child_workflow_execution_started": CHILD,
    "signal_external_workflow_execution_failed": SIGNAL,
    "external_workflow_execution_signaled": SIGNAL,
    "request_cancel_external_workflow_execution_failed": CANCEL,
    "external_workflow_execution_cancel_requested": CANCEL,
}


def references(kind: str) -> list[tuple[str, tuple[str, ...]]]:
    """The fields by which events about other workflows name events of their own, and the kinds these must be of."""
    initiated = _OUTCOMES.get(kind)
    found: list[tuple[str, tuple[str, ...]]] = [("initiated_event_id", (initiated,))] if initiated else []
    if kind in _CHILD_ENDS:
        found.append(("started_event_id", ("child_workflow_execution_started",)))
    return found


def check(picture: Picture) -> Iterator[str]:
    """All checks of a cluster at rest."""
    for run in picture.runs.values():
        for problem in (*_check_outcomes(run), *_check_children(run, picture), *_check_calls(run, picture)):
            yield f"{run.name}: {problem}\n{run.text()}"
    yield from _check_parents(picture)


def _check_outcomes(run: Run) -> Iterator[str]:
    """A call has one outcome at most; a run that waited for it to the end has one."""
    ends = Counter(
        attributes_of(event).initiated_event_id
        for event in run.events
        if kind_of(event) in _OUTCOMES and kind_of(event) != "child_workflow_execution_started"
    )
    starts = Counter(attributes_of(event).initiated_event_id for event in run.of_kind("child_workflow_execution_started"))
    for initiated, times in (*ends.items(), *starts.items()):
        if times > 1:
            yield f"what event {initiated} initiated has {times} outcomes"
    for event in run.events:
        kind = kind_of(event)
        initiated = attributes_of(event).initiated_event_id if kind in _CHILD_ENDS else 0
        if initiated and not (attributes_of(event).started_event_id and starts[initiated]):
            yield f"child {initiated} ended without its start"


def _check_children(run: Run, picture: Picture) -> Iterator[str]:
    """Each child that the run knows of is there and ended as it says; close policies were applied."""
    for event in run.of_kind("child_workflow_execution_started"):
        named = attributes_of(event).workflow_execution
        child = picture.runs.get(named.run_id)
        parent = child.started.parent_execution_info if child is not None else api.ParentExecutionInfo()
        # A fork has its base's history: the child knows the base.
        base = picture.runs.get(parent.workflow_execution.run_id)
        known = base is not None and base.workflow_id == run.workflow_id and event in base.events
        if not known or parent.initiated_id != attributes_of(event).initiated_event_id:
            yield f"child {named.workflow_id} does not know of it"
    for event in run.events:
        how = _CHILD_ENDS.get(kind_of(event))
        if how is None:
            continue
        named = attributes_of(event).workflow_execution
        last = picture.runs.get(named.run_id)
        if last is None or last.closing != how or how == "CONTINUED_AS_NEW":
            yield f"child {named.workflow_id} is told to have ended as {how}, and ended as {last.closing if last else '?'}"
    if run.closing and run.closing != "CONTINUED_AS_NEW":
        ended = {attributes_of(event).initiated_event_id for event in run.events if kind_of(event) in _CHILD_ENDS}
        for event in run.of_kind(CHILD):
            chain = _chain(run, event.event_id, picture)
            if chain and event.event_id not in ended and "left" in _timers(chain[-1]):
                yield from _check_policy(attributes_of(event).parent_close_policy, chain[-1])


def _check_policy(policy: int, last: Run) -> Iterator[str]:
    """A child that only its parent's close policy ends."""
    if policy == api.PARENT_CLOSE_POLICY_TERMINATE:
        reason = attributes_of(last.events[-1]).reason if last.closing == "TERMINATED" else ""
        if reason != POLICY_REASON:
            yield f"the close policy should have terminated {last.name}; it is {last.closing}"
    elif policy == api.PARENT_CLOSE_POLICY_REQUEST_CANCEL and last.closing != "CANCELED":
        yield f"the close policy should have canceled {last.name}; it is {last.closing}"


def _timers(run: Run) -> set[str]:
    return {attributes_of(event).timer_id for event in run.of_kind("timer_started")}


def _check_calls(run: Run, picture: Picture) -> Iterator[str]:
    """What was delivered is there, what failed is not."""
    signals = {event.event_id: attributes_of(event) for event in run.of_kind(SIGNAL)}
    cancels = {event.event_id: attributes_of(event) for event in run.of_kind(CANCEL)}
    for event in run.events:
        kind = kind_of(event)
        if kind == "external_workflow_execution_signaled":
            wanted = signals[attributes_of(event).initiated_event_id]
            if not _is_signaled(wanted, picture):
                yield f"its signal {wanted.input.data!r} is lost"
        elif kind == "external_workflow_execution_cancel_requested":
            target = cancels[attributes_of(event).initiated_event_id].workflow_execution.workflow_id
            if not any(one.of_kind("workflow_execution_cancel_requested") for one in picture.of(target)):
                yield f"its cancel request to {target} is lost"
        elif kind == "signal_external_workflow_execution_failed":
            yield from _check_failed(run, attributes_of(event), picture)


def _check_failed(
    run: Run, failed: api.SignalExternalWorkflowExecutionFailedEventAttributes, picture: Picture
) -> Iterator[str]:
    """A signal fails because its target is the workflow itself, is not there, or has closed. (It may all the same be in a
    former run of the target: then the answer was lost, and the next try found another run.)"""
    target = failed.workflow_execution.workflow_id
    completed = failed.cause == api.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_COMPLETED
    if completed and not any(one.closing for one in picture.of(target)):
        yield f"its signal to {target} failed as completed"
    if completed and target in (run.workflow_id, TARGETS[-1]):
        yield f"its signal to {target} failed as completed, and that was not to be asked"


def _is_signaled(wanted: api.SignalExternalWorkflowExecutionInitiatedEventAttributes, picture: Picture) -> bool:
    return any(
        attributes_of(event).input == wanted.input
        for one in picture.of(wanted.workflow_execution.workflow_id)
        for event in one.of_kind("workflow_execution_signaled")
    )


def _check_parents(picture: Picture) -> Iterator[str]:
    """Every child was wanted by its parent, and its parent was not told that it did not start; there is one chain of it."""
    firsts: dict[tuple[str, int], set[str]] = {}
    for run in picture.runs.values():
        info = run.started.parent_execution_info
        parent_id = info.workflow_execution.run_id
        if not parent_id:
            continue
        firsts.setdefault((parent_id, info.initiated_id), set()).add(run.started.first_execution_run_id)
        parent = picture.runs.get(parent_id)
        if parent is None:
            yield f"the parent of {run.name} is not there"
            continue
        wanted = [event for event in parent.of_kind(CHILD) if event.event_id == info.initiated_id]
        if len(wanted) != 1 or attributes_of(wanted[0]).workflow_id != run.workflow_id:
            yield f"{run.name} is a child that its parent did not want\n{parent.text()}"
        failed = [attributes_of(e).initiated_event_id for e in parent.of_kind("start_child_workflow_execution_failed")]
        if info.initiated_id in failed:
            yield f"{run.name} runs though its parent was told that it did not start\n{parent.text()}"
    for (parent_id, initiated), chains in firsts.items():
        if len(chains) > 1:
            yield f"child {initiated} of {parent_id} started {len(chains)} times"


def _chain(parent: Run, initiated: int, picture: Picture) -> list[Run]:
    """The runs of a child in order."""
    found = []
    for run in picture.runs.values():
        info = run.started.parent_execution_info
        if info.workflow_execution.run_id == parent.run_id and info.initiated_id == initiated:
            found.append(run)
    by_former = {run.started.continued_execution_run_id: run for run in found}
    ordered: list[Run] = []
    following = by_former.get("")
    while following is not None:
        ordered.append(following)
        following = by_former.get(following.run_id)
    return ordered
