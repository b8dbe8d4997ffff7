"""One answer, "Answer: 42", in the shape of every provider: written here by hand, after what each documents."""

import json
import math
from collections.abc import Sequence
from typing import Any

TEXT = "Answer: 42"
TOP: list[list[tuple[str, float]]] = [
    [("Answer", 0.8), ("The", 0.1)],
    [(":", 0.9), (" is", 0.05)],
    [(" 4", 0.6), (" 5", 0.3)],
    [("2", 0.95), ("3", 0.04)],
]
SPELLED = [place[0][0] for place in TOP]

Json = dict[str, Any]


def entries(places: Sequence[Sequence[tuple[str, float]]] = TOP) -> list[Json]:
    """OpenAI's entries; the first alternative of each place is the chosen token."""
    return [{**_entry(*place[0]), "top_logprobs": [_entry(*one) for one in place]} for place in places]


def _entry(token: str, p: float) -> Json:
    return {"token": token, "logprob": math.log(p), "bytes": list(token.encode())}


def surrounded(before: Sequence[str], after: Sequence[str]) -> list[Json]:
    """The answer's entries between others that are not shown."""
    return [
        *entries([[(token, 0.99)] for token in before]),
        *entries(),
        *entries([[(token, 0.99)] for token in after]),
    ]


def chat(listed: Any, **fields: Any) -> Json:
    message = {"role": "assistant", "content": TEXT, "reasoning": None}
    choice = {"index": 0, "message": message, "logprobs": listed, "finish_reason": "stop"}
    return {"object": "chat.completion", "choices": [choice], **fields}


def delta(content: str | None, listed: Any, index: int = 0) -> Json:
    choice = {"index": index, "delta": {"content": content}, "logprobs": listed, "finish_reason": None}
    return {"object": "chat.completion.chunk", "choices": [choice]}


def deltas() -> list[Json]:
    return [delta(entry["token"], {"content": [entry], "refusal": None}) for entry in entries()]


def arrays() -> Json:
    return {
        "tokens": SPELLED,
        "token_logprobs": [math.log(place[0][1]) for place in TOP],
        "top_logprobs": [{token: math.log(p) for token, p in place} for place in TOP],
        "text_offset": [0, 6, 7, 9],
    }


def sse(events: Sequence[Json]) -> str:
    return "".join(f"event: chunk\ndata: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


def lines(chunks: Sequence[Json]) -> str:
    return "\n".join(map(json.dumps, chunks)) + "\n"


def responses(listed: list[Json]) -> Json:
    shown = {"type": "output_text", "text": TEXT, "logprobs": listed, "annotations": []}
    thought = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "6 * 7"}]}
    message = {"type": "message", "role": "assistant", "content": [shown]}
    return {"object": "response", "output": [thought, message], "usage": {"output_tokens": 9}}


def responses_events() -> list[Json]:
    """The events at the end repeat the deltas with rounded numbers, as OpenAI's do."""
    rounded = [{**entry, "logprob": -0.0, "top_logprobs": []} for entry in entries()]
    pieces = [
        {"type": "response.output_text.delta", "delta": entry["token"], "logprobs": [entry]}
        for entry in entries()
    ]
    return [
        {"type": "response.created", "response": {"object": "response", "output": []}},
        {"type": "response.reasoning_text.delta", "delta": "6 * 7"},
        *pieces,
        {"type": "response.output_text.done", "text": TEXT, "logprobs": rounded},
        {"type": "response.completed", "response": responses(rounded)},
    ]


def gemini(
    places: Sequence[Sequence[tuple[str, float]]] = TOP, text: str = TEXT, snake: bool = False
) -> Json:
    number, token_id = ("log_probability", "token_id") if snake else ("logProbability", "tokenId")

    def one(token: str, p: float) -> Json:
        return {"token": token, number: math.log(p), token_id: 7}

    result = {
        "chosen_candidates" if snake else "chosenCandidates": [one(*place[0]) for place in places],
        "top_candidates" if snake else "topCandidates": [
            {"candidates": [one(*alternative) for alternative in place]} for place in places
        ],
    }
    parts = [{"text": "6 * 7", "thought": True}, {"text": text}]
    usage = {"candidatesTokenCount": len(places), "thoughtsTokenCount": 5}
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": parts},
                "avgLogprobs": -9.0,
                "logprobs_result" if snake else "logprobsResult": result,
            }
        ],
        "usage_metadata" if snake else "usageMetadata": usage,
    }


