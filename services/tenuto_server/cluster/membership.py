"""Who is in the cluster: keeps this process's row in the membership table and this process's picture of the others'
rows.

A row lives for `ttl_s` and is refreshed well within it, so a process that dies is gone from everyone's picture by
`ttl_s + read_interval_s`; one that stops in good order withdraws its row and is gone at the next read. While the store
cannot be reached the last picture stands: all processes would otherwise seem gone at once. The picture may lag or be
wrong; that costs retries, never correctness. Whoever meets something that does not fit (an owner that is none, a link that
broke) has it read sooner: so the others notice a process that left within a tenth of a second, if it is missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from tenuto_server.config.runtime import Runtime
from tenuto_server.persistence.interface import Member, Store, StoreUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MembershipSettings:
    """Times in seconds. `jitter` spreads the processes' reads: each wait is up to this fraction shorter. `hurry_gap_s` is the
    least time between two reads when somebody is in a hurry."""

    ttl_s: float = 10.0
    announce_interval_s: float = 2.0
    read_interval_s: float = 1.0
    withdraw_timeout_s: float = 3.0
    jitter: float = 0.2
    hurry_gap_s: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.announce_interval_s < self.ttl_s:
            raise ValueError("announce_interval_s must be over 0 and under ttl_s")
        if not 0 < self.hurry_gap_s <= self.read_interval_s:
            raise ValueError("hurry_gap_s must be over 0 and at most read_interval_s")
        if self.read_interval_s <= 0 or self.withdraw_timeout_s <= 0 or not 0 <= self.jitter < 1:
            raise ValueError("read_interval_s and withdraw_timeout_s must be over 0, jitter at least 0 and under 1")


class Membership:
    """This process's view of the membership table, and its own row there.

    `member` None only watches: such a process announces nothing.
    """

    def __init__(self, store: Store, runtime: Runtime, member: Member | None, settings: MembershipSettings | None = None) -> None:
        self._store = store
        self._runtime = runtime
        self._member = member
        self._settings = settings or MembershipSettings()
        self._members: tuple[Member, ...] = ()
        self._callbacks: list[Callable[[], None]] = []
        self._announcer: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def members(self, role: str) -> list[Member]:
        """The members of a role as last read, ordered by address; where one address has two rows (it was restarted
        before its old row ran out) only one of them."""
        by_address = {member.address: member for member in self._members if member.role == role}
        return [by_address[address] for address in sorted(by_address)]

    def on_change(self, callback: Callable[[], None]) -> None:
        """`callback()` runs after each read that found other members than the one before. It must not raise."""
        self._callbacks.append(callback)

    def look_soon(self) -> None:
        """Something does not fit the picture: it is read again at once, or shortly after the last reading."""
        self._hurry.set()

    async def start(self) -> None:
        """Announces this process and reads the table once, then keeps doing both. Raises StoreUnavailable if either
        fails: a process that never saw the table can do nothing useful."""
        if self._member is not None:
            await self._store.announce(self._member, self._settings.ttl_s)
        self._take(await self._store.members())
        if self._member is not None:
            self._announcer = asyncio.create_task(self._keep_announcing(self._member))
        self._reader = asyncio.create_task(self._keep_reading())

    async def withdraw(self) -> None:
        """Takes this process out of the table while it still watches the others: the first step of handing over its
        work. If the store fails the row runs out by itself."""
        member, self._member = self._member, None
        if member is None:
            return
        announcer, self._announcer = self._announcer, None
        # An announcement under way must end first, or it could put the row back.
        await _end(announcer)
        try:
            async with asyncio.timeout(self._settings.withdraw_timeout_s):
                await self._store.withdraw(member)
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("could not withdraw %s %s; its row runs out: %r", member.role, member.address, error)

    async def stop(self) -> None:
        """Withdraws this process's row if it is still there, and stops watching."""
        reader, self._reader = self._reader, None
        await _end(reader)
        await self.withdraw()

    def kill(self) -> None:
        """Stops at once and leaves the row to run out, as a crash would."""
        for task in (self._announcer, self._reader):
            if task is not None:
                task.cancel()
        self._announcer = self._reader = None

    async def _keep_announcing(self, member: Member) -> None:
        while True:
            await asyncio.sleep(self._jittered(self._settings.announce_interval_s))
            try:
                await self._store.announce(member, self._settings.ttl_s)
            except StoreUnavailable as error:
                log.warning("could not announce %s %s: %r", member.role, member.address, error)

    async def _keep_reading(self) -> None:
        settings = self._settings
        while True:
            await asyncio.sleep(settings.hurry_gap_s)
            try:
                async with asyncio.timeout(self._jittered(settings.read_interval_s) - settings.hurry_gap_s):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            self._hurry.clear()
            try:
                members = await self._store.members()
            except StoreUnavailable as error:
                log.warning("could not read the members; keeping the last %d: %r", len(self._members), error)
                continue
            self._take(members)

    def _take(self, members: list[Member]) -> None:
        ordered = tuple(sorted(members))
        if ordered == self._members:
            return
        self._members = ordered
        for callback in self._callbacks:
            callback()

    def _jittered(self, interval_s: float) -> float:
        return interval_s * (1 - self._settings.jitter * self._runtime.random.random())


async def _end(task: asyncio.Task[None] | None) -> None:
    """Cancels a task and waits until it has ended; says so if it had died of an error of its own."""
    if task is None:
        return
    task.cancel()
    [outcome] = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, Exception):
        log.error("a membership task had failed", exc_info=outcome)
