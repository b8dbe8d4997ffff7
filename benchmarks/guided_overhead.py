"""What guidance costs beside the steps of the three models themselves, and beside recomputing everything.

    python benchmarks/guided_overhead.py --rounds 12

Random Llama models of two sizes, one thread, processor time. In each round the three models generate alone, one after
the other, then the target does under `ThinkLogitsProcessor`, then without any cache; the order changes from round to
round. Ratios are of median times, with intervals from resampled rounds.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from measuring.report import Progress, print_table, provenance, write_json
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, LogitsProcessor

from adaptive_reasoner.decoding import ThinkLogitsProcessor, ThinkOptions, combine_logits

PROMPT_TOKENS, NEW_TOKENS = 64, 32
GOAL = 0.9
UNGUARDED = ThinkOptions(repeat_limit=None, pad_token_id=-1)
ALONE, GUIDED, NAIVE = "three models alone", "guided", "guided, recomputed"


@dataclass(frozen=True, slots=True)
class Size:
    """A target and its guiders."""

    name: str
    target: tuple[int, int]  # width, layers
    guider: tuple[int, int]
    vocabulary: int


SIZES = (
    Size("small", (256, 6), (96, 3), 8192),
    Size("larger", (512, 8), (160, 4), 16384),
)


class Naive(LogitsProcessor):
    """The formula, both guiders reading the whole text anew for every token."""

    def __init__(self, expert: Any, base: Any) -> None:
        self.guiders = expert, base

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Guided scores."""
        with torch.no_grad():
            expert, base = (model(input_ids, use_cache=False).logits[:, -1] for model in self.guiders)
        return combine_logits(scores, expert, base, 1.0)


def model_of(shape: tuple[int, int], vocabulary: int, seed: int) -> Any:
    torch.manual_seed(seed)
    width, layers = shape
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=3 * width, num_hidden_layers=layers,
        num_attention_heads=width // 32, num_key_value_heads=width // 32, max_position_embeddings=512,
        pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def generate(model: Any, ids: Tensor, steering: Any = None) -> None:
    with torch.no_grad():
        model.generate(
            ids, attention_mask=torch.ones_like(ids), logits_processor=[steering] if steering else [],
            do_sample=False, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS,
        )  # fmt: skip


def ways(size: Size, batch: int) -> dict[str, Callable[[], None]]:
    """The same number of tokens, three times."""
    target = model_of(size.target, size.vocabulary, 1)
    expert, base = (model_of(size.guider, size.vocabulary, seed) for seed in (2, 3))
    ids = torch.randint(
        3, size.vocabulary, (batch, PROMPT_TOKENS), generator=torch.Generator().manual_seed(0)
    )
    processor = ThinkLogitsProcessor(expert, base, options=UNGUARDED)

    def alone() -> None:
        for model in (target, expert, base):
            generate(model, ids)

    def guided() -> None:
        processor.reset()
        generate(target, ids, processor)

    return {ALONE: alone, GUIDED: guided, NAIVE: lambda: generate(target, ids, Naive(expert, base))}


def time_rounds(
    runs: Mapping[str, Callable[[], None]], rounds: int, report: Progress
) -> dict[str, np.ndarray]:
    """Seconds of processor time, (rounds,) each, after one round that is thrown away."""
    names, times = list(runs), {name: list[float]() for name in runs}
    for index in range(rounds + 1):
        for name in names[index % 3 :] + names[: index % 3]:
            started = time.process_time()
            runs[name]()
            times[name].append(time.process_time() - started)
        report(index)
    return {name: np.array(values[1:]) for name, values in times.items()}


def ratio(of: np.ndarray, to: np.ndarray) -> list[float]:
    """[ratio of medians, lower, upper end of its 95 % interval]."""
    rows = np.random.default_rng(0).integers(0, len(of), (2000, len(of)))
    low, high = np.quantile(np.median(of[rows], 1) / np.median(to[rows], 1), [0.025, 0.975])
    return [float(np.median(of) / np.median(to)), float(low), float(high)]


def measure(size: Size, batch: int, rounds: int) -> dict[str, Any]:
    label = f"{size.name}, batch {batch}"
    times = time_rounds(ways(size, batch), rounds, Progress(label, rounds))
    tokens = batch * NEW_TOKENS
    return {
        "setting": label,
        "tokens_per_second": {name: tokens / float(np.median(values)) for name, values in times.items()},
        "guided_to_sum_of_steps": ratio(times[ALONE], times[GUIDED]),
        "guided_to_recomputed": ratio(times[NAIVE], times[GUIDED]),
        "seconds": {name: values.tolist() for name, values in times.items()},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    load = os.getloadavg()
    results = [measure(size, batch, options.rounds) for size in SIZES for batch in (1, 8)]
    rows = [
        [
            one["setting"],
            *(f"{one['tokens_per_second'][name]:,.0f}" for name in (ALONE, GUIDED, NAIVE)),
            *(
                "{:.2f} [{:.2f}, {:.2f}]".format(*one[name])
                for name in ("guided_to_sum_of_steps", "guided_to_recomputed")
            ),
        ]
        for one in results
    ]
    print_table(["tokens/s", ALONE, GUIDED, NAIVE, "to the sum", "to recomputed"], rows)
    print(f"\nGoal: {GOAL} of the sum of the steps.")
    shapes = {
        size.name: {"target": size.target, "guider": size.guider, "vocabulary": size.vocabulary}
        for size in SIZES
    }
    content = {
        "goal": GOAL,
        "load_average": load,
        "threads": 1,
        "sizes_width_layers": shapes,
        "results": results,
    }
    write_json("guided_overhead", {**provenance("guided_overhead.py", {"rounds": options.rounds}), **content})


if __name__ == "__main__":
    main()
