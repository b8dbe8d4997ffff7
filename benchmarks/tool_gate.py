"""The gate on tool calls: the embedded model reads a calculator's arguments from word problems, some of them wrong.

    python benchmarks/tool_gate.py --n 2000 --thought 1000 --agents 500 --seed 41 --processes 3

Fresh test problems. A call is right if its formula comes to the problem's answer. "Gate": the shipped profile, which
was fitted on calibration problems; the other operating points' thresholds are set on further calibration problems.
First every call is judged alone, made at once and after a thought. Then whole agents run (`create_agent`, the
middleware, a calculator that counts its executions), without a gate, with it, with a person whom the gate asks, and
with a person who is asked about every call. The person approves what is right and rejects the rest.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measuring.report import RESULTS, Progress, print_table, provenance, write_json
from measuring.tool_agents import WAYS, AgentRun, run_agents
from measuring.tool_gate import Judged, by_group, curve, draw, judge, ranking, share, shares, thresholds

from adaptive_reasoner.config import Situation
from adaptive_reasoner.embedded.problems import Problem, generate
from adaptive_reasoner.gate import profile_for
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.state import Mode
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME
from adaptive_reasoner.training.embedded.tool_calls import Call, ask_calls

_WANTED = (0.99, 0.98, 0.95, 0.9, 0.8)
_AT_ONCE, _AFTER_THOUGHT = "at once", "after a thought"
_MODES: dict[str, Mode] = {_AT_ONCE: "fast", _AFTER_THOUGHT: "deep"}


def collect(problems: Sequence[Problem], mode: str, processes: int) -> list[Call]:
    thinking = "off" if mode == _AT_ONCE else "on"
    progress = Progress(f"calls {mode}", len(problems))
    return ask_calls(problems, thinking, processes=processes, on_progress=progress)


def judge_alone(mode: str, options: argparse.Namespace, count: int) -> dict[str, Any]:
    """Every call on its own: it runs or it does not."""
    profile = call_profile(_MODES[mode])
    test = list(generate("test", count, seed=options.seed))
    other = list(generate("calibration", count // 2, seed=options.seed + 1))
    calls = collect(test, mode, options.processes)
    judged = judge(test, calls, lambda call: profile.risk(call.signal))
    apart = judge(other, collect(other, mode, options.processes), lambda call: profile.risk(call.signal))
    stopped = np.array(
        [_is_stopped(profile_for(EMBEDDED_MODEL_NAME), call, _MODES[mode]) for call in judged.calls]
    )
    rule = np.array([_is_stopped(GateProfile.default(), call, _MODES[mode]) for call in judged.calls])
    points = {
        "no gate": shares(judged, np.zeros(len(judged.wrong), dtype=bool)),
        "gate": shares(judged, stopped),
        **{
            f"{wanted:.0%} of right calls wanted": shares(judged, judged.risk > limit)
            for wanted, limit in thresholds(apart, _WANTED).items()
        },
        "uncalibrated rule": shares(judged, rule),
        "always asking": shares(judged, np.ones(len(judged.wrong), dtype=bool)),
    }
    return {
        "problems": len(test),
        "answers_in_words": len(test) - len(judged.calls),
        "points": points,
        "auroc": ranking(judged),
        "groups": by_group(judged, stopped),
        "curve": curve(judged),
        "accepted_risk": profile.max_accepted_risk,
        "expected_calibration_error": _calibration_error(judged),
        "calls": calls,
        "test": test,
    }


def call_profile(mode: Mode) -> ModeProfile:
    profile = profile_for(EMBEDDED_MODEL_NAME).modes[mode].of_calls
    if profile is None:
        sys.exit("The shipped profile knows nothing of calls: run calibrate_calls first.")
    return profile


def _is_stopped(profile: GateProfile, call: Call, mode: Mode) -> bool:
    """Without another try: what the verdict is where neither thinking nor refining is open."""
    situation = Situation(mode=mode, can_refine=False, can_escalate=False, can_review=True, is_call=True)
    return profile.decide(call.signal, situation).verdict != "accept"


def _calibration_error(judged: Judged, bins: int = 10) -> float:
    """Mean |stated risk - share of wrong calls| over bins of equal counts."""
    order = np.array_split(np.argsort(judged.risk), bins)
    return float(np.mean([abs(judged.risk[rows].mean() - judged.wrong[rows].mean()) for rows in order]))


def judge_loop(test: Sequence[Problem], fast: Sequence[Call], deep: Sequence[Call]) -> dict[str, Any]:
    """Doubted calls are made again after a thought, and run if that one is accepted."""
    profile = profile_for(EMBEDDED_MODEL_NAME)
    ran, wrong, thought = 0, 0, 0
    right_fast = [call.is_right for call in fast[: len(deep)]]
    for one, other in zip(fast, deep, strict=False):
        situation = Situation(mode="fast", can_refine=False, can_escalate=True, can_review=True, is_call=True)
        verdict = profile.decide(one.signal, situation).verdict
        last = other if verdict == "escalate" else one
        thought += verdict == "escalate"
        accepted = verdict == "accept" or (
            verdict == "escalate" and not _is_stopped(profile, other, "deep") and other.formula is not None
        )
        ran, wrong = ran + accepted, wrong + (accepted and not last.is_right)
    n = len(deep)
    return {
        "calls": n,
        "thought": share(thought, n),
        "stopped": share(n - ran, n),
        "run_and_right": share(ran - wrong, n),
        "run_and_wrong": share(wrong, n),
        "without_gate_wrong": share(n - sum(right_fast), n),
        "problems": len(test),
    }


def summary(runs: Sequence[AgentRun]) -> dict[str, Any]:
    n = len(runs)
    return {
        "runs": n,
        "executed": sum(run.executed for run in runs),
        "wrong_executed": sum(run.wrong_executed for run in runs),
        "runs_with_a_wrong_call": share(sum(run.wrong_executed > 0 for run in runs), n),
        "executed_twice": sum(run.twice for run in runs),
        "asked": sum(run.asked for run in runs),
        "asked_about_right_calls": sum(run.asked_right for run in runs),
        "answers_right": share(sum(run.is_right for run in runs), n),
        "answers_wrong": share(sum(run.answers and not run.is_right for run in runs), n),
        "no_answer": share(sum(not run.answers for run in runs), n),
        "tokens": float(np.mean([run.tokens for run in runs])),
    }


def _shown(one: dict[str, Any]) -> str:
    if one["share"] is None:
        return "-"
    return f"{one['share']:.1%} [{one['low']:.1%}, {one['high']:.1%}]"


def show_alone(mode: str, found: dict[str, Any]) -> None:
    print(f"\nCalls {mode}: {found['problems']} problems, {found['answers_in_words']} answered in words")
    names = ("wrong_stopped", "right_let_through", "stopped", "wrong_among_run")
    rows = [[name, *(_shown(one[key]) for key in names)] for name, one in found["points"].items()]
    print_table(["", "wrong stopped", "right let through", "stopped", "wrong among run"], rows)
    rows = [
        [name, f"{one['wrong']['share']:.1%}", str(one["calls"]), *(_shown(one[key]) for key in names[:2])]
        for name, one in found["groups"].items()
    ]
    print_table(["the gate's default, by", "wrong", "calls", "wrong stopped", "right let through"], rows)
    rows = [
        [name, "{value:.3f} [{low:.3f}, {high:.3f}]".format(**one)] for name, one in found["auroc"].items()
    ]
    print_table(["AUROC for a wrong call", ""], rows)


def show_agents(agents: dict[str, dict[str, Any]]) -> None:
    rows = [
        [
            way, str(one["runs"]), str(one["executed"]), str(one["wrong_executed"]), str(one["executed_twice"]),
            str(one["asked"]), str(one["asked_about_right_calls"]), _shown(one["answers_right"]),
            _shown(one["answers_wrong"]), _shown(one["no_answer"]), f"{one['tokens']:.0f}",
        ]
        for way, one in agents.items()
    ]  # fmt: skip
    header = [
        "agents",
        "runs",
        "executed",
        "wrong",
        "twice",
        "asked",
        "about right",
        "answers right",
        "wrong",
    ]
    print_table([*header, "none", "tokens"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--n", type=int, default=2000, help="problems for calls made at once")
    parser.add_argument("--thought", type=int, default=1000, help="problems for calls after a thought")
    parser.add_argument("--agents", type=int, default=500, help="problems that whole agents are given")
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    alone = {_AT_ONCE: judge_alone(_AT_ONCE, options, options.n)}
    alone[_AFTER_THOUGHT] = judge_alone(_AFTER_THOUGHT, options, options.thought)
    test, calls = alone[_AFTER_THOUGHT]["test"], {mode: found.pop("calls") for mode, found in alone.items()}
    loop = judge_loop(test, calls[_AT_ONCE], calls[_AFTER_THOUGHT])
    for mode, found in alone.items():
        del found["test"]
        show_alone(mode, found)
    print("\nAt once, then after a thought where that pays:")
    print_table(["", ""], [[name, _shown(one)] for name, one in loop.items() if isinstance(one, dict)])
    fresh = list(generate("test", options.agents, seed=options.seed + 2))
    agents = {way: summary(run_agents(fresh, way, options.processes)) for way in WAYS}
    show_agents(agents)
    settings = {name: value for name, value in vars(options).items() if name not in ("results", "processes")}
    known = profile_for(EMBEDDED_MODEL_NAME).provenance
    content = {
        **provenance("tool_gate.py", settings),
        "profile": {"weights": known.get("weights"), "calls": known.get("calls")},
        "alone": alone,
        "loop": loop,
        "agents": agents,
    }
    path = write_json("tool_gate", content, options.results)
    points = {f"the gate, {mode}": found["points"]["gate"] for mode, found in alone.items()}
    draw({mode: found["curve"] for mode, found in alone.items()}, points, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
