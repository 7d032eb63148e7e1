"""What the history service's log lines say of the run that they are about."""

from __future__ import annotations

import random

from tenuto_server.cluster.router import StaticRouter
from tenuto_server.config.runtime import Runtime
from tenuto_server.history.core import Core
from tenuto_server.history.engine.state import RunState
from tenuto_server.history.settings import HistorySettings
from tenuto_server.persistence.domains import DomainCache
from tenuto_server.persistence.memory import MemoryStore
from tenuto_server.transport.inprocess import InProcessNetwork


def test_domain_workflow_run_and_trace() -> None:
    runtime = Runtime(random=random.Random(1))
    store = MemoryStore(runtime)
    core = Core(
        store=store,
        network=InProcessNetwork(),
        router=StaticRouter(1, ["history"], ["matching"]),
        runtime=runtime,
        domains=DomainCache(store, runtime),
        settings=HistorySettings(),
        address="history",
    )
    state = RunState("domain-id", "w", "r", trace="00-" + "1" * 32 + "-b7ad6b7169203331-01")
    assert core.about(state) == {"domain": "domain-id", "workflow_id": "w", "run_id": "r", "trace_id": "1" * 32}
