"""What an operator may set of the history service."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """Times in seconds, sizes in bytes, unless the name says otherwise."""

    # The longest wait between two appends to the log while many steps come in and the process is busy; else there is none.
    append_gap_max: float = 0.02
    # Appends are tried again after this long when the store does not answer.
    append_retry: float = 0.05
    # A batch is closed at this size; the steps after it go into the next one.
    batch_bytes_max: int = 4 * 1024 * 1024
    # More steps than this waiting for the log: new requests are refused as busy.
    pending_steps_max: int = 20_000
    checkpoint_interval: float = 1.0
    # Rows a checkpoint writes at once.
    checkpoint_rows: int = 400
    # Runs kept in memory after they came to rest.
    idle_runs_max: int = 10_000
    # Resting timers are loaded this long before they are due.
    timer_window: float = 60.0
    # A history long poll is answered, empty, after this long.
    history_poll: float = 20.0
    # Events a page, and its size: the gRPC libraries of clients take messages of 4 MiB unless told otherwise. Only a single
    # event that is larger makes a larger page.
    history_page_max: int = 1000
    history_page_bytes_max: int = 3 * 1024 * 1024
    # Tasks that a full task list refused are offered again after this long.
    offer_retry: float = 0.05
    # Tasks on offer are offered anew this often.
    offer_repeat: float = 60.0
    # Tasks of one task list that may be on offer to matching at once.
    offers_max: int = 1000
    # Partitions of a task list that tasks are spread over; frontends must read at least as many.
    task_list_write_partitions: int = 1
    # Calls from workflow to workflow (starts of children, signals, close policies) under way at once, of one run and in all.
    calls_per_run_max: int = 20
    calls_max: int = 200
    # How long one may take; it is made again after this long, then ever later.
    call_timeout: float = 10.0
    call_retry_first: float = 0.05
    call_retry_max: float = 5.0
    # How often the node looks which shards it should own.
    shard_interval: float = 0.5
    # A new node waits this long for the living owner of a shard to hand it over before it seals that owner's log.
    handover_timeout: float = 10.0
