"""The before/after tables of `train flywheel`, and the same as JSON."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adaptive_reasoner.training.flywheel.judging import Comparison, Figure
    from adaptive_reasoner.training.flywheel.student import StudentStep
    from adaptive_reasoner.training.flywheel.student_profiles import Promise
    from adaptive_reasoner.training.flywheel.turn import Step, Turn

_UNITS = {"error": "wrong", "thinking": "thinks", "tokens": "tokens"}


def as_object(found: "Turn", judged: "StudentStep | None", written: Sequence[str]) -> dict[str, Any]:
    """The turn as plain JSON; `student` only where one was made."""
    steps = [_step(step) for step in (*found.steps, *([judged.step] if judged else []))]
    made: dict[str, Any] = {
        "fitted": found.fitted,
        "held_out": found.held_out,
        "written": list(written),
        "steps": steps,
    }
    if judged:
        made["student"] = {"folder": str(judged.folder), "promise": _promise(judged.promise)}
    return made


def _step(step: "Step") -> dict[str, Any]:
    return {"part": step.part, "refused": step.refused, "compared": step.compared and step.compared.to_json()}


def _promise(promise: "Promise | None") -> dict[str, Any] | None:
    if promise is None:
        return None
    return {
        "what": promise.what,
        "most": promise.most,
        "seen": promise.seen.to_json(),
        "broken": promise.is_broken,
    }


def print_turn(found: "Turn", judged: "StudentStep | None", written: Sequence[str], *, dry_run: bool) -> None:
    """Print what became of each part."""
    print(f"fitted to {found.fitted} runs, judged on {found.held_out} others; 95 % intervals")
    for step in (*found.steps, *([judged.step] if judged else [])):
        print(_verdict(step, dry_run=dry_run))
        if step.compared:
            _print_table(step.compared)
    if judged and judged.step.compared:
        print(f"  both asked {judged.step.compared.runs} held-out questions")
        _print_promise(judged.promise)
    for path in written:
        print(f"written: {path}")


def _verdict(step: "Step", *, dry_run: bool) -> str:
    if step.refused is None:
        return f"{step.part}: {'would be shipped' if dry_run else 'shipped'}"
    return f"{step.part}: kept as it was, {step.refused}"


def _print_table(compared: "Comparison") -> None:
    print(f"  {'':8}{'before':>26}{'after':>26}{'change':>28}")
    for name, unit in _UNITS.items():
        cells = [_cell(name, one[name]) for one in (compared.before, compared.after)]
        print(f"  {unit:8}{cells[0]:>26}{cells[1]:>26}{_cell(name, compared.change[name], '+'):>28}")
    if compared.estimated:
        print(
            f"  estimated: what thinking does to {compared.estimated:.1%} of the runs, which did not think before"
        )


def _cell(name: str, figure: "Figure", sign: str = "") -> str:
    form = f"{sign}.1f" if name == "tokens" else f"{sign}.1%"
    return f"{figure.mean:{form}} [{figure.low:{form}}, {figure.high:{form}}]"


def _print_promise(promise: "Promise | None") -> None:
    if promise is None or promise.seen.mean is None:
        return
    seen = promise.seen
    print(
        f"  promise: at most {promise.most:.1%} of the {promise.what}; held-out {seen.mean:.1%} "
        f"[{seen.low:.1%}, {seen.high:.1%}]: {'broken' if promise.is_broken else 'kept'}"
    )
