"""What each run passes: its tenant, its time, and the count of its tokens."""

import asyncio
import dataclasses

from adaptive_reasoner.server.asking import to_its_end
from adaptive_reasoner.server.errors import AnswerTimeoutError
from adaptive_reasoner.server.limits.rates import Rates
from adaptive_reasoner.server.questions import Answer, Around, Next, Question


def as_tenant() -> Around:
    """Budgets are those of the caller's tenant."""

    async def around(question: Question, following: Next) -> Answer:
        if question.caller.tenant is None:
            return await following(question)
        context = {**question.context, "tenant": question.caller.tenant}
        return await following(dataclasses.replace(question, context=context))

    return around


def within(seconds: float) -> Around:
    """One answer takes at most so long, all calls together.

    The run is given up at the limit; its calls' reservations are settled as those of a client that leaves.
    """

    async def around(question: Question, following: Next) -> Answer:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await following(question)
        except TimeoutError:
            if not limit.expired():
                raise
            raise AnswerTimeoutError(f"The answer was not there within {seconds:g} seconds.") from None

    return around


def counting_tokens(rates: Rates) -> Around:
    """Tokens a minute are counted when the answer is there."""

    async def around(question: Question, following: Next) -> Answer:
        answer = await following(question)
        await to_its_end(rates.spend(question.caller, answer.report["usage"]["total_tokens"]))
        return answer

    return around
