"""The bed's answers as the graph gets them: messages with log probabilities, made in batches and kept in files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import AIMessage
from numpy.typing import NDArray
from thinklogit_bed.answering import Trio
from thinklogit_bed.decoding import Rule, Told, Voice, write
from thinklogit_bed.texts import prompt_ids
from thinklogit_bed.training import WEIGHTS

from adaptive_reasoner.decoding.token_choice import ChosenToken
from adaptive_reasoner.decoding.token_entries import choice_logprobs
from adaptive_reasoner.decoding.written_text import TextOfTokens
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.training.embedded.export import load_exported
from adaptive_reasoner.training.guider.checker import is_right
from adaptive_reasoner.training.hugging_face_tokenizer import hugging_face_tokenizer
from adaptive_reasoner.training.ibpo.task import Task

TOP = 20
_ROWS = 128
TokenRows = list[tuple[float, list[tuple[int, float]]]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One answer.

    Attributes:
        message: as `GuidedChatModel` gives it.
        is_right: it ended and states the problem's answer.
        tokens: written, the end token included.
        read: of the prompt.
    """

    message: AIMessage
    is_right: bool
    tokens: int
    read: int


def speak(
    trio: Trio, rules: Mapping[str, Rule], problems: Sequence[Problem], kept: Path
) -> dict[str, "Recording"]:
    """Every rule's answers to the problems, read from `kept` where they are there already."""
    missing = {name: rule for name, rule in rules.items() if not (kept / f"{name}.npz").is_file()}
    if missing:
        _write_all(trio, missing, problems, kept)
    return {name: Recording(kept / f"{name}.npz", problems) for name in rules}


def _write_all(trio: Trio, rules: Mapping[str, Rule], problems: Sequence[Problem], kept: Path) -> None:
    needed = {role for rule in rules.values() for role in rule.roles}
    models = {role: load_exported(path / WEIGHTS) for role, path in trio.folders().items() if role in needed}
    prompts = [prompt_ids(problem.question) for problem in problems]
    order = sorted(range(len(problems)), key=lambda index: len(prompts[index]))
    found: dict[str, dict[int, tuple[list[int], TokenRows]]] = {name: {} for name in rules}
    for start in range(0, len(order), _ROWS):
        chosen = order[start : start + _ROWS]
        voices = {role: Voice.reading(model, [prompts[i] for i in chosen]) for role, model in models.items()}
        for name, rule in rules.items():
            told = Told(TOP)
            answers = write(voices, rule, told)
            found[name] |= {index: (answers[row], told.rows[row]) for row, index in enumerate(chosen)}
    kept.mkdir(parents=True, exist_ok=True)
    for name, answers in found.items():
        _keep(kept / f"{name}.npz", [answers[index] for index in range(len(problems))])
    print(f"{kept}: {', '.join(rules)}", flush=True)


def _keep(path: Path, answers: Sequence[tuple[list[int], TokenRows]]) -> None:
    """Flat arrays over all tokens of all answers, and how many each answer has."""
    told = [one for ids, several in answers for one in several[: len(ids)]]
    arrays: dict[str, NDArray[Any]] = {
        "lengths": np.array([len(ids) for ids, _ in answers]),
        "ids": np.array([token for ids, _ in answers for token in ids], np.int32),
        "logprobs": np.array([value for value, _ in told], np.float32),
        "top_ids": np.array([[token for token, _ in top] for _, top in told], np.int32),
        "top_logprobs": np.array([[value for _, value in top] for _, top in told], np.float32),
    }
    draft = path.with_suffix(".partial.npz")
    np.savez_compressed(draft, **arrays)
    draft.replace(path)


class Recording:
    """Answers to the problems, in their order; each is made when it is asked for, because messages are large."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        with np.load(path) as kept:
            self._arrays: dict[str, NDArray[Any]] = dict(kept)
        self._problems, self._tokenizer = problems, _Remembering()
        count = len(self._arrays["lengths"])
        if count != len(problems):
            raise SystemExit(f"{path} holds {count} answers, not {len(problems)}: remove its folder.")

    def __iter__(self) -> Iterator[Spoken]:
        """One answer after the other."""
        starts = np.concatenate([[0], np.cumsum(self._arrays["lengths"])])
        names = [name for name in self._arrays if name != "lengths"]
        for problem, start, end in zip(self._problems, starts[:-1], starts[1:], strict=True):
            yield _one(problem, {name: self._arrays[name][start:end] for name in names}, self._tokenizer)


def _one(problem: Problem, arrays: Mapping[str, NDArray[Any]], tokenizer: "_Remembering") -> Spoken:
    ids: list[int] = arrays["ids"].tolist()
    ended = ids[-1:] == [special("<eos>")]
    texts = TextOfTokens(tokenizer)
    columns = zip(
        ids,
        arrays["logprobs"].tolist(),
        arrays["top_ids"].tolist(),
        arrays["top_logprobs"].tolist(),
        strict=True,
    )
    chosen = [
        ChosenToken(token, logprob, tuple(zip(others, values, strict=True)))
        for token, logprob, others, values in columns
        if token != special("<eos>")
    ]
    written = [one for token in chosen if (one := texts.add(token)) is not None]
    rest = texts.finish()
    written += [rest] if rest is not None else []
    text = "".join(one.text for one in written)
    message = AIMessage(
        text,
        response_metadata={
            "model_name": "guided",
            "finish_reason": "stop" if ended else "length",
            "logprobs": choice_logprobs(written),
        },
    )
    right = ended and is_right(text, Task(problem.question, str(problem.answer)))
    return Spoken(message, right, len(ids), len(prompt_ids(problem.question)))


class _Remembering:
    """The bed's tokenizer, which decodes the same few ids again and again."""

    def __init__(self) -> None:
        self._tokenizer: Any = hugging_face_tokenizer()
        self._decoded = lru_cache(maxsize=None)(self._decode)

    def decode(self, ids: Sequence[int], *, clean_up_tokenization_spaces: bool) -> str:
        """The text of some ids."""
        return self._decoded(tuple(ids), clean_up_tokenization_spaces)

    def _decode(self, ids: tuple[int, ...], clean: bool) -> str:
        return str(self._tokenizer.decode(list(ids), clean_up_tokenization_spaces=clean))
