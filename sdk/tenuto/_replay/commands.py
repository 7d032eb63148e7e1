"""Commands: what workflow code asked for in a turn, in order, kept until history confirms each of them.

A command is first *open* (this turn's, may still be withdrawn), then *sent* with the decision, then *confirmed* by the
event it became. Live work and replay go the same way: in replay "sent" means that history must already hold the event.

    open --withdraw--> gone
    open --turn ends--> sent --event with its identity--> confirmed
                        sent --another event, or none--> NonDeterminismError
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable
from types import FrameType

from tenuto._replay import history
from tenuto._replay.history import Identity, NamedEvent
from tenuto._replay.local import MARKER as LOCAL_MARKER
from tenuto._replay.local import LocalOutcome
from tenuto.converter import default_converter
from tenuto.errors import NonDeterminismError, PayloadError
from tenuto_api import api

_PACKAGE = __name__.rpartition("._replay")[0] + "."  # frames of our own modules are not workflow code
VERSION_MARKER = "Version"
CHANGE_VERSION_KEY = "CadenceChangeVersion"


def code_line(frame: FrameType | None = None) -> str:
    """Where workflow code is now, as file:line in function: the innermost frame that is neither ours nor asyncio's."""
    current = frame or sys._getframe(1)
    while current is not None:
        module = current.f_globals.get("__name__", "")
        if current.f_code.co_name == "run_until_idle":
            break  # further out is the worker
        if not module.startswith((_PACKAGE, "asyncio.")) and module != "asyncio":
            return f"{current.f_code.co_filename}:{current.f_lineno} in {current.f_code.co_name}"
        back = current.f_back
        if back is None:
            break
        current = back
    return "no line of workflow code"


class Command:
    """One decision: its identity, the interface's message, where it was made, and who wants to know its event id."""

    __slots__ = ("decision", "identity", "on_confirmed", "sent", "where", "withdrawn")

    def __init__(
        self, identity: Identity, decision: api.Decision, on_confirmed: Callable[[NamedEvent], None] | None = None
    ) -> None:
        self.identity = identity
        self.decision = decision
        self.on_confirmed = on_confirmed
        self.where = code_line(sys._getframe(1))
        self.sent = False
        self.withdrawn = False


class CommandLog:
    """The commands of one run that history has not confirmed yet."""

    def __init__(self) -> None:
        self._open: list[Command] = []
        self._sent: deque[Command] = deque()

    def add(self, command: Command) -> None:
        """A command of the turn that is running."""
        self._open.append(command)

    def end_turn(self) -> list[Command]:
        """Moves the turn's commands, without those withdrawn, to the sent ones; returns them."""
        commands = [command for command in self._open if not command.withdrawn]
        for command in commands:
            command.sent = True
        self._open.clear()
        self._sent.extend(commands)
        return commands

    def confirm(self, named: NamedEvent, where: Callable[[], str]) -> None:
        """A decision event of history: it must be what the oldest sent command became.

        Raises NonDeterminismError otherwise. `where` tells where the workflow stands, asked only for that error.
        """
        event = history.identity_of(named)
        command = self._sent[0] if self._sent else None
        if command is not None and history.fits(command.identity, event):
            self._sent.popleft()
            if command.on_confirmed is not None:
                command.on_confirmed(named)
            return
        if _is_version_bookkeeping(named):
            return  # the code no longer asks for this version: removing get_version is allowed
        raise NonDeterminismError(
            event_id=named[1].event_id,
            recorded=f"{named[0]} [{event}]",
            produced=str(command.identity) if command is not None else "no further command",
            where=command.where if command is not None else where(),
        )

    def expect_none(self, event_id: int) -> None:
        """All decision events of a turn have come: a command still unconfirmed is one that history does not know."""
        if self._sent:
            command = self._sent[0]
            raise NonDeterminismError(
                event_id=event_id, recorded="no such event", produced=str(command.identity), where=command.where
            )


def _is_version_bookkeeping(named: NamedEvent) -> bool:
    """Whether an event is a Version marker, or the search attribute that goes with one."""
    if named[0] == "marker_recorded":
        return bool(history.attributes(named).marker_name == VERSION_MARKER)
    if named[0] == "upsert_workflow_search_attributes":
        return list(history.attributes(named).search_attributes.indexed_fields) == [CHANGE_VERSION_KEY]
    return False


class Markers:
    """What markers recorded, looked up while the turn that recorded them is replayed.

    A turn's markers stand in history after it, so they are taken from the next turn's events before the turn is run.
    """

    def __init__(self) -> None:
        self.side_effects: dict[int, bytes] = {}
        self.mutable: dict[str, list[tuple[int | None, bytes]]] = {}
        self.versions: dict[str, int] = {}
        # In the order in which the activities ended.
        self.local: list[LocalOutcome] = []
        self.versions_of_turn: set[str] = set()

    def preload(self, events: Iterable[NamedEvent]) -> None:
        """Reads the markers among the events that a turn's decisions made."""
        self.side_effects.clear()
        self.mutable.clear()
        self.local.clear()
        self.versions_of_turn.clear()
        for named in events:
            if named[0] == "marker_recorded":
                marker = history.attributes(named)
                self._take(marker.marker_name, marker.details.data)

    def _take(self, name: str, details: bytes) -> None:
        """Formats are the Go client's: SideEffect (id, bytes), MutableSideEffect (id, text), Version (change, version)."""
        try:
            if name == "SideEffect":
                number, data = default_converter.from_payload(details, (int, bytes))
                self.side_effects[number] = data
            elif name == "MutableSideEffect":
                key, text, *call = default_converter.from_payload(details, (str, str, int))
                self.mutable.setdefault(key, []).append((call[0] if call else None, text.encode()))
            elif name == LOCAL_MARKER:
                self.local.append(LocalOutcome.of(details))
            elif name == VERSION_MARKER:
                change, version = default_converter.from_payload(details, (str, int))
                self.versions[change] = version
                self.versions_of_turn.add(change)
        except (ValueError, PayloadError) as error:
            raise PayloadError(f"marker {name} cannot be read: {error}") from error
