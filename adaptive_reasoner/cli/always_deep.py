"""What always thinking would have cost: run, measured by a round of the turn, or expected from calibration."""

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.cli.events import HandedOff, Paused
from adaptive_reasoner.cli.models import EMBEDDED
from adaptive_reasoner.cli.words import confidence_words
from adaptive_reasoner.gate import shipped
from adaptive_reasoner.state import ReasoningReport
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME, model_name_of


def usual_deep_tokens(deep_model: BaseChatModel | str) -> float | None:
    """Mean tokens that the model wrote when it thought, see `shipped.usual_deep_tokens`."""
    if isinstance(deep_model, BaseChatModel):
        name = model_name_of(deep_model)
    else:
        name = EMBEDDED_MODEL_NAME if deep_model == EMBEDDED else deep_model
    return shipped.usual_deep_tokens(name)


def always_deep_words(report: ReasoningReport, usual: float | None) -> str | None:
    """What thinking at once would have cost; None where nothing is known of it."""
    deep = [one for one in report["rounds"] if one["node"] == "deep_think" and "error" not in one]
    if deep:
        tokens, source = deep[0]["usage"]["output_tokens"], "measured: the thinking above"
    elif usual is not None:
        tokens, source = (
            round(usual),
            "an estimate: the mean over its calibration problems; --compare measures",
        )
    else:
        return None
    return f"always thinking: {tokens} tokens written instead of {_written(report)} ({source})"


def compared_words(last: HandedOff, other: HandedOff | Paused) -> str:
    """What always thinking gave for the same question, and what it cost."""
    if isinstance(other, Paused):
        return "always thinking: its answer waits for a person"
    return (
        f"always thinking: {other.answer} ({confidence_words(other.report)}; "
        f"{_written(other.report)} tokens written instead of {_written(last.report)}, measured by running it)"
    )


def _written(report: ReasoningReport) -> int:
    return sum(one["usage"]["output_tokens"] for one in report["rounds"])
