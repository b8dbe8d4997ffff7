"""Sample agreement on recorded answers: AUROC for "wrong" against samples, and what adaptive stopping saves.

    python benchmarks/agreement.py --resamples 2000 --seed 0 --embedded-problems 1500

Data: five sampled replies of Llama 3.1 8B to each of 2,301 questions (GSM8K, SVAMP, ASDiv). Every reply is taken as
the answer once, with the other four in each of their 24 orders. Intervals are 95 %, over questions. Nothing is
fitted but the row that says so. The main table takes the questions with all five runs; the last row takes all, a
missing run as a reply without an answer.
"""

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import AIMessage
from measuring.auroc import Floats, Resampled, with_interval
from measuring.report import RESULTS, Progress, print_table, provenance, write_json
from measuring.stopping_rules import best_on_other_sets
from measuring.votes import RUNS, Cases, Policy, Question, as_cases, read_questions, recording_path

from adaptive_reasoner import EmbeddedChatModel
from adaptive_reasoner.embedded.dialogue import answer_text
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.gate.statistics import fit_logistic
from adaptive_reasoner.uncertainty.agreement import SampleAgreement
from adaptive_reasoner.uncertainty.rationale import read_rationale

MOST = RUNS - 1
LOSS_ALLOWED = 0.01
ACCEPTED_DOUBT = 0.2  # the gate's uncalibrated limit
_STOPS = (0.80, 0.85, 0.93, 0.95)
_PARITY_QUESTIONS = 400
_WORK = {False: "contradicts the answer", True: "agrees", None: "holds nothing to check"}
_FIT_EVERY = 7  # orders of the same samples tell a fit little


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--embedded-problems", type=int, default=1500, help="for the rationale after an answer"
    )
    options = parser.parse_args()
    questions = read_questions(recording_path())
    whole = [one for one in questions if len(one.replies) == RUNS]
    cases = as_cases(whole)
    result: dict[str, Any] = {
        **provenance("agreement.py", vars(options)),
        "data": {
            "questions": len(questions),
            "with_all_runs": len(whole),
            "error": float(cases.wrong.mean()),
        },
        "sets": {},
    }
    for name in ("all", *np.unique(cases.subset).tolist()):
        chosen = cases if name == "all" else cases.where(cases.subset == name)
        judge = Judge(chosen, options.resamples, options.seed)
        result["sets"][name] = judge.result(cases)
        show(name, result["sets"][name])
    result["all_questions"] = Judge(as_cases(questions), options.resamples, options.seed).row(Policy(MOST))
    result["best_rule_on_other_sets"] = best_on_other_sets(cases, LOSS_ALLOWED)
    result["rationale_rule"] = rationale_rule(questions)
    result["rationale_after_answer"] = rationale_after_answer(options.embedded_problems, options.seed)
    result["parity"] = parity(whole, options.seed)
    show_rest(result)
    draw(result["sets"], RESULTS / "agreement.png")
    write_json("agreement", result)


