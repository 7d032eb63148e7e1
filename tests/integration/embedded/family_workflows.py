"""Workflows that start children and call one another, for tests over a real server."""

from __future__ import annotations

import asyncio

from tenuto import workflow
from tenuto.errors import (
    ApplicationError,
    ChildAlreadyStartedError,
    ChildWorkflowError,
    ExternalWorkflowError,
    TerminatedError,
    TimedOutError,
)
from tenuto.workflow import CancellationType, ParentClosePolicy, RetryPolicy


@workflow.defn
class Waiter:
    """Ends when it is told how: its result is what it was told, unless that is "fail". Counts how often it was begun."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @workflow.signal
    def tell(self, text: str) -> None:
        """One more thing."""
        self.told.append(text)

    @workflow.run
    async def run(self, count: int = 0) -> str:
        """What it was told."""
        await workflow.wait_condition(lambda: bool(self.told))
        first = self.told[0]
        if first == "fail":
            raise ApplicationError("as told", type="Told")
        if first == "again":
            workflow.continue_as_new(count + 1)
        await workflow.wait_condition(lambda: "end" in self.told)
        return f"{count} {' '.join(self.told)}"


@workflow.defn
class FailsTwice:
    """Fails on its first two attempts."""

    @workflow.run
    async def run(self) -> int:
        """The attempt that did it."""
        attempt = workflow.info().attempt
        if attempt < 2:
            raise ApplicationError("not yet", type="Again")
        return attempt


@workflow.defn
class Talks:
    """Starts a waiter, tells it things, answers what it said."""

    @workflow.run
    async def run(self, words: list[str]) -> str:
        """The child's result, or how it failed."""
        try:
            child = await workflow.start_child(Waiter.run, id=f"{workflow.info().workflow_id}/child")
            for word in words:
                await child.signal(Waiter.tell, word)
            return await child
        except ChildAlreadyStartedError as error:
            return f"taken: {error.workflow_id}"
        except ChildWorkflowError as error:
            if isinstance(error.cause, ApplicationError):
                return f"failed: {error.cause.type} {error.cause.message}"
            return f"ended: {type(error.cause).__name__}"
        except ExternalWorkflowError as error:
            return f"not heard: {error.message}"


@workflow.defn
class Retries:
    """Starts a child with a retry policy."""

    @workflow.run
    async def run(self) -> int:
        """The attempt that succeeded."""
        policy = RetryPolicy(initial_interval=1, maximum_attempts=5)
        return await workflow.execute_child(FailsTwice.run, retry_policy=policy)


@workflow.defn
class TimesOut:
    """Starts a child that has no time."""

    @workflow.run
    async def run(self) -> str:
        """How it went."""
        try:
            await workflow.execute_child(Waiter.run, execution_timeout=1)
        except ChildWorkflowError as error:
            return "timed out" if isinstance(error.cause, TimedOutError) else repr(error.cause)
        return "?"


@workflow.defn
class Cancels:
    """Cancels its child in the given way."""

    @workflow.run
    async def run(self, how: str) -> str:
        """What the parent saw, and whether it had to wait for the child."""
        child = await workflow.start_child(
            Waiter.run, id=f"{workflow.info().workflow_id}/child", cancellation=CancellationType[how],
            parent_close_policy=ParentClosePolicy.ABANDON,
        )  # fmt: skip
        await workflow.sleep(1)
        child.cancel()
        try:
            await child
        except asyncio.CancelledError:
            return "cancelled"
        except ChildWorkflowError as error:
            return f"ended: {type(error.cause).__name__}"
        return "completed"


@workflow.defn
class Leaves:
    """Starts a child and ends without it."""

    @workflow.run
    async def run(self, policy: str, how: str) -> str:
        """`how`: "return", "fail", or "at once" (in the decision that starts the child)."""
        start = workflow.start_child(
            Waiter.run, id=f"{workflow.info().workflow_id}/child", parent_close_policy=ParentClosePolicy[policy]
        )
        if how == "at once":
            task = asyncio.create_task(start)
            await asyncio.sleep(0)
            return f"left {not task.done()}"
        await start
        if how == "fail":
            raise ApplicationError("it would fail", type="Fails")
        if how == "wait":
            await workflow.sleep(1000)
        return "left"


@workflow.defn
class Calls:
    """Signals and cancels workflows that are none of its children."""

    @workflow.run
    async def run(self, other: str) -> list[str]:
        """How each call went."""
        outcomes = []
        for name in (other, "nobody", workflow.info().workflow_id):
            try:
                await workflow.signal_external(name, Waiter.tell, "hello")
                outcomes.append("signalled")
            except ExternalWorkflowError as error:
                outcomes.append("completed" if "closed" in error.message else "unknown")
        for name in (other, "nobody"):
            try:
                await workflow.cancel_external(name)
                outcomes.append("cancelled")
            except ExternalWorkflowError as error:
                outcomes.append("completed" if "closed" in error.message else "unknown")
        return outcomes


@workflow.defn
class Terminated:
    """Learns that its child was terminated."""

    @workflow.run
    async def run(self) -> str:
        """How it learned."""
        try:
            await workflow.execute_child(Waiter.run, id=f"{workflow.info().workflow_id}/child")
        except ChildWorkflowError as error:
            return type(error.cause).__name__ if isinstance(error.cause, TerminatedError) else repr(error.cause)
        return "?"


ALL = [Waiter, FailsTwice, Talks, Retries, TimesOut, Cancels, Leaves, Calls, Terminated]
