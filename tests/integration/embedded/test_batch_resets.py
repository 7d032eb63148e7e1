"""A batch of resets on the whole server: each current run is forked once, and what comes of it is let alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tenuto import workflow
from tenuto.client import Client
from tenuto.worker import Worker
from tenuto_api import api
from tenuto_server.embedded import EmbeddedServer
from tests.integration.embedded.test_batches import batch, closing, result, story

TASK_LIST = "resets"


@workflow.defn
class Listener:
    """Ends when it has heard two words."""

    def __init__(self) -> None:
        self.heard = 0

    @workflow.signal
    def say(self) -> None:
        """A word."""
        self.heard += 1

    @workflow.query
    def count(self) -> int:
        """Of words."""
        return self.heard

    @workflow.run
    async def run(self) -> int:
        """How many words."""
        await workflow.wait_condition(lambda: self.heard >= 2)
        return self.heard


@pytest.mark.parametrize("skip_signal_reapply", [False, True])
def test_a_batch_resets_each_run_once(skip_signal_reapply: bool) -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        worker = Worker(client, TASK_LIST, workflows=[Listener])
        await worker.start()
        try:
            runs = [await client.start_workflow(Listener.run, id=f"w{n}", task_list=TASK_LIST) for n in range(7)]
            for run in runs:
                await run.signal(Listener.say)
                assert await run.query(Listener.count, strong=True) == 1
            how = {"ResetType": "FirstDecisionCompleted", "SkipSignalReapply": skip_signal_reapply}
            # Small pages: what the first ones reset is there when the next ones are listed.
            asked: dict[str, Any] = {"Query": "WorkflowType = 'Listener'", "PageSize": 2, "ResetParams": how}
            done = await result(server, "cadence-batcher", await batch(server, BatchType="reset", **asked))
            assert (done["SuccessCount"], done["ErrorCount"]) == (7, 0)
            listed = Counter([info.workflow_execution.workflow_id async for info in client.list_workflows(asked["Query"])])
            assert listed == Counter({f"w{n}": 2 for n in range(7)})
            for run in runs:
                now = client.get_workflow_handle(run.workflow_id)
                assert await now.query("count", strong=True) == (0 if skip_signal_reapply else 1)
                history = [event async for event in now.history()]
                failed = next(e for e in history if e.HasField("decision_task_failed_event_attributes"))
                attributes = failed.decision_task_failed_event_attributes
                assert attributes.cause == api.DECISION_TASK_FAILED_CAUSE_RESET_WORKFLOW
                assert attributes.base_run_id == run.run_id
            # Once more, now that each workflow has two runs: only the current ones are reset.
            done = await result(server, "cadence-batcher", await batch(server, BatchType="reset", **asked))
            assert done["ErrorCount"] == 0
            listed = Counter([info.workflow_execution.workflow_id async for info in client.list_workflows(asked["Query"])])
            assert listed == Counter({f"w{n}": 3 for n in range(7)})
        finally:
            await worker.stop()

    story(told)


def test_a_run_with_nothing_to_reset_to_counts_as_an_error() -> None:
    async def told(server: EmbeddedServer, client: Client) -> None:
        await client.start_workflow("Nobodys", id="n", task_list="nobody", execution_timeout=600)
        asked: dict[str, Any] = {"Query": "WorkflowType = 'Nobodys'", "ResetParams": {"ResetType": "LastDecisionCompleted"}}
        done = await result(server, "cadence-batcher", await batch(server, BatchType="reset", **asked))
        assert (done["SuccessCount"], done["ErrorCount"]) == (0, 1)
        refused: dict[str, Any] = {"Query": "WorkflowType = 'Nobodys'", "ResetParams": {"ResetType": "Sometime"}}
        event = await closing(server, "cadence-batcher", await batch(server, BatchType="reset", **refused))
        assert event.HasField("workflow_execution_failed_event_attributes")

    story(told)
