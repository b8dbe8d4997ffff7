"""What is left of THINKLOGIT where an API gives only its most likely tokens: the first answer token, ranked anew.

Guidance needs the target's whole distribution at every step. An API gives the 5 to 20 likeliest tokens, so that a pair
of local guiders can move those against each other once, at the first token of an answer that is one token long: a
letter of a multiple choice, yes or no. A token that the API did not list cannot be raised, and no thinking comes of it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adaptive_reasoner.errors import ConfigurationError, LogprobsUnavailableError

if TYPE_CHECKING:
    from adaptive_reasoner.decoding.local_model import LocalModel

NextLogprobs = Callable[[str], float | None]
"""The log probability of a token text as what comes next; None: that model has no such token."""


@dataclass(frozen=True, slots=True)
class RerankedToken:
    """The first answer token after ranking.

    Attributes:
        token: the winner.
        logprob: its log probability among those that were listed, in nats.
        ranking: (token, logprob) of all of them, best first; they add up to one.
        covered_mass: the target's own probability of all that were listed: what re-ranking could work with.
        unmoved: listed tokens that a guider lacks; they keep the target's score.
    """

    token: str
    logprob: float
    ranking: tuple[tuple[str, float], ...]
    covered_mass: float
    unmoved: tuple[str, ...]


def rerank_first_token(
    top: Sequence[tuple[str, float]], expert: NextLogprobs, base: NextLogprobs, alpha: float = 1.0
) -> RerankedToken:
    """score(v) = lp_target(v) + alpha (lp_expert(v) - lp_base(v)) over the tokens that the target listed.

    Args:
        top: (token, logprob) of the target, as `parse_response(...).tokens[0].top` gives them.
        expert: log probabilities of the tuned guider after the same prompt.
        base: of the guider before tuning.
        alpha: strength.

    Raises:
        ConfigurationError: alpha is not finite.
        LogprobsUnavailableError: nothing was listed.
    """
    if not math.isfinite(alpha):
        raise ConfigurationError(f"alpha must be a finite number, not {alpha!r}.")
    if not top:
        raise LogprobsUnavailableError(
            "The answer lists no alternatives; ask for logprobs=True, top_logprobs=20."
        )
    moves = {token: _move(token, expert, base) for token, _ in top}
    scores = {token: logprob + alpha * (moves[token] or 0.0) for token, logprob in top}
    total = _log_sum(list(scores.values()))
    ranking = tuple(sorted(((t, s - total) for t, s in scores.items()), key=lambda pair: -pair[1]))
    return RerankedToken(
        token=ranking[0][0],
        logprob=ranking[0][1],
        ranking=ranking,
        covered_mass=min(1.0, sum(math.exp(logprob) for _, logprob in top)),
        unmoved=tuple(token for token, move in moves.items() if move is None),
    )


def next_logprobs(local: "LocalModel", prompt: Sequence[int]) -> NextLogprobs:
    """What a local guider expects after `prompt`, its own token ids; texts of several tokens are none of its tokens."""
    import torch

    with torch.no_grad():
        logits = local.model(torch.tensor([list(prompt)], device=local.model.device)).logits[0, -1]
    logprobs = logits.float().log_softmax(-1).cpu()

    def logprob_of(token: str) -> float | None:
        ids = local.tokenizer(token, add_special_tokens=False)["input_ids"]
        return float(logprobs[ids[0]]) if len(ids) == 1 else None

    return logprob_of


def _move(token: str, expert: NextLogprobs, base: NextLogprobs) -> float | None:
    ours, before = expert(token), base(token)
    if ours is None or before is None or math.isinf(before):
        return None
    return ours - before


def _log_sum(values: Sequence[float]) -> float:
    highest = max(values)
    return highest + math.log(sum(math.exp(value - highest) for value in values))
