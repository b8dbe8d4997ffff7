"""What other projects compute from one response's log probabilities, for timing beside ours."""

import importlib
import importlib.util
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Entries = Sequence[Mapping[str, Any]]
Scorer = Callable[[Entries], Any]

TOP = 20
_MOST_POSITIONS = 5


def weave_formulas(entries: Entries) -> tuple[bool, list[dict[str, Any]]]:
    """weave-logprobs-reasoning-loop's verdict on a first answer: refine or not, and its most uncertain places.

    Its formulas written anew in plain Python, as it has them: perplexity > 1.4, or the entropy of a renormalised top
    list > 1.5 nats anywhere, or three tokens below one half. Source: monostate/weave-logprobs-reasoning-loop,
    wb-logprobs.py at 283d16e.
    """
    logprobs, lists = _extract(entries)
    perplexity = math.exp(-sum(logprobs) / len(logprobs))
    places = sorted(range(len(logprobs)), key=lambda place: logprobs[place])[:_MOST_POSITIONS]
    table = [
        {
            "position": place,
            "token_logprob": logprobs[place],
            "top_k": [{"token": text, "logprob": logprob} for text, logprob in lists[place]],
        }
        for place in places
    ]
    highest, doubtful = 0.0, 0
    for logprob, alternatives in zip(logprobs, lists, strict=True):
        highest = max(highest, _entropy(alternatives))
        if math.exp(logprob) < 0.5:
            doubtful += 1
    return perplexity > 1.4 or highest > 1.5 or doubtful >= 3, table


def _extract(entries: Entries) -> tuple[list[float], list[list[tuple[str, float]]]]:
    logprobs: list[float] = []
    lists: list[list[tuple[str, float]]] = []
    for entry in entries:
        logprobs.append(float(entry["logprob"]))
        alternatives: list[tuple[str, float]] = []
        for other in entry.get("top_logprobs", []):
            logprob = other.get("logprob")
            if logprob is not None:
                alternatives.append((other.get("token", ""), float(logprob)))
        lists.append(alternatives)
    return logprobs, lists


def _entropy(alternatives: Sequence[tuple[str, float]]) -> float:
    probabilities = [math.exp(logprob) for _, logprob in alternatives]
    total = sum(probabilities)
    entropy = 0.0
    for probability in probabilities:
        share = probability / total
        if share > 0:
            entropy -= share * math.log(share)
    return entropy


def uqlm_scorers(folder: str | None) -> tuple[dict[str, Scorer], str]:
    """The white-box scorers of uqlm for one response, and where they are from.

    Only the modules that score are imported: the package itself asks for torch and more.

    Args:
        folder: the one that holds the package `uqlm`; None: where Python finds it.
    """
    found = _package(folder)
    if found is None:
        return _rewritten(), "uqlm's published formulas, written anew in NumPy: uqlm is not installed"
    for name in ("uqlm", "uqlm.white_box"):
        package = ModuleType(name)
        package.__path__ = [str(found.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    single = importlib.import_module("uqlm.white_box.single_logprobs").SingleLogprobsScorer()
    top = importlib.import_module("uqlm.white_box.top_logprobs").TopLogprobsScorer(top_k_logprobs=TOP)
    scorers: dict[str, Scorer] = {
        "uqlm, chosen tokens only": lambda entries: single.evaluate([entries]),
        "uqlm, top lists": lambda entries: top.evaluate([entries]),
    }
    return scorers, f"uqlm {_version(found)}"


def _package(folder: str | None) -> Path | None:
    if folder is not None:
        path = Path(folder) / "uqlm"
        if not path.is_dir():
            raise SystemExit(f"There is no uqlm in {folder}.")
        return path
    spec = importlib.util.find_spec("uqlm")
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _version(package: Path) -> str:
    named = sorted(package.parent.glob("uqlm-*.dist-info"))
    return named[-1].name.removeprefix("uqlm-").removesuffix(".dist-info") if named else "of unknown version"


def _rewritten() -> dict[str, Scorer]:
    def single(entries: Entries) -> tuple[float, float]:
        smallest = np.min(np.exp(np.array([entry["logprob"] for entry in entries])))
        mean = np.exp(np.mean(np.array([entry["logprob"] for entry in entries])))
        return float(smallest), float(mean)

    def top(entries: Entries) -> tuple[float, float, float]:
        lists = [np.array([other["logprob"] for other in entry["top_logprobs"]]) for entry in entries]
        shares = [np.exp(one) / np.exp(one).sum() for one in lists]
        certainty = [1 + (share * np.log(share)).sum() / np.log(len(share)) for share in shares]
        ranked = [np.sort(np.exp(one)) for one in lists]
        margins = [one[-1] - one[-2] for one in ranked]
        return float(np.min(certainty)), float(np.mean(certainty)), float(np.mean(margins))

    return {"uqlm's formulas, chosen tokens only": single, "uqlm's formulas, top lists": top}
