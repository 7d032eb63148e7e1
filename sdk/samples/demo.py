"""A whole system in half a minute's reading: a server, a worker, an order that goes through them, and what was recorded of it.

python sdk/samples/demo.py                    with a server of its own
python sdk/samples/demo.py --address ADDRESS  on one that runs
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The sample beside this file, however this one is started.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import order  # type: ignore[import-not-found, unused-ignore]

from tenuto.client import Client
from tenuto.worker import Worker, run_event_loop
from tenuto_api import api

START_SECONDS = 20.0
STOP_SECONDS = 10.0
RESULT_SECONDS = 30.0
# What tells most of an event, in the order it is shown; a payload is shown as text.
TELLING = (
    "workflow_type", "activity_type", "activity_id", "signal_name", "timer_id", "start_to_fire_timeout", "attempt",
    "last_failure", "failure", "input", "result",
)  # fmt: skip
SHOWN_CHARS = 60


def main() -> None:
    """Runs the demo."""
    parser = argparse.ArgumentParser(description="A whole system in half a minute's reading.")
    parser.add_argument("--address", help="a server that runs already; default: starts one")
    address = parser.parse_args().address
    logging.basicConfig(level=logging.ERROR)
    if address:
        run_event_loop(demo(address))
        return
    command = server_command()
    with tempfile.TemporaryDirectory(prefix="tenuto-demo-") as folder, server(command, Path(folder)) as address:
        run_event_loop(demo(address))
    print("\nServer stopped. Next: read sdk/samples/hello.py, the smallest sample, or start a server of your own:")
    print("    tenuto-server dev")


def server_command() -> list[str]:
    """How to start the server: its script beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("tenuto-server")
    found = str(beside) if beside.exists() else shutil.which("tenuto-server")
    if found is None:
        sys.exit("The demo needs the server: pip install tenuto-server (in this repository: make setup).")
    return [found]


@contextmanager
def server(command: list[str], folder: Path) -> Iterator[str]:
    """A server of our own on a SQLite file in `folder`; gives its address and stops it in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    database, log = folder / "tenuto.db", folder / "server.log"
    print(f"Starting a server at {address}, on the SQLite file {database} ...")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "dev", "--db", str(database), "--address", address], stdout=output, stderr=output
        )
    try:
        started = time.monotonic()
        while not listens(address):
            if process.poll() is not None or time.monotonic() - started > START_SECONDS:
                sys.exit(f"The server did not start:\n{log.read_text(errors='replace')}")
            # tidy: allow blocking-sleep: no event loop runs yet, and a starting server cannot tell us when it is ready
            time.sleep(0.02)
        print(f"It listens after {time.monotonic() - started:.1f} s, as process {process.pid}.")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(address: str) -> bool:
    """Whether anything answers there."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


async def demo(address: str) -> None:
    """Serves the order sample, places an order, approves it, shows what happened."""
    async with await Client.connect(address) as client:
        await client.ensure_domain()
        worker = Worker(client, order.TASK_LIST, workflows=order.WORKFLOWS, activities=order.ACTIVITIES)
        async with worker:
            print(f"A worker polls the task list {order.TASK_LIST!r}, as process {os.getpid()}.")
            wanted = order.Order(uuid.uuid4().hex[:8], "Ann", {"tea": 2, "cup": 1}, 1490)
            workflow_id = f"order-{wanted.id}"
            print(f"Ann orders {wanted.items}: the workflow {workflow_id} starts.")
            handle = await client.start_workflow(
                order.OrderWorkflow.run, wanted, id=workflow_id, task_list=order.TASK_LIST
            )
            print("Bob approves (a signal). The bank is away at first (a retry), packing takes two seconds (a timer).")
            await handle.signal(order.OrderWorkflow.approve, "Bob")
            result = await handle.result(timeout=RESULT_SECONDS)
            print(f"\nThe workflow's result:\n    {result}\n\nIts history, from which it could go on after any crash:")
            events = [event async for event in handle.history()]
    for event in events:
        print(line(event, events[0]))


def line(event: api.HistoryEvent, first: api.HistoryEvent) -> str:
    """An event on one line: id, seconds since the first, name, and what tells most of it."""
    field = str(event.WhichOneof("attributes"))
    name = "".join(word.title() for word in field.removesuffix("_event_attributes").split("_"))
    seconds = (event.event_time.ToNanoseconds() - first.event_time.ToNanoseconds()) / 1e9
    return f"{event.event_id:5}  {seconds:+7.3f} s  {name:30}  {'  '.join(details(getattr(event, field)))}".rstrip()


def details(attributes: object) -> Iterator[str]:
    """The telling fields of an event, as name=value."""
    for name in TELLING:
        value = getattr(attributes, name, None)
        if isinstance(value, api.WorkflowType | api.ActivityType):
            value = value.name
        elif isinstance(value, api.Payload):
            value = value.data.decode(errors="replace").strip().replace("\n", " ")
        elif isinstance(value, api.Failure):
            value = value.reason
        elif name.endswith("_timeout") and value is not None:
            value = f"{value.seconds} s"
        if value:
            text = str(value)
            yield f"{name}={text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 3] + '...'}"


if __name__ == "__main__":
    main()
