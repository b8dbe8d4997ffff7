"""`LocalChatModel`: a transformers causal language model in this process as a LangChain chat model."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr
from typing_extensions import override

from adaptive_reasoner.decoding.call_wishes import CALL_FIELDS, CallWishes, resolve_wishes
from adaptive_reasoner.decoding.chat_prompt import prompt_ids
from adaptive_reasoner.decoding.local_folder import check_folders, looks_like_folder
from adaptive_reasoner.decoding.local_model import LocalModel, check_device, load_local_model
from adaptive_reasoner.decoding.local_options import LocalOptions
from adaptive_reasoner.decoding.parted_thought import LabelledToken, Part, labelled
from adaptive_reasoner.decoding.token_entries import choice_logprobs
from adaptive_reasoner.decoding.writing import Writing
from adaptive_reasoner.decoding.written_text import WrittenToken

MessageContent = str | list[str | dict[Any, Any]]
LocalThinking = Literal["off", "on", "answer_first"] | dict[str, int]


class LocalChatModel(BaseChatModel):
    """Answers with a model of this machine, through its own chat template, with log probabilities.

    A folder is looked at when this is built, and loaded at the first call; every field but those of loading can be
    given a call. Thoughts stay in the text as the model writes them, between its
    own marks: the graph takes them apart.

    Attributes:
        model: a Hugging Face folder, or a name on the hub where there is a network or a cache.
        thinking: "off", "on", or {"budget_tokens": n}, which closes a thought that <think> opened; told to the chat
            template as `enable_thinking` and `thinking`.
        temperature: 0 is greedy.
        top_p: smallest share of the probability that is drawn from.
        top_k: most tokens that are drawn from.
        seed: makes a temperature above 0 repeatable.
        max_tokens: generated tokens; None: what the context holds.
        stop: strings before which the text ends.
        logprobs: report log probabilities, of temperature 1, in OpenAI's shape.
        top_logprobs: alternatives a token, 0 to 20.
        options: device, precision, memory check.

    Raises:
        ConfigurationError: when built: the folder is no model, the device is absent or memory too small; at the
            first call: the files cannot be read.
        MissingExtraError: the extra `local` is not installed.
    """

    model: str
    thinking: LocalThinking = "off"
    temperature: float = Field(default=0.0, ge=0.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    top_k: int | None = Field(default=None, ge=1)
    seed: int | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    stop: list[str] | None = None
    logprobs: bool = False
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    options: LocalOptions = Field(default_factory=LocalOptions)

    _loaded: LocalModel | None = PrivateAttr(default=None)
    _lock: threading.RLock = PrivateAttr(default_factory=threading.RLock)

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self._check()

    @property
    def model_name(self) -> str:
        """The name that profiles are kept under."""
        return self._base_name(self.model)

    @property
    def obeys_thinking(self) -> bool:
        """True if the folder's chat template reads the switch."""
        return any("thinking" in text for text in _templates(Path(self.model)))

    def load(self) -> LocalModel:
        """The model and its tokenizer, loaded once.

        Raises:
            ConfigurationError: its files cannot be read.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = load_local_model(self.model, self.options)
            return self._loaded

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        writing = self._writing(messages, stop, kwargs)
        parts = list(self._parts(writing))
        message = AIMessage(
            content=self._content(writing, parts),
            response_metadata=self._metadata(writing, parts),
            usage_metadata=_usage(writing),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """Token by token; log probabilities and usage come with the last chunk, which v3 streams keep."""
        writing, shown = self._writing(messages, stop, kwargs), list[LabelledToken]()
        for kind, token in self._parts(writing):
            shown.append((kind, token))
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=self._piece(writing, kind, token)))
            if run_manager is not None:
                run_manager.on_llm_new_token(token.text if kind == "text" else "", chunk=chunk)
            yield chunk
        last = AIMessageChunk(
            content="",
            response_metadata=self._metadata(writing, shown),
            usage_metadata=_usage(writing),
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last)

    def _writing(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Writing:
        wishes = resolve_wishes({name: getattr(self, name) for name in CALL_FIELDS}, stop, kwargs)
        local = self.load()
        prompt = prompt_ids(local, messages, is_thinking=wishes.is_thinking)
        return Writing(local, self._steering(wishes), prompt, wishes.writing(local.context, len(prompt)))

    def _steering(self, wishes: CallWishes) -> Any:  # noqa: ARG002
        """What moves the scores of one answer; nothing does here."""
        return None

    def _parts(self, writing: Writing) -> Iterator[LabelledToken]:
        """Each token as it is written, with the part of the answer that it belongs to."""
        return labelled("text", writing.tokens())

    def _content(self, writing: Writing, parts: Sequence[LabelledToken]) -> MessageContent:  # noqa: ARG002
        """What the whole answer's message holds."""
        return "".join(token.text for _, token in parts)

    def _piece(self, writing: Writing, kind: Part, token: WrittenToken) -> MessageContent:  # noqa: ARG002
        """What the chunk of one token holds."""
        return token.text

    def _check(self) -> None:
        """Refuse what cannot be loaded; not as a validator, whose errors pydantic wraps."""
        check_device(self.options.device)
        check_folders(self._folders(), self.options)

    def _folders(self) -> list[str]:
        """Everything that will be loaded."""
        return [self.model]

    @staticmethod
    def _base_name(model: str) -> str:
        return Path(model).name if looks_like_folder(model) else model

    def _metadata(self, writing: Writing, parts: Sequence[LabelledToken]) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "model_name": self.model_name,
            "model_provider": "local",
            "finish_reason": writing.finish_reason,
        }
        if writing.options.sampling.top_logprobs is not None:
            metadata["logprobs"] = choice_logprobs([token for kind, token in parts if kind == "text"])
        return metadata

    @property
    @override
    def _llm_type(self) -> str:
        return "adaptive-reasoner-local"

    @property
    @override
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name, **{name: getattr(self, name) for name in CALL_FIELDS}}


def _templates(folder: Path) -> Iterator[str]:
    """The texts in which a folder's chat template may stand."""
    for name in ("chat_template.jinja", "tokenizer_config.json"):
        path = folder / name
        if path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace")


def _usage(writing: Writing) -> UsageMetadata:
    read, written = len(writing.prompt), len(writing.generated)
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
