"""The reward specification: how kinds of feedback become one number per slot.

A slot has at most one value of each kind, the latest (by `at`, then by arrival), and of two opposite kinds
only the later. With w a kind's weight and v its value (for a graded kind, v = min(value / full, 1)):

    reward = clip(sum of w * v, low, high)     or, with combine = "max",     clip(max of w * v, low, high)

over the kinds that count. A slot without feedback has reward 0.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from equipoise.core import ConfigurationError, Feedback, InputError, fingerprint

LARGEST = 1e12
"""Values and weights stay below this, so that no reward can overflow."""

DEFAULT: Mapping[str, Any] = {
    "impression": 0.0,
    "click": 1.0,
    "dwell_seconds": {"weight": 0.5, "full": 60.0},
    "like": 1.0,
    "share": 1.0,
    "cart": 1.0,
    "purchase": 1.0,
    "dislike": -1.0,
}
"""What `RewardSpec.of({})` means: whatever shows interest is worth 1, a minute's reading half."""

OPPOSITES = (("like", "dislike"),)


@dataclass(frozen=True, slots=True)
class Term:
    """One kind of feedback. full: the value that earns the whole weight, for a graded kind; None: plain."""

    kind: str
    weight: float
    full: float | None = None

    def worth(self, value: float) -> float:
        """Its part of the reward, before clipping."""
        return self.weight * (value if self.full is None else min(value / self.full, 1.0))


