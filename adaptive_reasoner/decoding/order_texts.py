"""How each order is written after a prompt: what a student of any tokenizer reads and learns to write."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from adaptive_reasoner.errors import ConfigurationError

Order = Literal["think_first", "answer_first"]


@dataclass(frozen=True, slots=True)
class OrderTexts:
    """The marks of both orders; each may be several tokens.

    Attributes:
        think: opens the work that comes first.
        think_end: closes it.
        answer_first: comes before an answer that is given at once.
        answer: comes before every answer.
        because: comes before the rationale of an answer that was given at once; there the answer may be cut.
    """

    think: str = "<think>"
    think_end: str = "</think>"
    answer_first: str = "<fast>"
    answer: str = "Answer:"
    because: str = "Because:"

    def __post_init__(self) -> None:
        if not all(text.strip() for text in asdict(self).values()):
            raise ConfigurationError("The marks of the two orders must be texts that hold something.")
        if self.think == self.answer_first:
            raise ConfigurationError(
                f"think and answer_first are both {self.think!r}; they tell the orders apart."
            )

    def tag(self, order: Order) -> str:
        """The text right after the prompt, which chooses the order."""
        return self.think if order == "think_first" else self.answer_first

    def completion(self, answer: str, rationale: str, order: Order) -> str:
        """What comes after the tag."""
        said = f"{self.answer} {answer}"
        if order == "think_first":
            return f"\n{rationale}\n{self.think_end}\n{said}"
        return f"\n{said}\n{self.because} {rationale}"

    def answer_in(self, completion: str) -> str:
        """The short answer that a completion states, "" where it states none."""
        _, mark, stated = completion.rpartition(self.think_end)
        said = (stated if mark else completion).partition(self.because)[0]
        return said.strip().removeprefix(self.answer).strip()

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> "OrderTexts":
        """Read what `asdict` gave."""
        return cls(**{field.name: data[field.name] for field in fields(cls) if field.name in data})


def tag_ids(tokenizer: Any, texts: OrderTexts, order: Order) -> list[int]:
    """Token ids of an order's tag."""
    return list(tokenizer.encode(texts.tag(order), add_special_tokens=False))
