"""The frontend's settings and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenuto_server.config.buckets import UNLIMITED
from tenuto_server.config.live import BY_DOMAIN, BY_TASK_LIST, fixed, setting
from tenuto_server.frontend.validation import Limits


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a second of one frontend process; the burst is one second's worth. 0 refuses all, `UNLIMITED` none."""

    host_user: float = setting(10_000.0, "frontend.rps")
    host_worker: float = setting(UNLIMITED, "frontend.workerrps")
    host_visibility: float = setting(UNLIMITED, "frontend.visibilityrps")
    host_async: float = setting(10_000.0, "frontend.asyncrps")
    host_domain_admin: float = setting(1_000.0, "frontend.domainadminrps")
    domain_user: float = setting(5_000.0, "frontend.domainrps", filters=BY_DOMAIN)
    domain_worker: float = setting(UNLIMITED, "frontend.domainworkerrps", filters=BY_DOMAIN)
    domain_visibility: float = setting(UNLIMITED, "frontend.domainvisibilityrps", filters=BY_DOMAIN)
    domain_async: float = setting(10_000.0, "frontend.domainasyncrps", filters=BY_DOMAIN)
    # Polls of one task list.
    task_list_worker: float = setting(UNLIMITED, "frontend.tasklistworkerrps", filters=BY_TASK_LIST)
    # Callers whose header "cadence-caller-type" is one of these are counted, never refused.
    bypass_caller_types: tuple[str, ...] = setting((), "frontend.rateLimiterBypassCallerTypes")
    # Buckets are kept for this many (class, domain, task list); the one not used for longest makes room.
    domains_max: int = setting(10_000, "frontend.ratebuckets", least=1)


@dataclass(frozen=True, slots=True)
class FrontendSettings:
    """What a frontend process may be told. Times in seconds, sizes in bytes."""

    limits: Limits = field(default_factory=Limits)
    rates: Rates = field(default_factory=Rates)
    # This cluster's name in domains, and the failover version that a new global domain gets.
    cluster_name: str = fixed("cluster0")
    global_failover_version: int = fixed(1)
    # Where a domain archives that names no place of its own, like file:///var/archive; empty: it must name one.
    history_archival_uri: str = setting("")
    visibility_archival_uri: str = setting("")
    # How long a call may take whose caller gave no timeout, and the most that any call but a poll may take.
    timeout_s_default: float = setting(10.0, seconds=True, least=0.001)
    timeout_s_max: float = setting(120.0, seconds=True, least=0.001)
    # A poll is refused with less than the first left, waits at most the second, and leaves the third for the way back.
    poll_s_min: float = setting(2.0, seconds=True)
    poll_s_max: float = setting(60.0, "matching.longPollExpirationInterval", filters=BY_TASK_LIST, seconds=True, least=0.001)
    poll_margin_s: float = setting(0.5, seconds=True)
    # Between two tries at an owner that is gone or moved: doubled each time, half of it by chance.
    retry_s_first: float = setting(0.02, seconds=True, least=0.001)
    retry_s_max: float = setting(0.4, seconds=True, least=0.001)
    # Refuses clients whose feature version is newer than this server knows.
    check_client_version: bool = setting(False, "frontend.enableClientVersionCheck")
    # Partitions of a task list that are polled: at least as many as history writes.
    task_list_read_partitions: int = setting(
        1, "matching.numTasklistReadPartitions", filters=BY_TASK_LIST, least=1
    )
    # Calls under way in this process, long polls among them; more are refused.
    calls_max: int = setting(50_000, least=1)
    # How long a graceful stop waits for the calls under way.
    drain_s: float = setting(10.0, "frontend.shutdownDrainDuration", seconds=True)
    # Said by DescribeCluster. The web page asks for search by query only where it is said to be there.
    store_backend: str = fixed("sqlite")
    advanced_visibility: bool = fixed(True)
    # What one run's search attributes may be at its start: keys, bytes of a value, bytes of all.
    search_attributes_keys_max: int = setting(100, "frontend.searchAttributesNumberOfKeysLimit", filters=BY_DOMAIN)
    search_attributes_value_bytes_max: int = setting(2 * 1024, "frontend.searchAttributesSizeOfValueLimit", filters=BY_DOMAIN)
    search_attributes_bytes_max: int = setting(40 * 1024, "frontend.searchAttributesTotalSizeLimit", filters=BY_DOMAIN)
    # A list waits this long, at most, for what was acknowledged before to show in it.
    visibility_flush_s_max: float = setting(1.0, seconds=True)
    # Runs a page of a list has where the request does not say, and may have.
    visibility_page_default: int = setting(1000, "frontend.visibilityMaxPageSize", filters=BY_DOMAIN, least=1)
    visibility_page_max: int = setting(10_000, "frontend.esIndexMaxResultWindow", least=1)
