"""Worked answers from a teacher: any chat model that thinks, by its own switch or because it is asked to."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from adaptive_reasoner.prompts import THINK
from adaptive_reasoner.thinking import has_thinking_switch, model_name_of, thinking_kwargs
from adaptive_reasoner.thinking.thoughts import thought_text
from adaptive_reasoner.training.distill.dataset import Candidate
from adaptive_reasoner.training.distill.from_runs import work_and_answer
from adaptive_reasoner.training.ibpo.task import Task

_AT_ONCE = 8


def ask_teacher(
    model: BaseChatModel,
    tasks: Sequence[Task],
    on_progress: Callable[[int], None] | None = None,
    *,
    with_first_answer: bool = True,
) -> Iterator[Candidate]:
    """Let the teacher think about each question; a question whose call fails gives an empty answer, which is dropped.

    Args:
        model: the teacher.
        tasks: questions with their right answers.
        on_progress: called with the number of questions answered.
        with_first_answer: ask without thinking, too: where both differ, the example is a hard one.
    """
    for start in range(0, len(tasks), _AT_ONCE):
        part = tasks[start : start + _AT_ONCE]
        worked = _ask(model, part, thinks=True)
        firsts = _ask(model, part, thinks=False) if with_first_answer else [None] * len(part)
        for task, said, first in zip(part, worked, firsts, strict=True):
            work, answer = work_and_answer(str(said.text), _thoughts_apart(said)) if said else ("", "")
            yield Candidate(
                question=task.question,
                answer=answer,
                rationale=work,
                source=f"teacher:{model_name_of(model)}",
                first_answer=work_and_answer(str(first.text))[1] if first else None,
                reference=task.answer,
            )
        if on_progress is not None:
            on_progress(start + len(part))


def _ask(model: BaseChatModel, tasks: Sequence[Task], *, thinks: bool) -> list[AIMessage | None]:
    kwargs = thinking_kwargs(model, "on" if thinks else "off")
    asks_in_words = thinks and not has_thinking_switch(model)
    prompts: list[Any] = [_messages(task, asks_in_words=asks_in_words) for task in tasks]
    batch: Any = model.batch  # gives errors in the place of replies, which its type leaves out
    replies: list[Any] = batch(
        prompts, config={"max_concurrency": _AT_ONCE}, return_exceptions=True, **kwargs
    )
    return [reply if isinstance(reply, AIMessage) else None for reply in replies]


def _messages(task: Task, *, asks_in_words: bool) -> list[BaseMessage]:
    question = HumanMessage(task.question)
    return [SystemMessage(THINK), question] if asks_in_words else [question]


def _thoughts_apart(message: AIMessage) -> str:
    """Thoughts that do not stand in the text."""
    found = thought_text(message)
    return "" if found and found in str(message.text) else found
