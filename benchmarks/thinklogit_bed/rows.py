"""Every row of the table for one seed: its settings chosen on the dev set, its answers to the test set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thinklogit_bed import bed
from thinklogit_bed.answering import Answers, Trio, answer
from thinklogit_bed.decoding import Alone, Banned, Ensemble, Forced, Guided, Prefixed, Restricted, Rule
from thinklogit_bed.variants import STRENGTH, variant

from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.thoughts import write_work
from adaptive_reasoner.embedded.tokenizer import encoding

ALPHAS = (0.75, 1.0, 1.25, 1.5, 2.0)
WEIGHTS_SWEPT = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
TIMES_BANNED = (1, 2)
PREFIXES = (2, 4, 8)
_FORCED = 2

TARGET, GUIDER, GUIDED = "target", "guider alone", "THINKLOGIT"
FORCED, HEADER = "target, first token forced", "target, header forced"
BANNED = "target, answer banned"
RESTRICTED = "target, must begin as worked solutions do"
PREFIX = "target after the guider's first tokens"
ENSEMBLE = "ensemble without the base"


@dataclass(frozen=True, slots=True)
class Exam:
    """What a seed is measured on, and where its models and answers lie."""

    directory: Path
    seed: int
    dev: Sequence[Problem]
    test: Sequence[Problem]
    kept_only: bool = False

    def kept(self, split: str, cell: str) -> Path:
        """The folder of one cell's answers."""
        return (
            self.directory / f"seed-{self.seed}" / "answers" / f"{split}-{len(getattr(self, split))}" / cell
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the setting that the dev set chose, dev accuracies by setting, test answers."""

    setting: str
    dev: Mapping[str, float]
    test: Answers


Candidates = Mapping[str, Mapping[str, Rule]]
"""Row -> setting -> rule. Names of rules name files: row and setting together."""


def guided_rows(exam: Exam, steps: int) -> dict[str, Row]:
    """The guider tuned for so many steps: alone, in an ensemble and guiding."""
    trio = Trio(
        bed.target(exam.directory, exam.seed),
        bed.tuned(exam.directory, exam.seed, steps),
        bed.base(exam.directory, exam.seed),
    )
    candidates: dict[str, dict[str, Rule]] = {
        GUIDER: {"": Alone("expert")},
        ENSEMBLE: {f"w {weight:g}": Ensemble(weight) for weight in WEIGHTS_SWEPT},
        GUIDED: {f"alpha {alpha:g}": Guided(alpha) for alpha in ALPHAS},
    }
    if steps == STRENGTH:
        candidates |= {PREFIX: {f"{count} tokens": Prefixed(count) for count in PREFIXES}}
    return choose(exam, trio, candidates, f"tuned-{steps}")


def target_rows(exam: Exam) -> dict[str, Row]:
    """The target without a guider: as it is, and made to think by force."""
    one, two = first_tokens(exam.dev, 1, _FORCED), first_tokens(exam.dev, 2, _FORCED)
    candidates: dict[str, dict[str, Rule]] = {
        TARGET: {"": Alone()},
        FORCED: {_shown(ids): Forced(ids) for ids in one},
        HEADER: {_shown(ids): Forced(ids) for ids in two},
        RESTRICTED: {"": Restricted(tuple(ids[0] for ids in first_tokens(exam.dev, 1, None)))},
        BANNED: {f"{times} times": Banned(times) for times in TIMES_BANNED},
    }
    return choose(exam, Trio(bed.target(exam.directory, exam.seed)), candidates, "target")


def variant_rows(exam: Exam, name: str) -> dict[str, Row]:
    """A guider tuned further, alone and guiding; nothing where it was not trained."""
    folder = variant(exam.directory, exam.seed, name)
    if not (folder / "weights" / "model.json").is_file():
        return {}
    trio = Trio(bed.target(exam.directory, exam.seed), folder, bed.base(exam.directory, exam.seed))
    candidates: dict[str, dict[str, Rule]] = {
        f"{name} alone": {"": Alone("expert")},
        guided_by(name): {f"alpha {alpha:g}": Guided(alpha) for alpha in ALPHAS},
    }
    return choose(exam, trio, candidates, name)


def guided_by(name: str) -> str:
    """The row of a variant that guides."""
    return f"{GUIDED}, {name}"


def ceiling_rows(exam: Exam) -> dict[str, Row]:
    """The target itself, tuned on thinking."""
    found: dict[str, Row] = {}
    for steps in bed.CEILING_STEPS:
        folder = bed.tuned(exam.directory, exam.seed, steps, "target")
        if (folder / "tokenizer.json").is_file():
            name = f"target tuned for {steps} steps"
            found |= choose(exam, Trio(folder), {name: {"": Alone()}}, f"ceiling-{steps}")
    return found


def first_tokens(problems: Sequence[Problem], count: int, most: int | None) -> list[tuple[int, ...]]:
    """Beginnings of worked solutions, the commonest first."""
    found = Counter(tuple(encoding().encode_ordinary(write_work(problem))[:count]) for problem in problems)
    return [ids for ids, _ in found.most_common(most)]


def choose(exam: Exam, trio: Trio, candidates: Candidates, cell: str) -> dict[str, Row]:
    """Choose each row's setting on the dev set, then answer the test set with it alone."""
    tried = {
        (row, setting): rule
        for row, settings in candidates.items()
        for setting, rule in settings.items()
        if len(settings) > 1
    }
    dev = answer(
        trio,
        {_file(*key): rule for key, rule in tried.items()},
        exam.dev,
        exam.kept("dev", cell),
        kept_only=exam.kept_only,
    )
    accuracy = {key: float(dev[_file(*key)].right.mean()) for key in tried}
    best = {
        row: max(settings, key=lambda s, row=row: accuracy.get((row, s), 0.0))
        for row, settings in candidates.items()
    }
    rules = {_file(row, setting): candidates[row][setting] for row, setting in best.items()}
    test = answer(trio, rules, exam.test, exam.kept("test", cell), kept_only=exam.kept_only)
    return {
        row: Row(
            setting,
            {s: accuracy[row, s] for s in candidates[row] if (row, s) in accuracy},
            test[_file(row, setting)],
        )
        for row, setting in best.items()
    }


def _shown(ids: Sequence[int]) -> str:
    return encoding().decode(list(ids)).strip()


def _file(row: str, setting: str) -> str:
    return f"{row} {setting}".strip().replace("/", "-")
