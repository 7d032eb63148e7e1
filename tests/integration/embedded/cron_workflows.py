"""Workflows that are run again and again: by cron, by retries."""

from __future__ import annotations

from tenuto import workflow


@workflow.defn
class Count:
    """Counts its own runs."""

    @workflow.run
    async def run(self) -> int:
        """One more than the run before."""
        return int(workflow.last_completion_result(int) or 0) + 1


@workflow.defn
class Stumble:
    """Fails at its first attempt."""

    @workflow.run
    async def run(self) -> str:
        """What the attempt before said."""
        if workflow.info().attempt == 0:
            raise ValueError("not yet")
        return str(workflow.info().last_failure)


@workflow.defn
class Greet:
    """Waits for a name."""

    def __init__(self) -> None:
        self._name = ""

    @workflow.signal
    def named(self, name: str) -> None:
        """Who is to be greeted."""
        self._name = name

    @workflow.run
    async def run(self) -> str:
        """The greeting."""
        await workflow.wait_condition(lambda: bool(self._name))
        return f"hello {self._name}"


@workflow.defn
class Twice:
    """Goes on as a second run, which returns."""

    @workflow.run
    async def run(self, goes_on: bool = True) -> str:
        """The word that it is done."""
        if goes_on:
            workflow.continue_as_new(False)
        return "done"
