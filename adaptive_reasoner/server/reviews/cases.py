"""What a review is about, and what a person said to it, as plain data."""

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from langchain_core.messages import AIMessage, BaseMessage, messages_from_dict, messages_to_dict

from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.questions import Answer, Question, Waiting

Action: TypeAlias = Literal["approve", "edit", "reject", "mark_step"]
STATUS_OF: dict[str, str] = {"approve": "approved", "edit": "edited", "reject": "rejected"}
PENDING = "pending"
MARK = "mark_step"
# After a mark the loop goes on: to an answer that it is sure of, or back to the person with another one.
RETHINKING, RETHOUGHT = "rethinking", "rethought"


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """What a review is about.

    Attributes:
        model: the served name.
        run_id: the interrupted run that the checkpointer keeps.
        asks: what the review node asks: answer, report, actions, and tool_calls or thought_steps where there are any.
        messages: the conversation, as LangChain's dictionaries.
        new_messages: what its thread does not hold yet, in the same shape.
        context: of the run, as far as its end needs it.
        thread_key: the thread in the store, None without one.
        thread_id: as its caller names it.
        turn_key: what the thread knows the turn by.
        request_id: of the request that asks.
    """

    model: str
    run_id: str
    asks: Json
    messages: list[Json]
    new_messages: list[Json]
    context: Json = field(default_factory=dict[str, Any])
    thread_key: str | None = None
    thread_id: str | None = None
    turn_key: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said.

    Attributes:
        action: approve, edit or reject, or mark_step.
        answer: the new text of "edit".
        tool_calls: the new calls of "edit": [{"name": …, "args": {…}}].
        step: the number of the step that "mark_step" says is wrong.
        note: what is wrong with it.
        comment: why.
        reviewer: who, in the reviewer's own words.
        key_id, tenant: who, as the key says.
    """

    action: Action
    answer: str | None = None
    tool_calls: list[Json] | None = None
    step: int | None = None
    note: str | None = None
    comment: str | None = None
    reviewer: str | None = None
    key_id: str | None = None
    tenant: str | None = None

    def reply(self) -> Json:
        """The same as the review node reads it."""
        said = {
            "action": self.action,
            "answer": self.answer,
            "tool_calls": self.tool_calls,
            "step": self.step,
            "note": self.note,
            "comment": self.comment,
            "reviewer": self.reviewer or self.key_id,
        }
        return {name: value for name, value in said.items() if value is not None}

    def after(self, before: Json) -> Json | None:
        """The answer that this leaves of `before`, None where it is withheld; of a mark, the step and the note."""
        if self.action == MARK:
            return {"step": self.step, **({"note": self.note} if self.note else {})}
        if self.action == "edit":
            return {"tool_calls": self.tool_calls} if self.tool_calls else {"answer": self.answer}
        return before if self.action == "approve" else None


@dataclass(frozen=True, slots=True)
class Review:
    """A row.

    Attributes:
        id: of the review.
        status: pending, approved, edited or rejected; rethinking while the loop goes on from a marked step, and
            rethought where it came to an answer that it is sure of.
        created_at: seconds since the epoch.
        tenant, key_id: who asked the question.
        case: what it is about.
        final: the settled answer, None while there is none.
        is_kept: nothing is left to do for its thread.
    """

    id: str
    status: str
    created_at: float
    tenant: str | None
    key_id: str | None
    case: ReviewCase
    final: Answer | None
    is_kept: bool

    @property
    def before(self) -> Json:
        """What the model wanted to answer."""
        return {name: self.case.asks[name] for name in ("answer", "tool_calls") if name in self.case.asks}


def case_of(question: Question, waiting: Waiting, *, is_in_thread: bool) -> ReviewCase:
    """What a person must know, and what the end of the run needs.

    Args:
        question: what was asked.
        waiting: the run that waits.
        is_in_thread: the thread holds the question already, with a message that a person takes over.
    """
    key = question.thread_id
    context = {name: value for name, value in question.context.items() if name in ("answer_tools", "tenant")}
    if "answer_tools" in context:
        context["answer_tools"] = sorted(cast("list[str]", context["answer_tools"]))
    return ReviewCase(
        model=question.model,
        run_id=waiting.run_id,
        asks=waiting.asks,
        messages=messages_to_dict(question.messages),
        new_messages=[] if is_in_thread else messages_to_dict(question.new_messages),
        context=context,
        thread_key=key,
        thread_id=None if key is None else key.rpartition("/")[2],
        turn_key=None if is_in_thread else question.turn_key,
        request_id=question.request_id,
    )


def identity_of(turn_key: str | None) -> str:
    """The id of a question's review: that of a request that is sent again under its idempotency key is the same."""
    if turn_key is None:
        return f"rev_{uuid.uuid4().hex}"
    return f"rev_{hashlib.sha256(f'review {turn_key}'.encode()).hexdigest()[:32]}"


def answer_to_json(answer: Answer) -> Json:
    """A settled answer as plain data."""
    return {"message": messages_to_dict([answer.message])[0], "report": answer.report}


def answer_from_json(data: Json) -> Answer:
    """The opposite of `answer_to_json`."""
    (message,) = read_messages([data["message"]])
    assert isinstance(message, AIMessage), "answers are kept as such"  # noqa: S101
    return Answer(message, data["report"])


def read_messages(data: list[Json]) -> list[BaseMessage]:
    """LangChain's dictionaries as messages."""
    return messages_from_dict(data)
