"""The names and things that the questions talk about."""

from __future__ import annotations

WOMEN = ("Ann", "Eva", "Kim", "Lisa", "Mary", "Nora", "Olga", "Rosa", "Sara", "Tina", "Vera", "Zoe")
MEN = ("Adam", "Ben", "Carl", "Dan", "Erik", "Felix", "Ivan", "Jack", "Leo", "Max", "Paul", "Tom")
PEOPLE = WOMEN + MEN
THINGS = (
    "apples", "balls", "books", "boxes", "cards", "coins", "cups", "eggs", "flowers", "hats",
    "keys", "lamps", "lemons", "marbles", "nuts", "pears", "pencils", "pens", "plates", "shells",
    "shirts", "spoons", "stamps", "toys",
)  # fmt: skip
LETTERS = ("a", "b", "c", "d", "e", "f")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
PLACES = ("bakery", "farm", "garage", "hotel", "library", "market", "school", "theatre")


def pronoun(name: str) -> str:
    """The subject pronoun of a person, lower case."""
    return "she" if name in WOMEN else "he"
