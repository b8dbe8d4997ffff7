"""The graph as a chat model: one answer whichever way it is called, with its report, its usage and its settings."""

import pytest
from chat_model_ways import WAYS, adaptive, disbelieved, report_of, scripted, steps_of, sure
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tracers.base import BaseTracer

from adaptive_reasoner import AdaptiveChatModel, ReasonerConfig

DRAFT, ANSWER = "It may be 41 or so.", "It is 42, I am sure."


@pytest.fixture(params=WAYS)
def ask(request):
    """A function from a model and an input to its answer, in one of the ways."""
    return WAYS[request.param]


@pytest.fixture
def doubter():
    """Doubts its fast answer and is sure of the deep one."""
    return adaptive(disbelieved(DRAFT), sure(ANSWER))


def test_only_the_accepted_answer_is_given(ask, doubter):
    message = ask(doubter, "How much?")
    assert str(message.text) == ANSWER
    assert steps_of(message) == [("fast_answer", "escalate"), ("deep_think", "accept")]


def test_the_usage_is_that_of_all_calls(ask, doubter):
    message = ask(doubter, "How much?")
    rounds = report_of(message)["rounds"]
    assert message.usage_metadata["total_tokens"] == sum(one["usage"]["total_tokens"] for one in rounds)
    assert message.usage_metadata["output_tokens"] == 6 + 6


def test_the_log_probabilities_of_the_answer_are_whole(ask, doubter):
    listed = ask(doubter, "How much?", logprobs=True).response_metadata["logprobs"]["content"]
    assert "".join(entry["token"] for entry in listed) == ANSWER


def test_log_probabilities_that_nobody_asked_for_stay_off_the_thread(ask, doubter):
    assert "logprobs" not in ask(doubter, "How much?").response_metadata


def test_a_setting_may_be_an_argument(ask):
    message = ask(adaptive(sure(ANSWER)), "How much?", thinking="on")
    assert steps_of(message) == [("deep_think", "accept")]


def test_a_setting_may_be_configurable(ask):
    message = ask(adaptive(sure(ANSWER)), "How much?", {"configurable": {"importance": "high"}})
    assert report_of(message)["triage"]["source"] == "importance"


def test_an_argument_counts_before_what_is_configured(ask):
    config = {"configurable": {"thinking": "on"}}
    assert report_of(ask(adaptive(sure(ANSWER)), "How much?", config, thinking="off"))["route"] == "fast"


def test_thoughts_stay_apart_from_the_answer(ask):
    message = ask(adaptive(sure(ANSWER, reasoning="6 times 7 is 42.")), "How much?", thinking="on")
    kinds = [(block["type"], block.get("text") or block.get("reasoning")) for block in message.content_blocks]
    assert kinds == [("reasoning", "6 times 7 is 42."), ("text", ANSWER)]


def test_a_stream_is_in_pieces_that_end(doubter):
    pieces = list(doubter.stream("How much?"))
    assert [piece.content for piece in pieces] == ["It ", "is ", "42, ", "I ", "am ", "sure.", ""]
    assert [piece.chunk_position for piece in pieces][-1] == "last"
    assert len({piece.id for piece in pieces}) == 1


def test_lines_and_indents_survive_the_stream():
    text = "\n  def f():\n\n      return 1\n"
    assert "".join(str(piece.text) for piece in adaptive(sure(text)).stream("Write it.")) == text


class Watching(BaseCallbackHandler):
    """Sees what any handler of a chat model sees."""

    def __init__(self):
        self.starts, self.tokens, self.ends = [], [], []

    def on_chat_model_start(self, serialized, messages, **kwargs):
        self.starts.append(serialized["name"])

    def on_llm_new_token(self, token, **kwargs):
        self.tokens.append(token)

    def on_llm_end(self, response, **kwargs):
        self.ends.append(response.generations[0][0].message)


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("in_sequence", [False, True])
def test_a_handler_sees_one_call_and_no_draft(doubter, way, in_sequence):
    watching = Watching()
    model = doubter | (lambda message: message) if in_sequence else doubter
    WAYS[way](model, "How much?", {"callbacks": [watching]})
    assert watching.starts == ["AdaptiveChatModel"]
    assert "".join(watching.tokens) in ("", ANSWER)
    assert [str(message.text) for message in watching.ends] == [ANSWER]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_tracer_sees_what_happens_inside(doubter, way):
    class Tracing(BaseTracer):
        def _persist_run(self, run):
            persisted.append(run)

    persisted = []
    WAYS[way](doubter, "How much?", {"callbacks": [Tracing()]})
    (root,) = persisted
    (graph,) = root.child_runs
    assert (root.name, graph.name) == ("AdaptiveChatModel", "adaptive_reasoner")
    nodes = [run.name for run in graph.child_runs]
    assert nodes == [
        "triage",
        "fast_answer",
        "confidence_gate",
        "deep_think",
        "confidence_gate",
        "hand_off",
    ]


def test_several_questions_get_their_own_answers():
    model = AdaptiveChatModel(fast=scripted(lambda call: sure(f"{call.messages[-1].text}!"), cycle=True))
    questions = [f"Question {n}" for n in range(12)]
    assert [str(message.text) for message in model.batch(questions)] == [f"{one}!" for one in questions]


def test_a_thread_with_one_message_object_twice_keeps_both():
    model, again = adaptive(sure("Hi again.")), HumanMessage("Hi")
    model.invoke([again, AIMessage("Hello."), again])
    assert [str(message.text) for message in model.fast.calls[0].messages] == ["Hi", "Hello.", "Hi"]
    assert again.id is None


def test_two_models_answer_each_in_its_turn():
    fast, deep = scripted(disbelieved(DRAFT), model_name="small"), scripted(sure(ANSWER), model_name="large")
    message = AdaptiveChatModel(fast=fast, deep=deep).invoke("How much?")
    assert message.response_metadata["model_name"] == "large"
    assert (len(fast.calls), len(deep.calls)) == (1, 1)


def test_a_recorder_gets_one_record_a_call():
    records = []

    class Keeping:
        def record(self, record):
            records.append(record)

    adaptive(sure(ANSWER), recorder=Keeping()).invoke("How much?")
    assert [record["question"] for record in records] == ["How much?"]


def test_the_embedded_model_answers(ask, shipped_weights):
    model = AdaptiveChatModel(fast="embedded", config=ReasonerConfig(triage="off"))
    message = ask(model, "What is 17 + 25?")
    assert "42" in str(message.text)
    assert message.usage_metadata["output_tokens"] > 0
    assert "reasoning_logprobs" not in message.response_metadata
