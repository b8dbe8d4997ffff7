"""The tool mode's format: a call that the model writes, and the answer that it gives from the result.

The mode follows a prompt (or a thought) like every other:

    <tool> 7 * 14 - 3<eos>                                  the call; `<tool><eos>`: no call
    <tool> 7 * 14 - 3<eos><result> 95<fast>Answer: 95<eos>  the answer, once the tool has run
"""

from adaptive_reasoner.embedded.tokenizer import encoding, special

# Two of the vocabulary's spare tokens: new names would change what the other modes report.
TOOL_MARK = "<spare_0>"
RESULT_MARK = "<spare_1>"
# Brackets stand in questions, but no other mode writes one: the shipped weights never learned to.
NEWLY_WRITTEN = (" (", "(", ")")


def newly_written() -> list[int]:
    """Ids of the tokens that only this mode writes."""
    return [encoding().encode_single_token(text) for text in NEWLY_WRITTEN]


def render_call(formula: str) -> list[int]:
    """Token ids of a call that was made, from the mode token to `<eos>`."""
    return [special(TOOL_MARK), *encode_formula(formula), special("<eos>")]


def encode_formula(formula: str) -> list[int]:
    """Token ids of a formula; each of its parts begins with a space, as everywhere else."""
    return encoding().encode_ordinary(f" {formula.strip()}") if formula.strip() else []


def render_result(result: str) -> list[int]:
    """Token ids between a call and the answer from its result."""
    return [special(RESULT_MARK), *encoding().encode_ordinary(f" {result}"), special("<fast>")]
