"""Reading back what a part has learned, with a clear word when it is another part's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.core import InputError, State


def stored(state: State, key: str, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """A fresh copy of `state[key]`.

    Raises: InputError: the key is missing or, where `shape` is given, the array has another one.
    """
    if key not in state:
        raise InputError(
            f"the state has no '{key}' but only {', '.join(sorted(state)) or 'nothing'}: it was made by a"
            " policy with other settings, so rebuild it from the journal"
        )
    array = np.array(state[key])
    if shape is not None and array.shape != shape:
        raise InputError(
            f"'{key}' in the state has shape {array.shape} but {shape} was expected: it was made by a policy"
            " with other settings, so rebuild it from the journal"
        )
    return array


def under(name: str, state: State) -> State:
    """The same state with every key below `name/`."""
    return {f"{name}/{key}": array for key, array in state.items()}


def within(name: str, state: State) -> State:
    """The part of the state that lies below `name/`, without that prefix."""
    start = f"{name}/"
    return {key[len(start) :]: array for key, array in state.items() if key.startswith(start)}


def names(values: Iterable[str]) -> NDArray[np.str_]:
    """Ids as an array of text, also when there are none."""
    return np.array(list(values), dtype=np.str_)