def llama_cpp(
    text: str = TEXT, places: Sequence[Sequence[tuple[str, float]]] = TOP, stop: bool = True
) -> Json:
    listed = [{"id": 3, **entry} for entry in entries(places)]
    return {"content": text, "stop": stop, "completion_probabilities": listed}


def after_sampling() -> list[Json]:
    return [
        {
            "id": 3,
            "token": place[0][0],
            "prob": place[0][1],
            "top_probs": [{"id": 3, "token": token, "prob": p} for token, p in place],
        }
        for place in TOP
    ]


def llama_cpp_legacy() -> Json:
    listed = [
        {"content": place[0][0], "probs": [{"tok_str": token, "prob": p} for token, p in reversed(place)]}
        for place in TOP
    ]
    return {"content": TEXT, "stop": True, "completion_probabilities": listed}


def ollama(text: str, listed: list[Json] | None, done: bool = True, chat: bool = True) -> Json:
    shown = (
        {"message": {"role": "assistant", "content": text, "thinking": ""}} if chat else {"response": text}
    )
    return {"model": "m", **shown, "done": done, "logprobs": listed}


def ollama_stream(chat: bool) -> list[Json]:
    pieces = [ollama(entry["token"], [entry], done=False, chat=chat) for entry in entries()]
    return [*pieces, {**ollama("", None, chat=chat), "eval_count": 5}]


def converse(fields: Json | None) -> Json:
    blocks = [{"reasoningContent": {"reasoningText": {"text": "6 * 7"}}}, {"text": TEXT}]
    message = {"role": "assistant", "content": blocks}
    return {"output": {"message": message}, "stopReason": "end_turn", "additionalModelResponseFields": fields}


def converse_stream() -> list[Json]:
    pieces = [{"contentBlockDelta": {"delta": {"text": token}, "contentBlockIndex": 0}} for token in SPELLED]
    fields = {"logprobs": {"content": entries()}}
    return [
        {"messageStart": {"role": "assistant"}},
        *pieces,
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn", "additionalModelResponseFields": fields}},
        {"metadata": {"usage": {"outputTokens": 4}}},
    ]


def imported(readable: bool) -> Json:
    def one(token: str, p: float) -> Any:
        return {"logprob": math.log(p), "rank": 1, "decoded_token": token} if readable else math.log(p)

    listed = [{str(index): one(*pair) for index, pair in enumerate(place)} for place in TOP]
    return {"generation": TEXT, "generation_token_count": 4, "prompt_logprobs": [None], "logprobs": listed}


def cohere() -> Json:
    listed = [{"token": place[0][0], "likelihood": math.log(place[0][1])} for place in TOP]
    prompt = [{"token": "What?"}]
    return {"generations": [{"text": TEXT, "likelihood": -1.0, "token_likelihoods": [*prompt, *listed]}]}


_OPENAI = {"content": entries(), "refusal": None}
_FRAMES = [{"chunk": {"bytes": json.dumps(one).encode()}} for one in deltas()]
_RECORDED = {
    "request": {"model": "m"},
    "response": {"body": [{"__type__": "Chunk", "__data__": one} for one in deltas()]},
}
HARMONY = ["<|channel|>", "analysis", "<|message|>", "6 * 7", "<|end|>", "<|start|>", "assistant"]
FINAL = ["<|channel|>", "final", "<|message|>"]

