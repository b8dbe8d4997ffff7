"""Generated arithmetic and word problems of 1..6 operations over whole numbers 0..199."""

from adaptive_reasoner.embedded.problems.generator import (
    FAMILIES,
    LEVEL_SHARES,
    Split,
    draw_problem,
    generate,
    split_of,
)
from adaptive_reasoner.embedded.problems.outside import draw_outside
from adaptive_reasoner.embedded.problems.program import (
    MAX_LEVEL,
    MAX_VALUE,
    Operand,
    Problem,
    Step,
    calculate,
    evaluate,
    look_up,
)

__all__ = [
    "FAMILIES",
    "LEVEL_SHARES",
    "MAX_LEVEL",
    "MAX_VALUE",
    "Operand",
    "Problem",
    "Split",
    "Step",
    "calculate",
    "draw_outside",
    "draw_problem",
    "evaluate",
    "generate",
    "look_up",
    "split_of",
]
