"""Is the newest turn a follow-up that means nothing without its thread?

"yes" after a hard plan is as hard as the plan, and "commit it" belongs to the work before it, so a follow-up
keeps its thread's route instead of being judged by its own few words.
"""

import re

MOST_WORDS = 6

# Openings that lean on what was said before; a question of its own starts otherwise.
_LEANING = re.compile(
    r"^(yes|yeah|yep|no|nope|ok(ay)?|sure|please|go on|go ahead|continue|and|so|then|but|also|why|how so|what about|"
    r"how about|same|again|now|do (it|that|so|this)|(commit|run|send|try|fix|show|explain|repeat|undo) (it|that|this)|"
    r"thanks?|thank you|correct|right|exactly|proceed|next|more|really|are you sure|is that)\b",
    re.IGNORECASE,
)


def is_follow_up(text: str) -> bool:
    """True for a short turn that refers back ("yes", "and then?", "and in euros?")."""
    words = text.split()
    return 0 < len(words) <= MOST_WORDS and bool(_LEANING.match(text.strip()))
