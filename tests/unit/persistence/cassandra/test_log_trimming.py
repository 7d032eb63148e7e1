"""A log whose trimming its writer did not finish: one read of its state finds it, the next does not."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest

from tenuto_server.history.log import Step, encode_batch
from tenuto_server.history.recovery import LogReader
from tenuto_server.persistence.cassandra import log_statements
from tenuto_server.persistence.cassandra.log import CassandraLogs, LogForm
from tenuto_server.persistence.cassandra.session import Statement
from tests.simulation.loop import new_loop
from tests.simulation.replica_session import Keyspace, ReplicaSession, tables_of
from tests.simulation.replicas import Replicas

READS = 4


class Flickering(ReplicaSession):
    """Reads of a log's state find the trimming, or not, as `finds` says, again and again."""

    finds: itertools.cycle[bool]

    async def execute(self, statement: Statement, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        rows = await super().execute(statement, parameters)
        if statement is log_statements.STATE and rows and not next(self.finds):
            return [(*rows[0][:3], None, None)]
        return rows


@pytest.mark.parametrize("form", LogForm)
@pytest.mark.parametrize("finds", list(itertools.product([True, False], repeat=READS)))
def test_its_end_is_never_found_before_what_is_trimmed(form: LogForm, finds: tuple[bool, ...]) -> None:
    async def main() -> None:
        session = Flickering(Keyspace(replicas, tables_of()))
        session.finds = itertools.cycle([True])
        logs = CassandraLogs(session, form)
        await logs.create_log("log")
        for seq in (1, 2):
            await logs.append("log", seq, encode_batch([Step(1, 1, "d", "w", "r", seq, [])]))
        await logs.trim_log("log", 2)
        await logs.seal("log")
        another = CassandraLogs(session, form)
        session.finds = itertools.cycle(finds)
        # No whole store: the reader asks it only for what the logs answer.
        assert await LogReader(another, 100).end_of("log") == 2  # type: ignore[arg-type]

    loop = new_loop("trimming")
    replicas = Replicas(loop, random.Random(1))
    loop.run_until_complete(main())
    loop.close()
