"""A chat model that gives recorded answers, with the log probabilities that were recorded for them.

A record is a mapping, such as one line of a recording: `question`, and where they are known `id`, `choices`,
`model`, `mode` ("fast" or "deep"), `answer`, `answer_token_top` ([[token, logprob], …]), `response`, `correct`.
Only the answer token's distribution is recorded; the rest of the reply is given as tokens of log probability 0,
so that the text adds up and a gate that looks at the answer's span sees what was measured, and no more.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from adaptive_reasoner.errors import ConfigurationError, InvalidInputError
from adaptive_reasoner.uncertainty.spans import find_answer_span

Record = Mapping[str, Any]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class RecordedChatModel(BaseChatModel):
    """Looks up the newest human message that it has an answer to: by its id, or by its text.

    Attributes:
        model_name: reported in `response_metadata`; by default the records' own.
    """

    model_name: str = "recorded"

    _records: dict[str, Record] = PrivateAttr()

    def __init__(self, records: Sequence[Record], *, mode: str | None = None, **fields: Any) -> None:
        """Index the records.

        Args:
            records: one a question; of several modes, only those of `mode` are taken.
            mode: "fast" or "deep".
            fields: of `BaseChatModel`.

        Raises:
            ConfigurationError: no record is left, or they show several models or modes.
        """
        taken = [record for record in records if mode is None or record.get("mode") == mode]
        name = _only("model", taken) or "recorded"
        _only("mode", taken)
        if not taken:
            raise ConfigurationError(f"None of the {len(records)} records has the mode {mode!r}.")
        settings: dict[str, Any] = {"model_name": name, **fields}
        super().__init__(**settings)
        self._records = {key: record for record in taken for key in _keys(record)}

    @property
    def _llm_type(self) -> str:
        return "recorded-chat-model"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - what was recorded is given whole
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_kwargs: Any,
    ) -> ChatResult:
        message = message_of(self._find(messages))
        message.response_metadata["model_name"] = self.model_name
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages, stop, None, **kwargs)

    def _find(self, messages: Sequence[BaseMessage]) -> Record:
        asked = [message for message in reversed(messages) if isinstance(message, HumanMessage)]
        for message in asked:
            for key in (message.id, str(message.text)):
                if key is not None and key in self._records:
                    return self._records[key]
        shown = str(asked[0].text)[:80] if asked else ""
        raise InvalidInputError(f"No answer of {self.model_name} is recorded to {shown!r}.")


def question_of(record: Record) -> str:
    """What to ask for this record: the question and its lettered choices."""
    choices = cast("Sequence[str]", record.get("choices") or ())
    return "\n".join([str(record["question"]), *(f"{_LETTERS[i]}) {text}" for i, text in enumerate(choices))])


def message_of(record: Record) -> AIMessage:
    """The recorded answer as a chat model gives it, with `id` and `correct` in its metadata under "recorded".

    Without an answer or without its token's distribution the message has no log probabilities: its confidence
    is unknown. A reply that does not show its answer (a recording may keep an excerpt) gets a line with it.
    """
    top = _distribution(record)
    metadata: dict[str, Any] = {
        "model_name": str(record.get("model") or "recorded"),
        "finish_reason": "stop",
        "recorded": {"id": record.get("id"), "correct": record.get("correct")},
    }
    if record.get("answer") is None:
        return AIMessage(str(record.get("response") or ""), response_metadata=metadata)
    shown = top[0][0].strip() if top else str(record["answer"])
    text, start = _text_with(shown, str(record.get("response") or ""))
    if top:
        metadata["logprobs"] = {"content": _tokens(text, start, [(shown, top[0][1]), *top[1:]])}
    return AIMessage(text, response_metadata=metadata)


def _distribution(record: Record) -> list[tuple[str, float]]:
    """The answer token's top list, the token that was given first."""
    top = [(str(token), float(logprob)) for token, logprob in record.get("answer_token_top") or ()]
    answer = str(record.get("answer") or "").strip().lower()
    given = next((entry for entry in top if entry[0].strip().lower() == answer), None)
    given = given or next((entry for entry in top if entry[0].strip()), None)
    if given is None:
        return []
    return [given, *(entry for entry in top if entry is not given and entry[0] != given[0].strip())]


def _text_with(shown: str, response: str) -> tuple[str, int]:
    """A reply in which the answer is found where the gate looks for it, and where that is."""
    line = f"Answer: {shown}"
    for text in (response, f"{response}\n{line}", line):
        start, _ = find_answer_span(text)
        if text and text.startswith(shown, start):
            return text, start
    return shown, 0


def _tokens(text: str, start: int, top: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    shown = top[0][0]
    end = start + len(shown)
    parts = [(text[:start], None), (shown, top), (text[end:], None)]
    return [_token(part, known or [(part, 0.0)]) for part, known in parts if part]


def _token(text: str, top: Sequence[tuple[str, float]]) -> dict[str, Any]:
    entries = [_entry(token, logprob) for token, logprob in top]
    return {**_entry(text, top[0][1]), "top_logprobs": entries}


def _entry(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode(errors="replace"))}


def _only(field: str, records: Sequence[Record]) -> str | None:
    """The one value that a field has in all records that show it."""
    values = sorted({str(record[field]) for record in records if record.get(field) is not None})
    if len(values) > 1:
        raise ConfigurationError(
            f"The records show several values of {field!r}: {', '.join(values)}; choose one."
        )
    return values[0] if values else None


def _keys(record: Record) -> list[str]:
    if "question" not in record:
        raise ConfigurationError("A record without a question cannot be found again; give each one.")
    keys = [question_of(record), str(record["question"])]
    return [*keys, str(record["id"])] if record.get("id") is not None else keys
