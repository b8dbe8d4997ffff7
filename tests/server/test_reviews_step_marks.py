"""A person marks a step of a waiting answer's thought over the API: the loop goes on from before it."""

import pytest
from served import body_of, http_of, served

from adaptive_reasoner.server.reviews.desk import ReviewDesk
from adaptive_reasoner.server.reviews.store import ReviewStore
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THOUGHT = "Six sevens are 41. So it is 41."


def reviewed(*replies):
    """A server whose fast answers are never sure, and whose deep ones are these."""
    fast = ScriptedChatModel([Reply(text="40", probability=0.3)], cycle=True)
    return served(
        fast, deep=ScriptedChatModel(list(replies)), policy={"review": "low_confidence", "max_refinements": 0}
    )


def waiting(http):
    return http.post("/v1/chat/completions", json=body_of()).json()["adaptive_reasoning"]["review"]["id"]


def mark(http, identity, **body):
    return http.post(f"/v1/reviews/{identity}/mark_step", json=body)


UNSURE = Reply(text="41", probability=0.3, reasoning=THOUGHT)
SURE = Reply(text="42", probability=0.99, reasoning="Six sevens are 42.")


def test_the_loop_goes_on_and_settles_the_answer():
    with reviewed(UNSURE, SURE) as server, http_of(server) as http:
        identity = waiting(http)
        asked = http.get(f"/v1/reviews/{identity}").json()
        told = mark(http, identity, step=2, note="recount", reviewer="Ada").json()
        final = http.get(f"/v1/answers/{identity}").json()
    assert [one["text"] for one in asked["thought_steps"]] == ["Six sevens are 41.", "So it is 41."]
    assert asked["actions"] == ["approve", "edit", "reject", "mark_step"]
    assert told["status"] == final["status"] == "rethought"
    assert final["completion"]["choices"][0]["message"]["content"] == "42"
    marks = final["completion"]["adaptive_reasoning"]["step_marks"]
    assert [(one["step"], one["note"]) for one in marks] == [(2, "recount")]
    line = told["audit"][-1]
    assert (line["event"], line["action"], line["reviewer"]) == ("marked_1", "mark_step", "Ada")
    assert line["after"] == {"step": 2, "note": "recount"}


def test_an_answer_that_is_still_in_doubt_waits_again_and_can_be_approved():
    third = Reply(text="42", probability=0.3, reasoning="It is 42.")
    with reviewed(UNSURE, UNSURE, third) as server, http_of(server) as http:
        identity = waiting(http)
        first = mark(http, identity, step=1).json()
        second = mark(http, identity, step=2).json()
        approved = http.post(f"/v1/reviews/{identity}/approve", json={}).json()
        again = mark(http, identity, step=1)
    assert (first["status"], first["answer"]) == ("pending", "41")
    assert (second["status"], second["answer"]) == ("pending", "42")
    assert approved["status"] == "approved"
    assert approved["completion"]["choices"][0]["message"]["content"] == "42"
    assert [line["event"] for line in approved["audit"]] == ["asked", "marked_1", "marked_2", "decided"]
    assert again.status_code == 409


@pytest.mark.parametrize("body", [{}, {"step": 3}, {"step": 0}, {"step": 1, "answer": "42"}])
def test_a_mark_that_cannot_be_used_is_refused(body):
    with reviewed(UNSURE) as server, http_of(server) as http:
        refused = mark(http, identity := waiting(http), **body)
        assert refused.status_code in (400, 422)
        assert http.get(f"/v1/reviews/{identity}").json()["status"] == "pending"
        assert http.post(f"/v1/reviews/{identity}/approve", json={"step": 1}).status_code == 400


async def nothing(*_given):
    """Where a server dies."""


@pytest.mark.parametrize(
    ("room", "name", "replies", "ends"),
    [
        (ReviewDesk, "_finish", (UNSURE, SURE), "rethought"),  # before the loop goes on
        (
            ReviewStore,
            "ask_again",
            (UNSURE, UNSURE, SURE),
            "pending",
        ),  # after it, before that is written down
    ],
)
def test_a_mark_whose_server_died_is_carried_out_once(monkeypatch, room, name, replies, ends):
    with reviewed(*replies) as server, http_of(server) as http:
        identity = waiting(http)
        with monkeypatch.context() as dying:
            dying.setattr(room, name, nothing)
            assert mark(http, identity, step=2).json()["status"] == "rethinking"
        told = http.get(f"/v1/reviews/{identity}").json()
    assert told["status"] == ends
    report = told["report"] if ends == "pending" else told["completion"]["adaptive_reasoning"]
    assert [one["step"] for one in report["step_marks"]] == [2]
