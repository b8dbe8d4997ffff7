"""Collects the model's own first answers, with their doubts, to train refining on."""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch

from adaptive_reasoner.embedded.dialogue import MAX_ALTERNATIVES, refine_request
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.training.embedded.evaluate import entropies
from adaptive_reasoner.training.embedded.examples import draw_training_problem
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.embedded.sampling import Reply, greedy, mode_prompts

UNCERTAIN_NATS = 0.2
_WITHOUT_SPANS = 0.4
_KEEP_CERTAIN = 0.25
_CHUNK = 2048
_MAX_TOKENS = 10

Span = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """A problem, the model's fast answer to it and the spans that it was unsure about."""

    problem: Problem
    answer: str
    spans: list[Span]

    def request(self, rng: Random) -> str:
        """The request to refine it, at times without its spans."""
        return refine_request(() if rng.random() < _WITHOUT_SPANS else self.spans)


def uncertain_spans(reply: Reply) -> list[Span]:
    """One span per token whose top-20 entropy exceeds 0.2 nats; special tokens are left out."""
    spans: list[Span] = []
    first_special = special("<bos>")
    rows = zip(reply.top_ids, reply.top_probabilities, entropies(reply), strict=True)
    for ids, probabilities, entropy in rows:
        if entropy <= UNCERTAIN_NATS:
            continue
        options = [
            (encoding().decode([token]), p)
            for token, p in zip(ids, probabilities, strict=True)
            if token < first_special
        ]
        spans.append(options[: MAX_ALTERNATIVES + 1])
    return spans


def collect(model: Decoder, count: int, seed: str, path: Path) -> list[FirstAnswer]:
    """Answer `count` fresh training problems fast; most certain answers are left out.

    Args:
        model: the model of the stage before.
        count: problems to answer.
        seed: decides the problems.
        path: where the answers are kept, so that a resumed run does not collect them again.
    """
    rng = Random(seed)
    problems = [draw_training_problem(rng) for _ in range(count)]
    if path.exists():
        found: list[tuple[str, list[Span]]] = json.loads(path.read_text(encoding="utf-8"))
    else:
        found = _answer(model, problems)
        path.write_text(json.dumps(found), encoding="utf-8")
    firsts = [FirstAnswer(p, *answer) for p, answer in zip(problems, found, strict=True)]
    return [first for first in firsts if first.spans or rng.random() < _KEEP_CERTAIN]


def _answer(model: Decoder, problems: list[Problem]) -> list[tuple[str, list[Span]]]:
    found: list[tuple[str, list[Span]]] = []
    for start in range(0, len(problems), _CHUNK):
        prompts = mode_prompts(problems[start : start + _CHUNK], "fast")
        with torch.autocast("cpu", torch.bfloat16):
            replies = greedy(model, prompts, _MAX_TOKENS)
        found += [(encoding().decode(reply.ids), uncertain_spans(reply)) for reply in replies]
    return found
