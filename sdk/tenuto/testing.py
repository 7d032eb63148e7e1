"""For testing workflows: replays recorded histories against today's code, without a server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenuto._replay import history as _history
from tenuto._replay.definition import definition_of
from tenuto._replay.replayer import Replayer
from tenuto.converter import DataConverter, default_converter
from tenuto_api import api

__all__ = ["ReplayHarness", "replay_history"]


class ReplayHarness:
    """Feeds a workflow pieces of history as a server would, and returns the decisions: for scripts of whole lives.

    A piece that ends with DecisionTaskStarted is a live decision task; anything else is replayed.
    """

    def __init__(
        self,
        workflow: Any,
        *,
        domain: str = "default",
        workflow_id: str = "workflow",
        run_id: str = "00000000-0000-4000-8000-000000000000",
        converter: DataConverter = default_converter,
    ) -> None:
        definition = definition_of(workflow)
        self._converter = converter
        self._replayer = Replayer(
            definition, domain=domain, workflow_id=workflow_id, run_id=run_id, converter=converter
        )

    @property
    def closed(self) -> bool:
        """Whether the workflow has ended."""
        return self._replayer.closed

    def feed(self, events: Iterable[api.HistoryEvent]) -> list[api.Decision]:
        """The next piece of history; the decisions of its live task. Raises NonDeterminismError."""
        return self._replayer.advance(list(events))

    def query(self, name: str, *args: Any) -> api.WorkflowQueryResult:
        """Asks a query of the state as it is."""
        data = self._converter.to_payload(args) if args else b""
        return self._replayer.query(api.WorkflowQuery(query_type=name, query_args=api.Payload(data=data)))

    def discard(self) -> None:
        """Drops the workflow from memory."""
        self._replayer.discard()


def replay_history(
    workflow: Any,
    history: api.History | Iterable[api.HistoryEvent],
    *,
    domain: str = "default",
    workflow_id: str = "workflow",
    run_id: str = "00000000-0000-4000-8000-000000000000",
    converter: DataConverter = default_converter,
) -> None:
    """Replays a whole recorded history. Raises NonDeterminismError where today's code does not follow it.

    Histories come from `WorkflowHandle.history()`. Give the ids of the recorded run if the workflow's code looks at them.
    """
    events = list(history.events if isinstance(history, api.History) else history)
    replayer = Replayer(
        definition_of(workflow), domain=domain, workflow_id=workflow_id, run_id=run_id, converter=converter
    )
    try:
        replayer.advance(events)
        replayer.verify(_history.cut(events)[1])
    finally:
        replayer.discard()
