"""Keeps answers in a folder, so that fitting and judging can be repeated without asking the model again."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from adaptive_reasoner.embedded.problems import Problem, Split, generate
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.training.embedded.calibrate_answers import Answer, Ask, ask_all

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A set of problems and how to have them answered.

    Attributes:
        split, count, seed: of the problems.
        processes: of one thread each.
        folder: where answers are kept; None: nowhere.
        progress: from what is asked, and how many, to a callback for the number answered so far.
    """

    split: Split
    count: int
    seed: int
    processes: int = 1
    folder: Path | None = None
    progress: Callable[[str, int], Progress] | None = None

    def problems(self) -> list[Problem]:
        """The same ones every time."""
        return list(generate(self.split, self.count, seed=self.seed))

    def ask(self, problems: Sequence[Problem], ask: Ask, firsts: Sequence[Answer] = ()) -> list[Answer]:
        """Answer `problems`, all of the collection or part of it, or read what was kept."""
        path = self._path(problems, ask)
        if path is not None and path.exists():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                return [_from_json(json.loads(line)) for line in lines]
        progress = self.progress(ask.mode, len(problems)) if self.progress else None
        answers = ask_all(problems, ask, firsts, processes=self.processes, on_progress=progress)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with gzip.open(path, "wt", encoding="utf-8", compresslevel=3) as lines:
                lines.writelines(json.dumps(_to_json(answer)) + "\n" for answer in answers)
        return answers

    def _path(self, problems: Sequence[Problem], ask: Ask) -> Path | None:
        """A file for these weights, these very questions and this way of asking."""
        if self.folder is None:
            return None
        questions = crc32("\n".join(problem.question for problem in problems).encode())
        how = f"{ask.mode}-t{ask.temperature:g}-s{ask.seed}-b{ask.thinking_budget}-{ask.with_spans:d}"
        weights = shipped_runtime().weights.fingerprint
        return self.folder / f"{weights}-{self.split}-{len(problems)}-{questions:08x}-{how}.jsonl.gz"


def _to_json(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text,
        "is_right": answer.is_right,
        "tokens": answer.tokens,
        "thought_tokens": answer.thought_tokens,
        "signal": answer.signal,
        "logprobs": answer.logprobs.tolist(),
    }


def _from_json(data: dict[str, Any]) -> Answer:
    logprobs = np.array(data.pop("logprobs"), dtype=np.float32)
    return Answer(**data, logprobs=logprobs)
