"""`GET` and `DELETE /v1/threads/{id}`: a kept conversation."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.caller import caller_of
from adaptive_reasoner.server.errors import UnknownThreadError
from adaptive_reasoner.server.parts import parts_of
from adaptive_reasoner.server.routes.documented import ERRORS
from adaptive_reasoner.server.wire.messages import write_message

router = APIRouter(prefix="/v1/threads", tags=["threads"], responses=ERRORS)

ThreadId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]


@router.get("/{thread_id}")
async def get_thread(thread_id: ThreadId, request: Request) -> Json:
    """The thread's messages; each answer carries its report."""
    messages = await parts_of(request).threads.messages(caller_of(request).owns(thread_id))
    if not messages:
        raise _unknown(thread_id)
    return {"id": thread_id, "object": "thread", "messages": [write_message(one) for one in messages]}


@router.delete("/{thread_id}")
async def delete_thread(thread_id: ThreadId, request: Request) -> Json:
    """Forget the thread."""
    threads, key = parts_of(request).threads, caller_of(request).owns(thread_id)
    async with threads.locks.hold(key):
        if not await threads.messages(key):
            raise _unknown(thread_id)
        await threads.delete(key)
    return {"id": thread_id, "object": "thread.deleted", "deleted": True}


def _unknown(thread_id: str) -> UnknownThreadError:
    return UnknownThreadError(
        f"There is no thread {thread_id!r}; a thread begins with the first request that names it.",
        param="thread_id",
    )
