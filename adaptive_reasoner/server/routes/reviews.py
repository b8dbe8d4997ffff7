"""`/v1/reviews`: answers that wait for a person. `/v1/answers/{review_id}`: what became of one, for who asked."""

import json
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Query, Request
from langchain_core.messages import messages_from_dict
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from adaptive_reasoner.openai_shapes import Envelope, Json
from adaptive_reasoner.server.caller import Caller, caller_of
from adaptive_reasoner.server.errors import InvalidRequestError, UnknownReviewError
from adaptive_reasoner.server.parts import parts_of
from adaptive_reasoner.server.reviews.cases import MARK, STATUS_OF, Action, Decision, Review
from adaptive_reasoner.server.reviews.desk import ReviewDesk
from adaptive_reasoner.server.reviews.store import Wanted
from adaptive_reasoner.server.routes.documented import ERRORS
from adaptive_reasoner.server.wire.answers import Look, completion
from adaptive_reasoner.server.wire.messages import write_message
from adaptive_reasoner.server.wire.plain_json import problem_of

router = APIRouter(tags=["reviews"], responses=ERRORS)

ReviewId = Annotated[str, Path(pattern=r"^rev_[0-9a-f]{32}$")]
Status = Literal["pending", "approved", "edited", "rejected", "rethinking", "rethought", "all"]
Limit = Annotated[int, Query(ge=1, le=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100_000)]


