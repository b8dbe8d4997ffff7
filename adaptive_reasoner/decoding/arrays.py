"""NumPy arrays and torch tensors behind the names that both libraries share; torch is never imported here."""

import sys
from types import ModuleType
from typing import Any

import numpy as np

from adaptive_reasoner.errors import ConfigurationError


def library_of(array: Any) -> ModuleType:
    """The library whose functions work on `array`: torch for a tensor, else NumPy."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(array, torch.Tensor) else np


def as_floats(named: dict[str, Any]) -> tuple[Any, ...]:
    """The arrays in one floating type of at least 32 bits, tensors on the first one's device.

    Args:
        named: arrays, tensors or nested lists under the names that an error shows.

    Raises:
        ConfigurationError: tensors are mixed with what is none.
    """
    libraries = {library_of(array) for array in named.values()}
    if len(libraries) > 1:
        raise ConfigurationError(
            f"{', '.join(named)} mix torch tensors and NumPy arrays; convert them all to one kind."
        )
    return _as_arrays(tuple(named.values())) if libraries == {np} else _as_tensors(tuple(named.values()))


def log_softmax(array: Any) -> Any:
    """Log probabilities over the last axis, in the array's own library."""
    library = library_of(array)
    shifted = array - library.amax(array, axis=-1, keepdims=True)
    return shifted - library.log(library.sum(library.exp(shifted), axis=-1, keepdims=True))


def descending(array: Any) -> Any:
    """The last axis sorted, the largest value first."""
    ascending = library_of(array).sort(-array)
    return -getattr(ascending, "values", ascending)  # torch returns the values beside their indices


def like(values: Any, array: Any) -> Any:
    """`values` in the library, and on the device, of `array`; their own type is kept."""
    library = library_of(array)
    return np.asarray(values) if library is np else library.as_tensor(values, device=array.device)


def _as_arrays(given: tuple[Any, ...]) -> tuple[Any, ...]:
    arrays = [np.asarray(array) for array in given]
    # np.float32 as an array, because a bare scalar type would not widen float16.
    wide = np.result_type(np.zeros(1, np.float32), *arrays)
    return tuple(array.astype(wide) for array in arrays)


def _as_tensors(given: tuple[Any, ...]) -> tuple[Any, ...]:
    torch: Any = library_of(given[0])
    wide = torch.float32
    for tensor in given:
        wide = torch.promote_types(wide, tensor.dtype)
    return tuple(tensor.to(device=given[0].device, dtype=wide) for tensor in given)
