"""The console in a real Chromium: asking, watching, deciding; by mouse and by keyboard alone."""

import pytest
from browsing import browsing
from served import http_of, served, sure

from adaptive_reasoner.testing import Reply, ScriptedChatModel

pytestmark = pytest.mark.browser

ASKS = {"review": "low_confidence"}


def unsure():
    return ScriptedChatModel([Reply(text="Answer: 12", probability=0.4)], cycle=True)


def ask(page, text="How many pens?"):
    page.fill("#question", text)
    page.press("#question", "Enter")
    page.locator(".turn .foot").last.wait_for()


def test_a_question_is_answered_and_its_route_shown():
    with served(sure("Answer: 12")) as server, browsing() as page:
        page.goto(server.url)
        ask(page)
        assert page.locator(".answer > .text").inner_text() == "Answer: 12"
        assert page.locator(".route strong").all_inner_texts() == ["Triage: answer at once", "Answer at once"]
        assert page.locator("#status").inner_text() == "Answer: Answer: 12"


def test_a_replaced_draft_stands_apart_from_the_answer():
    replies = [Reply(text="Answer: 11", probability=0.4), Reply(text="Answer: 12", probability=0.999)]
    with served(ScriptedChatModel(replies, cycle=True)) as server, browsing() as page:
        page.goto(server.url)
        ask(page)
        assert page.locator("del").inner_text() == "Answer: 11"
        assert page.locator(".answer > .text").inner_text() == "Answer: 12"


def test_on_a_small_screen_the_answer_is_in_sight_once_it_is_there():
    replies = [Reply(text="Answer: 11", probability=0.4), Reply(text="Answer: 12", probability=0.999)]
    small = {"width": 360, "height": 740}
    with served(ScriptedChatModel(replies, cycle=True)) as server, browsing(viewport=small) as page:
        page.goto(server.url)
        ask(page)
        page.wait_for_timeout(500)
        foot, form = page.locator(".turn .foot").bounding_box(), page.locator("#ask").bounding_box()
    assert foot["y"] > 0
    assert foot["y"] + foot["height"] <= form["y"]


def test_the_drawer_says_why_and_gives_the_focus_back():
    with served(sure()) as server, browsing() as page:
        page.goto(server.url)
        ask(page)
        why = page.get_by_role("button", name="Why this answer?")
        why.click()
        assert "Where it began" in page.locator("#why").inner_text()
        page.keyboard.press("Escape")
        assert page.locator("#why").is_hidden()
        assert why.evaluate("button => button === document.activeElement")


def test_doubt_is_shown_token_by_token_and_in_words():
    with served(unsure()) as server, browsing() as page:
        page.goto(server.url)
        ask(page)
        assert "In doubt at 2 of 2 tokens" in page.locator(".heat-box").inner_text()
        assert page.locator(".is-hot .heat-3").count() == 2


def test_a_pending_answer_is_replaced_once_a_person_corrects_it():
    with served(unsure(), policy=ASKS) as server, browsing() as page:
        page.goto(server.url)
        ask(page)
        assert page.locator(".answer .pill").inner_text() == "waiting for a person"
        page.get_by_role("link", name="Reviews").click()
        page.get_by_text("Correct it or leave a comment").click()
        page.get_by_label("The answer as it should be").fill("Answer: 13")
        page.get_by_role("button", name="Send the corrected answer").click()
        page.get_by_text("Corrected: How many pens?").first.wait_for()
        page.get_by_role("link", name="Chat").click()
        page.get_by_text("corrected by a person").wait_for()
        assert page.locator(".answer > .text").inner_text() == "Answer: 13"


def test_everything_can_be_done_by_keyboard():
    with served(unsure(), policy=ASKS) as server, http_of(server) as http, browsing() as page:
        page.goto(server.url)
        for name in ("Skip to the content", "Chat", "Reviews"):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.textContent.trim()").startswith(name)
        page.locator("#question").focus()
        page.keyboard.type("How many pens?")
        page.keyboard.press("Enter")
        page.locator(".turn .foot").wait_for()
        page.get_by_role("link", name="Reviews").focus()
        page.keyboard.press("Enter")
        approve = page.get_by_role("button", name="Approve")
        approve.wait_for()
        approve.focus()
        page.keyboard.press("Enter")
        page.locator(".card.is-done").wait_for()
        assert page.evaluate("document.activeElement.id") == "reviews-title"
        assert http.get("/v1/reviews?status=approved").json()["data"][0]["answer"] == "Answer: 12"


def test_what_a_model_says_never_becomes_markup():
    with served(sure("<img src=x onerror=alert(1)> Answer: 12")) as server, browsing() as page:
        page.goto(server.url)
        ask(page, "<b>How</b> many?")
        assert page.locator(".turn img, .turn b").count() == 0
        assert page.locator(".turn h3").inner_text() == "You: <b>How</b> many?"


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(width):
    with served(unsure(), policy=ASKS) as server, browsing(viewport={"width": width, "height": 800}) as page:
        page.goto(server.url)
        ask(page, "A" * 300)
        for part in ("Chat", "Reviews", "Budgets", "Metrics"):
            page.get_by_role("link", name=part).click()
            page.locator(f"#{part.lower()}").wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_key_stays_in_the_tab():
    with served(sure()) as server, browsing() as page:
        page.goto(server.url)
        page.get_by_text("Key", exact=True).click()
        page.get_by_label("API key").fill("secret")
        page.get_by_role("button", name="Use this key").click()
        assert page.evaluate("[Object.keys(sessionStorage).length, Object.keys(localStorage).length]") == [
            1,
            0,
        ]
        assert page.evaluate("document.cookie") == ""


def test_metrics_and_budgets_are_shown():
    policy = {"budgets": [{"max_tokens": 5000, "per": "query"}]}
    with served(sure(), policy=policy) as server, browsing() as page:
        page.goto(server.url)
        ask(page)
        page.get_by_role("link", name="Metrics").click()
        page.locator(".metric").first.wait_for()
        assert "Tokens of model calls" in page.locator("#metric-list").inner_text()
        page.get_by_role("link", name="Budgets").click()
        assert "5,000" in page.locator("#budget-list table").inner_text()
