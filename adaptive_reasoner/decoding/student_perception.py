"""What a distilled student's folder says of it, and the choice of its order for one prompt."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from adaptive_reasoner.decoding.order_texts import Order, OrderTexts, tag_ids
from adaptive_reasoner.errors import ConfigurationError

STUDENT_FILE = "student.json"
SOFT_PROMPT_FOLDER = "perception"


@dataclass(frozen=True, slots=True)
class StudentDescription:
    """What `train distill` wrote beside the weights.

    Attributes:
        orders: that the student learned.
        perception: as plain JSON; empty where it learned one order only.
    """

    orders: tuple[Order, ...]
    texts: OrderTexts
    perception: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def read(cls, folder: Path) -> "StudentDescription":
        """Read a student's folder.

        Raises:
            ConfigurationError: it holds no student.
        """
        path = folder / STUDENT_FILE
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            orders, texts = tuple(data["orders"]), OrderTexts.from_json(data["texts"])
            return cls(orders, texts, dict(data.get("perception") or {}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{folder} holds no student of `adaptive-reasoner train distill`: {path.name} cannot be read "
                f"({type(error).__name__}: {error})."
            ) from error


class OrderChooser:
    """Chooses the order of a prompt by a student's perception.

    Args:
        model: the student.
        tokenizer: its tokenizer.
        about: its description.
        folder: where a soft prompt lies.
    """

    def __init__(self, model: Any, tokenizer: Any, about: StudentDescription, folder: Path) -> None:
        self._about = about
        self._model = model
        self._head: Tensor | None = None
        self._prompted: PromptedModel | None = None
        kind = about.perception.get("kind")
        if kind == "head":
            self._head = torch.tensor(about.perception["weights"], dtype=torch.float64)
        elif kind == "soft_prompt":
            peft: Any = import_module("peft")
            tags = (
                tag_ids(tokenizer, about.texts, "think_first"),
                tag_ids(tokenizer, about.texts, "answer_first"),
            )
            wrapped = peft.PeftModel.from_pretrained(model, folder / SOFT_PROMPT_FOLDER)
            self._prompted = PromptedModel(wrapped, tags)

    def choose(self, prompt: Sequence[int]) -> tuple[Order, float | None]:
        """The order, and the logit that decided: think first from 0 on; None where there is nothing to choose."""
        if len(self._about.orders) == 1:
            return self._about.orders[0], None
        logit = self._logit(prompt)
        return "think_first" if logit is None or logit >= 0 else "answer_first", logit

    @torch.no_grad()
    def _logit(self, prompt: Sequence[int]) -> float | None:
        bias = float(self._about.perception.get("bias", 0.0))
        if self._head is not None:
            return float(last_state(self._model, prompt) @ self._head) + bias
        if self._prompted is not None:
            return float(self._prompted.logits([prompt])[0]) + bias
        return None


class PromptedModel:
    """A model behind a soft prompt, asked which tag comes next.

    Args:
        wrapped: a peft model with prompt tuning.
        tags: token ids of the think-first and the answer-first tag.
    """

    def __init__(self, wrapped: Any, tags: tuple[list[int], list[int]]) -> None:
        self.wrapped = wrapped
        self._tags = tags

    def logits(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Log P(think tag) - log P(answer tag), shape (n,), with gradients."""
        think, answer = (self._log_probabilities(prompts, tag) for tag in self._tags)
        return think - answer

    def _log_probabilities(self, prompts: Sequence[Sequence[int]], tag: Sequence[int]) -> Tensor:
        rows = [torch.tensor([*prompt, *tag]) for prompt in prompts]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        found: Any = self.wrapped(input_ids=ids, attention_mask=mask)
        said = (
            found.logits[:, -ids.shape[1] :].float().log_softmax(-1)
        )  # the soft prompt's own columns are first
        sums = [
            said[number, len(prompt) - 1 : len(prompt) - 1 + len(tag)]
            .gather(1, torch.tensor(tag)[:, None])
            .sum()
            for number, prompt in enumerate(prompts)
        ]
        return torch.stack(sums)


@torch.no_grad()
def last_state(model: Any, prompt: Sequence[int]) -> Tensor:
    """The last layer's hidden state (d,) after a prompt, in float64 on the CPU."""
    ids = torch.tensor([list(prompt)], device=model.device)
    found: SimpleNamespace = model(input_ids=ids, output_hidden_states=True)
    return found.hidden_states[-1][0, -1].double().cpu()
