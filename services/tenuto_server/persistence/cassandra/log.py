"""The commit log on Cassandra: appended to with one request and a small read, sealed by whoever takes over.

A log is rows (segment, seq, chunk) in partitions of `SEGMENT_ROWS` sequence numbers, and one state row. Of the two forms each log
has the one that it was made with; both keep the promise that `append` returns only if nobody who sealed the log can have missed
the row.

`lwt`      Each row is a lightweight transaction, INSERT ... IF NOT EXISTS. To seal is to take the first free number by the same
           means: every number belongs to the writer or to the seal, by consensus, and the log ends before the seal.

`checked`  The writer writes the row at quorum, and when that is done reads the state at quorum; only a log that is there and not
           sealed acknowledges. Whoever seals writes the mark at quorum, and when that is done reads the log at quorum. Quorums
           overlap. If the writer's read finds no mark, then on some replica it came before the mark; so the row was at a quorum
           before the mark was, and the seal's read of the log, which came after, finds it.

           A row that was never acknowledged may be found by one reader and not by the next, or surface later. So that all
           readers of a sealed log read the same, the first to seal settles where it ends: it writes the rows it found last once
           more (those before them were acknowledged, so they are at a quorum), and then the number of the last as `ending`, which
           is never changed again: that is a lightweight transaction. Nobody reads beyond it. (Cassandra's blocking read repair
           would make the second write needless; nothing here relies on it.)

What both rely on:
- A row is written with the same bytes however often. A write with an unknown outcome is made again by the caller until it is
  known, and only then checked.
- Acknowledgements of a log come in the order of its numbers, and an append begins only when the one `APPENDS_AT_ONCE` before it
  is acknowledged. So what was acknowledged has no gaps, and what was not is among the last few rows.
- Chunks of a large body are a row only together. In `lwt` the first, which is the transaction, comes after the others.
- A log without a state row is not there, and that refuses appends as a seal does: a deleted log needs to leave nothing behind for
  its former writer to find. In `lwt` nothing but the number tells the writer, so there the seal stays for `SEAL_KEPT_S`.
- Trimming notes how far first, then drops the segments that are not needed as a whole. A reader that misses a row looks
  whether it was trimmed meanwhile.
"""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from collections.abc import Coroutine, Iterable
from typing import Any, Final, NamedTuple

from tenuto_server.errors import InvariantViolation
from tenuto_server.persistence.cassandra import log_statements as cql
from tenuto_server.persistence.cassandra.session import Bound, Session, Statement
from tenuto_server.persistence.interface import LogRow, Sealed, StoreUnavailable, StoreVersionError

# Sequence numbers a partition. With batches at their largest it grows to 256 MiB, with ordinary ones to a few.
SEGMENT_ROWS: Final = 64
# A mutation stays far below what Cassandra takes (16 MiB as it is set by default), and a page of them below a frame.
CHUNK_BYTES: Final = 256 * 1024
_PAGE_ROWS: Final = 32
_LIST_PAGE_ROWS: Final = 1000
APPENDS_AT_ONCE: Final = 8
# Logs whose form this process remembers.
_WRITERS_MAX: Final = 1000
# Logs of which this process remembers how far they are trimmed.
_TRIMMED_MAX: Final = 10_000


class LogForm(enum.Enum):
    """How appends to a log are made safe against whoever seals it: see the module."""

    LWT = "lwt"
    CHECKED = "checked"


class _State(NamedTuple):
    """The state row of a log that is there. `ending` is the last number that counts, where that is settled."""

    form: LogForm
    is_sealed: bool
    ending: int | None
    trimmed: int
    dropped: int


class _Writer:
    """A log that this process appends to. `unsettled` are the appends that are not acknowledged, with who waits for them;
    those whose outcome is unknown stay until they are made again."""

    __slots__ = ("form", "is_sealed", "unsettled")

    def __init__(self, form: LogForm) -> None:
        self.form = form
        self.is_sealed = False
        self.unsettled: dict[int, asyncio.Future[None]] = {}


