"""Settings of IBPO on the embedded model."""

from dataclasses import dataclass, field
from pathlib import Path

from adaptive_reasoner.training.embedded.examples import MixtureConfig

# The ordinary recipe's second stage, with more thoughts: no mode may be forgotten.
REHEARSAL = MixtureConfig(
    deep=0.15, deep_lookup=0.22, answer_first=0.1, truncated=0.08, refine=0.45, made_up_refine=0.0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IbpoConfig:
    """A run on the embedded model.

    Attributes:
        directory: keeps checkpoint and log, and lets a run resume.
        weights: folder with the model.npz and model.json to start from; None: the shipped ones.
        share: q, the share of prompts that should think; None: no constraint (the control).
        steps: of the optimizer; the rate falls linearly to 0 with them.
        round_every: steps between two rounds of sampling.
        prompts: fresh prompts a round and process, answered by the model as it is then.
        fast_samples, deep_samples: responses a prompt, at temperature 1.
        free_rounds: rounds before the share is asked for: the mode token must first mean something.
        row_problems: problems on which the mode tokens' rows are fitted before the first step.
        responses: chosen responses a step and process, beside the rehearsal.
        mode_weight: of the mode token, in tokens.
        peak: multiplies both learning rates of the ordinary recipe.
        collect: first answers to learn refining from.
    """

    directory: Path
    weights: Path | None = None
    share: float | None = 0.5
    seed: int = 0
    processes: int = 3
    steps: int = 800
    round_every: int = 75
    prompts: int = 192
    fast_samples: int = 2
    deep_samples: int = 1
    free_rounds: int = 1
    row_problems: int = 4096
    responses: int = 4
    mode_weight: float = 6.0
    peak: float = 0.2
    warmup_steps: int = 40
    checkpoint_steps: int = 150
    collect: int = 16_000
    rehearsal: MixtureConfig = field(default_factory=lambda: REHEARSAL)
    compile: bool = True
