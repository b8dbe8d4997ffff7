"""Accuracy of the model in training, on a few problems of the calibration split.

Only a guide for the curves: published figures come from the NumPy runtime's benchmark.
"""

import math
import re
from collections.abc import Sequence

from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.problems import Problem, generate
from adaptive_reasoner.embedded.tokenizer import encoding
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.embedded.sampling import Reply, greedy, mode_prompts

_MAX_TOKENS: dict[Mode, int] = {"fast": 10, "deep": 300, "answer_first": 10, "refine": 60}
_ANSWER = re.compile(r"Answer: ?(\d+)")


def answer_of(reply: Reply) -> int | None:
    """The last stated answer, or None."""
    found = _ANSWER.findall(encoding().decode(reply.ids))
    return int(found[-1]) if found else None


def entropies(reply: Reply) -> list[float]:
    """Entropy of each token over its renormalised top 20, in nats."""
    result: list[float] = []
    for probabilities in reply.top_probabilities:
        total = sum(probabilities)
        shares = [p / total for p in probabilities if p > 0]
        result.append(-sum(share * math.log(share) for share in shares))
    return result


def auroc(scores: Sequence[float], positives: Sequence[bool]) -> float:
    """Probability that a positive has the higher score; ties count half. NaN without both."""
    order = sorted(range(len(scores)), key=lambda index: scores[index])
    ranks = [0.0] * len(scores)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + end + 1) / 2
        start = end
    count = sum(positives)
    if count in (0, len(scores)):
        return math.nan
    total = sum(rank for rank, positive in zip(ranks, positives, strict=True) if positive)
    return (total - count * (count + 1) / 2) / (count * (len(scores) - count))


def evaluate(model: Decoder, mode: Mode, problems: Sequence[Problem]) -> dict[str, float]:
    """Share of right answers: "all", "level 1".., "family shop"..; for fast also "auroc".

    "tokens" is the mean number of generated tokens without <eos>.
    """
    replies = greedy(model, mode_prompts(problems, mode), _MAX_TOKENS[mode])
    right = [answer_of(r) == p.answer for r, p in zip(replies, problems, strict=True)]
    groups: dict[str, list[bool]] = {"all": right}
    for problem, ok in zip(problems, right, strict=True):
        groups.setdefault(f"level {problem.level}", []).append(ok)
        groups.setdefault(f"family {problem.family}", []).append(ok)
    result = {name: sum(group) / len(group) for name, group in sorted(groups.items())}
    result["tokens"] = sum(len(reply.ids) for reply in replies) / len(replies)
    if mode == "fast":
        doubt = [max(entropies(reply), default=0.0) for reply in replies]
        result["auroc"] = auroc(doubt, [not ok for ok in right])
    return result


def calibration_problems(count: int, seed: int = 0) -> list[Problem]:
    """Problems that are never trained on."""
    return list(generate("calibration", count, seed=seed))
