"""What the models are told."""

from adaptive_reasoner.embedded.dialogue import REFINE_REQUEST_ENDING
from adaptive_reasoner.prompts import REFINE_PREFACE, THINK, refine_prompt


def span(*alternatives):
    return {
        "text": alternatives[0][0],
        "start": 0,
        "end": 1,
        "entropy_nats": 0.7,
        "alternatives": list(alternatives),
    }


def test_a_request_to_refine_lists_the_doubts_with_their_alternatives():
    prompt = refine_prompt([span(["41", 0.6], ["42", 0.38]), span(["euros", 0.9])])
    assert prompt.startswith(REFINE_PREFACE)
    assert '"41" (60%) or "42" (38%)' in prompt
    assert '"euros" (90%)' in prompt
    assert prompt.endswith(REFINE_REQUEST_ENDING)


def test_without_doubts_it_asks_for_a_check():
    assert refine_prompt([]) == REFINE_PREFACE + REFINE_REQUEST_ENDING


def test_a_caller_may_hold_what_the_model_wrote_to_be_a_format():
    assert "{0}" in refine_prompt([span(["{0}", 0.6], ["%s", 0.4])])


def test_thinking_ends_in_a_line_that_can_be_scored():
    assert 'End with one line "Answer: "' in THINK
