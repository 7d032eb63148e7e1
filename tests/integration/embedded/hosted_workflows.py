"""A module to be hosted: one workflow, one activity."""

from __future__ import annotations

from tenuto import activity, workflow


@activity.defn
def double(number: int) -> int:
    """A plain function."""
    return 2 * number


@workflow.defn
class Quadruple:
    """Two activities in a row."""

    @workflow.run
    async def run(self, number: int) -> int:
        """Four times the number."""
        twice = await workflow.execute_activity(double, number, start_to_close_timeout=10)
        return await workflow.execute_activity(double, twice, start_to_close_timeout=10)
