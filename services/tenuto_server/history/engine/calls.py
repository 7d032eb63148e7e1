"""What a run is to ask of other workflows: start a child, signal or cancel another workflow, tell the parent of its end, apply
its close policy to the children that it leaves.

A call is due from the moment the records that want it are durable until its outcome is recorded: an event on an open run, a
`CallSettled` on a closed one, which keeps in its state what it still owes. Whoever makes the calls makes each again until its
outcome is definite, so that a crash at any moment only repeats one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tenuto_api import api
from tenuto_server.history.engine import child, external
from tenuto_server.history.engine.records import CallSettled, Happened, Record
from tenuto_server.history.engine.state import CallKind, Child, RunState
from tenuto_server.history.engine.turn import Turn, evolves


class Call(NamedTuple):
    """One thing to ask of workflow `target` in a domain (by name). `initiated_id` is the event that wants it, 0 for telling the
    parent. Calls to one target are made in order."""

    kind: CallKind
    initiated_id: int
    domain: str
    target: str


def due(state: RunState) -> list[Call]:
    """All calls that the run's state implies, in order; close policies come after what was sent to the child before."""
    found = [_child_call(pending) for pending in state.children.values() if not pending.run_id]
    found += [
        Call(pending.kind, pending.initiated_id, pending.domain, pending.workflow_id)
        for pending in state.externals.values()
    ]
    found.sort(key=lambda call: call.initiated_id)
    if state.close_status:
        found += [_child_call(pending) for pending in state.children.values() if pending.run_id]
        if state.owes_parent:
            found.append(_parent_call(state))
    return found


def due_after(state: RunState, records: Sequence[Record]) -> list[Call]:
    """The calls that the records brought about, as the state stands after them."""
    if state.close_status and any(is_closing(record) for record in records):
        return due(state)
    return [call for record in records for call in _brought(state, record)]


def is_due(state: RunState, call: Call) -> bool:
    """Whether the call's outcome is not known yet."""
    match call.kind:
        case CallKind.START_CHILD:
            pending = state.children.get(call.initiated_id)
            return pending is not None and not pending.run_id
        case CallKind.CLOSE_CHILD:
            return bool(state.close_status) and call.initiated_id in state.children
        case CallKind.TELL_PARENT:
            return state.owes_parent
        case _:
            return call.initiated_id in state.externals


def may_owe(state: RunState) -> bool:
    """Whether it is worth looking for calls that are due."""
    return bool(state.children or state.externals or state.owes_parent)


def owes(state: RunState) -> bool:
    """Whether any call is due: then the run is not at rest."""
    if state.externals or state.owes_parent:
        return True
    return any(state.close_status or not pending.run_id for pending in state.children.values())


def settled(turn: Turn, call: Call) -> None:
    """A closed run's call is done."""
    if is_due(turn.state, call):
        turn.internal(CallSettled(call.kind, call.initiated_id))


def is_closing(record: Record) -> bool:
    """Whether the record ends the run."""
    if not isinstance(record, Happened):
        return False
    return record.name in _CLOSING


_CLOSING = frozenset(
    f"workflow_execution_{how}_event_attributes"
    for how in ("completed", "failed", "canceled", "terminated", "timed_out", "continued_as_new")
)


def _brought(state: RunState, record: Record) -> Iterator[Call]:
    if isinstance(record, CallSettled):
        left = state.children.get(record.initiated_id) if record.kind == CallKind.START_CHILD else None
        if left is not None:
            yield _child_call(left)
    elif isinstance(record, Happened):
        initiated_id = record.event.event_id
        match record.name:
            case "start_child_workflow_execution_initiated_event_attributes":
                pending = state.children.get(initiated_id)
                if pending is not None:
                    yield _child_call(pending)
            case (
                "signal_external_workflow_execution_initiated_event_attributes"
                | "request_cancel_external_workflow_execution_initiated_event_attributes"
            ):
                wanted = state.externals.get(initiated_id)
                if wanted is not None:
                    yield Call(wanted.kind, initiated_id, wanted.domain, wanted.workflow_id)
            case _:
                pass


def _child_call(pending: Child) -> Call:
    kind = CallKind.CLOSE_CHILD if pending.run_id else CallKind.START_CHILD
    return Call(kind, pending.initiated_id, pending.domain, pending.workflow_id)


def _parent_call(state: RunState) -> Call:
    parent = api.ParentExecutionInfo.FromString(state.parent)
    return Call(CallKind.TELL_PARENT, 0, parent.domain_name, parent.workflow_execution.workflow_id)


@evolves(CallSettled)
def _settled(state: RunState, record: CallSettled) -> None:
    if record.kind == CallKind.TELL_PARENT:
        state.owes_parent = False
    elif record.kind in (CallKind.START_CHILD, CallKind.CLOSE_CHILD):
        child.settle(state, record)
    else:
        external.settle(state, record)
