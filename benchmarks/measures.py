"""Which measures of an answer tell right from wrong: AUROC on recorded fast answers of real models.

    python benchmarks/measures.py --resamples 200

Nothing is fitted. The recordings hold the answer token's top-10 list; the other tokens are given as certain, so that
only measures of the answer span mean anything here. Higher AUROC is better, .5 is chance.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from measuring.auroc import Resampled, with_interval
from measuring.real_models import MODELS, records_of
from measuring.report import print_table, provenance, write_json

from adaptive_reasoner.recorded import message_of
from adaptive_reasoner.uncertainty import measure_batch, parse_response

# Which way each goes with doubt.
_SIGNS = {
    "entropy_lower": 1,
    "entropy_upper": 1,
    "varentropy": 1,
    "perplexity": 1,
    "min_probability": -1,
    "margin_min": -1,
    "confidence_lowest": -1,
    "covered_mass": -1,
}


def aurocs(model: str, resamples: int) -> dict[str, Any]:
    """AUROC for "wrong" of each measure on a model's fast answers, with 95 % intervals over questions."""
    records = [record for record in records_of(model) if record["mode"] == "fast"]
    measured = measure_batch([parse_response(message_of(record)) for record in records])
    wrong = np.array([not record["correct"] for record in records])[measured.known]
    drawn = Resampled.draw(len(wrong), resamples, seed=0)
    values = {
        name: with_interval(
            drawn.auroc(
                np.arange(len(wrong)),
                np.nan_to_num(sign * getattr(measured.answer, name)[measured.known], nan=0.0),
                wrong,
            )
        )
        for name, sign in _SIGNS.items()
    }
    return {
        "answers": len(records),
        "known": int(measured.known.sum()),
        "wrong": float(wrong.mean()),
        **values,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--resamples", type=int, default=200)
    options = parser.parse_args(arguments)
    results = {model: aurocs(model, options.resamples) for model in MODELS}
    rows = [
        [name, *("{value:.3f} [{low:.3f}, {high:.3f}]".format(**results[model][name]) for model in MODELS)]
        for name in _SIGNS
    ]
    print_table(["AUROC for wrong", *MODELS], rows)
    write_json("measures", {**provenance("measures.py", vars(options)), "results": results})


if __name__ == "__main__":
    main()
