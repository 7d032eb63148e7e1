"""Hello world: a workflow with one activity.

python sdk/samples/hello.py worker            serves it
python sdk/samples/hello.py trigger [NAME]    runs it once and prints its result
"""

from __future__ import annotations

import argparse
import uuid

from tenuto import activity, workflow
from tenuto.client import Client
from tenuto.worker import Worker, run_event_loop, run_until_signal

TASK_LIST = "hello"


@activity.defn
async def greet(name: str) -> str:
    """Any code may stand here: it runs at a worker, and is retried where the workflow asks for that."""
    return f"Hello, {name}!"


@workflow.defn
class HelloWorkflow:
    """Greets."""

    @workflow.run
    async def run(self, name: str) -> str:
        """The workflow: ordinary asyncio code, which survives any crash."""
        return await workflow.execute_activity(greet, name, start_to_close_timeout=10)


async def main() -> None:
    """The commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["worker", "trigger"])
    parser.add_argument("name", nargs="?", default="world")
    parser.add_argument("--server", default="127.0.0.1:7833")
    parser.add_argument("--domain", default="default")
    options = parser.parse_args()
    async with await Client.connect(options.server, domain=options.domain) as client:
        await client.ensure_domain()
        if options.command == "worker":
            await run_until_signal(Worker(client, TASK_LIST, workflows=[HelloWorkflow], activities=[greet]))
        else:
            result = await client.execute_workflow(
                HelloWorkflow.run, options.name, id=f"hello-{uuid.uuid4()}", task_list=TASK_LIST
            )
            print(result)


if __name__ == "__main__":
    run_event_loop(main())