@dataclass(frozen=True, slots=True)
class RewardSpec:
    """Kinds of feedback to one number per slot; the formula is the module's docstring.

    low, high: the range of a reward, low <= 0 < high. combine: `sum` or `max`.
    opposites: pairs of kinds that exclude each other on one slot.
    fingerprint: twelve hex digits that change when the meaning of feedback does; each settlement keeps it.
    """

    terms: tuple[Term, ...]
    low: float = 0.0
    high: float = 1.0
    combine: str = "sum"
    opposites: tuple[tuple[str, str], ...] = OPPOSITES
    fingerprint: str = field(init=False, compare=False)
    _by_kind: Mapping[str, Term] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        terms = [[term.kind, term.weight, term.full] for term in self.terms]
        meaning = json.dumps([terms, self.low, self.high, self.combine, self.opposites])
        object.__setattr__(self, "fingerprint", fingerprint(meaning))
        object.__setattr__(self, "_by_kind", {term.kind: term for term in self.terms})
        if not self.terms:
            raise ConfigurationError(
                "[reward] names no kind of feedback: give at least one, such as click = 1.0"
            )
        if not self.low <= 0.0 < self.high:
            raise ConfigurationError(
                f"[reward] low is {self.low} and high is {self.high}, but low <= 0 < high must hold, "
                "because a slot without feedback has reward 0: change low or high"
            )
        if self.combine not in ("sum", "max"):
            raise ConfigurationError(
                f'[reward] combine is {self.combine!r} but must be "sum" or "max": write one'
            )

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> RewardSpec:
        """A specification from the TOML's [reward] table: kinds, and `low`, `high`, `combine`, `opposites`.

        A kind is a weight, or `{weight, full}` for an amount such as `dwell_seconds`. A table without kinds
        takes `DEFAULT`'s. Raises: ConfigurationError: a value that cannot be used, with its key.
        """
        options = {key: table[key] for key in ("low", "high", "combine", "opposites") if key in table}
        kinds = {key: value for key, value in table.items() if key not in options}
        terms = tuple(_term(kind, value) for kind, value in (kinds or DEFAULT).items())
        for bound in options.keys() & {"low", "high"}:
            options[bound] = _setting(bound, options[bound])
        if "opposites" in options:
            options["opposites"] = _pairs(options["opposites"], {term.kind for term in terms})
        return cls(terms, **options)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The known kinds of feedback."""
        return tuple(self._by_kind)

    def value(self, kind: str, value: object) -> float:
        """The value as a float, if it is one that this kind can have.

        Raises: InputError: an unknown kind, naming the known and the nearest; a value that is no finite
            number, or is below 0 for a graded kind.
        """
        term = self._by_kind.get(kind)
        if term is None:
            raise InputError(f"unknown kind of feedback {kind!r}: {self._advice(kind)}")
        number = _number(value)
        if number is None or abs(number) > LARGEST:
            raise InputError(
                f"{kind} has value {value!r} but must be a finite number within {LARGEST:g} of 0: "
                "send 1 for a plain event, or the amount"
            )
        if term.full is not None and number < 0.0:
            raise InputError(f"{kind} has value {value!r} but an amount cannot be below 0: send 0 or more")
        return number

    def rivals(self, one: str, other: str) -> bool:
        """Whether two kinds exclude each other on one slot: the same kind, or opposites."""
        return one == other or (one, other) in self.opposites or (other, one) in self.opposites

    def counted(self, feedbacks: Iterable[Feedback]) -> dict[str, Feedback]:
        """Of one slot's feedback, in order of arrival: what counts, by kind. Kinds not in `kinds` do not."""
        counting: dict[str, Feedback] = {}
        for feedback in sorted(feedbacks, key=lambda one: one.at):
            if feedback.kind in self._by_kind:
                counting = {
                    kind: one for kind, one in counting.items() if not self.rivals(kind, feedback.kind)
                }
                counting[feedback.kind] = feedback
        return counting

    def reward(self, feedbacks: Sequence[Feedback]) -> float:
        """The reward of one slot, in [low, high], from its feedback in order of arrival."""
        if not feedbacks:
            return 0.0
        counting = self.counted(feedbacks)
        # Summed in the specification's order, so that the order of arrival cannot change a bit.
        worths = [term.worth(counting[term.kind].value) for term in self.terms if term.kind in counting]
        if not worths:
            return 0.0
        total = sum(worths) if self.combine == "sum" else max(worths)
        return min(max(total, self.low), self.high)

    def _advice(self, kind: object) -> str:
        near = difflib.get_close_matches(str(kind), self.kinds, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        return f"{meant}known are {', '.join(self.kinds)}; add others under [reward]"


def _number(value: object) -> float | None:
    """A finite float, or None for what is no number (text included)."""
    if isinstance(value, (str, bytes)):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _setting(key: str, value: object) -> float:
    number = _number(value)
    if number is None or abs(number) > LARGEST:
        raise ConfigurationError(
            f"[reward] {key} is {value!r} but must be a finite number within {LARGEST:g} of 0: write one"
        )
    return number


def _term(kind: str, value: object) -> Term:
    if not isinstance(value, Mapping):
        return Term(kind, _setting(kind, value))
    if value.keys() != {"weight", "full"}:
        raise ConfigurationError(
            f"[reward] {kind} has the keys {sorted(value)} but an amount needs weight and full: "
            f"write {kind} = {{ weight = 0.5, full = 60 }}"
        )
    full = _setting(f"{kind}.full", value["full"])
    if full <= 0.0:
        raise ConfigurationError(
            f"[reward] {kind}.full is {full} but must be above 0: give the amount worth the weight"
        )
    return Term(kind, _setting(f"{kind}.weight", value["weight"]), full)


def _pairs(value: Any, kinds: set[str]) -> tuple[tuple[str, str], ...]:
    pairs = tuple(tuple(pair) for pair in value) if isinstance(value, (list, tuple)) else None
    if pairs is None or any(
        len(pair) != 2 or pair[0] == pair[1] or not kinds.issuperset(pair) for pair in pairs
    ):
        raise ConfigurationError(
            f"[reward] opposites is {value!r} but must be pairs of two known kinds ({', '.join(sorted(kinds))}): "
            'write opposites = [["like", "dislike"]]'
        )
    return tuple((one, other) for one, other in pairs)
