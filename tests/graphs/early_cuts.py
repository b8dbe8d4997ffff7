"""What the tests of cut streams share: a rule, profiles that hold it, and answers that it cuts or lets pass."""

import math
import time

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field

from adaptive_reasoner import GateProfile, ReasonerConfig
from adaptive_reasoner.gate.early_cut import EarlyCut
from adaptive_reasoner.testing import Reply, logprobs_of

RULE = EarlyCut(certainty="logprob", window=1, threshold=math.log(0.5), max_accepted=0.05, confidence=0.9)
# A draft of ten tokens whose third is doubted: cut after three of them.
DRAFT = "It is 41 because of this and that and more"
SURE = "It is 42"


def worked(text=DRAFT, doubted_at=2, probability=0.3):
    words = text.split(" ")
    spelled = [words[0], *(f" {word}" for word in words[1:])]
    chances = [probability if place == doubted_at else 0.97 for place in range(len(spelled))]
    tokens = [
        (word, p, [(f"{word}~{i}", (1 - p) / 3) for i in range(3)])
        for word, p in zip(spelled, chances, strict=True)
    ]
    return Reply(text=text, tokens=tokens)


def sure(text=SURE):
    return Reply(text=text, probability=0.99)


def cutting(**fields):
    """A configuration whose gate is the cautious default, with the rule."""
    gate = GateProfile(kind="default", model="", modes={}, early_cut=RULE)
    return ReasonerConfig(**{"gate": gate, "triage": "off", **fields})


class SlowChatModel(BaseChatModel):
    """Writes 400 words, one every 5 ms, the fifth of them doubted; notes what it has generated."""

    logprobs: bool | None = None
    top_logprobs: int | None = None
    generated: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self):
        return "slow"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        raise AssertionError("it is streamed")

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        for place in range(400):
            time.sleep(0.005)
            word, p = f" word{place}", 0.3 if place == 4 else 0.97
            self.generated.append(word)
            entry = logprobs_of([(word, p, [(f"{word}~", 1 - p)])], top_logprobs=5)
            yield ChatGenerationChunk(message=AIMessageChunk(word, response_metadata={"logprobs": entry}))
