"""The shards' rows and the logs as a check reads them: which log counts for which shard up to where, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import maxsize

from tenuto_server.check.findings import Finding, Kind
from tenuto_server.cluster.sharding import shard_of
from tenuto_server.cluster.shards import stored_shards
from tenuto_server.errors import InvariantViolation
from tenuto_server.history.log import DELETED, Step, decode_batch
from tenuto_server.history.ownership import ShardRow, decode_row, shard_key, stored_rows
from tenuto_server.persistence.interface import Store
from tenuto_server.persistence.rows import UnknownEncoding

Names = tuple[str, str, str]

_PAGE = 200


@dataclass(slots=True)
class Logs:
    """What the logs tell beyond the rows: as much as an owner of all shards would replay. `steps`: of each run that they name, in
    order; `deleted`: runs whose removal they hold, with whatever else they say of these left out; `named`: run ids by workflow,
    in the order of the logs."""

    shards: int
    rows: dict[int, ShardRow] = field(default_factory=dict)
    steps: dict[Names, list[Step]] = field(default_factory=dict)
    deleted: set[Names] = field(default_factory=set)
    named: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    count: int = 0
    findings: list[Finding] = field(default_factory=list)


async def read(store: Store) -> Logs:
    """Reads all logs that count. Call it before reading rows: what a checkpoint trims afterwards, the rows have."""
    logs = Logs(await stored_shards(store))
    await _read_shards(store, logs)
    there = set(await store.list_logs())
    logs.count = len(there)
    bounds = _bounds(logs)
    for log_id, through in bounds.items():
        if log_id in there:
            await _read_log(store, logs, log_id, through)
        else:
            # A log that is freed and deleted while we look is not named by its shard any more either.
            for shard in through:
                logs.findings.append(Finding(Kind.SHARD, f"log {log_id}, which counts for it, is not there", shard=shard))
    for log_id in sorted(there - bounds.keys()):
        logs.findings.append(Finding(Kind.LOG, f"{log_id} is of no use to any shard", is_notice=True))
    return logs


async def _read_shards(store: Store, logs: Logs) -> None:
    async for found in stored_rows(store):
        try:
            shard, row = int(found.key), decode_row(found.value)
        except (UnknownEncoding, ValueError) as error:
            logs.findings.append(Finding(Kind.SHARD, f"row {found.key!r} cannot be read: {error}"))
            continue
        logs.rows[shard] = row
        if found.key != shard_key(shard) or not 0 <= shard < logs.shards:
            logs.findings.append(Finding(Kind.SHARD, f"there are {logs.shards} shards", shard=shard))
        if row.log_id and (row.epoch < 1 or not row.owner):
            text = f"it has a log, epoch {row.epoch} and owner {row.owner!r}"
            logs.findings.append(Finding(Kind.SHARD, text, shard=shard))


def _bounds(logs: Logs) -> dict[str, dict[int, int]]:
    """By log: the shards that it counts for, and up to which row. Former logs come before newer ones."""
    bounds: dict[str, dict[int, int]] = {}
    for shard, row in logs.rows.items():
        for log_id, through in row.prior:
            bounds.setdefault(log_id, {})[shard] = through
    for shard, row in logs.rows.items():
        if row.log_id:
            bounds.setdefault(row.log_id, {})[shard] = maxsize
    return bounds


async def _read_log(store: Store, logs: Logs, log_id: str, through: dict[int, int]) -> None:
    after = trimmed = await store.log_trimmed(log_id)
    while True:
        rows = await store.read_log(log_id, after, _PAGE)
        for row in rows:
            after = row.seq
            try:
                steps = decode_batch(row.body)
            except (InvariantViolation, ValueError) as error:
                logs.findings.append(Finding(Kind.LOG, f"{log_id} row {row.seq} cannot be read: {error}"))
                continue
            for step in steps:
                if row.seq <= through.get(step.shard, -1):
                    _take(logs, log_id, row.seq, step)
        if len(rows) < _PAGE:
            break
    for shard, last in through.items():
        if last != maxsize and last > after:
            text = f"log {log_id} counts for it up to row {last}, and ends with {after} (trimmed up to {trimmed})"
            logs.findings.append(Finding(Kind.SHARD, text, shard=shard))
    # One append is under way at a time: nothing can stand behind a gap.
    behind = await store.read_log(log_id, after + 1, 1)
    if behind:
        logs.findings.append(Finding(Kind.LOG, f"{log_id} has row {behind[0].seq}, and row {after + 1} is missing"))


def _take(logs: Logs, log_id: str, seq: int, step: Step) -> None:
    names = (step.domain_id, step.workflow_id, step.run_id)
    if logs.shards and step.shard != shard_of(step.domain_id, step.workflow_id, logs.shards):
        logs.findings.append(Finding(Kind.LOG, f"{log_id} row {seq} has a step of another shard's run", *names, shard=step.shard))
    if step.version == DELETED:
        logs.deleted.add(names)
        logs.steps.pop(names, None)
    elif names not in logs.deleted:
        logs.steps.setdefault(names, []).append(step)
        logs.named.setdefault(names[:2], {})[names[2]] = None
