"""Deleting runs: asked for by retention, and by operators."""

from __future__ import annotations

from tenuto_api import internal
from tenuto_server import errors
from tenuto_server.history import deletion
from tenuto_server.history.core import Core
from tenuto_server.transport.network import InternalCall


async def delete_run(core: Core, call: InternalCall) -> bytes:
    """DeleteRun: answers when the deletion is durable. For a run that is not there it answers the same, once it is certain that
    this process owns the shard."""
    request = internal.DeleteRunRequest.FromString(call.body)
    if not request.run_id:
        raise errors.BadRequest("DeleteRun needs a run id.")
    shard = core.shard(request.domain_id, request.workflow_id)
    workflow = await shard.workflow(request.domain_id, request.workflow_id)
    was_there = True
    if request.run_id not in workflow.deleted:
        try:
            await shard.run(request.domain_id, request.workflow_id, request.run_id)
        except errors.EntityNotExists:
            was_there = False
    held = shard.workflows.get((request.domain_id, request.workflow_id), workflow)
    if core.shards.get(shard.id) is not shard or not shard.is_open or core.log is None or held is not workflow:
        raise errors.ShardOwnershipLost("the shard belongs to another history process")
    found = workflow.deleted.get(request.run_id)
    if found is None:
        found = deletion.delete(core, shard, workflow, request.run_id, force=request.force)
    await core.log.wait(found.seq)
    return internal.DeleteRunResponse(deleted=was_there).SerializeToString()
