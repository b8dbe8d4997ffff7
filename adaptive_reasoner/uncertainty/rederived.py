"""Does the work that came with an answer, before it or after it, lead to that answer? By rule, else by a model.

Held against a sampled share of the answers it is a signal for production: an answer that its own work does not lead
to is hardly ever right. A model is asked only where no rule can follow the work.
"""

from collections.abc import Generator, Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.uncertainty.equivalence import same_answer
from adaptive_reasoner.uncertainty.opinion import Ask
from adaptive_reasoner.uncertainty.rationale import rationale_agreement, read_rationale
from adaptive_reasoner.uncertainty.rationale_text import answer_with_rationale, rationale_of
from adaptive_reasoner.uncertainty.spans import find_answer_span
from adaptive_reasoner.uncertainty.verifier import with_question

REDERIVE = (
    "Somebody worked on the request above. These are the notes, without the answer:\n\n<notes>\n{work}\n</notes>\n\n"
    "What answer do these notes lead to? Go by the notes alone, even where you disagree with them. Reply with that "
    'answer and nothing else, or with the word "{none}" where they lead to none.'
)
NONE = "none"
_LONGEST_WORK = 8_000  # characters from its end, where the result stands
_LONGEST_ANSWER = 80  # characters: longer ones are said in many ways
_LONGEST_REPLY = 64  # tokens

Rederivation = Generator[Ask, AIMessage | None, float | None]


def rederive(
    messages: Sequence[BaseMessage],
    answer: AIMessage,
    thought: str,
    *,
    model: BaseChatModel | None = None,
    by_model: bool = True,
    answer_span: AnswerSpan = "auto",
) -> Rederivation:
    """Whether the visible work leads to the answer: 1.0 or 0.0; None where there is none, or nobody can tell.

    A rationale after the answer is held against it as in `rationale_agreement`. Where no rule can read the work, or
    none of its calculations comes to the answer, a model says what the work leads to, and that is compared.

    Args:
        messages: the conversation that `answer` replies to.
        answer: whole; a rationale in its text or beside it.
        thought: what was visibly thought before it, "" where nothing was.
        model: who is asked; None: the fast model.
        by_model: False leaves it at the rules.
        answer_span: where the answer stands; see `find_answer_span`.
    """
    told = rationale_agreement(answer_with_rationale(answer), answer_span)
    if told is not None:
        return told
    start, end = find_answer_span(str(answer.text), answer_span)
    said = str(answer.text)[start:end].strip()
    work = rationale_of(answer) or thought
    if not work.strip() or not said:
        return None
    rationale = read_rationale(f"{work}\nAnswer: {said}")
    if rationale is not None and rationale.reaches_answer:
        return 1.0
    if not by_model:
        return None if rationale is None else 0.0
    if len(said) > _LONGEST_ANSWER:
        return None
    prompt = REDERIVE.format(work=work[-_LONGEST_WORK:], none=NONE)
    reply = yield Ask(messages=with_question(messages, prompt), model=model, max_output_tokens=_LONGEST_REPLY)
    return None if reply is None else _compared(said, str(reply.text))


def _compared(said: str, reply: str) -> float | None:
    start, end = find_answer_span(reply)
    derived = reply[start:end].strip(" .\n\"'`*")
    if not derived or derived.casefold() == NONE:
        return None
    return float(same_answer(said, derived))
