"""Where a local model lives and how it is held in memory."""

from dataclasses import dataclass
from typing import Literal

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
BYTES_PER_VALUE: dict[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How local models are loaded.

    Attributes:
        device: torch's name of a device, such as "cpu", "cuda" or "cuda:1".
        dtype: of the weights in memory; "auto" keeps what the folder holds.
        check_memory: refuse models that cannot fit, before anything is loaded.
        trust_remote_code: run Python code that comes with a model; off, because such code may do anything.
    """

    device: str = "cpu"
    dtype: Dtype = "auto"
    check_memory: bool = True
    trust_remote_code: bool = False
