"""`EmbeddedStudent`: a distilled student of the embedded architecture as a chat model, without a framework."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from typing_extensions import override

from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.embedded.completion import Completion
from adaptive_reasoner.embedded.dialogue import REFINE_REQUEST_ENDING
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.weights import read_weights
from adaptive_reasoner.errors import ConfigurationError


class EmbeddedStudent(EmbeddedChatModel):
    """What `adaptive-reasoner train distill` wrote, chosen orders included: `thinking="auto"` follows perception.

    It learned single questions in the orders of its training and nothing else: asked to refine an answer it thinks
    about the question anew, and it calls no tools.
    """

    @property
    def obeys_thinking(self) -> bool:
        """True: both orders were learned as modes."""
        return True

    @override
    def _complete(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Completion:
        asked = [message for message in messages if isinstance(message, HumanMessage)]
        known = {name: value for name, value in kwargs.items() if name not in {"tools", "tool_choice"}}
        if len(asked) > 1 and str(asked[-1].text).strip().endswith(REFINE_REQUEST_ENDING):
            return self._named(super()._complete([asked[-2]], stop, {**known, "thinking": "on"}))
        return self._named(super()._complete(asked[-1:] or messages, stop, known))

    def _named(self, completion: Completion) -> Completion:
        """Under its own name, so that recorded runs tell a student from its teacher."""
        completion.model_name = self.model_name
        return completion


def read_student(folder: Path) -> EmbeddedStudent:
    """The student in a folder with model.npz and model.json.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        about: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        runtime = Runtime(read_weights(folder))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{folder} holds no student that can be read: {error}.") from error
    name = f"student:{folder.resolve().name}"
    if "chosen" in about.get("auto", {}):
        share = int(about["auto"]["chosen"])
        return EmbeddedStudent(runtime=runtime, model_name=name, thinking="auto", auto_share=share)
    only_thinks = about.get("provenance", {}).get("orders") == ["think_first"]
    return EmbeddedStudent(runtime=runtime, model_name=name, thinking="on" if only_thinks else "off")
