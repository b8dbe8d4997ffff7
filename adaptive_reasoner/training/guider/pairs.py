"""Right answers over wrong ones: which samples are paired."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.training.guider.config import Sources, Writer
from adaptive_reasoner.training.guider.sample import Sample

Samples = Mapping[Writer, Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A right and a wrong answer to one prompt, and who wrote them."""

    prompt: int
    chosen: str
    rejected: str
    chosen_by: Writer
    rejected_by: Writer


def make_pairs(samples: Samples, sources: Sources, limit: int, a_prompt: int, seed: int) -> list[Pair]:
    """Pair right answers with wrong ones of the same prompt.

    "mixed" takes the guider's right answers over the target's wrong ones and the target's right ones over the
    guider's wrong ones, as many of one kind as of the other.

    Args:
        samples: of each model that `sources` needs.
        sources: whose answers are paired.
        limit: at most so many pairs.
        a_prompt: at most so many pairs of one prompt and kind.
        seed: decides which.

    Raises:
        InvalidInputError: a kind has no pair.
    Source: arXiv 2510.09354, which pairs answers of both models; how many of each kind it leaves open.
    """
    rng = Random(seed)
    kinds: list[tuple[Writer, Writer]] = (
        [("guider", "target"), ("target", "guider")] if sources == "mixed" else [(sources, sources)]
    )
    found = [_pairs_of(rng, samples, kind, a_prompt) for kind in kinds]
    for kind, pairs in zip(kinds, found, strict=True):
        if not pairs:
            raise InvalidInputError(
                f"No prompt has a right answer of the {kind[0]} and a wrong one of the {kind[1]}: draw more samples, "
                "or give prompts that are neither too easy nor too hard."
            )
    count = min(*(len(pairs) for pairs in found), limit // len(kinds)) if len(kinds) > 1 else limit
    chosen = [pair for pairs in found for pair in pairs[:count]]
    rng.shuffle(chosen)
    return chosen


def right_answers(samples: Samples, limit: int, a_prompt: int, seed: int) -> list[Sample]:
    """Right answers of every model in `samples`, for fine-tuning on them alone.

    Raises:
        InvalidInputError: there is none.
    """
    rng = Random(seed)
    found: list[Sample] = []
    for several in samples.values():
        for drawn in _by_prompt(several).values():
            right = list(dict.fromkeys(sample for sample in drawn if sample.right))
            found += rng.sample(right, min(a_prompt, len(right)))
    if not found:
        raise InvalidInputError("No sample is right: draw more samples, or give easier prompts.")
    rng.shuffle(found)
    return found[:limit]


def _pairs_of(rng: Random, samples: Samples, kind: tuple[Writer, Writer], a_prompt: int) -> list[Pair]:
    """The pairs of one kind, shuffled."""
    chosen_by, rejected_by = kind
    rejecting = _by_prompt(samples[rejected_by])
    pairs: list[Pair] = []
    for prompt, drawn in _by_prompt(samples[chosen_by]).items():
        right = sorted({sample.text for sample in drawn if sample.right})
        wrong = sorted({sample.text for sample in rejecting.get(prompt, ()) if not sample.right})
        every = [Pair(prompt, good, bad, chosen_by, rejected_by) for good in right for bad in wrong]
        pairs += rng.sample(every, min(a_prompt, len(every)))
    rng.shuffle(pairs)
    return pairs


def _by_prompt(samples: Sequence[Sample]) -> dict[int, list[Sample]]:
    found: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.prompt].append(sample)
    return found
