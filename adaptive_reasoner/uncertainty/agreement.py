"""Do more samples of the model give the same answer? With adaptive stopping, for where no logprobs can help.

Source: Wang et al., Self-Consistency (arXiv 2203.11171); the stopping rule is Adaptive-Consistency's Beta rule
(Aggarwal et al., arXiv 2305.11860); clustering follows discrete semantic entropy (Farquhar et al., Nature 630).
"""

import json
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.state import Signal, UncertainSpan
from adaptive_reasoner.uncertainty.equivalence import Equivalent, cluster, same_answer
from adaptive_reasoner.uncertainty.opinion import Ask, Inquiry, doubt_signal
from adaptive_reasoner.uncertainty.score import unknown_signal
from adaptive_reasoner.uncertainty.spans import find_answer_span

# Words of free text from which equal answers are not expected to be spelled alike, and from which a model that
# samples is not expected to repeat itself.
LONGEST_COMPARED_WORDS = 40
NEVER_REPEATED_WORDS = 30


@dataclass(frozen=True, slots=True)
class Votes:
    """How samples voted on an answer.

    Attributes:
        own: votes for the answer, its own included.
        rival: votes for the most frequent other answer.
        total: all votes.
    """

    own: int
    rival: int
    total: int


def leads(ahead: int, behind: int) -> float:
    """P(one answer is more frequent than another in the long run), given their votes and a flat prior.

    Adaptive-Consistency's rule: 1 - I_.5(ahead + 1, behind + 1), which is a binomial sum for whole numbers.
    """
    trials = ahead + behind + 1
    return sum(math.comb(trials, k) for k in range(ahead + 1)) / 2**trials


def doubt(votes: Votes) -> float:
    """How doubtful the answer is, in (0, 1): 1 less the mean of two chances that it leads.

    Against the strongest rival alone, and against all other votes together: the truth may have its votes in one
    cluster, or spread over answers that look different.
    """
    chances = leads(votes.own, votes.rival), leads(votes.own, votes.total - votes.own)
    return 1.0 - sum(chances) / 2


def count_votes(answers: Sequence[str], equivalent: Equivalent = same_answer) -> Votes:
    """Votes on the first of n >= 1 answers."""
    clusters = cluster(answers, equivalent)
    others = [len(group) for group in clusters[1:]]
    return Votes(len(clusters[0]), max(others, default=0), len(answers))


def is_settled(answers: Sequence[str], stop_at: float, equivalent: Equivalent = same_answer) -> bool:
    """Adaptive-Consistency: stop once the most frequent answer leads the second with chance `stop_at`."""
    sizes = sorted((len(group) for group in cluster(answers, equivalent)), reverse=True)
    return leads(sizes[0], sizes[1] if len(sizes) > 1 else 0) >= stop_at


def answer_key(message: AIMessage, answer_span: AnswerSpan = "auto") -> str | None:
    """What of a reply is compared: its calls of tools, or its answer span; None where there is neither."""
    if message.tool_calls:
        calls = [{"name": call["name"], "args": call["args"]} for call in message.tool_calls]
        return json.dumps(calls, sort_keys=True, default=str)
    text = str(message.text)
    start, end = find_answer_span(text, answer_span)
    return text[start:end].strip() or None


@dataclass(frozen=True, slots=True)
class SampleAgreement:
    """Asks the model that answered again, up to `max_samples` times, and counts who agrees.

    Attributes:
        max_samples: calls beside the answer itself.
        stop_at: chance that the leading answer stays ahead, from which no more is asked; 1 always asks for all.
        temperature: of the samples, where the model is set to 0 and would repeat itself.
        equivalent: whether two answers say the same; numbers, units, case and markup are seen through by default.
        answer_span: the part of a reply that is compared; see `find_answer_span`.
    """

    max_samples: int = 4
    stop_at: float = 0.93
    temperature: float = 0.7
    equivalent: Equivalent = same_answer
    answer_span: AnswerSpan = "auto"

    def __post_init__(self) -> None:
        if not 1 <= self.max_samples <= 40:
            raise ConfigurationError(f"max_samples is {self.max_samples}; it must lie between 1 and 40.")
        if not 0.5 < self.stop_at <= 1:
            raise ConfigurationError(f"stop_at is {self.stop_at}; it must lie in (0.5, 1].")

    @property
    def most_calls(self) -> int:
        """Every sample is one call."""
        return self.max_samples

    def inquire(self, messages: Sequence[BaseMessage], answer: AIMessage) -> Inquiry:  # noqa: ARG002
        """Sample until settled, refused or done; unknown where answers cannot be compared."""
        own = answer_key(answer, self.answer_span)
        if own is None:
            return unknown_signal("the answer has no text to compare samples with")
        if self.equivalent is same_answer and len(own.split()) > LONGEST_COMPARED_WORDS:
            return unknown_signal(
                "long free text: give SampleAgreement an `equivalent` that compares such answers"
            )
        answers = [own]
        repeats = yield from self._sample(answers, str(answer.text))
        if repeats:
            return unknown_signal("the model repeats itself word for word: it does not sample")
        if len(answers) == 1:
            return unknown_signal("no further sample could be had")
        return self._signal(answers, str(answer.text))

    def _sample(self, answers: list[str], text: str) -> Generator[Ask, AIMessage | None, bool]:
        """Append samples to `answers`; True where a long reply came back word for word, so that it shows nothing."""
        while len(answers) <= self.max_samples and not is_settled(answers, self.stop_at, self.equivalent):
            reply = yield Ask(temperature=self.temperature)
            if reply is None:
                break
            if str(reply.text) == text and len(text.split()) >= NEVER_REPEATED_WORDS:
                return True
            answers.append(
                answer_key(reply, self.answer_span) or ""
            )  # a reply without an answer agrees with none
        return False

    def _signal(self, answers: Sequence[str], text: str) -> Signal:
        votes = count_votes(answers, self.equivalent)
        reason = f"{votes.own} of {votes.total} samples agree, the answer's own included"
        return doubt_signal("agreement", doubt(votes), reason, spans=self._spans(answers, text))

    def _spans(self, answers: Sequence[str], text: str) -> list[UncertainSpan]:
        """The answer with what other samples said instead, for refining; none where all agree."""
        groups = cluster(answers, self.equivalent)
        start, end = find_answer_span(text, self.answer_span)
        if len(groups) == 1 or start == end:
            return []
        shares = [len(group) / len(answers) for group in groups]
        said = [[answers[group[0]], share] for group, share in zip(groups, shares, strict=True)]
        return [
            UncertainSpan(
                text=text[start:end],
                start=start,
                end=end,
                entropy_nats=-sum(share * math.log(share) for share in shares),
                alternatives=[entry for entry in said if entry[0]],
            )
        ]
