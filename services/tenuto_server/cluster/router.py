"""Where to send a call: the address of the process that owns a shard or a task list, by the ring as this process sees
it.

Being wrong costs a retry, never more: the owner checks for itself (history's log seal), and matching keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tenuto_server import errors
from tenuto_server.cluster import sharding
from tenuto_server.cluster.membership import Membership
from tenuto_server.cluster.ring import VIRTUAL_NODES_DEFAULT, Ring

SHARD_COUNT_MAX = 65536
_MATCHING_CACHE_MAX = 20_000
# Workflows whose shard is remembered: a step of one comes with several calls, and hashing costs more than a look.
_SHARDS_CACHE_MAX = 10_000


class Router:
    """Two rings, of history and of matching processes, changed by `set_members`.

    The members of either may be none; then the address methods raise `errors.Unavailable`.
    """

    def __init__(self, shard_count: int, *, virtual_nodes: int = VIRTUAL_NODES_DEFAULT) -> None:
        if not 1 <= shard_count <= SHARD_COUNT_MAX:
            raise ValueError(f"shard_count must be 1 to {SHARD_COUNT_MAX}, not {shard_count}")
        self.shard_count = shard_count
        self._virtual_nodes = virtual_nodes
        self._callbacks: list[Callable[[], None]] = []
        self._history = Ring((), virtual_nodes)
        self._matching = Ring((), virtual_nodes)
        self._shards: list[str] = []
        self._task_lists: dict[tuple[str, str, int], str] = {}
        self._shard_of: dict[tuple[str, str], int] = {}

    def shard_of(self, domain_id: str, workflow_id: str) -> int:
        """The shard of a workflow, 0 <= shard < shard_count."""
        key = (domain_id, workflow_id)
        shard = self._shard_of.get(key)
        if shard is None:
            if len(self._shard_of) >= _SHARDS_CACHE_MAX:
                self._shard_of.clear()
            shard = self._shard_of[key] = sharding.shard_of(domain_id, workflow_id, self.shard_count)
        return shard

    def history_address(self, shard: int) -> str:
        """The address of the history process that owns `shard`. Raises errors.Unavailable where there is none."""
        if not self._shards:
            raise errors.Unavailable("no history service is running")
        return self._shards[shard]

    def matching_address(self, domain_id: str, task_list: str, task_type: int) -> str:
        """The address of the matching process that owns a task list (`task_type`: internal.TaskType's number).
        Raises errors.Unavailable where there is none."""
        key = (domain_id, task_list, task_type)
        address = self._task_lists.get(key)
        if address is None:
            address = self._look_up_matching(key)
        return address

    def history_addresses(self) -> tuple[str, ...]:
        """All history processes, sorted."""
        return self._history.members

    def matching_addresses(self) -> tuple[str, ...]:
        """All matching processes, sorted."""
        return self._matching.members

    def on_change(self, callback: Callable[[], None]) -> None:
        """`callback()` runs after each change of the members, when the new addresses are in force. It must not
        raise."""
        self._callbacks.append(callback)

    def doubt(self) -> None:
        """An address that was given here did not answer, or was not the owner: where the members can be looked up, that is done
        soon."""

    def set_members(self, history: Iterable[str], matching: Iterable[str]) -> None:
        """Puts new members in force and tells those who asked, if anything differs."""
        history, matching = tuple(sorted(set(history))), tuple(sorted(set(matching)))
        if (history, matching) == (self._history.members, self._matching.members):
            return
        if history != self._history.members:
            self._history = Ring(history, self._virtual_nodes)
            self._shards = self._history.assign(self.shard_count) if history else []
        if matching != self._matching.members:
            self._matching = Ring(matching, self._virtual_nodes)
            self._task_lists.clear()
        for callback in self._callbacks:
            callback()

    def _look_up_matching(self, key: tuple[str, str, int]) -> str:
        if not self._matching.members:
            raise errors.Unavailable("no matching service is running")
        if len(self._task_lists) >= _MATCHING_CACHE_MAX:
            self._task_lists.clear()
        domain_id, task_list, task_type = key
        address = self._matching.lookup(f"{task_type}\0{domain_id}\0{task_list}")
        self._task_lists[key] = address
        return address


class StaticRouter(Router):
    """A router whose members are given: for one process, and for tests (which may change them by `set_members`)."""

    def __init__(
        self,
        shard_count: int,
        history_addresses: Iterable[str],
        matching_addresses: Iterable[str],
        *,
        virtual_nodes: int = VIRTUAL_NODES_DEFAULT,
    ) -> None:
        super().__init__(shard_count, virtual_nodes=virtual_nodes)
        self.set_members(history_addresses, matching_addresses)


class MembershipRouter(Router):
    """A router that follows the membership table. `shard_count` is the cluster's, the same in every process for
    ever."""

    def __init__(self, membership: Membership, shard_count: int, *, virtual_nodes: int = VIRTUAL_NODES_DEFAULT) -> None:
        super().__init__(shard_count, virtual_nodes=virtual_nodes)
        self._membership = membership
        membership.on_change(self._follow)
        self._follow()

    def doubt(self) -> None:
        """See `Router.doubt`."""
        self._membership.look_soon()

    def _follow(self) -> None:
        self.set_members(
            (member.address for member in self._membership.members("history")),
            (member.address for member in self._membership.members("matching")),
        )
