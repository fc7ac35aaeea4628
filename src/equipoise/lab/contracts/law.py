"""What a law is: one small check with a sentence, and an error that says which law, with what, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from equipoise.core import State

Case = TypeVar("Case")


class ContractError(AssertionError):
    """A part breaks a law of its protocol."""


class _BrokenError(Exception):
    """Raised inside a law; becomes a ContractError that names the law."""


@dataclass(frozen=True, slots=True)
class Law(Generic[Case]):
    """Call it with a case. Raises: ContractError: the part breaks this law.

    name: short, for test ids. says: the law in a sentence.
    """

    name: str
    says: str
    check: Callable[[Case], None]

    def __call__(self, case: Case) -> None:
        try:
            self.check(case)
        except _BrokenError as broken:
            raise ContractError(f"{self.name}: {self.says}\n{broken}") from None
        except Exception as error:
            raise ContractError(
                f"{self.name}: {self.says}\n  seen: {type(error).__name__}: {error}\n  to do: see the cause above"
            ) from error

    def __str__(self) -> str:
        return self.name


def law(check: Callable[[Case], None]) -> Law[Case]:
    """A function as a law: its name is the law's name, the first line of its docstring the sentence."""
    return Law(check.__name__, (check.__doc__ or "").strip().partition("\n")[0], check)


def require(kept: bool | np.bool_, *, given: str, seen: object, remedy: str) -> None:
    """Break off the law that is being checked, unless it is `kept`."""
    if not kept:
        raise _BrokenError(f"  given: {given}\n  seen: {seen}\n  to do: {remedy}")


def refuses(
    call: Callable[[], Any], errors: type[Exception] | tuple[type[Exception], ...], *, given: str, remedy: str
) -> None:
    """The law asks that `call` raises one of `errors`."""
    try:
        answer = call()
    except errors:
        return
    except Exception as other:
        require(False, given=given, seen=f"{type(other).__name__}: {other}", remedy=remedy)
    else:
        require(False, given=given, seen=f"no error, but {answer!r}", remedy=remedy)


def check_all(laws: Sequence[Law[Case]], case: Case) -> None:
    """All of them, in order. Raises: ContractError: of the first that is broken."""
    for each in laws:
        each(case)


def difference(one: State, other: State, *, tolerance: float = 0.0) -> str | None:
    """Where two states differ, in words; None if nowhere.

    tolerance: of floats, relative to the greater of 1 and their size; 0 asks for equal bits. Other arrays must
        be equal.
    """
    if one.keys() != other.keys():
        return f"the names {sorted(one.keys() ^ other.keys())} are in only one of the two states"
    for name in one:
        a, b = np.asarray(one[name]), np.asarray(other[name])
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"{name!r} is {a.dtype} {a.shape} in one and {b.dtype} {b.shape} in the other"
        if not _close(a, b, tolerance):
            return f"{name!r} differs" + _by_how_much(a, b)
    return None


def copied(state: State) -> State:
    return {name: np.array(value) for name, value in state.items()}


def _close(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], tolerance: float) -> bool:
    if not np.issubdtype(a.dtype, np.floating):
        return bool(np.array_equal(a, b))
    if tolerance == 0.0:
        return bool(np.array_equal(a, b, equal_nan=True))
    return bool(np.all(np.abs(a - b) <= tolerance * np.maximum(1.0, np.abs(a))))


def _by_how_much(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> str:
    if not np.issubdtype(a.dtype, np.floating):
        return ""
    return f" by up to {float(np.max(np.abs(a - b))):.3g}"