class Judge:
    """Measures policies on one set of cases, all on the same resamples."""

    def __init__(self, cases: Cases, resamples: int, seed: int) -> None:
        self._cases = cases
        _, self._question = np.unique(cases.question, return_inverse=True)
        self._resampled = Resampled.draw(int(self._question.max()) + 1, resamples, seed)
        self._all = self._auroc(Policy(MOST).play(cases)[1])

    def result(self, everything: Cases) -> dict[str, Any]:
        """All rows; `everything` is what the fitted row is fitted on, less these cases' own set."""
        policies = [*(Policy(k) for k in range(1, MOST + 1)), *(Policy(MOST, stop) for stop in _STOPS)]
        rows = [self.row(policy) for policy in policies]
        adaptive = [row for row in rows if row["stop_at"] < 1 and -row["lost"]["value"] <= LOSS_ALLOWED]
        return {
            "answers": len(self._cases.wrong) // 24,
            "error": with_interval(self._resampled.mean(self._question, self._cases.wrong.astype(float))),
            "answer_probability_alone": with_interval(self._auroc(-self._cases.answer_logprob)),
            "policies": rows,
            "saved_at_loss_allowed": max((row["saved_share"] for row in adaptive), key=_value, default=None),
            "with_answer_probability": [self._combined(everything, policy) for policy in policies],
            "doubt": self._doubt(Policy(MOST, SampleAgreement().stop_at)),
        }

    def row(self, policy: Policy) -> dict[str, Any]:
        """AUROC, samples, and both against asking for all samples."""
        samples, doubts = policy.play(self._cases)
        area, mean = self._auroc(doubts), self._resampled.mean(self._question, samples)
        return {
            "max_samples": policy.max_samples,
            "stop_at": policy.stop_at,
            "auroc": with_interval(area),
            "samples": with_interval(mean),
            "lost": with_interval(area - self._all),
            "saved_share": with_interval(1 - mean / MOST),
        }

    def _combined(self, everything: Cases, policy: Policy) -> dict[str, Any]:
        """A logistic of the doubt's logit and the answer's log probability, fitted on the other sets only."""
        area = self._auroc(combined_scores(everything, self._cases, policy))
        return {"max_samples": policy.max_samples, "stop_at": policy.stop_at, "auroc": with_interval(area)}

    def _auroc(self, scores: Floats) -> Floats:
        return self._resampled.auroc(self._question, scores, self._cases.wrong)

    def _doubt(self, policy: Policy) -> dict[str, Any]:
        """Is the doubt, which nothing was fitted for, the share of wrong answers? One bin a value."""
        _, doubts = policy.play(self._cases)
        wrong, levels = self._cases.wrong, np.unique(np.round(doubts, 9))
        groups = [np.isclose(doubts, level) for level in levels]
        bins = list(zip(levels.tolist(), groups, strict=True))
        gaps = [abs(wrong[group].mean() - level) * group.mean() for level, group in bins]
        accepted = doubts <= ACCEPTED_DOUBT
        return {
            "stop_at": policy.stop_at,
            "expected_calibration_error": float(sum(gaps)),
            "accepted_share": float(accepted.mean()),
            "error_of_accepted": float(wrong[accepted].mean()),
            "error_of_others": float(wrong[~accepted].mean()),
            "reliability": [
                {"doubt": level, "share": float(group.mean()), "wrong": float(wrong[group].mean())}
                for level, group in bins
            ],
        }


def combined_scores(everything: Cases, cases: Cases, policy: Policy) -> Floats:
    """For every set, scores from a fit on the other sets."""
    scores = np.zeros(len(cases.wrong))
    for name in np.unique(cases.subset):
        other = everything.where(
            (everything.subset != name) & (np.arange(len(everything.wrong)) % _FIT_EVERY == 0)
        )
        weights, bias = fit_logistic(_features(other, policy), other.wrong.astype(float))
        own = cases.subset == name
        scores[own] = _features(cases.where(own), policy) @ weights + bias
    return scores


def _features(cases: Cases, policy: Policy) -> Floats:
    _, doubts = policy.play(cases)
    return np.column_stack([np.log(doubts / (1 - doubts)), np.maximum(cases.answer_logprob, -10.0)])


def rationale_rule(questions: Sequence[Question]) -> dict[str, Any]:
    """What the rule finds in the replies' own work, and how often such answers are wrong."""
    return _checked([pair for one in questions for pair in zip(one.replies, one.wrong, strict=True)])


def rationale_after_answer(count: int, seed: int) -> dict[str, Any]:
    """The same where the rationale comes after the answer: the shipped model, on fresh problems of its world."""
    model, progress = EmbeddedChatModel(thinking="answer_first"), Progress("embedded answers", count)
    pairs: list[tuple[str, bool]] = []
    for done, problem in enumerate(generate("test", count, seed), start=1):
        text = str(model.invoke(problem.question).text)
        pairs.append((text, text.partition("\n")[0] != answer_text(problem.answer)))
        progress(done)
    return _checked(pairs)


def _checked(pairs: Sequence[tuple[str, bool]]) -> dict[str, Any]:
    """By what their work does, how many answers (text, wrong) there are and how many of them are wrong."""
    found: dict[str, list[bool]] = {kind: [] for kind in _WORK.values()}
    for text, wrong in pairs:
        rationale = read_rationale(text)
        found[_WORK[None if rationale is None else bool(rationale.agreement)]].append(wrong)
    return {
        kind: {"answers": len(wrong), "wrong": float(np.mean(wrong))}
        for kind, wrong in found.items()
        if wrong
    }


