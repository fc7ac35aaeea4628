"""Keeps the gate for an engine: starts, resumes, follows and ends promotions, and says which parts serve."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from equipoise.core import Decision, InputError
from equipoise.engine.challenge.beside import beside
from equipoise.engine.challenge.settings import challenger_settings
from equipoise.engine.maintenance import replay
from equipoise.engine.parts import Parts, Progress, resume
from equipoise.engine.promotion.record import (
    CANCELLED,
    STARTED,
    WITHDRAWN,
    Promotion,
    plain,
    print_of,
    promotions,
    rules_of,
    tables_of,
)
from equipoise.engine.promotion.running import Running, Turn
from equipoise.engine.promotion.serving import standing_over
from equipoise.engine.promotion.telling import told
from equipoise.engine.promotion.verified import verified
from equipoise.engine.settings import Settings


class Keeper:
    """One for each engine; called under the engine's lock, but for `turn` and `prepared`.

    configured: the settings as the user wrote them, which a promoted challenger may stand over.
    """

    def __init__(self, configured: Settings) -> None:
        self.configured = configured
        self.running: Running | None = None

    def turn(self, decision_id: str) -> Turn | None:
        """Who makes a decision; None where no promotion runs."""
        running = self.running
        return None if running is None else running.turn(decision_id)

    def prepared(
        self, parts: Parts, challenger: Settings | str | Path, *, progress: Progress | None = None
    ) -> Parts:
        """A challenger that has learned all that has settled: the long part, while requests are still answered.

        challenger: its settings, or its TOML.
        Raises: InputError: a promotion is running. ConfigurationError, EncoderError: it cannot be built.
        """
        if self.running is not None:
            raise InputError(
                "a promotion is running: see 'equipoise promote --status', and end it with 'equipoise promote --cancel' "
                "before another begins"
            )
        if not isinstance(challenger, Settings):
            challenger = challenger_settings(challenger, parts.settings, itself=False)
        rules_of(parts.settings, parts.journal.rewards.low, parts.journal.rewards.high)
        return _learned(parts, challenger, progress=progress)

    def start(self, parts: Parts, challenger: Parts, *, at: float) -> None:
        """Begin in the shadow."""
        rewards = parts.journal.rewards
        detail = {
            "challenger": _who(challenger),
            "incumbent": _who(parts),
            "rules": plain(rules_of(parts.settings, rewards.low, rewards.high)),
            "shadow_slots": parts.settings.promotion.shadow_slots,
            "over": print_of(self.configured),
            "rewards": rewards.fingerprint,
            "seed": parts.settings.seed,
        }
        event = parts.journal.note(STARTED, at=at, detail=detail)
        self._run(Promotion((event,)), parts, challenger)

    def resume(self, parts: Parts, *, at: float) -> None:
        """Go on with a promotion that an earlier process left running, or say why it cannot."""
        found = promotions(parts.journal.events())
        if not found or found[-1].state != "running":
            return
        promotion = found[-1]
        if (reason := self._changed(promotion, parts)) is not None:
            parts.journal.note(CANCELLED, at=at, detail={"reason": reason})
            return
        settings = promotion.settings("challenger", parts.settings)
        self._run(promotion, parts, _learned(parts, settings))

    def followed(self, parts: Parts, *, at: float) -> Parts:
        """Let the gate look at what has settled. Returns: the parts that serve from now on."""
        running = self.running
        if running is None:
            return parts
        state = running.follow(at=at)
        if state == "running":
            return parts
        self.running, parts.beside = None, None
        leaving, staying = (parts, running.challenger) if state == "promoted" else (running.challenger, parts)
        return _handed_over(leaving, staying)

    def stop(self, parts: Parts, *, at: float) -> Parts:
        """End the running promotion, or take back the challenger that was promoted.

        Raises: InputError: there is neither.
        """
        if self.running is not None:
            parts.journal.note(CANCELLED, at=at, detail={"reason": "cancelled by hand"})
            challenger, self.running, parts.beside = self.running.challenger, None, None
            return _handed_over(challenger, parts)
        promotion = standing_over(self.configured, parts.journal)
        if promotion is None:
            raise InputError(
                "no promotion is running and no challenger was promoted: there is nothing to cancel"
            )
        before = _learned(parts, promotion.settings("incumbent", self.configured))
        parts.journal.note(
            WITHDRAWN,
            at=at,
            detail={"reason": "taken back by hand", "started": promotion.events[0].event_seq},
        )
        return _handed_over(parts, before)

    def status(self, parts: Parts) -> dict[str, Any]:
        """`serving`: whose settings serve; `promotion`: that of the latest event, None where there was none."""
        found = promotions(parts.journal.events())
        standing = standing_over(self.configured, parts.journal)
        step = None if self.running is None else self.running.stage.step()
        latest = max(found, key=lambda promotion: promotion.events[-1].event_seq, default=None)
        return {
            "serving": "configuration" if standing is None else "promoted challenger",
            "promotion": None if latest is None else told(latest, step),
        }

    @contextmanager
    def maker(self, parts: Parts, decision: Decision) -> Iterator[Parts]:
        """The parts of the policy that made a decision, as far as the configuration or a promotion knows it."""
        policy = decision.versions.policy
        if policy == parts.current_versions.policy:
            yield parts
        elif self.running is not None and policy == self.running.challenger.current_versions.policy:
            yield self.running.challenger
        else:
            settings = self._settings_of(policy, parts)
            made = parts if settings is None else beside(parts, settings, keep=True)
            try:
                yield made
            finally:
                _let_go(made, parts)

    def replayed(self, parts: Parts) -> bool:
        """Whether the challenger's replay, and every step of every promotion, come out the same from the journal."""
        running = self.running
        if running is not None and not (
            replay(running.challenger, keep=False).identical and running.summed_again()
        ):
            return False
        return all(verified(promotion, parts.journal) for promotion in promotions(parts.journal.events()))

    def relearn(self) -> None:
        """Rebuild what the challenger learned; before the incumbent does the same, since checkpoints are dropped."""
        if self.running is not None:
            self.running.relearn()

    def close(self, parts: Parts) -> None:
        """Save what the challenger has learned, and let go of its files."""
        if self.running is not None:
            self.running.keep()
            _let_go(self.running.challenger, parts)

    def _run(self, promotion: Promotion, parts: Parts, challenger: Parts) -> None:
        parts.beside = None if challenger.stock is parts.stock else challenger.stock
        self.running = Running(promotion, incumbent=parts, challenger=challenger)

    def _changed(self, promotion: Promotion, parts: Parts) -> str | None:
        """What is no longer as it was when the promotion began."""
        started = promotion.started
        if (
            started["over"] != print_of(self.configured)
            or started["incumbent"]["policy"] != _who(parts)["policy"]
        ):
            return "the incumbent's configuration was changed"
        if started["rewards"] != parts.journal.rewards.fingerprint:
            return "the rewards were changed"
        if started["seed"] != parts.settings.seed:
            return "the seed was changed"
        return None

    def _settings_of(self, policy: str, parts: Parts) -> Settings | None:
        """The settings under which a promotion knew a policy; None where none did."""
        for promotion in reversed(promotions(parts.journal.events())):
            for whose in ("challenger", "incumbent"):
                if promotion.started[whose]["policy"] == policy:
                    return promotion.settings(whose, parts.settings)
        return None


def _who(parts: Parts) -> dict[str, Any]:
    """A policy as an event names it: with all the settings that made it."""
    return {"policy": parts.current_versions.policy, "tables": tables_of(parts.settings)}


def _learned(parts: Parts, settings: Settings, *, progress: Progress | None = None) -> Parts:
    """Parts of these settings beside others, with everything learned that has settled."""
    side = beside(parts, settings, keep=True, progress=progress)
    resume(side.learner, side.checkpoints, side.journal)
    side.saved = side.learner.position
    side.teach(side.learner)
    return side


def _handed_over(leaving: Parts, staying: Parts) -> Parts:
    """Save both, and let go of what only the one that leaves had. Requests under way may still use it."""
    for parts in (leaving, staying):
        parts.checkpoint()
    _let_go(leaving, staying)
    return staying


def _let_go(leaving: Parts, staying: Parts) -> None:
    if leaving.stock.encoder is not staying.stock.encoder:
        leaving.stock.encoder.close()
