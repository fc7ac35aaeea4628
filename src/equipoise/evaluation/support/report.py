"""All checks of one log and one target, before any number."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.core import EquipoiseError
from equipoise.evaluation.evidence import Evidence
from equipoise.evaluation.support import log_checks, weights
from equipoise.evaluation.support.check import Check, Verdict

REFUSAL = "this log cannot answer that"


class NoSupportError(EquipoiseError):
    """A log from which nothing can be said of a target policy; the message says why and what to do.

    support: the whole report.
    """

    def __init__(self, message: str, support: Support) -> None:
        super().__init__(message)
        self.support = support


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the rows; None where it is not.

    unsupported: share of the target's probability on items that the log could not show, in [0, 1].
    known_items: how many items there are. window_seconds: how long a reward is waited for. unsettled: decisions whose
    window is still open. duplicates: rows that were left out because they were there before.
    """

    unsupported: float | None = None
    known_items: int | None = None
    window_seconds: float | None = None
    unsettled: int | None = None
    duplicates: int | None = None


@dataclass(frozen=True, slots=True)
class Support:
    """checks: each question with its finding, those about the target first."""

    policy: str
    checks: tuple[Check, ...]

    def beyond(self, other: Support | None) -> tuple[Check, ...]:
        """The checks that came out otherwise than for another policy on the same log; all, if there is none."""
        return tuple(check for check in self.checks if other is None or check not in other.checks)

    @property
    def hopeless(self) -> bool:
        return any(check.verdict is Verdict.HOPELESS for check in self.checks)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each check that is not fine; a hopeless log begins with the refusal."""
        told = tuple(check.warning for check in self.checks if check.warning)
        return (f"{REFUSAL}: the number is shown because it was forced", *told) if self.hopeless else told

    def require(self) -> None:
        """Raises: NoSupportError: it is hopeless."""
        if self.hopeless:
            reasons = "; ".join(check.warning for check in self.checks if check.verdict is Verdict.HOPELESS)
            raise NoSupportError(
                f"{REFUSAL}: of the policy {self.policy!r}, {reasons}. --force gives the number with this warning",
                self,
            )


def support_of(evidence: Evidence, *, policy: str, facts: Facts | None = None) -> Support:
    """Every check, made. policy: whose name the report carries."""
    facts, weight = facts or Facts(), evidence.weights
    return Support(
        policy,
        (
            weights.effective_size(evidence, weight),
            weights.mean_weight(evidence, weight),
            weights.largest_weight(weight),
            weights.unsupported(evidence, weight, facts.unsupported),
            log_checks.rewards_seen(evidence),
            log_checks.calibration(evidence),
            log_checks.coverage(evidence, facts.known_items),
            log_checks.delay(evidence, facts.window_seconds, facts.unsettled),
            log_checks.duplicates(facts.duplicates),
            log_checks.drift(evidence),
        ),
    )
