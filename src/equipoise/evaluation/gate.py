"""The promotion gate as a pure machine: outcomes of decisions in, one step at a time out. It knows no engine.

A challenger goes from shadow (weighed on what the incumbent showed) through growing shares of the traffic to all of
it. Each stage has a confidence sequence of its own for the difference challenger minus incumbent, in mean reward of a
slot. Its lower bound above the margin takes the challenger one stage on; its upper bound below the margin takes it
back. Sequences are valid at all times at once, so looking after every decision costs nothing but time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core import ConfigurationError, Floats, State
from equipoise.evaluation.intervals import ConfidenceSequence

Verdict = Literal["wait", "advance", "roll_back"]

SHADOW = 0
"""The number of the first stage; stage j > 0 gives the challenger `shares[j - 1]` of the traffic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a gate goes by, fixed before it opens.

    margin: what challenger minus incumbent must exceed, in reward per slot; below 0 tolerates a small loss.
    shadow_margin: the same for the shadow; `margin` if None.
    level: of each stage's confidence sequence. A stage that should not be passed is passed, ever, with probability at
        most (1 - level) / 2, and one that should be is rolled back likewise.
    shares: of the traffic, after the shadow, rising, each in (0, 1). least: decisions before a stage may end.
    clip: the most that a shadow's importance weight counts, at least 1. low, high: the range of a slot's reward.
    look_growth: by how much the number of decisions grows from one look to the next; 1 looks after every one.
    """

    margin: float = 0.0
    shadow_margin: float | None = None
    level: float = 0.95
    shares: tuple[float, ...] = (0.1, 0.5)
    least: int = 100
    clip: float = 10.0
    low: float = 0.0
    high: float = 1.0
    look_growth: float = 1.02

    def __post_init__(self) -> None:
        rising = all(one < other for one, other in zip((0.0, *self.shares), (*self.shares, 1.0), strict=True))
        checks = {
            f"shares is {self.shares} but must rise between 0 and 1: write [0.1, 0.5]": rising
            and self.shares,
            f"level is {self.level} but must lie between 0 and 1: write 0.95": 0.0 < self.level < 1.0,
            f"margin is {self.margin} but must be a finite number: 0 is usual": math.isfinite(self.margin),
            f"shadow_margin is {self.shadow_margin} but must be a finite number": math.isfinite(
                self.shadow_margin or 0.0
            ),
            f"least is {self.least} but must be 1 or more: 100 is usual": self.least >= 1,
            f"clip is {self.clip} but must be 1 or more: 10 is usual": 1.0 <= self.clip < math.inf,
            f"rewards go from {self.low} to {self.high}: the first must be below the second": self.low
            < self.high,
            f"look_growth is {self.look_growth} but must be 1 or more: 1.02 is usual": self.look_growth
            >= 1.0,
        }
        for told, sound in checks.items():
            if not sound:
                raise ConfigurationError(f"[promotion] {told}")

    @property
    def stages(self) -> int:
        """How many there are, the shadow included."""
        return 1 + len(self.shares)

    def margin_of(self, stage: int) -> float:
        """What a stage must clear."""
        return self.margin if stage != SHADOW or self.shadow_margin is None else self.shadow_margin

    def share(self, stage: int) -> float:
        """Of the traffic that goes to the challenger; 0 in the shadow."""
        return 0.0 if stage == SHADOW else self.shares[stage - 1]


@dataclass(frozen=True, slots=True)
class Terms:
    """Two numbers for each of n decisions whose mean, given the past, encloses the true difference.

    below, above: (n,); the mean of `below` is at most the difference, that of `above` at least. Where the difference
    is estimated without bias, the two are one. earned: (n,) mean reward of the slots that were shown.
    """

    below: Floats
    above: Floats
    earned: Floats

    def __len__(self) -> int:
        return len(self.earned)

    def cut(self, start: int, stop: int) -> Terms:
        return Terms(self.below[start:stop], self.above[start:stop], self.earned[start:stop])


def joined(parts: Sequence[Terms]) -> Terms:
    """One after the other."""
    below, above, earned = zip(*((part.below, part.above, part.earned) for part in parts), strict=True)
    return Terms(np.concatenate(below), np.concatenate(above), np.concatenate(earned))


def shadow_terms(rules: Rules, rewards: Floats, weights: Floats) -> Terms:
    """Terms from importance weights, paired with what the incumbent earned on the very same decisions.

    rewards: (n, h) of the h top slots, as the incumbent showed them. weights: (n, h), of slot l the product over the
    slots 0..l of the challenger's probability divided by the propensity: with it, reward l is unbiased for what the
    challenger's slot l would have earned, as long as a slot's reward does not depend on the slots below it (Kiyohara
    et al. 2022, the cascade assumption of reward-interaction IPS; h = 1 assumes nothing of slots above).

    A weight may be as large as 1 / floor, so it is clipped at c. With v = min(w, c) and rewards in [a, b],

        E[(v - 1) (r - a)]  <=  difference  <=  E[(v - 1) (r - b)] ,

    since clipping, and slots that the incumbent never shows, take from a sum of numbers that are 0 or more on the
    left, and of numbers that are 0 or less on the right. Both hold whatever was clipped; where the policies overlap
    too little the two are far apart, and the shadow waits.
    """
    kept = np.minimum(weights, rules.clip) - 1.0
    below = (kept * (rewards - rules.low)).mean(axis=1)
    above = (kept * (rewards - rules.high)).mean(axis=1)
    return Terms(below, above, rewards.mean(axis=1))


def traffic_terms(
    rules: Rules, share: float, baseline: float, rewards: Floats, challenger: NDArray[np.bool_]
) -> Terms:
    """Terms from who was assigned by the coin. rewards: (n,) mean of all slots. challenger: (n,) who decided.

    (A / s - (1 - A) / (1 - s)) (r - b) has the difference as its mean for any b fixed before the coin is thrown
    (Horvitz and Thompson 1952, with a control variate); b near the mean reward makes it steady.
    """
    signs = np.where(challenger, 1.0 / share, -1.0 / (1.0 - share))
    terms = signs * (rewards - baseline)
    return Terms(terms, terms, rewards)


@dataclass(frozen=True, slots=True)
class Step:
    """What a stage came to. stage: its number. n: after how many decisions. low, high: the sequence's bounds then.

    difference: the plain estimate, the middle where the shadow clipped. earned: mean reward of a slot in this stage.
    """

    verdict: Verdict
    stage: int
    n: int
    low: float
    high: float
    difference: float
    earned: float


class Stage:
    """One stage of a gate: a lower sequence and an upper one, which are the same away from the shadow."""

    def __init__(self, rules: Rules, stage: int, *, baseline: float | None = None) -> None:
        """baseline: near what a slot earns, known before the stage begins; the middle of the range if None."""
        middle = 0.5 * (rules.low + rules.high)
        self.rules = rules
        self.stage = stage
        self.share = rules.share(stage)
        self.baseline = float(np.clip(middle if baseline is None else baseline, rules.low, rules.high))
        self.n = 0
        self._next = rules.least
        self._told = _Told(*_sequences(rules, self.share, self.baseline))
        self._waiting: list[Terms] = []

    def shadowed(self, rewards: Floats, weights: Floats) -> Step | None:
        """Observe decisions of the shadow; see `shadow_terms`. Returns: how the stage ended, None while it waits."""
        return self.observe(shadow_terms(self.rules, rewards, weights))

    def assigned(self, rewards: Floats, challenger: NDArray[np.bool_]) -> Step | None:
        """Observe decisions of the traffic; see `traffic_terms`."""
        return self.observe(traffic_terms(self.rules, self.share, self.baseline, rewards, challenger))

    def observe(self, terms: Terms) -> Step | None:
        """Observe decisions in their order, and stop at the look that ends the stage; the rest is not looked at.

        Looks are at fixed numbers of decisions, and what lies between two of them is summed in one go: so however
        decisions are handed over, the stage ends after the same one with the same bounds, bit for bit.
        """
        start = 0
        while start < len(terms):
            stop = min(len(terms), start + self._next - self.n)
            self._waiting.append(terms.cut(start, stop))
            self.n += stop - start
            start = stop
            if self.n == self._next and (verdict := self._look()) != "wait":
                return self.step(verdict)
        return None

    def step(self, verdict: Verdict = "wait") -> Step:
        """Where the stage stands, with all that was observed."""
        told = self._told
        if self._waiting:
            told = told.copy()
            told.take(joined(self._waiting))
        low, high = told.lower.interval()[0], told.upper.interval()[1]
        below, above, earned = told.sums / max(self.n, 1)
        return Step(verdict, self.stage, self.n, low, high, float(below + above) / 2.0, float(earned))

    def state(self) -> State:
        """Everything observed so far, bit for bit; the rules are not in it."""
        waiting = np.zeros((3, 0))
        if self._waiting:
            terms = joined(self._waiting)
            waiting = np.stack([terms.below, terms.above, terms.earned])
        told = self._told
        return {
            "counted": np.array([self.n, self._next], dtype=np.int64),
            "waiting": waiting,
            "sums": told.sums.copy(),
            **{f"lower_{name}": array for name, array in told.lower.state().items()},
            **{f"upper_{name}": array for name, array in told.upper.state().items()},
        }

    def restore(self, state: State) -> None:
        """Go on where another stage of the same rules stood. Raises: InputError: it was of other rules."""
        told = self._told
        for name, sequence in (("lower", told.lower), ("upper", told.upper)):
            sequence.restore({part: state[f"{name}_{part}"] for part in ("counts", "settings")})
        told.sums = np.array(state["sums"], dtype=np.float64)
        self.n, self._next = (int(number) for number in state["counted"])
        waiting = np.array(state["waiting"], dtype=np.float64)
        self._waiting = [Terms(*waiting)] if waiting.shape[1] else []

    def _look(self) -> Verdict:
        """Take in what waits, and compare the bounds with the margin."""
        self._told.take(joined(self._waiting))
        self._waiting.clear()
        self._next = max(self.n + 1, math.ceil(self.n * self.rules.look_growth))
        margin = self.rules.margin_of(self.stage)
        if self._told.upper.beyond(margin) < 0:
            return "roll_back"
        return "advance" if self._told.lower.beyond(margin) > 0 else "wait"


class _Told:
    """The sequences of a stage and the sums of its terms."""

    def __init__(self, lower: ConfidenceSequence, upper: ConfidenceSequence) -> None:
        self.lower = lower
        self.upper = upper
        self.sums = np.zeros(3)

    def take(self, terms: Terms) -> None:
        self._observe(self.lower, terms.below)
        if self.upper is not self.lower:
            self._observe(self.upper, terms.above)
        self.sums = self.sums + np.array([terms.below.sum(), terms.above.sum(), terms.earned.sum()])

    def copy(self) -> _Told:
        lower = _again(self.lower)
        copied = _Told(lower, lower if self.upper is self.lower else _again(self.upper))
        copied.sums = self.sums
        return copied

    @staticmethod
    def _observe(sequence: ConfidenceSequence, terms: Floats) -> None:
        """Rounding may put a term a last digit outside of its range."""
        sequence.observe(np.clip(terms, sequence.low, sequence.high))


def _again(sequence: ConfidenceSequence) -> ConfidenceSequence:
    made = ConfidenceSequence(sequence.level, sequence.low, sequence.high)
    made.restore(sequence.state())
    return made


def _sequences(rules: Rules, share: float, baseline: float) -> tuple[ConfidenceSequence, ConfidenceSequence]:
    """With the least range that no term can leave."""
    span = rules.high - rules.low
    if not share:
        most = (rules.clip - 1.0) * span
        return ConfidenceSequence(rules.level, -span, most), ConfidenceSequence(rules.level, -most, span)
    down, up = rules.low - baseline, rules.high - baseline
    low, high = min(down / share, -up / (1.0 - share)), max(up / share, -down / (1.0 - share))
    both = ConfidenceSequence(rules.level, low, high)
    return both, both
