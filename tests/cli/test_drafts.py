"""A draft that another answer follows is struck out on the console."""

import io

import pytest
from rich.console import Console

from adaptive_reasoner.cli.events import Judged
from adaptive_reasoner.cli.render import Display

CUT = {"after_tokens": 2, "window_tokens": 1, "measure": "logprob", "certainty": -1.2, "threshold": -0.7}


def shown(verdict, tokens=(("It", 0.0), (" is", 0.9)), **fields):
    """What a color terminal gets for one round."""
    usage = {"input_tokens": 5, "output_tokens": 2, "reasoning_tokens": 0, "total_tokens": 7, "cost_usd": 0.0}
    one = {"node": "fast_answer", "verdict": verdict, "usage": usage, "latency_seconds": 0.1, **fields}
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", width=80)
    Display(console).show(Judged(0, one, "It is", list(tokens)))
    return out.getvalue()


def struck(text):
    """The words under the terminal's code for striking out (9)."""
    spans = [part.split("m", 1) for part in text.split("\x1b[") if "m" in part]
    return "".join(words for codes, words in spans if "9" in codes.split(";"))


@pytest.mark.parametrize("tokens", [(("It", 0.0), (" is", 0.9)), ()], ids=["with bars", "without"])
def test_a_draft_is_struck_out(tokens):
    assert struck(shown("escalate", tokens)).strip() == "It is"
    assert struck(shown("refine", tokens)).strip() == "It is"


@pytest.mark.parametrize("verdict", ["accept", "give_up", "review"])
def test_an_answer_that_stays_is_not(verdict):
    assert struck(shown(verdict)) == ""


def test_a_cut_draft_shows_that_more_would_have_come():
    text = struck(shown("escalate", cut=CUT, reason="the stream was cut after 2 tokens"))
    assert text.strip() == "It is …"
    assert "the stream was cut after 2 tokens" in shown(
        "escalate", cut=CUT, reason="the stream was cut after 2 tokens"
    )
