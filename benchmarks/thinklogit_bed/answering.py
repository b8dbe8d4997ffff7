"""Answers of the bed's models to problems, kept in files: a measurement that is stopped goes on where it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from thinklogit_bed.decoding import Role, Rule, Voice, write
from thinklogit_bed.texts import prompt_ids
from thinklogit_bed.training import WEIGHTS

from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.training.embedded.export import load_exported
from adaptive_reasoner.training.guider.checker import is_right
from adaptive_reasoner.training.ibpo.task import Task

_ROWS = 128


@dataclass(frozen=True, slots=True)
class Answers:
    """One rule's answers to n problems.

    Attributes:
        right: (n,) 0 or 1.
        tokens: (n,) written, the end token included.
        steps: (n,) equations written out.
    """

    right: NDArray[np.float64]
    tokens: NDArray[np.float64]
    steps: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trio:
    """The folders of a target and its guiders; what no rule needs may be missing."""

    target: Path
    expert: Path | None = None
    base: Path | None = None

    def folders(self) -> dict[Role, Path]:
        """Those that are there."""
        named: dict[Role, Path | None] = {"target": self.target, "expert": self.expert, "base": self.base}
        return {role: folder for role, folder in named.items() if folder is not None}


class NotAnsweredError(Exception):
    """Answers are missing where only kept ones were asked for."""


def answer(
    trio: Trio, rules: Mapping[str, Rule], problems: Sequence[Problem], kept: Path, *, kept_only: bool
) -> dict[str, Answers]:
    """Every rule's answers to the problems, read from `kept` where they are there already.

    Args:
        trio: the models.
        rules: by name.
        problems: n of them.
        kept: folder of one file a rule.
        kept_only: raise where one is missing.
    """
    missing = {name: rule for name, rule in rules.items() if not (kept / f"{name}.npz").is_file()}
    if missing and kept_only:
        raise NotAnsweredError(f"{kept}: {', '.join(missing)}")
    if missing:
        _answer(trio, missing, problems, kept)
    return {name: _read(kept / f"{name}.npz", len(problems)) for name in rules}


def _answer(trio: Trio, rules: Mapping[str, Rule], problems: Sequence[Problem], kept: Path) -> None:
    needed = {role for rule in rules.values() for role in rule.roles}
    models = {role: load_exported(path / WEIGHTS) for role, path in trio.folders().items() if role in needed}
    prompts = [prompt_ids(problem.question) for problem in problems]
    # Prompts of one length hold problems of about one size, which end at about one time.
    order = sorted(range(len(problems)), key=lambda index: len(prompts[index]))
    found: dict[str, dict[int, list[int]]] = {name: {} for name in rules}
    for start in range(0, len(order), _ROWS):
        chosen = order[start : start + _ROWS]
        voices = {role: Voice.reading(model, [prompts[i] for i in chosen]) for role, model in models.items()}
        for name, rule in rules.items():
            found[name].update(zip(chosen, write(voices, rule), strict=True))
    kept.mkdir(parents=True, exist_ok=True)
    for name, written in found.items():
        _keep(kept / f"{name}.npz", [written[index] for index in range(len(problems))], problems)
    print(f"{kept}: {', '.join(rules)}", flush=True)


def _keep(path: Path, written: Sequence[list[int]], problems: Sequence[Problem]) -> None:
    texts = [encoding().decode([token for token in ids if token != special("<eos>")]) for ids in written]
    ended = [ids[-1:] == [special("<eos>")] for ids in written]
    right = [
        end and is_right(text, Task(problem.question, str(problem.answer)))
        for text, end, problem in zip(texts, ended, problems, strict=True)
    ]
    tokens, steps = [len(ids) for ids in written], [text.count("=") for text in texts]
    draft = path.with_suffix(".partial.npz")
    np.savez(
        draft, right=np.array(right, float), tokens=np.array(tokens, float), steps=np.array(steps, float)
    )
    draft.replace(path)


def _read(path: Path, count: int) -> Answers:
    with np.load(path) as arrays:
        found = Answers(**{name: arrays[name] for name in ("right", "tokens", "steps")})
    if len(found.right) != count:
        raise SystemExit(f"{path} holds {len(found.right)} answers, not {count}: remove its folder.")
    return found
