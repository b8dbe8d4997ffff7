"""Deep-think accuracy at fast-answer price, for anyone who builds on LangChain and LangGraph.

The public names, nothing else. They load on first use, so that importing the package stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adaptive_reasoner.config import Budget, ReasonerConfig
    from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
    from adaptive_reasoner.errors import AdaptiveReasonerError
    from adaptive_reasoner.gate.calibration import CalibrationExample, calibrate
    from adaptive_reasoner.gate.profile import GateProfile
    from adaptive_reasoner.graph import build_reasoning_graph
    from adaptive_reasoner.integrations.chat_model import AdaptiveChatModel
    from adaptive_reasoner.integrations.middleware import AdaptiveReasoningMiddleware
    from adaptive_reasoner.integrations.tool import reasoning_tool
    from adaptive_reasoner.uncertainty.message import score_message

_HOMES = {
    "AdaptiveChatModel": "integrations.chat_model",
    "AdaptiveReasonerError": "errors",
    "AdaptiveReasoningMiddleware": "integrations.middleware",
    "Budget": "config",
    "CalibrationExample": "gate.calibration",
    "EmbeddedChatModel": "embedded.chat_model",
    "GateProfile": "gate.profile",
    "ReasonerConfig": "config",
    "build_reasoning_graph": "graph",
    "calibrate": "gate.calibration",
    "reasoning_tool": "integrations.tool",
    "score_message": "uncertainty.message",
}

__all__ = [
    "AdaptiveChatModel",
    "AdaptiveReasonerError",
    "AdaptiveReasoningMiddleware",
    "Budget",
    "CalibrationExample",
    "EmbeddedChatModel",
    "GateProfile",
    "ReasonerConfig",
    "build_reasoning_graph",
    "calibrate",
    "reasoning_tool",
    "score_message",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
