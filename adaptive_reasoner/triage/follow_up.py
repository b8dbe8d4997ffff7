"""Is the newest turn a follow-up that means nothing without its thread, and what is the question then?

"yes" after a hard plan is as hard as the plan, and "commit it" belongs to the work before it, so a follow-up
is judged by the question that it leans on. Nothing else of the thread counts: a long history does not make a short
question hard.
"""

import re
from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage

MOST_WORDS = 6
_LONGEST = 200  # characters; what is longer need not be read

# Openings that lean on what was said before; a question of its own starts otherwise.
_LEANING = re.compile(
    r"^(yes|yeah|yep|no|nope|ok(ay)?|sure|please|go on|go ahead|continue|and|so|then|but|also|why|how so|how come|"
    r"what about|how about|same|again|now|(can|could) you (explain|elaborate|redo|fix|check|shorten)|"
    r"do (it|that|so|this|both|the same)|try (again|once more)|which (one|of (them|these|those))|"
    r"(commit|run|send|try|fix|show|explain|repeat|undo|check|make|translate|summari[sz]e|shorten|simplify|revert) "
    r"(it|that|this|them)|elaborate|thanks?|thank you|correct|right|exactly|proceed|next|more|really|are you sure|"
    r"is (that|it|this)|the (first|second|third|last|other|former|latter)( one)?|in (euros?|dollars|percent|short|"
    r"english|german|french|spanish)|sí|si|oui|ja|nein|да|нет|はい|いいえ|是的?|好的?)(?!\w)",
    re.IGNORECASE,
)


def is_follow_up(text: str) -> bool:
    """True for a short turn that refers back ("yes", "and then?", "and in euros?")."""
    if len(text) > _LONGEST:
        return False
    return 0 < len(text.split()) <= MOST_WORDS and bool(_LEANING.match(text.strip()))


def question_in_thread(messages: Sequence[BaseMessage]) -> str:
    """The newest human turn's text; of a follow-up, with the question that it leans on before it.

    Answers and older questions are left out. A follow-up without an earlier question stands alone.
    """
    leaning: list[str] = []
    for message in reversed(messages):
        if not isinstance(message, HumanMessage):
            continue
        text = str(message.text).strip()
        if not leaning and not is_follow_up(text):
            return text
        if text and not is_follow_up(text):
            return f"{text}\n{leaning[0]}"
        leaning.append(text)
    return leaning[0] if leaning else ""
