"""Triage as LangChain's `BaseDecisionModel` (langchain-core 1.8), so that it drives `ModelRouterMiddleware`.

That middleware classifies once, before the run, from the newest human message alone, and nothing checks the answer; for
a follow-up's thread, the gate and the budgets, use the graph.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages
from pydantic import PrivateAttr

from adaptive_reasoner.errors import ConfigurationError, InvalidInputError, MissingExtraError
from adaptive_reasoner.state import DifficultyEstimator, Triage
from adaptive_reasoner.triage import shipped_estimator

_HOME = "langchain_core.decisions"


@dataclass(frozen=True, slots=True)
class TriageDecision:
    """Answers a decision model's questions by a predicted gain.

    Attributes:
        estimator: predicts the gain of thinking.
        think_at_gain: the gain from which the deep label is chosen.
        fast, deep: the two labels of a choice.
    """

    estimator: DifficultyEstimator
    think_at_gain: float
    fast: str = "fast"
    deep: str = "deep"

    def answers(self, state: Any, questions: Mapping[str, Any]) -> dict[str, Any]:
        """Answer every question, as LangChain's wire format has it.

        Args:
            state: a text, a message, a thread, or a mapping with `messages`.
            questions: `Choice` with exactly the two labels, or `Noul` ("does it need thinking?").

        Raises:
            InvalidInputError: `state` holds no question.
            ConfigurationError: a question is of another kind or has other labels.
        """
        triage = self.estimator.estimate(as_thread(state))
        return {name: self._answer(name, question, triage) for name, question in questions.items()}

    def _answer(self, name: str, question: Any, triage: Triage) -> dict[str, Any]:
        # Where the gain is the bound, either is as good; this keeps the order of gains and is no calibrated chance.
        deep = min(max(0.5 + (triage["gain"] - self.think_at_gain) / 2, 0.0), 1.0)
        if question.type == "noul":
            return {"type": "noul", "noul": deep}
        labels = set(question.criteria) if question.type == "choice" else set[str]()
        if labels != {self.fast, self.deep}:
            raise ConfigurationError(
                f"Triage answers a Choice between {self.fast!r} and {self.deep!r}, or a Noul; {name!r} is a "
                f"{question.type} between {sorted(labels)}. Name your labels by fast= and deep=."
            )
        return {
            "type": "choice",
            "choice": self.deep if triage["gain"] >= self.think_at_gain else self.fast,
            "probabilities": {self.fast: 1.0 - deep, self.deep: deep},
            "confidence": abs(2.0 * deep - 1.0),
        }


def as_thread(state: Any) -> list[BaseMessage]:
    """The messages of a decision model's state.

    Raises:
        InvalidInputError: there are none.
    """
    if isinstance(state, Mapping):
        state = cast("Mapping[str, Any]", state).get("messages")
    if isinstance(state, str):
        return [HumanMessage(state)]
    if isinstance(state, BaseMessage):
        return [state]
    try:
        thread = convert_to_messages(cast("Sequence[Any]", state)) if state else []
    except (ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise InvalidInputError(f"The state is no thread of messages: {error}.") from error
    if not thread:
        raise InvalidInputError("The state holds no message; give a text, a message or a list of messages.")
    return thread


def triage_decision_model(
    estimator: DifficultyEstimator | None = None,
    *,
    think_at_gain: float | None = None,
    fast: str = "fast",
    deep: str = "deep",
) -> Any:
    """A `BaseDecisionModel` that chooses by predicted gain.

    Args:
        estimator: whose prediction; None is the shipped one of the default pair.
        think_at_gain: the bound; None is the estimator's own.
        fast: the label of the middleware's `choices` that answers at once.
        deep: the label of the one that thinks.

    Raises:
        MissingExtraError: langchain-core is older than 1.8.
        ConfigurationError: there is no bound.
    """
    if find_spec(_HOME) is None:
        raise MissingExtraError(
            'Decision models came with langchain-core 1.8: pip install "langchain-core>=1.8" "langchain>=1.5".'
        )
    chosen = estimator or shipped_estimator()
    bound = getattr(chosen, "think_at_gain", None) if think_at_gain is None else think_at_gain
    if bound is None or not -1.0 <= bound <= 1.0:
        raise ConfigurationError(
            f"think_at_gain is {bound!r}: this estimator has no bound of its own, so give one between -1 and 1."
        )
    return _build(TriageDecision(chosen, float(bound), fast, deep))


def _build(decision: TriageDecision) -> Any:
    """The class is made here because its base may not be installed."""
    decisions: Any = import_module(_HOME)
    base: Any = decisions.BaseDecisionModel

    class TriageDecisionModel(base):
        """Triage by predicted gain."""

        model: str = "adaptive-reasoner-triage"
        _decision: TriageDecision = PrivateAttr(default=decision)

        @property
        def _provider(self) -> str:
            return "adaptive_reasoner"

        def _classify(self, state: Any, questions: dict[str, Any]) -> Any:
            answers = self._decision.answers(state, questions)
            return decisions.ClassifierResponse.model_validate({"model": self.model, "answers": answers})

    return TriageDecisionModel()
