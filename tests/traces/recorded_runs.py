"""Records of made-up runs, as hand_off writes them."""

from typing import Any

from adaptive_reasoner.state import RunRecord

NODES = {"fast": "fast_answer", "deep": "deep_think", "refine": "refine"}


def signal(p: float = 0.9, *, risk: float | None = None, kind: str = "logprobs") -> dict[str, Any]:
    """Of an answer of one token with probability `p`."""
    known = kind == "logprobs"
    return {
        "kind": kind,
        "risk": risk,
        "entropy_nats": {"lower": 1 - p, "upper": 1 - p} if known else None,
        "covered_mass": 1.0 if known else None,
        "min_probability": p if known else None,
        "perplexity": 1 / p if known else None,
        "token_count": 1,
        "spans": [],
        "reason": None if known else "no log probabilities",
    }


def usage(tokens: int = 10, cost_usd: float | None = 0.0) -> dict[str, Any]:
    return {
        "input_tokens": tokens - 2,
        "output_tokens": 2,
        "reasoning_tokens": 0,
        "total_tokens": tokens,
        "cost_usd": cost_usd,
    }


def judged(mode: str, verdict: str, answer: str = "42", **given: Any) -> tuple[str, dict[str, Any]]:
    """An answer and its round; `given` replaces the round's fields, `p`, `risk` and `kind` make its signal."""
    made = signal(given.pop("p", 0.9), risk=given.pop("risk", None), kind=given.pop("kind", "logprobs"))
    one = {"node": NODES[mode], "verdict": verdict, "signal": made, "usage": usage(), "latency_seconds": 0.5}
    return answer, {**one, "reason": "made up", **given}


def run(index: int, *rounds: tuple[str, dict[str, Any]], **given: Any) -> RunRecord:
    """A run with these rounds, the last one handed on; `given` replaces fields of the report or of the record."""
    answers, judged_rounds = [one[0] for one in rounds], [one[1] for one in rounds]
    costs = [one["usage"]["cost_usd"] for one in judged_rounds]
    total = usage(
        sum(one["usage"]["total_tokens"] for one in judged_rounds), None if None in costs else sum(costs)
    )
    report: dict[str, Any] = {
        "route": "deep" if judged_rounds[0]["node"] == "deep_think" else "fast",
        "triage": {"gain": 0.1, "difficulty": 0.2, "source": "linear:tiny", "reason": "made up"},
        "rounds": judged_rounds,
        "accepted_round": len(rounds) - 1,
        "signal": judged_rounds[-1]["signal"],
        "usage": total,
        "budget": None,
        "rationale_agreement": None,
    }
    record: Any = {
        "run_id": f"run-{index}",
        "recorded_at": f"2026-01-{1 + index // 1440:02}T{index // 60 % 24:02}:{index % 60:02}:00.000+00:00",
        "question": f"Question {index}?",
        "answer": answers[-1],
        "answers": answers,
        "models": ["tiny"] * len(rounds),
        "report": {**report, **{key: value for key, value in given.items() if key in report}},
        "thread_id": None,
        "tenant": None,
        "version": "0",
    }
    return {**record, **{key: value for key, value in given.items() if key not in report}}
