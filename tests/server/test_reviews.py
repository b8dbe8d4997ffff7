"""Answers that wait for a person: kept, decided once, written down, and finished whatever dies."""

import re
import sqlite3
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from served import body_of, http_of, served

from adaptive_reasoner.server.config import load_settings
from adaptive_reasoner.server.reviews.desk import ReviewDesk
from adaptive_reasoner.server.reviews.section import ReviewsSection
from adaptive_reasoner.testing import Reply, ScriptedChatModel

ASKS = {"review": "low_confidence"}


def unsure(**fields):
    """A model that is never sure."""
    return ScriptedChatModel([Reply(text="Answer: 12", probability=0.4, **fields)], cycle=True)


def reviewed(model=None, **sections):
    return served(model or unsure(), policy=ASKS, **sections)


def ask(http, **fields):
    return http.post("/v1/chat/completions", json=body_of(**fields))


def id_of(answer):
    return answer.json()["adaptive_reasoning"]["review"]["id"]


def decide(http, identity, action="approve", **body):
    return http.post(f"/v1/reviews/{identity}/{action}", json=body)


def final_of(http, identity):
    outcome = http.get(f"/v1/answers/{identity}").json()
    return outcome["completion"] and outcome["completion"]["choices"][0]["message"]["content"]


def test_an_answer_in_doubt_waits_and_names_its_review():
    with reviewed() as server, http_of(server) as http:
        answer = ask(http)
        identity = id_of(answer)
        outcome = http.get(f"/v1/answers/{identity}").json()
    assert answer.status_code == 202
    assert answer.json()["object"] == "chat.completion"
    choice = answer.json()["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"] == "This answer was not sure enough. A person is looking at it."
    assert answer.json()["adaptive_reasoning"]["review"]["url"] == f"/v1/answers/{identity}"
    assert (outcome["status"], outcome["completion"]) == ("pending", None)


@pytest.mark.parametrize(
    ("action", "body", "status", "text"),
    [
        ("approve", {}, "approved", "Answer: 12"),
        ("edit", {"answer": "Answer: 13"}, "edited", "Answer: 13"),
        ("reject", {"comment": "wrong"}, "rejected", "withheld"),
    ],
)
def test_a_decision_settles_the_answer(action, body, status, text):
    with reviewed() as server, http_of(server) as http:
        identity = id_of(ask(http))
        decided = decide(http, identity, action, reviewer="Ada", **body).json()
        final = final_of(http, identity)
    assert decided["status"] == status
    assert text in final
    asked, line = decided["audit"]
    assert (asked["event"], asked["before"]) == ("asked", {"answer": "Answer: 12"})
    assert (line["action"], line["reviewer"], line["before"]) == (action, "Ada", {"answer": "Answer: 12"})
    assert (
        line["after"] == {"approve": line["before"], "edit": {"answer": "Answer: 13"}, "reject": None}[action]
    )


def test_the_queue_lists_what_is_pending_in_pages():
    with reviewed() as server, http_of(server) as http:
        names = [id_of(ask(http)) for _ in range(3)]
        decide(http, names[0])
        first = http.get("/v1/reviews?limit=1").json()
        second = http.get(f"/v1/reviews?limit=5&after={names[1]}").json()
        whole = http.get("/v1/reviews?status=all").json()
    assert [one["id"] for one in first["data"]] == [names[1]]
    assert first["has_more"] is True
    assert [one["id"] for one in second["data"]] == [names[2]]
    assert len(whole["data"]) == 3
    assert first["data"][0]["question"] == "How many pens?"


def test_of_many_decisions_at_once_one_is_taken():
    with reviewed() as server, http_of(server) as http:
        identity = id_of(ask(http))
        with ThreadPoolExecutor(6) as pool:
            given = list(pool.map(lambda _: decide(http, identity).status_code, range(6)))
        late = decide(http, identity, "reject")
        audit = http.get(f"/v1/reviews/{identity}").json()["audit"]
    assert sorted(given) == [200] + [409] * 5
    assert late.json()["error"]["code"] == "review_decided"
    assert [line["event"] for line in audit] == ["asked", "decided"]


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("edit", {}),
        ("edit", {"answer": " "}),
        ("edit", {"tool_calls": [{"name": "f", "args": {}}]}),
        ("approve", {"answer": "other"}),
        ("reject", {"comment": "\u0000"}),
        ("shout", {}),
    ],
)
def test_a_decision_that_cannot_be_carried_out_changes_nothing(action, body):
    with reviewed() as server, http_of(server) as http:
        identity = id_of(ask(http))
        assert decide(http, identity, action, **body).status_code == 400
        assert http.get(f"/v1/reviews/{identity}").json()["status"] == "pending"


def test_there_is_no_review_of_another_name():
    with reviewed() as server, http_of(server) as http:
        unknown = http.get("/v1/reviews/rev_" + "0" * 32)
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "review_not_found")


def test_the_thread_gets_the_turn_once_it_is_decided():
    with reviewed() as server, http_of(server) as http:
        identity = id_of(ask(http, metadata={"thread_id": "t"}))
        before = http.get("/v1/threads/t").status_code
        decide(http, identity, "edit", answer="Answer: 13")
        messages = http.get("/v1/threads/t").json()["messages"]
    assert before == 404
    assert [one["content"] for one in messages] == ["How many pens?", "Answer: 13"]


