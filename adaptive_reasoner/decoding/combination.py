"""The arithmetic itself: z_target + alpha (z_expert - z_base), over NumPy arrays or torch tensors."""

import math
from dataclasses import dataclass
from typing import Any

from adaptive_reasoner.decoding.arrays import as_floats, descending, library_of, like, log_softmax
from adaptive_reasoner.decoding.vocabulary_map import VocabularyMap
from adaptive_reasoner.errors import ConfigurationError, LogprobsError


@dataclass(frozen=True, slots=True)
class Combination:
    """How the guiders' difference reaches the target's vocabulary.

    Attributes:
        vocabulary: which guider id stands for which target id; None: equal ids are equal tokens, and ids that
            one of the models lacks keep the target's logit.
        nucleus: share of the target's probability, between 0 and 1; ids outside the smallest set that holds it are
            ruled out (DExperts' plausibility mask). None rules nothing out.
        normalize: takes the guiders' log probabilities first. It changes nothing where every id is shared. Where
            ids are missing, it keeps a constant in a guider's logits from moving them against the others.
    """

    vocabulary: VocabularyMap | None = None
    nucleus: float | None = None
    normalize: bool = False

    def __post_init__(self) -> None:
        if self.nucleus is not None and not 0 < self.nucleus < 1:
            raise ConfigurationError(
                f"nucleus must lie between 0 and 1, or be None for no mask, not {self.nucleus}."
            )


PLAIN = Combination()


def combine_logits(target: Any, expert: Any, base: Any, alpha: Any, how: Combination = PLAIN) -> Any:
    """Target logits moved by alpha times what tuning changed in a small guider.

    Logits and log probabilities serve alike: they differ by one constant a row, which a softmax cancels. An id
    that the base rules out (-inf) keeps the target's logit; one that only the expert rules out is ruled out.

    Args:
        target: (..., V) arrays or torch tensors, logits or log probabilities, of any floating type.
        expert: (..., V') of the tuned guider, the same leading shape.
        base: (..., V'') of the guider before tuning, the same leading shape.
        alpha: a finite number, or one a row in the leading shape; 0 gives the target back.
        how: map between vocabularies, plausibility mask, normalisation.

    Returns:
        (..., V) in the widest type given, of 32 bits at least, on the target's device.

    Raises:
        ConfigurationError: alpha is not finite, or shapes do not fit.
        LogprobsError: a value is NaN or +inf.
    Source: arXiv 2510.09354 (THINKLOGIT); arXiv 2105.03023 (DExperts) for the mask.
    """
    target, expert, base = as_floats({"target": target, "expert": expert, "base": base})
    _check_shapes(target, expert, base)
    for name, array in (("target", target), ("expert", expert), ("base", base)):
        _check_values(name, array)
    factor = _factor(alpha, target)
    if how.normalize:
        expert, base = log_softmax(expert), log_softmax(base)
    difference = _difference(expert, base, factor)
    combined = _spread(target, difference, how.vocabulary)
    return combined if how.nucleus is None else _masked(combined, target, how.nucleus)


def _check_shapes(target: Any, expert: Any, base: Any) -> None:
    shapes = [tuple(array.shape) for array in (target, expert, base)]
    if (
        any(len(shape) == 0 or shape[-1] == 0 for shape in shapes)
        or len({shape[:-1] for shape in shapes}) > 1
    ):
        raise ConfigurationError(
            f"target, expert and base must have equal shapes up to the vocabulary, (..., V), not "
            f"{shapes[0]}, {shapes[1]} and {shapes[2]}."
        )


def _check_values(name: str, array: Any) -> None:
    # `< inf` is false for NaN, too.
    if not bool((array < math.inf).all()):
        raise LogprobsError(
            f"{name} holds NaN or +inf; a model's logits must be finite, or -inf where masked."
        )


def _factor(alpha: Any, target: Any) -> Any:
    """Alpha as a number, or as (..., 1) beside the vocabulary."""
    try:
        # In the target's own type at once: torch would round a bare 0.1 to 32 bits first.
        factor = library_of(target).asarray(alpha, dtype=target.dtype, device=target.device)
        whole = bool((abs(factor) < math.inf).all())
    except (TypeError, ValueError, RuntimeError):
        whole, factor = False, None
    if not whole or factor is None:
        raise ConfigurationError(f"alpha must be a finite number, or one a row, not {alpha!r}.")
    if tuple(factor.shape) not in {(), tuple(target.shape[:-1])}:
        raise ConfigurationError(
            f"alpha must be one number, or one a row in shape {tuple(target.shape[:-1])}, not {tuple(factor.shape)}."
        )
    return factor[..., None]


def _difference(expert: Any, base: Any, factor: Any) -> Any:
    """(..., shared) alpha times expert less base; 0 where the base's -inf leaves nothing to compare."""
    shared = min(expert.shape[-1], base.shape[-1])
    expert, base = expert[..., :shared], base[..., :shared]
    library = library_of(expert)
    nothing = library.zeros_like(expert)
    compared = (expert > -math.inf) & (base > -math.inf)
    # Infinite values are taken out before the arithmetic, because 0 * -inf and -inf + inf are NaN.
    finite = [library.where(compared, array, nothing) for array in (expert, base)]
    ruled_out = (base > -math.inf) & (expert == -math.inf) & (factor > 0)
    return library.where(ruled_out, -math.inf, factor * (finite[0] - finite[1]))


def _spread(target: Any, difference: Any, vocabulary: VocabularyMap | None) -> Any:
    """The target plus the difference, on the ids that the guiders know."""
    library: Any = library_of(target)
    if vocabulary is None:
        shared = min(target.shape[-1], difference.shape[-1])
        moved = target[..., :shared] + difference[..., :shared]
        return library.concatenate([moved, target[..., shared:]], axis=-1)
    vocabulary.check_fits(target.shape[-1], difference.shape[-1])
    known = like(vocabulary.target_ids, target)
    combined = library.asarray(target, copy=True)
    combined[..., known] = target[..., known] + difference[..., like(vocabulary.guider_ids, target)]
    return combined


def _masked(combined: Any, target: Any, nucleus: float) -> Any:
    """Ids outside the target's nucleus become -inf; of equally likely ids at its edge, all stay."""
    library = library_of(target)
    probabilities = library.exp(log_softmax(target))
    ordered = descending(probabilities)
    before = library.cumsum(ordered, axis=-1) - ordered
    smallest = library.where(before < nucleus, ordered, math.inf)
    edge = library.amin(smallest, axis=-1, keepdims=True)
    return library.where(probabilities >= edge, combined, -math.inf)
