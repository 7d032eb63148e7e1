"""Durable workflows as plain asyncio code.

`tenuto.workflow` and `tenuto.activity` are for writing them, `tenuto.client` for starting them, `tenuto.worker` for
running them. This module itself only re-exports the options all of these share, and imports no IO.
"""

from tenuto._types import CancellationType, IdReusePolicy, ParentClosePolicy, RetryPolicy

__all__ = ["CancellationType", "IdReusePolicy", "ParentClosePolicy", "RetryPolicy"]