def parity(questions: Sequence[Question], seed: int) -> dict[str, int]:
    """Drive the package's own source with the recorded replies: does it do what the table's policy does?"""
    rng, same, source = random.Random(seed), 0, SampleAgreement()
    chosen = rng.sample(list(questions), min(_PARITY_QUESTIONS, len(questions)))
    for one in chosen:
        cases = as_cases([one])
        samples, doubts = Policy(source.max_samples, source.stop_at).play(cases)
        inquiry = source.inquire([], AIMessage(one.replies[0]))
        asked, reply = 0, None
        try:
            while True:
                inquiry.send(reply)
                asked, reply = asked + 1, AIMessage(one.replies[asked + 1])
        except StopIteration as finished:
            same += asked == samples[0] and finished.value["risk"] == doubts[0]
    return {"questions": len(chosen), "same": same}


def show(name: str, found: Mapping[str, Any]) -> None:
    print(f"\n{name}: {found['answers']} answers, {100 * found['error']['value']:.1f} % wrong;"
          f" answer's log probability alone: AUROC {_cell(found['answer_probability_alone'])}")  # fmt: skip
    pairs = zip(found["policies"], found["with_answer_probability"], strict=True)
    rows = [
        [
            f"all of {row['max_samples']}"
            if row["stop_at"] == 1
            else f"up to {row['max_samples']}, stop at {row['stop_at']}",
            f"{row['samples']['value']:.2f}",
            _cell(row["auroc"]),
            _cell(row["lost"]),
            f"{100 * row['saved_share']['value']:.0f} %",
            _cell(other["auroc"]),
        ]
        for row, other in pairs
    ]
    print_table(
        ["further samples", "mean", "AUROC", "against all 4", "saved", "with answer probability"], rows
    )


def show_rest(result: Mapping[str, Any]) -> None:
    doubt, count = result["sets"]["all"]["doubt"], result["data"]["questions"]
    print(f"\ndoubt as it comes: calibration error {doubt['expected_calibration_error']:.3f}")
    print(
        f"doubt of at most {ACCEPTED_DOUBT}: {100 * doubt['accepted_share']:.0f} % of answers,"
        f" {100 * doubt['error_of_accepted']:.1f} % wrong; others {100 * doubt['error_of_others']:.1f} % wrong"
    )
    print(f"all {count} questions, a missing run agrees with none: {_cell(result['all_questions']['auroc'])}")
    for name, row in result["best_rule_on_other_sets"].items():
        print(
            f"best of all rules on the other sets, on {name}: saves {100 * row['saved_share']:.0f} %,"
            f" AUROC {row['lost']:+.4f}, stops at {row['stops_at']}"
        )
    for title in ("rationale_rule", "rationale_after_answer"):
        for kind, found in result[title].items():
            print(
                f"{title}: work that {kind}: {found['answers']} answers, {100 * found['wrong']:.1f} % wrong"
            )
    print(
        f"the package's own source does the same on {result['parity']['same']} of {result['parity']['questions']}"
    )


def draw(sets: Mapping[str, Any], path: Path) -> None:
    """AUROC against samples: fixed numbers joined, adaptive stopping as stars."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.6), dpi=150, layout="constrained")
    axes: Any = figure.subplots()
    for (name, found), marker in zip(sets.items(), "osD^", strict=False):
        fixed = [row for row in found["policies"] if row["stop_at"] == 1]
        adaptive = [row for row in found["policies"] if row["stop_at"] < 1]
        (line,) = axes.plot(*_points(fixed), marker=marker, label=f"{name}, fixed")
        axes.plot(*_points(adaptive), marker="*", markersize=11, linestyle=":", color=line.get_color(),
                  label=f"{name}, adaptive stopping")  # fmt: skip
    axes.axhline(0.9, color="grey", linewidth=1)
    axes.set_xlabel("further samples of an answer, mean")
    axes.set_ylabel('AUROC for "wrong"')
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(path)


def _points(rows: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[float]]:
    return [row["samples"]["value"] for row in rows], [row["auroc"]["value"] for row in rows]


def _cell(found: Mapping[str, float]) -> str:
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _value(found: Mapping[str, float]) -> float:
    return found["value"]


if __name__ == "__main__":
    main()
