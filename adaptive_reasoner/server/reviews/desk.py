"""Where answers wait: the client is told, a person decides, the run goes on, its thread gets the answer.

A decision is one transaction. What follows from it (the run's end, the kept answer, the thread's turn) can each be done
again without harm, and is: at the next start and whenever the review is read, if a server died on the way.
"""

import asyncio
import time
from typing import Any, cast

from langchain_core.messages import AIMessage, UsageMetadata

from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.asking import to_its_end
from adaptive_reasoner.server.errors import ReviewRunError, ThreadBusyError
from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.questions import Answer, Next, Question, Waiting
from adaptive_reasoner.server.reviews.cases import (
    PENDING,
    RETHINKING,
    RETHOUGHT,
    Decision,
    Review,
    case_of,
    identity_of,
    read_messages,
)
from adaptive_reasoner.server.reviews.section import ReviewsSection
from adaptive_reasoner.server.reviews.store import ReviewStore
from adaptive_reasoner.server.threads import Turn
from adaptive_reasoner.state import ReasoningContext, ReasoningReport
from adaptive_reasoner.uncertainty.shapes import as_mapping

# How often a client that waits asks the store, which another server may have written to, in seconds.
_LOOK_SECONDS = 1.0
# A thread that is busy for longer gets its turn when the review is read next.
_THREAD_SECONDS = 5.0
_AGAIN_SECONDS = 0.05


class ReviewDesk:
    """Puts answers aside and takes decisions.

    Args:
        parts: of the server.
        store: of the reviews.
    """

    def __init__(self, parts: AppParts, store: ReviewStore) -> None:
        self._parts = parts
        self.store = store
        self._section = parts.settings.section(ReviewsSection)
        self._decided: dict[str, asyncio.Event] = {}
        self._finishing: dict[str, asyncio.Lock] = {}

    async def wait(self, question: Question, waiting: Waiting) -> Answer:
        """What the client gets instead of an answer that waits: see `ReviewsSection.client`."""
        is_hand_off = self._section.client == "hand_off"
        case = case_of(question, waiting, is_in_thread=is_hand_off and question.thread_id is not None)
        caller, identity = question.caller, identity_of(question.turn_key)
        if not await to_its_end(self.store.add(identity, case, caller.tenant, caller.key_id)):
            with (
                self._parts.threads.reaching()
            ):  # the same request, elsewhere at the same time: its run is the one
                await self._parts.runner.checkpointer.adelete_thread(waiting.run_id)
        if self._section.client == "wait" and (answer := await self._within_time(identity)):
            return answer
        text = self._section.hand_off_text if is_hand_off else self._section.pending_text
        return _told(text, cast("ReasoningReport", waiting.asks["report"]), identity, is_settled=is_hand_off)

    async def asked_before(self, question: Question, following: Next) -> Answer:
        """Around each run: a request that put its answer aside before its server died is not run again."""
        review = await self._known(question)
        if review is None:
            return await following(question)
        if review.final is not None:
            return review.final
        is_hand_off = self._section.client == "hand_off"
        text = self._section.hand_off_text if is_hand_off else self._section.pending_text
        return _told(
            text, cast("ReasoningReport", review.case.asks["report"]), review.id, is_settled=is_hand_off
        )

    async def _known(self, question: Question) -> Review | None:
        if question.turn_key is None:
            return None
        return await self.store.known(identity_of(question.turn_key))

    async def decide(self, identity: str, decision: Decision) -> Review:
        """Take a decision and do what follows from it.

        Raises:
            ReviewDecidedError: somebody has decided already.
            UnknownReviewError: there is no such review.
        """
        await to_its_end(self._decide(identity, decision))
        return await self.store.read(identity)

    async def read(self, identity: str) -> Review:
        """One review, with what was left to do for it done.

        Raises:
            UnknownReviewError: there is no such review.
        """
        review = await self.store.read(identity)
        if review.status == PENDING or review.is_kept:
            return review
        await to_its_end(self._finish(identity))
        return await self.store.read(identity)

    async def recover(self) -> None:
        """Do what a server that died has left."""
        for review in await self.store.unfinished():
            await self._finish(review.id)

    async def _decide(self, identity: str, decision: Decision) -> None:
        await self.store.decide(identity, decision)
        if waiter := self._decided.get(identity):
            waiter.set()
        await self._finish(identity)

    async def _finish(self, identity: str) -> None:
        lock = self._finishing.setdefault(identity, asyncio.Lock())
        try:
            async with lock:
                review = await self.store.read(identity)
                if review.status == RETHINKING:
                    review = await self._rethought(review)
                if review.is_kept or review.status in (PENDING, RETHINKING):
                    return
                final = review.final or await self._final(review)
                if await self._keep(review, final):
                    await self.store.mark_kept(identity)
                    with self._parts.threads.reaching():
                        await self._parts.runner.checkpointer.adelete_thread(review.case.run_id)
        finally:
            self._finishing.pop(identity, None)

    async def _rethought(self, review: Review) -> Review:
        """The review after the loop went on from the marked step: settled, or waiting for a person again."""
        case, reply = review.case, await self.store.decision(review.id)
        waiting, context = Waiting(case.run_id, case.asks), cast("ReasoningContext", case.context)
        with self._parts.threads.reaching():
            came_to = await self._parts.runner.go_on(waiting, case.model, reply, context)
        if isinstance(came_to, Waiting):
            await self.store.ask_again(review, came_to.asks)
        else:
            told = _under(came_to, {**reply, "id": review.id, "status": RETHOUGHT})
            await self.store.settle(review.id, told)
        return await self.store.read(review.id)

    async def _final(self, review: Review) -> Answer:
        """The run's end under the decision, kept."""
        case, reply = review.case, await self.store.decision(review.id)
        waiting, context = Waiting(case.run_id, case.asks), cast("ReasoningContext", case.context)
        try:
            with self._parts.threads.reaching():
                given = await self._parts.runner.resume(waiting, case.model, reply, context)
        except ReviewRunError:
            if final := (
                await self.store.read(review.id)
            ).final:  # another server was quicker, and has cleaned up
                return final
            raise
        answer = _under(given, {**reply, "id": review.id, "status": review.status})
        await self.store.finish(review.id, answer)
        return (await self.store.read(review.id)).final or answer

    async def _keep(self, review: Review, final: Answer) -> bool:
        """Put the turn into its thread, once; False where the thread is busy for too long."""
        case, threads = review.case, self._parts.threads
        is_told = not case.new_messages  # the thread has a hand-off already: a rejection adds nothing to it
        if (key := case.thread_key) is None or (is_told and review.status == "rejected"):
            return True
        turn, until = (
            Turn(read_messages(case.new_messages), final, case.turn_key),
            time.monotonic() + _THREAD_SECONDS,
        )
        while time.monotonic() < until:
            try:
                async with threads.locks.hold(key):
                    kept = await threads.read(key)
                    if not any(_is_of(message, review.id) for message in kept.messages):
                        await threads.add(key, turn, kept.version)
                    return True
            except ThreadBusyError:
                await asyncio.sleep(_AGAIN_SECONDS)
        return False

    async def _within_time(self, identity: str) -> Answer | None:
        """The decided answer, None where nobody decides in time."""
        until = time.monotonic() + self._section.wait_seconds
        decided = self._decided[identity] = asyncio.Event()
        try:
            while (left := until - time.monotonic()) > 0:
                review = await self.store.read(identity)
                if review.final is not None:
                    return review.final
                await _either(decided, min(_AGAIN_SECONDS if decided.is_set() else _LOOK_SECONDS, left))
        finally:
            del self._decided[identity]
        return None


