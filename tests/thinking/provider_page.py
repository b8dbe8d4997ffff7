"""The table in docs/providers.md, made from the code: `python tests/thinking/provider_page.py` writes it anew."""

from pathlib import Path

from langchain_core.language_models import BaseChatModel
from provider_table import BEGIN, BUDGET, END, examples, written

from adaptive_reasoner.thinking import (
    Ways,
    family_of,
    has_thinking_switch,
    logprob_kwargs,
    model_name_of,
    thinking_kwargs,
    ways_of,
)
from adaptive_reasoner.thinking.two_calls import BUDGET as IN_TWO_CALLS

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
HEAD = (
    "| provider | for example | thinking stops | levels | budget | thoughts shown | log probabilities, fast / thinking "
    "| source |\n|---|---|---|---|---|---|---|---|\n"
)


def table() -> str:
    """The whole table, with its head."""
    return HEAD + "".join(_row(model) for model in examples())


def _row(model: BaseChatModel) -> str:
    family, ways = family_of(model), ways_of(model)
    is_known = family is not None and ways is not None and has_thinking_switch(model)
    switch = _switch(model, ways) if is_known else ["no known switch", "-", "-"]
    shown = family.shows if is_known else "as written: the prompt asks for them"
    source = f"[page](https://{family.source})" if is_known and family.source else "-"
    logprobs = " / ".join(_logprobs(model, thinking) for thinking in ("off", "on"))
    name = family.name if is_known else "unknown"
    cells = [name, model_name_of(model), *switch, shown, logprobs, source]
    return "| " + " | ".join(cells) + " |\n"


def _switch(model: BaseChatModel, ways: Ways) -> list[str]:
    return ["yes" if ways.can_stop else "no", ", ".join(ways.levels) or "-", _budget(model, ways)]


def _budget(model: BaseChatModel, ways: Ways) -> str:
    if IN_TWO_CALLS in thinking_kwargs(model, BUDGET):
        return "tokens, in two calls"
    if ways.budget is not None:
        return "tokens"
    return "nearest level" if ways.levels else "-"


def _logprobs(model: BaseChatModel, thinking: str) -> str:
    return "asked for" if logprob_kwargs(model, thinking, 20) else "none"


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(old.replace(f"{BEGIN}{written(old)}{END}", f"{BEGIN}{table()}{END}"), encoding="utf-8")