def test_a_hand_off_is_a_turn_of_its_own_and_the_answer_follows():
    with reviewed(reviews={"client": "hand_off"}) as server, http_of(server) as http:
        answer = ask(http, metadata={"thread_id": "t"})
        decide(http, id_of(answer))
        messages = http.get("/v1/threads/t").json()["messages"]
    assert answer.status_code == 200
    assert "A person takes over" in answer.json()["choices"][0]["message"]["content"]
    assert [one["role"] for one in messages] == ["user", "assistant", "assistant"]
    assert messages[2]["content"] == "Answer: 12"


def test_a_client_that_waits_gets_the_decision():
    with reviewed(reviews={"client": "wait", "wait_seconds": 20}) as server, http_of(server) as http:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ask, http, metadata={"thread_id": "t"})
            while not (found := http.get("/v1/reviews").json()["data"]):
                time.sleep(0.05)
            decide(http, found[0]["id"], "edit", answer="Answer: 13")
            answer = waiting.result()
        messages = http.get("/v1/threads/t").json()["messages"]
    assert (answer.status_code, answer.json()["choices"][0]["message"]["content"]) == (200, "Answer: 13")
    assert [one["content"] for one in messages] == ["How many pens?", "Answer: 13"]


def test_a_client_that_waits_too_long_gets_a_pending_answer():
    with reviewed(reviews={"client": "wait", "wait_seconds": 0.1}) as server, http_of(server) as http:
        assert ask(http).status_code == 202


def test_calls_of_tools_are_reviewed_and_edited():
    call = {"id": "c1", "name": "refund", "args": {"euros": 500}, "type": "tool_call"}
    tools = [{"type": "function", "function": {"name": "refund", "parameters": {"type": "object"}}}]
    model = unsure(tool_calls=[call])
    with reviewed(model) as server, http_of(server) as http:
        identity = id_of(ask(http, tools=tools))
        shown = http.get(f"/v1/reviews/{identity}").json()
        decided = decide(http, identity, "edit", tool_calls=[{"name": "refund", "args": {"euros": 5}}]).json()
    assert shown["tool_calls"] == [{"name": "refund", "args": {"euros": 500}}]
    made = decided["completion"]["choices"][0]["message"]["tool_calls"][0]["function"]
    assert made == {"name": "refund", "arguments": '{"euros": 5}'}


def test_a_review_outlives_its_server(tmp_path):
    where = {"url": f"sqlite:///{tmp_path / 'threads.sqlite'}"}
    with reviewed(threads=where) as server, http_of(server) as http:
        identity = id_of(ask(http, metadata={"thread_id": "t"}))
    with reviewed(threads=where) as server, http_of(server) as http:
        decide(http, identity)
        messages = http.get("/v1/threads/t").json()["messages"]
    assert [one["content"] for one in messages] == ["How many pens?", "Answer: 12"]


def test_what_a_dead_server_left_is_finished_once(tmp_path, monkeypatch):
    where = {"url": f"sqlite:///{tmp_path / 'threads.sqlite'}"}

    with reviewed(threads=where) as server, http_of(server) as http:
        identity = id_of(ask(http, metadata={"thread_id": "t"}))
        with monkeypatch.context() as patch:
            patch.setattr(ReviewDesk, "_finish", _fails)
            assert decide(http, identity).status_code == 500
    for _ in range(2):
        with reviewed(threads=where) as server, http_of(server) as http:
            final, messages = final_of(http, identity), http.get("/v1/threads/t").json()["messages"]
    assert final == "Answer: 12"
    assert [one["content"] for one in messages] == ["How many pens?", "Answer: 12"]


async def _fails(*_):
    raise RuntimeError("the server dies here")


def test_the_audit_can_be_added_to_and_not_changed(tmp_path):
    file = tmp_path / "threads.sqlite"
    with reviewed(threads={"url": f"sqlite:///{file}"}) as server, http_of(server) as http:
        decide(http, id_of(ask(http)))
    with closing(sqlite3.connect(file)) as db:
        for statement in ("UPDATE {} SET action = 'reject'", "DELETE FROM {}"):
            with pytest.raises(sqlite3.IntegrityError, match="can be added to"):
                db.execute(statement.format("adaptive_reasoner_review_audit"))


def test_a_stream_ends_with_the_pending_answer():
    with reviewed() as server, http_of(server) as http:
        text = ask(http, stream=True).text
    assert "A person" in text
    assert '"status":"pending"' in text
    assert text.endswith("data: [DONE]\n\n")


def test_the_code_of_the_page_runs(repository, capsys):
    page = (repository / "docs" / "reviews.md").read_text()
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/reviews.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["pending None", "Answer: twelve"]


def test_every_setting_of_the_page_is_one(repository):
    page = (repository / "docs" / "reviews.md").read_text()
    assert set(re.findall(r"`reviews\.(\w+)`", page)) <= set(ReviewsSection.model_fields)
    tables = tomllib.loads(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0])
    assert load_settings(environment={}, given=tables).section(ReviewsSection).client == "pending"
