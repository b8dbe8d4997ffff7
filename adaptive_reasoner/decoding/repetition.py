"""The guard against a guided model that says one token for ever."""

from typing import Any

from adaptive_reasoner.decoding.arrays import like


def stuck_rows(generated: Any, limit: int) -> Any:
    """(batch,) true where the last `limit` tokens are one and the same.

    Args:
        generated: (batch, n) token ids of the answers so far, array or tensor; prompts do not count.
        limit: equal tokens in a row, at least 1; the paper's code ends an answer at 10.
    """
    if generated.shape[1] < limit:
        return like([False] * generated.shape[0], generated)
    last = generated[:, -limit:]
    return (last == last[:, -1:]).all(-1)
