"""What an operator may set of the history service."""

from __future__ import annotations

from dataclasses import dataclass

from tenuto_server.config.buckets import UNLIMITED
from tenuto_server.config.live import BY_DOMAIN, BY_TASK_LIST, setting


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """Times in seconds, sizes in bytes, unless the name says otherwise."""

    # The longest wait between two appends to the log while many steps come in (see `log`); with few there is none.
    append_gap_max: float = setting(0.02, seconds=True)
    # Steps that nobody waits for are appended after this long, if no others that somebody waits for take them along before.
    append_patience: float = setting(0.02, seconds=True)
    # Appends are tried again after this long when the store does not answer.
    append_retry: float = setting(0.05, seconds=True, least=0.001)
    # A batch is closed at this size; the steps after it go into the next one.
    batch_bytes_max: int = setting(4 * 1024 * 1024, least=1)
    # More steps than this waiting for the log: new requests are refused as busy.
    pending_steps_max: int = setting(20_000, least=1)
    # Requests a second that one workflow id takes from outside: starts, signals and the like.
    workflow_id_external_rps: float = setting(UNLIMITED, "history.workflowIDExternalRPS", filters=BY_DOMAIN)
    # Workflow ids whose rate is kept; the one not asked for longest makes room.
    workflow_id_rates_max: int = setting(10_000, least=1)
    # How long a day of a domain's retention lasts; tests shorten it. It counts for runs whose closing is written from now on.
    retention_day: float = setting(86_400.0, seconds=True, least=0.001)
    # Rows of a former owner's log that are read at once.
    log_page_rows: int = setting(100, least=1)
    checkpoint_interval: float = setting(1.0, seconds=True, least=0.01)
    # Rows a checkpoint writes at once.
    checkpoint_rows: int = setting(400, least=1)
    # Visibility records are written for those who list at most this often.
    visibility_flush_gap: float = setting(0.05, seconds=True)
    # What one run's search attributes may be, in a decision: keys, bytes of a value, bytes of all.
    search_attributes_keys_max: int = setting(100, "frontend.searchAttributesNumberOfKeysLimit", filters=BY_DOMAIN)
    search_attributes_value_bytes_max: int = setting(2 * 1024, "frontend.searchAttributesSizeOfValueLimit", filters=BY_DOMAIN)
    search_attributes_bytes_max: int = setting(40 * 1024, "frontend.searchAttributesTotalSizeLimit", filters=BY_DOMAIN)
    # Runs kept in memory after they came to rest.
    idle_runs_max: int = 10_000
    # Resting timers are loaded this long before they are due.
    timer_window: float = setting(60.0, seconds=True, least=1)
    # A history long poll is answered, empty, after this long.
    history_poll: float = setting(20.0, "history.longPollExpirationInterval", filters=BY_DOMAIN, seconds=True, least=0.001)
    # Events a page, and its size: the gRPC libraries of clients take messages of 4 MiB unless told otherwise. Only a single
    # event that is larger makes a larger page.
    history_page_max: int = setting(1000, "frontend.historyMaxPageSize", filters=BY_DOMAIN, least=1)
    history_page_bytes_max: int = setting(3 * 1024 * 1024, least=1)
    # Tasks that a full task list refused are offered again after this long.
    offer_retry: float = setting(0.05, seconds=True, least=0.001)
    # Tasks on offer are offered anew this often.
    offer_repeat: float = setting(60.0, seconds=True, least=0.1)
    # Tasks of one task list that may be on offer to matching at once.
    offers_max: int = setting(1000, least=1)
    # Partitions of a task list that tasks are spread over; frontends must read at least as many.
    task_list_write_partitions: int = setting(
        1, "matching.numTasklistWritePartitions", filters=BY_TASK_LIST, least=1
    )
    # Calls from workflow to workflow (starts of children, signals, close policies) under way at once, of one run and in all.
    calls_per_run_max: int = setting(20, least=1)
    calls_max: int = setting(200, least=1)
    # How long one may take; it is made again after this long, then ever later.
    call_timeout: float = setting(10.0, seconds=True, least=0.001)
    call_retry_first: float = setting(0.05, seconds=True, least=0.001)
    call_retry_max: float = setting(5.0, seconds=True, least=0.001)
    # Asynchronous starts of one shard that may wait; more are refused as busy. One that fails for a passing reason is tried again
    # after this long, doubled each time up to the longest.
    async_starts_max: int = setting(10_000, least=1)
    async_start_retry: float = setting(0.1, seconds=True, least=0.001)
    async_start_retry_max: float = setting(5.0, seconds=True, least=0.001)
    # How often the node looks which shards it should own.
    shard_interval: float = setting(0.5, seconds=True, least=0.01)
    # A new node waits this long for the living owner of a shard to hand it over before it seals that owner's log.
    handover_timeout: float = setting(10.0, seconds=True)
    # What one run may come to: see `engine.limits.Limits`.
    blob_bytes_max: int = setting(2 * 1024 * 1024, "limit.blobSize.error", filters=BY_DOMAIN, least=1)
    blob_bytes_warn: int = setting(256 * 1024, "limit.blobSize.warn", filters=BY_DOMAIN)
    history_size_max: int = setting(200 * 1024 * 1024, "limit.historySize.error", filters=BY_DOMAIN, least=1)
    history_count_max: int = setting(204_800, "limit.historyCount.error", filters=BY_DOMAIN, least=1)
    # Said in the log when a history grows past either.
    history_size_warn: int = setting(50 * 1024 * 1024, "limit.historySize.warn", filters=BY_DOMAIN)
    history_count_warn: int = setting(51_200, "limit.historyCount.warn", filters=BY_DOMAIN)
    signals_max: int = setting(10_000, "history.maximumSignalsPerExecution", filters=BY_DOMAIN)
    buffered_events_max: int = setting(100, "history.maximumBufferedEventsBatch", least=1)
    # Activities pending at once, if that is enforced.
    pending_activities_max: int = setting(1024, "limit.pendingActivityCount.error", least=1)
    enforce_pending_activities: bool = setting(False, "limit.pendingActivityCount.enabled")
    # From this attempt on a failing decision is said in the log.
    decision_attempts_critical: int = setting(10, "history.decisionRetryCriticalAttempts", least=1)
    # A decision that failed so often ends its workflow, if that is enforced. 0: never.
    decision_attempts_max: int = setting(1000, "history.decisionRetryMaxAttempts", filters=BY_DOMAIN)
    enforce_decision_attempts: bool = setting(False, "history.enforceDecisionTaskAttempts", filters=BY_DOMAIN)
    # Queries of one run that wait for its decision task at once; more are refused. Cadence allows one.
    buffered_queries_max: int = setting(100, "history.MaxBufferedQueryCount", least=1)
    # Queries that go out with one decision task hold at most so many bytes together; what does not fit is asked directly.
    attached_queries_bytes_max: int = setting(512 * 1024, least=1)
    # How long a decision may be kept going by answers that decide nothing, while local activities run.
    decision_heartbeat_timeout: float = setting(
        1800.0, "history.decisionHeartbeatTimeout", filters=BY_DOMAIN, seconds=True
    )
