"""Settings of a guider's tuning."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from adaptive_reasoner.checks import check_choice, check_positive, check_range
from adaptive_reasoner.errors import ConfigurationError

Objective = Literal["dpo", "sft"]
Sources = Literal["mixed", "target", "guider", "guided"]
Writer = Literal["target", "guider", "guided"]
Policy = Literal["guider", "guided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingConfig:
    """Which answers are drawn, and how.

    Attributes:
        tasks: JSONL file of prompts and right answers.
        guider: Hugging Face folder (or hub name) of the model that is tuned.
        target: the larger model's; needed unless every pair is the guider's own.
        directory: keeps the samples; runs that ask for the same ones share it.
        samples: answers a prompt and model.
        temperature: at which they are drawn.
        max_tokens: the longest answer.
        prompts_a_chunk: prompts that are drawn together, and saved together.
        prompt_column, answer_column: of the task file.
        base: the guider before it was tuned to think; needed where the guided target writes or is trained.
        alpha: strength of guidance there.
    """

    tasks: Path
    guider: str
    target: str | None
    directory: Path
    samples: int = 4
    temperature: float = 1.0
    max_tokens: int = 512
    prompts_a_chunk: int = 32
    prompt_column: str = "prompt"
    answer_column: str = "answer"
    seed: int = 0
    base: str | None = None
    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_positive("alpha", self.alpha)
        check_range("samples", self.samples, 1, 1024)
        check_positive("temperature", self.temperature)
        check_positive("max_tokens", self.max_tokens, whole=True)
        check_positive("prompts_a_chunk", self.prompts_a_chunk, whole=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuiderConfig:
    """A run that tunes a guider.

    Attributes:
        sampling: the answers that it learns from.
        directory: receives the tuned model, its adapter, checkpoints, log.jsonl and curves.png.
        objective: "dpo", or "sft" on the right answers alone (a baseline).
        sources: whose answers are paired. "mixed": one model's right answer over the other's wrong one, both ways
            equally often; "target" or "guider": one model's right answer over its own wrong one; "guided": the same
            for the target that the guider guides, as it will be used.
        pairs: at most so many, chosen at random.
        pairs_a_prompt: at most so many of one prompt.
        rank: of LoRA, on every linear layer; the paper's code names 64.
        beta: how closely DPO keeps to the guider before tuning.
        rows: pairs a step and process.
        epochs: passes over the pairs.
        save_every: steps between two checkpoints.
        policy: whose probabilities DPO moves: the guider's own, as in the paper, or the guided target's, of which the
            guider alone learns.
    """

    sampling: SamplingConfig
    directory: Path
    objective: Objective = "dpo"
    sources: Sources = "mixed"
    pairs: int = 10_000
    pairs_a_prompt: int = 2
    rank: int = 64
    beta: float = 0.1
    learning_rate: float = 1e-5
    rows: int = 16
    epochs: float = 1.0
    save_every: int = 100
    seed: int = 0
    policy: Policy = "guider"

    def __post_init__(self) -> None:
        check_choice("objective", self.objective, get_args(Objective))
        check_choice("sources", self.sources, get_args(Sources))
        check_choice("policy", self.policy, get_args(Policy))
        for name in ("pairs", "pairs_a_prompt", "rank", "rows", "save_every"):
            check_positive(name, getattr(self, name), whole=True)
        for name in ("beta", "learning_rate", "epochs"):
            check_positive(name, getattr(self, name))
        if self.sampling.target is None and self.sources != "guider":
            raise ConfigurationError(
                f"Pairs from {self.sources!r} need the target's answers: give the target's folder, or sources "
                '"guider".'
            )
        self._check_guidance()

    def _check_guidance(self) -> None:
        if self.policy == "guided" and self.objective != "dpo":
            raise ConfigurationError(
                'policy "guided" is for the objective "dpo"; leave it at "guider" for "sft".'
            )
        if self.is_guided and (self.sampling.target is None or self.sampling.base is None):
            raise ConfigurationError(
                "Answers or probabilities of the guided target need all three models: give the target's folder and "
                "base, the guider before it was tuned to think."
            )

    @property
    def is_guided(self) -> bool:
        """Whether the three models work together, in drawing or in training."""
        return "guided" in {self.sources, self.policy}

    @property
    def writers(self) -> tuple[Writer, ...]:
        """The models whose answers are needed."""
        return ("target", "guider") if self.sources == "mixed" else (self.sources,)