class CassandraLogs:
    """The part of the store that keeps logs: its methods are the `Store`'s. `form` is that of the logs it makes."""

    def __init__(self, session: Session, form: LogForm) -> None:
        self._session = session
        self._form = form
        self._writers: dict[str, _Writer] = {}
        # Segments that were dropped, by log.
        self._dropped: dict[str, int] = {}
        # How far logs are trimmed, as it was seen here.
        self._trimmed: dict[str, int] = {}

    async def create_log(self, log_id: str) -> None:
        """See `Store.create_log`."""
        # Listed first: what is there can be found, and deleted.
        await self._session.execute(cql.LIST, (cql.LISTED_BUCKET, log_id))
        await self._session.execute(cql.CREATE, (log_id, self._form.value))
        self._writers.pop(log_id, None)
        await self._writer(log_id)

    # --- appending ----------------------------------------------------------------------------------------------------
    async def append(self, log_id: str, seq: int, body: bytes) -> None:
        """See `Store.append`."""
        writer = self._writers.get(log_id) or await self._writer(log_id)
        if writer.is_sealed:
            raise Sealed(log_id)
        done = writer.unsettled.get(seq)
        if done is None or done.done():
            done = writer.unsettled[seq] = asyncio.get_running_loop().create_future()
        try:
            await self._in_order(writer, seq - APPENDS_AT_ONCE)
            if writer.form is LogForm.LWT:
                await self._append_if_free(log_id, seq, body)
            else:
                await self._append_and_check(log_id, seq, body)
            await self._in_order(writer, seq - 1)
        except BaseException as error:
            if isinstance(error, Sealed):
                writer.is_sealed = True
            if not done.done():
                # Those after it learn that they are not known to be acknowledged; it stays, until it is made again.
                done.cancel()
            raise
        if not done.done():
            done.set_result(None)
        writer.unsettled.pop(seq, None)

    async def _in_order(self, writer: _Writer, through: int) -> None:
        """Returns when all appends up to `through` that were begun are acknowledged."""
        for seq in sorted(seq for seq in writer.unsettled if seq <= through):
            done = writer.unsettled.get(seq)
            if done is not None:
                await asyncio.wait([done])
            if writer.is_sealed:
                raise Sealed("an earlier append was refused")
            if done is not None and done.cancelled():
                raise StoreUnavailable(f"append {seq}, which comes first, is not known to have happened")

    async def _append_and_check(self, log_id: str, seq: int, body: bytes) -> None:
        await self._write(log_id, LogRow(seq, body))
        rows = await self._session.execute(cql.CHECK, (log_id,))
        if not rows or rows[0][0] is None or rows[0][1]:
            raise Sealed(log_id)

    async def _append_if_free(self, log_id: str, seq: int, body: bytes) -> None:
        first, *others = _chunks(log_id, LogRow(seq, body))
        if others:
            await self._execute_all(others)
        ((applied, *held),) = await self._session.execute(cql.ROW_IF_FREE, first.parameters)
        if applied:
            return
        *_, held_body, chunks = held
        if chunks == 0:
            raise Sealed(log_id)
        if chunks != first.parameters[4] or held_body != first.parameters[5]:
            raise InvariantViolation(f"log {log_id} has another row {seq}")
        # Ours, from before. If the log is sealed, whoever did that may say so.
        state = await self._state(log_id)
        if state is None or state.is_sealed:
            raise Sealed(log_id)

    async def _writer(self, log_id: str) -> _Writer:
        """The log as one to append to. Raises Sealed."""
        rows = await self._session.execute(cql.CHECK, (log_id,))
        if not rows or rows[0][0] is None or rows[0][1]:
            raise Sealed(log_id)
        _make_room(self._writers, _WRITERS_MAX)
        return self._writers.setdefault(log_id, _Writer(_form(log_id, rows[0][0])))

    async def _write(self, log_id: str, row: LogRow) -> None:
        chunks = _chunks(log_id, row)
        if len(chunks) == 1:
            await self._session.execute(*chunks[0])
        else:
            await self._execute_all(chunks)

    async def _execute_all(self, bounds: Iterable[Bound]) -> None:
        await _all([self._session.execute(*bound) for bound in bounds])

    # --- sealing ------------------------------------------------------------------------------------------------------
    async def seal(self, log_id: str) -> None:
        """See `Store.seal`."""
        await self._session.execute(cql.MARK, (log_id,))
        state = await self._state(log_id)
        if state is None:
            return
        if state.form is LogForm.LWT:
            await self._take_number(log_id, state)
        elif state.ending is None:
            await self._settle_ending(log_id, state)

    async def _take_number(self, log_id: str, state: _State) -> int:
        """Makes sure that the log ends in a seal; returns its number. The transactions decide; the reads between them only look
        for a number, and as transactions of their own they would be in the writer's way, and it in theirs."""
        last = state.trimmed
        is_barred = False
        while True:
            while rows := await self._rows(log_id, cql.READ, last, SEGMENT_ROWS):
                last = rows[-1].seq
            number = last + 1
            applied, chunks = await self._seal_number(log_id, number)
            if applied:
                # Its writer, who does not know of the seal, may have trimmed what was about to be read: then that number was not
                # free, but dropped.
                now = await self._state(log_id)
                if now is None or now.trimmed < number:
                    return number
                last = now.trimmed
            elif chunks == 0:
                return number
            elif not is_barred:
                # Its writer is at work, and might be quicker each time: a seal further on stops it.
                is_barred, _ = await self._seal_number(log_id, number + SEGMENT_ROWS)

    async def _seal_number(self, log_id: str, number: int) -> tuple[bool, int | None]:
        """Takes a number for a seal if it is free; whether it was, and the chunks of what has it."""
        ((applied, *held),) = await self._session.execute(cql.SEAL_IF_FREE, (log_id, _segment(number), number))
        return applied, None if applied else held[-1]

    async def _settle_ending(self, log_id: str, state: _State) -> None:
        """Writes down where the sealed log ends, unless somebody has."""
        ending = state.trimmed
        newest: deque[LogRow] = deque(maxlen=APPENDS_AT_ONCE)
        while True:
            while rows := await self._rows(log_id, cql.READ, ending, SEGMENT_ROWS):
                newest.extend(rows)
                ending = rows[-1].seq
            now = await self._state(log_id)
            if now is None or now.ending is not None:
                return
            if now.trimmed <= ending:
                break
            # As in `_take_number`.
            ending = now.trimmed
        await _all([self._write(log_id, row) for row in newest if row.seq > now.trimmed])
        await self._session.execute(cql.END, (ending, log_id))

    async def log_sealed(self, log_id: str) -> bool:
        """See `Store.log_sealed`."""
        rows = await self._session.execute(cql.CHECK, (log_id,))
        return not rows or rows[0][0] is None or bool(rows[0][1])

    # --- reading ------------------------------------------------------------------------------------------------------
    async def read_log(self, log_id: str, after_seq: int, limit: int) -> list[LogRow]:
        """See `Store.read_log`. Of a log that is not sealed another reader may see fewer rows."""
        state = await self._state(log_id)
        while state is not None and limit > 0:
            first = max(after_seq, state.trimmed)
            rows = await self._rows(log_id, cql.READ_SERIAL if state.form is LogForm.LWT else cql.READ, first, limit)
            if len(rows) < limit:
                # It may have been trimmed or deleted meanwhile, and then this is not where it ends.
                state = await self._state(log_id)
                if state is None or state.trimmed > first + len(rows):
                    continue
            return rows if state.ending is None else [row for row in rows if row.seq <= state.ending]
        return []

    async def _state(self, log_id: str) -> _State | None:
        """The state of a log as all that was answered left it; None where there is no log."""
        rows = await self._session.execute(cql.STATE, (log_id,))
        if not rows or rows[0][0] is None:
            return None
        form, sealed, ending, trimmed, dropped = rows[0]
        return _State(_form(log_id, form), bool(sealed), ending, self._trimmed_at_least(log_id, trimmed or 0), dropped or 0)

    def _trimmed_at_least(self, log_id: str, trimmed: int) -> int:
        """How far a log is trimmed, as anybody here has ever seen it. A trimming that its writer did not finish may be found by
        one read and not by the next; a reader that went by one and then by the other would take a stretch for the log's end."""
        seen = self._trimmed.get(log_id, 0)
        if trimmed <= seen:
            return seen
        _make_room(self._trimmed, _TRIMMED_MAX)
        self._trimmed[log_id] = trimmed
        return trimmed

    async def _rows(self, log_id: str, statement: Statement, after_seq: int, limit: int) -> list[LogRow]:
        """At most `limit` rows after a number, up to the first that is not there, or not there whole, or a seal."""
        rows: list[LogRow] = []
        after = after_seq
        while len(rows) < limit:
            segment = _segment(after + 1)
            found = await self._rows_of(log_id, statement, segment, after, limit - len(rows))
            rows += found
            after += len(found)
            if after < (segment + 1) * SEGMENT_ROWS:
                break
        return rows

    async def _rows_of(self, log_id: str, statement: Statement, segment: int, after_seq: int, limit: int) -> list[LogRow]:
        """As `_rows`, of one segment."""
        rows: list[LogRow] = []
        body: list[bytes] = []
        state = b""
        while True:
            page = await self._session.page(statement, (log_id, segment, after_seq), _PAGE_ROWS, state)
            for seq, chunk, chunks, data in page.rows:
                if seq != after_seq + len(rows) + 1 or chunk != len(body) or chunks == 0:
                    return rows
                body.append(data)
                if len(body) == chunks:
                    rows.append(LogRow(seq, data if chunks == 1 else b"".join(body)))
                    body = []
                    if len(rows) == limit:
                        return rows
            state = page.next_state
            if not state:
                return rows

    # --- trimming and deleting ----------------------------------------------------------------------------------------
    async def trim_log(self, log_id: str, through_seq: int) -> None:
        """See `Store.trim_log`."""
        if through_seq <= 0:
            return
        dropped = self._dropped.get(log_id)
        if dropped is None:
            state = await self._state(log_id)
            if state is None:
                return
            dropped = state.dropped
        await self._session.execute(cql.TRIM, (through_seq, through_seq, dropped, log_id))
        whole = through_seq // SEGMENT_ROWS
        await self._drop(log_id, range(dropped, whole))
        _make_room(self._dropped, _WRITERS_MAX)
        self._dropped[log_id] = max(dropped, whole)

    async def log_trimmed(self, log_id: str) -> int:
        """See `Store.log_trimmed`."""
        state = await self._state(log_id)
        return 0 if state is None else state.trimmed

    async def delete_log(self, log_id: str) -> None:
        """See `Store.delete_log`."""
        await self._session.execute(cql.MARK, (log_id,))
        state = await self._state(log_id)
        if state is not None:
            if state.form is LogForm.LWT:
                await self._delete_to_seal(log_id, state)
            else:
                await self._delete_all(log_id, state)
        # Also where nothing was found: the creation of the log may be on its way.
        await self._session.execute(cql.FORGET, (log_id,))
        await self._session.execute(cql.UNLIST, (cql.LISTED_BUCKET, log_id))
        self._writers.pop(log_id, None)
        self._dropped.pop(log_id, None)
        self._trimmed.pop(log_id, None)

    async def _delete_to_seal(self, log_id: str, state: _State) -> None:
        seal = state.ending
        if seal is None:
            # Written down before anything is dropped: a deletion that is made again finds no rows before the seal, and would take
            # another number and drop the seal itself.
            await self._session.execute(cql.END, (await self._take_number(log_id, state), log_id))
            now = await self._state(log_id)
            if now is None or now.ending is None:
                # Somebody else has done all of it meanwhile.
                return
            seal = now.ending
        last = _segment(seal)
        await self._session.execute(cql.KEEP_SEAL, (log_id, last, seal))
        await self._session.execute(cql.DROP_BEFORE, (log_id, last, seal))
        await self._session.execute(cql.DROP_AFTER, (log_id, last, seal))
        await self._drop(log_id, [*range(state.dropped, last), last + 1])

    async def _delete_all(self, log_id: str, state: _State) -> None:
        """Drops every segment up to the first that is empty, and that one too: a row on its way may be for it."""
        segment = max(state.dropped, _segment(state.trimmed + 1))
        while (await self._session.page(cql.READ, (log_id, segment, 0), 1)).rows:
            segment += 1
        await self._drop(log_id, range(state.dropped, segment + 1))

    async def _drop(self, log_id: str, segments: Iterable[int]) -> None:
        await self._execute_all([Bound(cql.DROP, (log_id, segment)) for segment in segments])

    async def list_logs(self) -> list[str]:
        """See `Store.list_logs`."""
        logs: list[str] = []
        state = b""
        while True:
            page = await self._session.page(cql.LISTED, (cql.LISTED_BUCKET,), _LIST_PAGE_ROWS, state)
            logs += [log_id for (log_id,) in page.rows]
            state = page.next_state
            if not state:
                return logs


def _form(log_id: str, name: str) -> LogForm:
    try:
        return LogForm(name)
    except ValueError as error:
        raise StoreVersionError(f"log {log_id} is of the form {name!r}: a newer program made it") from error


def _segment(seq: int) -> int:
    return (seq - 1) // SEGMENT_ROWS


def _chunks(log_id: str, row: LogRow) -> list[Bound]:
    """A row as what is stored of it, in the order of its chunks."""
    body = row.body
    parts = [body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES)] if len(body) > CHUNK_BYTES else [body]
    segment = _segment(row.seq)
    return [Bound(cql.ROW, (log_id, segment, row.seq, number, len(parts), part)) for number, part in enumerate(parts)]


async def _all(works: list[Coroutine[Any, Any, Any]]) -> None:
    """Does all of it, and then raises what one of them raised."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _make_room(held: dict[str, Any], most: int) -> None:
    """Forgets what was noted first, so that one more may be noted."""
    while len(held) >= most:
        del held[next(iter(held))]
