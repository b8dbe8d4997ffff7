"""What a client may send to `/v1/chat/completions`, checked field by field.

Fields that OpenAI knows and that change nothing here are taken; those that would change the answer and cannot be
done are refused; fields that OpenAI does not know are left out and named in a header of the answer.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adaptive_reasoner.server.wire.request_rules import EXAMPLES, RULES

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Part = dict[str, Any]
Text = Annotated[str, StringConstraints(min_length=1)]
ThreadId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
# OpenAI's own limits.
Whole = Annotated[int, Field(ge=1, le=2**31 - 1)]
Penalty = Annotated[float, Field(ge=-2, le=2)]


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class FunctionCall(_Wire):
    """A function's name and its arguments as JSON text."""

    name: Text
    arguments: str


class ToolCall(_Wire):
    """A call of a function."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class InstructionMessage(_Wire):
    """What the model is told."""

    role: Literal["system", "developer"]
    content: str | list[Part]
    name: str | None = None


class UserMessage(_Wire):
    """What a person says; parts that are no text are passed on as they are."""

    role: Literal["user"]
    content: str | list[Part]
    name: str | None = None


class AssistantMessage(_Wire):
    """An earlier answer."""

    role: Literal["assistant"]
    content: str | list[Part] | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    name: str | None = None


class ToolMessage(_Wire):
    """What a tool gave back."""

    role: Literal["tool"]
    content: str | list[Part]
    tool_call_id: str


Message = Annotated[
    InstructionMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


class Function(_Wire):
    """A function that the model may call; `parameters` is a JSON schema."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(_Wire):
    """A tool; functions alone are known."""

    type: Literal["function"]
    function: Function


class NamedFunction(_Wire):
    """A function's name."""

    name: Text


class NamedTool(_Wire):
    """The one tool that must be called."""

    type: Literal["function"]
    function: NamedFunction


class JsonSchema(_Wire):
    """A schema that the answer must keep to; schemas within schemas are passed on untouched."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, populate_by_name=True)

    name: Text
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class TextFormat(_Wire):
    """Words, as without a format."""

    type: Literal["text"]


class JsonObjectFormat(_Wire):
    """Any JSON object."""

    type: Literal["json_object"]


class JsonSchemaFormat(_Wire):
    """A JSON object that keeps to a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")]


class StreamOptions(_Wire):
    """What a stream holds beside the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class BudgetWish(BaseModel):
    """A limit for this request beside those that hold anyway."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, json_schema_extra={"minProperties": 1}
    )

    max_tokens: Whole | None = None
    max_model_calls: Whole | None = None
    max_usd: Annotated[float, Field(gt=0)] | None = None
    max_seconds: Annotated[float, Field(gt=0)] | None = None


class ThoughtTokens(BaseModel):
    """At most so many tokens of thought."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    budget_tokens: Whole


class Wishes(BaseModel):
    """What a request may ask of the loop, under `adaptive_reasoning`.

    Attributes:
        thread_id: the thread that the request goes on with, or begins.
        thinking: instead of `reasoning_effort`.
        importance: "high" always thinks.
        budget: a limit for this request.
        include_thoughts: put the thoughts into `reasoning_content`.
        events: tell in the stream what happens: chunks without choices, each with an `event`.
        drafts: put thoughts and drafts into the stream's `reasoning_content` as they come.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    thread_id: ThreadId | None = None
    thinking: Literal["auto", "off", "on"] | ThoughtTokens | None = None
    importance: Literal["normal", "high"] = "normal"
    budget: BudgetWish | None = None
    include_thoughts: bool | None = None
    events: bool = False
    drafts: bool = False


class ChatCompletionRequest(BaseModel):
    """The body of `POST /v1/chat/completions`."""

    model_config = ConfigDict(
        strict=True,
        extra="allow",
        frozen=True,
        json_schema_extra={"dependentSchemas": RULES, "examples": list(EXAMPLES)},
    )

    model: Text
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: Whole | None = None
    max_completion_tokens: Whole | None = None
    stop: Text | Annotated[list[Text], Field(max_length=4)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    service_tier: str | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    modalities: list[Literal["text"]] | None = None
    adaptive_reasoning: Wishes | None = None

    @property
    def wishes(self) -> Wishes:
        """What is asked of the loop."""
        return self.adaptive_reasoning or Wishes()

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with its usage."""
        return bool(self.stream_options and self.stream_options.include_usage)
