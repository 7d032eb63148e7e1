"""An order: several activities, a retry, a timer, a signal, a query, and the undoing of what was done when it is cancelled.

python sdk/samples/order.py worker                serves it
python sdk/samples/order.py trigger               places an order, approves it, and prints the receipt
python sdk/samples/order.py trigger --no-approve  leaves it waiting for `approve ID`
python sdk/samples/order.py approve ID            approves one
python sdk/samples/order.py cancel ID             cancels one: its stock is put back
"""

from __future__ import annotations

import argparse
import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tenuto import RetryPolicy, activity, workflow
from tenuto.client import Client
from tenuto.worker import Worker, run_event_loop, run_until_signal

TASK_LIST = "orders"
PACKING = timedelta(seconds=2)
APPROVAL_WITHIN = timedelta(days=1)


@dataclass
class Order:
    """What a customer wants: number of pieces by name; `cents` is the price of all."""

    id: str
    customer: str
    items: dict[str, int] = field(default_factory=dict)
    cents: int = 0


@dataclass
class Receipt:
    """What the customer gets."""

    order_id: str
    payment: str
    tracking: str


@activity.defn
async def reserve_stock(order: Order) -> str:
    """Sets the pieces aside; returns the reservation's number."""
    activity.logger.info("reserving %d pieces", sum(order.items.values()))
    return f"reservation-{order.id}"


@activity.defn
async def charge_card(order: Order) -> str:
    """Takes the money. The bank is away at the first attempt, so that there is a retry to be seen."""
    if activity.info().attempt == 0:
        raise ConnectionError("the bank does not answer")
    return f"payment-{order.id}"


@activity.defn
def ship(order: Order, reservation: str) -> str:
    """Sends the parcel; a plain function, which runs in a thread. Returns the tracking number."""
    activity.heartbeat(f"packing {reservation}")
    return f"track-{order.id}"


@activity.defn
async def release_stock(reservation: str) -> None:
    """Puts the pieces back."""
    activity.logger.info("releasing %s", reservation)


@workflow.defn
class OrderWorkflow:
    """Reserve, wait for approval, charge, pack for a while, ship."""

    def __init__(self) -> None:
        self.approved_by = ""
        self.status = "new"

    @workflow.run
    async def run(self, order: Order) -> Receipt:
        """The workflow."""
        self.status = "reserving"
        reservation = await workflow.execute_activity(reserve_stock, order, start_to_close_timeout=10)
        try:
            return await self._sell(order, reservation)
        except (Exception, asyncio.CancelledError):
            self.status = "undoing"
            undo = workflow.execute_activity(release_stock, reservation, start_to_close_timeout=10)
            await workflow.shielded(undo)  # goes on though the workflow is cancelled
            self.status = "undone"
            raise

    async def _sell(self, order: Order, reservation: str) -> Receipt:
        self.status = "waiting for approval"
        await workflow.wait_condition(lambda: self.approved_by != "", timeout=APPROVAL_WITHIN)
        self.status = "charging"
        patience = RetryPolicy(initial_interval=1, maximum_attempts=5, non_retryable_errors=[ValueError])
        payment = await workflow.execute_activity(
            charge_card, order, start_to_close_timeout=10, retry_policy=patience
        )
        self.status = "packing"
        await asyncio.sleep(PACKING.total_seconds())  # a durable timer
        self.status = "shipping"
        tracking = await workflow.execute_activity(
            ship, order, reservation, start_to_close_timeout=30, heartbeat_timeout=10
        )
        self.status = "done"
        return Receipt(order.id, payment, tracking)

    @workflow.signal
    def approve(self, who: str) -> None:
        """Someone approves of the order."""
        self.approved_by = who

    @workflow.query
    def current_status(self) -> str:
        """How far it is."""
        return self.status


WORKFLOWS: list[Any] = [OrderWorkflow]
ACTIVITIES: list[Callable[..., Any]] = [reserve_stock, charge_card, ship, release_stock]


async def trigger(client: Client, *, approve: bool) -> None:
    """Places an order and shows how it goes."""
    order = Order(uuid.uuid4().hex[:8], "Ann", {"tea": 2, "cup": 1}, 1490)
    handle = await client.start_workflow(OrderWorkflow.run, order, id=f"order-{order.id}", task_list=TASK_LIST)
    print(f"started {handle.workflow_id}")
    if approve:
        await handle.signal(OrderWorkflow.approve, "Bob")
        print(await handle.result())


async def main() -> None:
    """The commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["worker", "trigger", "approve", "cancel"])
    parser.add_argument("id", nargs="?", default="", help="the workflow's id, for approve and cancel")
    parser.add_argument("--no-approve", action="store_true")
    parser.add_argument("--server", default="127.0.0.1:7833")
    parser.add_argument("--domain", default="default")
    options = parser.parse_args()
    async with await Client.connect(options.server, domain=options.domain) as client:
        await client.ensure_domain()
        match options.command:
            case "worker":
                await run_until_signal(Worker(client, TASK_LIST, workflows=WORKFLOWS, activities=ACTIVITIES))
            case "trigger":
                await trigger(client, approve=not options.no_approve)
            case "approve":
                await client.get_workflow_handle(options.id).signal(OrderWorkflow.approve, "Bob")
            case _:
                await client.get_workflow_handle(options.id).cancel("by hand")


if __name__ == "__main__":
    run_event_loop(main())
