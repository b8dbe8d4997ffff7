"""The learning rate over a stage, by steps or by the clock."""

from adaptive_reasoner.training.embedded.config import StageConfig


def progress(stage: StageConfig, step: int, seconds: float) -> float:
    """The share of a stage that is done, 0..1."""
    if stage.steps is not None:
        return min(1.0, step / stage.steps)
    return min(1.0, seconds / (60.0 * stage.minutes))


def relative_rate(stage: StageConfig, step: int, done: float) -> float:
    """The factor on the learning rates: warm-up, plateau, linear decay.

    Args:
        stage: the stage's settings.
        step: steps already taken in it.
        done: the share of it that is done, 0..1.
    """
    warmup = min(1.0, (step + 1) / max(1, stage.warmup_steps))
    left = min(1.0, (1.0 - done) / (1.0 - stage.decay_from))
    return stage.peak * warmup * (stage.final + (1.0 - stage.final) * left)
