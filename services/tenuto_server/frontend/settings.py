"""The frontend's settings and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenuto_server.frontend.validation import Limits


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a second of one frontend process; the burst is one second's worth. 0 refuses all."""

    host_user: float = 10_000.0
    host_worker: float = 20_000.0
    host_visibility: float = 1_000.0
    host_domain_admin: float = 1_000.0
    domain_user: float = 5_000.0
    domain_worker: float = 10_000.0
    domain_visibility: float = 500.0
    # Buckets are kept for this many (class, domain) pairs; the one not used for longest makes room.
    domains_max: int = 10_000


@dataclass(frozen=True, slots=True)
class FrontendSettings:
    """What a frontend process may be told. Times in seconds, sizes in bytes."""

    limits: Limits = field(default_factory=Limits)
    rates: Rates = field(default_factory=Rates)
    # This cluster's name in domains, and the failover version that a new global domain gets.
    cluster_name: str = "cluster0"
    global_failover_version: int = 1
    # How long a call may take whose caller gave no timeout, and the most that any call but a poll may take.
    timeout_s_default: float = 10.0
    timeout_s_max: float = 120.0
    # A poll is refused with less than the first left, waits at most the second, and leaves the third for the way back.
    poll_s_min: float = 2.0
    poll_s_max: float = 60.0
    poll_margin_s: float = 0.5
    # Between two tries at an owner that is gone or moved: doubled each time, half of it by chance.
    retry_s_first: float = 0.02
    retry_s_max: float = 0.4
    # Partitions of a task list that are polled: at least as many as history writes.
    task_list_read_partitions: int = 1
    # Calls under way in this process, long polls among them; more are refused.
    calls_max: int = 50_000
    # How long a graceful stop waits for the calls under way.
    drain_s: float = 10.0
    # Said by DescribeCluster. The web page asks for search by query only where it is said to be there.
    store_backend: str = "sqlite"
    advanced_visibility: bool = True
    # Runs a page of a list has where the request does not say, and may have.
    visibility_page_default: int = 1000
    visibility_page_max: int = 10_000