class EditedCall(BaseModel):
    """A call of a tool, as a person wants it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    args: dict[str, Any]


class DecisionBody(BaseModel):
    """What a person says to an answer; "edit" needs the new answer, or the new calls of tools, "mark_step" the step."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    answer: Words | None = None
    tool_calls: Annotated[list[EditedCall], Field(min_length=1)] | None = None
    step: Annotated[int, Field(ge=1, description='Of "mark_step": the number of the wrong step.')] | None = (
        None
    )
    note: Words | None = None
    comment: Words | None = None
    reviewer: Annotated[str, StringConstraints(max_length=200)] | None = None

    @model_validator(mode="after")
    def _is_text(self) -> Self:
        """Half of a surrogate pair and the null character can be kept by no database."""
        text = json.dumps(self.model_dump(), ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half of a surrogate pair, which is no character") from None
        if "\\u0000" in text:
            raise ValueError("holds the null character")
        if problem := problem_of(self.model_dump()):
            raise ValueError(problem)
        return self


@router.get("/v1/reviews")
async def list_reviews(
    request: Request,
    status: Status = "pending",
    limit: Limit = 50,
    after: Annotated[str | None, Query(pattern=r"^rev_[0-9a-f]{32}$")] = None,
) -> Json:
    """The queue, the oldest first; a key of a tenant sees its tenant's."""
    wanted = Wanted(None if status == "all" else status, caller_of(request).tenant, limit + 1, after)
    found = await _desk(request).store.find(wanted)
    return {
        "object": "list",
        "data": [_summary(review) for review in found[:limit]],
        "has_more": len(found) > limit,
    }


@router.get("/v1/reviews/{review_id}")
async def get_review(review_id: ReviewId, request: Request) -> Json:
    """One review: the conversation, the answer in doubt, its report, what was decided, and the audit."""
    return await _whole(_desk(request), await _seen(request, review_id))


@router.post("/v1/reviews/{review_id}/{action}")
async def decide_review(review_id: ReviewId, action: Action, body: DecisionBody, request: Request) -> Json:
    """Approve, edit or reject; the second decision of a review is refused with 409.

    "mark_step" says that one step of the visible thought is wrong: the loop goes on from before it, and the review is
    settled ("rethought") or waits with another answer ("pending").
    """
    desk, caller = _desk(request), caller_of(request)
    review = await _seen(request, review_id)
    _check(action, body, review)
    decision = Decision(
        action,
        answer=body.answer,
        tool_calls=[call.model_dump() for call in body.tool_calls] if body.tool_calls else None,
        step=body.step,
        note=body.note,
        comment=body.comment,
        reviewer=body.reviewer or None,
        key_id=caller.key_id,
        tenant=caller.tenant,
    )
    return await _whole(desk, await desk.decide(review_id, decision))


@router.get("/v1/answers/{review_id}")
async def get_answer(review_id: ReviewId, request: Request) -> Json:
    """What became of an answer that waited, for the key that asked: its status, and the completion once decided."""
    review = await _desk(request).read(review_id)
    caller = caller_of(request)
    if (review.tenant, review.key_id) != (caller.tenant, caller.key_id):
        raise _unknown(review_id)
    return _outcome(review)


def _desk(request: Request) -> ReviewDesk:
    return parts_of(request).get(ReviewDesk)


async def _seen(request: Request, identity: str) -> Review:
    """The review, if this caller may see it."""
    review = await _desk(request).read(identity)
    if not _may_see(caller_of(request), review):
        raise _unknown(identity)
    return review


def _may_see(caller: Caller, review: Review) -> bool:
    return caller.tenant is None or caller.tenant == review.tenant


def _unknown(identity: str) -> UnknownReviewError:
    return UnknownReviewError(f"There is no review {identity!r}.", param="review_id")


def _check(action: Action, body: DecisionBody, review: Review) -> None:
    """The decision can be carried out.

    Raises:
        InvalidRequestError: something is missing, or does not go with the action.
    """
    _check_step(action, body, review)
    if action != "edit":
        if body.answer is not None or body.tool_calls is not None:
            raise InvalidRequestError(f"'{action}' takes no answer; use 'edit'.", param="answer")
        return
    if (body.answer is None) == (body.tool_calls is None):
        raise InvalidRequestError(
            "'edit' needs the new text under 'answer', or 'tool_calls'.", param="answer"
        )
    if body.tool_calls and "tool_calls" not in review.case.asks:
        raise InvalidRequestError("This answer calls no tools; edit its text.", param="tool_calls")


def _check_step(action: Action, body: DecisionBody, review: Review) -> None:
    steps = review.case.asks.get("thought_steps", ())
    if action != MARK and (body.step is not None or body.note is not None):
        raise InvalidRequestError(f"'{action}' takes no step; use '{MARK}'.", param="step")
    if action != MARK:
        return
    if not steps:
        raise InvalidRequestError("There are no visible thoughts to mark a step of.", param="step")
    if body.step is None or body.step > len(steps):
        raise InvalidRequestError(f"'{MARK}' needs a step from 1 to {len(steps)}.", param="step")


def _summary(review: Review) -> Json:
    asks, signal = review.case.asks, review.case.asks["report"]["signal"]
    return {
        "id": review.id,
        "object": "review",
        "status": review.status,
        "created_at": review.created_at,
        "tenant": review.tenant,
        "thread_id": review.case.thread_id,
        "model": review.case.model,
        "question": _question(review),
        "answer": asks["answer"],
        "risk": signal["risk"],
        **({"tool_calls": asks["tool_calls"]} if "tool_calls" in asks else {}),
    }


def _question(review: Review) -> str:
    humans = [one for one in messages_from_dict(review.case.messages) if one.type == "human"]
    return str(humans[-1].text) if humans else ""


async def _whole(desk: ReviewDesk, review: Review) -> Json:
    audit = await desk.store.audit(review.id)
    return {
        **_summary(review),
        "messages": [write_message(one) for one in messages_from_dict(review.case.messages)],
        "report": review.case.asks["report"],
        "thought_steps": review.case.asks.get("thought_steps", []),
        "actions": review.case.asks.get("actions", list(STATUS_OF)),
        "audit": [{name: line[name] for name in line if name != "reply"} for line in audit],
        "completion": _outcome(review)["completion"],
    }


def _outcome(review: Review) -> Json:
    final = review.final
    envelope = Envelope(review.case.model, with_logprobs=False, id=f"chatcmpl-{review.id}")
    return {
        "id": review.id,
        "object": "answer",
        "status": review.status,
        "created_at": review.created_at,
        "completion": None if final is None else completion(envelope, [final], Look()),
    }