# family in the table of readers -> name -> response
SHAPES: dict[str, dict[str, Any]] = {
    "OpenAI Chat and completions": {
        "plain": chat(_OPENAI, usage={"completion_tokens": 5}),
        "JSON text": json.dumps(chat(_OPENAI)),
        "streamed": [delta("", {"content": []}), *deltas(), delta(None, None)],
        "server-sent events": sse(deltas()),
        "lines of server-sent events": sse(deltas()).splitlines(),
        "n > 1, streamed": [one for piece in deltas() for one in (delta("no", None, index=1), piece)],
        "Azure's first chunk": [{"choices": [], "prompt_filter_results": []}, *deltas()],
        "vLLM": chat(_OPENAI, prompt_logprobs=[None, {"5": {"logprob": -17.0, "decoded_token": "x"}}]),
        "Groq's last chunk": [*deltas(), {"choices": [], "x_groq": {"usage": {"completion_tokens": 4}}}],
        "Together": chat(arrays()),
        "Together, streamed": [
            {"choices": [{"index": 0, "text": one["token"], "logprobs": one["logprob"]}]} for one in entries()
        ],
        "OpenRouter, hidden end mark": chat({"content": surrounded([], ["<|im_end|>"])}),
        "legacy completion": {"object": "text_completion", "choices": [{"text": TEXT, "logprobs": arrays()}]},
        "hidden thoughts": chat({"content": surrounded(["6", " * 7", "</think>", "\n\n"], ["<|im_end|>"])}),
        "gpt-oss channels": chat({"content": surrounded([*HARMONY, *FINAL], ["<|return|>"])}),
        "Bedrock, several tokens a chunk": [
            delta("Answer:", {"content": entries(TOP[:2])}),
            delta(" 42", {"content": entries(TOP[2:])}),
        ],
        "Bedrock's frames": _FRAMES,
        "cumulative last chunk": [*deltas(), delta("", {"content": entries()})],
        "whole message at the end": [*deltas(), chat(_OPENAI)],
        "llama.cpp, after sampling": chat({"content": after_sampling()}),
        "recorded": _RECORDED,
        "batch line": {"custom_id": "1", "response": {"status_code": 200, "body": chat(_OPENAI)}},
    },
    "OpenAI Responses": {
        "plain": responses(entries()),
        "events": responses_events(),
        "server-sent events": sse(responses_events()),
        "broken off": responses_events()[:6],
    },
    "Gemini": {
        "REST": gemini(),
        "SDK": gemini(snake=True),
        "streamed": [gemini(TOP[:2], "Answer:"), gemini(TOP[2:], " 42")],
        "JSON list as text": json.dumps([gemini(TOP[:2], "Answer:"), gemini(TOP[2:], " 42")]),
    },
    "llama.cpp completion": {
        "plain": llama_cpp(),
        "streamed": [
            *(llama_cpp(place[0][0], [place], stop=False) for place in TOP),
            {"content": "", "stop": True},
        ],
        "after sampling": {**llama_cpp(), "completion_probabilities": after_sampling()},
        "legacy": llama_cpp_legacy(),
    },
    "Ollama": {
        "chat": ollama(TEXT, entries()),
        "generate": ollama(TEXT, entries(), chat=False),
        "chat, streamed": ollama_stream(chat=True),
        "generate, streamed lines": lines(ollama_stream(chat=False)),
        "hidden thoughts": ollama(TEXT, surrounded(["<think>", "6 * 7", "</think>"], [""])),
    },
    "Bedrock Converse": {
        "logprobs": converse({"logprobs": {"content": entries()}}),
        "choices": converse({"choices": [{"logprobs": {"content": entries()}}]}),
        "streamed": converse_stream(),
    },
    "Bedrock imported models": {"decoded": imported(readable=True)},
    "Cohere Command": {"prompt listed too": cohere()},
    "LangChain message as JSON": {
        "dumped": {
            "content": TEXT,
            "type": "ai",
            "response_metadata": {"logprobs": _OPENAI},
            "tool_calls": [],
        },
        "serialised": {
            "lc": 1,
            "type": "constructor",
            "kwargs": {"content": TEXT, "response_metadata": {"logprobs": _OPENAI}},
        },
    },
    "One choice": {
        "choice": {"message": {"content": TEXT}, "logprobs": _OPENAI},
        "uqlm": {"data": {"responses": [TEXT, "43"], "logprobs": [entries(), []]}},
    },
    "Bare entries": {
        "content": _OPENAI,
        "arrays": arrays(),
        "list": entries(),
        "lists": [entries(), entries()[:1]],
        "thoughts": surrounded([*HARMONY, *FINAL], ["<|return|>"]),
    },
}