async def _either(decided: asyncio.Event, seconds: float) -> None:
    """Until it is decided, and not longer than this; a decision that is known already takes a moment to be kept."""
    if decided.is_set():
        await asyncio.sleep(seconds)
        return
    try:
        await asyncio.wait_for(decided.wait(), seconds)
    except TimeoutError:
        return


def _told(text: str, report: ReasoningReport, identity: str, *, is_settled: bool) -> Answer:
    """The server's own words, with the run's report and usage."""
    usage = report["usage"]
    counted: Any = {name: usage[name] for name in ("input_tokens", "output_tokens", "total_tokens")}
    message = AIMessage(text, usage_metadata=UsageMetadata(**counted))
    place = {"id": identity, "status": PENDING, "url": f"/v1/answers/{identity}"}
    return _under(Answer(message, report, is_settled), place)


def _under(answer: Answer, review: Json) -> Answer:
    """The same answer, its report telling of the review."""
    report = cast("ReasoningReport", {**answer.report, "review": review})
    metadata = {**answer.message.response_metadata, "adaptive_reasoning": report}
    return Answer(
        answer.message.model_copy(update={"response_metadata": metadata}), report, answer.is_settled
    )


def _is_of(message: Any, identity: str) -> bool:
    """True for the decided answer of this review."""
    metadata = as_mapping(message.response_metadata if isinstance(message, AIMessage) else None)
    review = as_mapping(as_mapping(metadata.get("adaptive_reasoning")).get("review"))
    return review.get("id") == identity and review.get("status") != PENDING
