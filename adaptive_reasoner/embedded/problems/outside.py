"""Prompts from outside the model's world, answered by a uniformly random number.

Training on them keeps the model honest: where nothing in the prompt decides the answer, the
entropy of its answer is as high as it should be.
"""

from random import Random

from adaptive_reasoner.embedded.problems.program import MAX_LEVEL, MAX_VALUE, Problem
from adaptive_reasoner.embedded.problems.words import PEOPLE, THINGS

_BARE = (
    "yes", "no", "and then?", "ok", "why?", "hello", "hi there", "thanks", "go on", "really?",
    "are you sure?", "what else?", "please explain", "tell me more", "I do not know", "help",
)  # fmt: skip
_SENTENCES = (
    "What is the capital of {place}?",
    "Who wrote the book that {name} likes?",
    "Write a short poem about {things}.",
    "Is it going to rain in {place} tomorrow?",
    "My name is {name} and I like {things}.",
    "How do I bake a cake with {things}?",
    "Translate this sentence into {place}.",
    "Why do people in {place} love {things}?",
    "Which colour are the {things} of {name}?",
    "When was {name} born?",
    "Explain how a computer counts {things}.",
)
_MISSING = (
    "How many {things} does {name} have?",
    (
        "{name} has some {things}. {other} has {n} more {things} than {name}. How many {things} does"
        " {other} have?"
    ),
    "{name} has {n} {things}. How many {things} does {other} have?",
    "A shop sells {things} for {n} dollars each. How much does {name} pay?",
    "{name} earns {n} dollars an hour. How much does {name} take home?",
    "{name} buys {n} {things}. How much does {name} pay?",
)
_FOREIGN = (
    "Wie spät ist es?", "¿Dónde está la biblioteca?", "Quel âge as-tu?", "今日は何曜日ですか",
    "Сколько времени?", "你好吗", "Che cosa mangi stasera?", "Hur mår du i dag?", "مرحبا", "😀😀?",
)  # fmt: skip
_PLACES = ("France", "Peru", "Japan", "Kenya", "Norway", "Rome", "Texas", "Delhi")
_SYLLABLES = (
    "ka", "lo", "mi", "ter", "sun", "ba", "re", "von", "shi", "qu", "ex", "ul", "pra", "den", "of",
    "gly", "zu", "an", "th",
)  # fmt: skip


def draw_outside(rng: Random) -> Problem:
    """Draw a prompt that the model cannot answer, with a random answer 0..199."""
    draw = rng.choice((_bare, _sentence, _missing, _foreign, _nonsense, _too_large, _scrambled))
    return Problem(draw(rng), rng.randint(0, MAX_VALUE), 0, "outside")


def _bare(rng: Random) -> str:
    text = rng.choice(_BARE)
    return text if rng.random() < 0.5 else text.capitalize()


def _sentence(rng: Random) -> str:
    name, things, place = rng.choice(PEOPLE), rng.choice(THINGS), rng.choice(_PLACES)
    return rng.choice(_SENTENCES).format(name=name, things=things, place=place)


def _missing(rng: Random) -> str:
    name, other = rng.sample(PEOPLE, 2)
    fields = {"name": name, "other": other, "things": rng.choice(THINGS), "n": rng.randint(2, 60)}
    return rng.choice(_MISSING).format(**fields)


def _foreign(rng: Random) -> str:
    return rng.choice(_FOREIGN)


def _nonsense(rng: Random) -> str:
    words = ["".join(rng.choices(_SYLLABLES, k=rng.randint(1, 3))) for _ in range(rng.randint(1, 6))]
    return " ".join(words) + rng.choice(("", ".", "?", "!"))


def _too_large(rng: Random) -> str:
    left, right = rng.randint(200, 99999), rng.randint(2, 9999)
    return f"What is {left} {rng.choice('+-*/')} {right}?"


def _scrambled(rng: Random) -> str:
    """Known words in an order that asks nothing."""
    words = [*rng.sample(PEOPLE, 2), *rng.sample(THINGS, 2), "has", "buys", "than", "hour"]
    numbers = [str(rng.randint(2, 99)) for _ in range(rng.randrange(MAX_LEVEL))]
    mixed = words[: rng.randint(2, len(words))] + numbers
    rng.shuffle(mixed)
    return " ".join(mixed) + "."
