"""The names and things that the questions talk about."""

WOMEN: tuple[str, ...] = (
    "Ann",
    "Eva",
    "Kim",
    "Lisa",
    "Mary",
    "Nora",
    "Olga",
    "Rosa",
    "Sara",
    "Tina",
    "Vera",
    "Zoe",
)
MEN: tuple[str, ...] = (
    "Adam",
    "Ben",
    "Carl",
    "Dan",
    "Erik",
    "Felix",
    "Ivan",
    "Jack",
    "Leo",
    "Max",
    "Paul",
    "Tom",
)
PEOPLE = WOMEN + MEN
THINGS: tuple[str, ...] = (
    "apples", "balls", "books", "boxes", "cards", "coins", "cups", "eggs", "flowers", "hats",
    "keys", "lamps", "lemons", "marbles", "nuts", "pears", "pencils", "pens", "plates", "shells",
    "shirts", "spoons", "stamps", "toys",
)  # fmt: skip
LETTERS: tuple[str, ...] = ("a", "b", "c", "d", "e", "f")
DAYS: tuple[str, ...] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
PLACES: tuple[str, ...] = ("bakery", "farm", "garage", "hotel", "library", "market", "school", "theatre")


def pronoun(name: str) -> str:
    """The subject pronoun of a person, lower case."""
    return "she" if name in WOMEN else "he"
