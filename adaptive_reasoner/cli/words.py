"""What a report comes to, in words."""

from adaptive_reasoner.state import ReasoningReport, Round, Usage

TRIAGE_WORDS = {"fast": "answer at once", "deep": "think first"}
VERDICT_WORDS = {
    "accept": "accepted",
    "refine": "look again",
    "escalate": "think",
    "review": "ask a person",
    "give_up": "handed on, not sure",
}
# An accepted answer that is riskier than this was the best to be had, and nobody should call it sure.
DOUBTFUL_RISK = 0.1
REVIEW_WORDS = {
    "approve": "approved by a person",
    "edit": "corrected by a person",
    "reject": "rejected by a person",
}


def is_accepted(report: ReasoningReport) -> bool:
    """True if the gate accepted the answer that was handed on."""
    index = report["accepted_round"]
    return 0 <= index < len(report["rounds"]) and report["rounds"][index]["verdict"] == "accept"


def is_sure(report: ReasoningReport) -> bool:
    """True if the answer was accepted and its risk is known to be low."""
    risk = report["signal"]["risk"]
    return is_accepted(report) and risk is not None and risk <= DOUBTFUL_RISK


def confidence_words(report: ReasoningReport) -> str:
    """Whether the answer can be relied on, with the risk where it is calibrated."""
    if (action := report.get("review", {}).get("action")) is not None:
        return REVIEW_WORDS[action]
    risk = report["signal"]["risk"]
    known = _unknown_risk(report) if risk is None else f"risk of being wrong {_percent(risk)}"
    if is_sure(report):
        return f"sure; {known}"
    accepted = "accepted" if risk is None else "accepted, but doubtful"
    return f"{accepted if is_accepted(report) else 'not sure'}; {known}"


def _percent(risk: float) -> str:
    """A risk was fitted to some thousand answers: below a tenth of a percent it is small, and never nothing."""
    return "below 0.1%" if risk < 0.001 else f"{risk:.1%}"


def _unknown_risk(report: ReasoningReport) -> str:
    """An answer that tells nothing is not the same as a model that nobody has calibrated."""
    is_unknown = report["signal"]["kind"] == "unknown"
    return "its confidence is unknown" if is_unknown else "no calibrated risk is known for this model"


def spent_words(usage: Usage, rounds: int) -> str:
    """Tokens of a whole turn."""
    thought = usage["reasoning_tokens"]
    return (
        f"{usage['total_tokens']} tokens in {counted(rounds, 'model call')}: {usage['input_tokens']} read, "
        f"{usage['output_tokens']} written" + (f", {thought} of them thought" if thought else "")
    )


def round_words(round_: Round) -> str:
    """The verdict on one round, why, and what the round cost."""
    verdict = VERDICT_WORDS[round_["verdict"]]
    reason = round_.get("reason", "")
    failed = f"no answer ({round_['error']}), " if "error" in round_ else ""
    cost = f"{round_['usage']['output_tokens']} tokens written, {round_['latency_seconds']:.2f} s"
    return f"{failed}{verdict}{': ' if reason else ''}{reason} ({cost})"


def counted(count: int, noun: str) -> str:
    """`1 round`, `2 rounds`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
