"""What a stage has summed up so far, on disk, so that a start need not read all of its outcomes again.

As with what policies learn, a checkpoint is only ever a shortcut: where one is missing, damaged or of a later time than
the journal, the outcomes in the journal give the same sums, bit for bit.
"""

from __future__ import annotations

from equipoise.core import InputError, JournalError, fingerprint
from equipoise.engine.promotion.record import Promotion
from equipoise.engine.settings import Settings
from equipoise.evaluation.gate import Stage
from equipoise.learning import Checkpoints


class Sums:
    """The sums of the running stage of a promotion. trouble: why they could not be written, None where they could."""

    def __init__(self, settings: Settings) -> None:
        self._folder = None if settings.state_folder is None else settings.state_folder / "promotion"
        self._every = settings.journal.checkpoint_every
        self._saved = 0
        self.trouble: str | None = None

    def resumed(self, promotion: Promotion, *, last_seq: int) -> tuple[Stage, int]:
        """The current stage, and the number of the decision up to which it has seen outcomes; 0 for none.

        last_seq: of the journal's decisions; what was summed up beyond it belongs to a past that the journal lost.
        """
        number = len(promotion.opened) - 1
        stage, self._saved = promotion.stage(number), 0
        checkpoints = self._checkpoints(promotion)
        found = None if checkpoints is None else checkpoints.latest()
        if found is None:
            return stage, 0
        after, state = found
        if after > last_seq:  # now, as soon the journal will have decisions of these numbers that are others
            self.drop()
            return stage, 0
        try:
            stage.restore(state)
        except (InputError, KeyError):  # summed up by other rules than those of today
            return promotion.stage(number), 0
        self._saved = stage.n
        return stage, after

    def keep(self, promotion: Promotion, stage: Stage, after: int, *, now: bool = False) -> None:
        """Write the sums where enough has come since; now: where anything has. after: see `resumed`."""
        checkpoints = self._checkpoints(promotion)
        new = stage.n - self._saved
        if checkpoints is None or not new or (new < self._every and not now):
            return
        self._saved, self.trouble = stage.n, None
        try:
            checkpoints.save(stage.state(), position=after)
        except OSError as error:
            self.trouble = (
                f"the promotion's sums could not be written in '{self._folder}' ({error.strerror}): the next start makes "
                "them again from the journal, which takes longer; make room, or change its permissions"
            )

    def drop(self) -> None:
        """Remove all, of earlier stages too. Raises: JournalError: one cannot be removed."""
        self._saved = 0
        if self._folder is None:
            return
        try:
            Checkpoints(self._folder, fingerprint="").clear()
        except OSError as error:
            raise JournalError(
                f"old sums of a promotion stay ({error}): make their folder writable, and do this again"
            ) from error

    def _checkpoints(self, promotion: Promotion) -> Checkpoints | None:
        """Those of the current stage, told apart from others by the events that began it."""
        if self._folder is None:
            return None
        first, last = promotion.events[0], promotion.opened[-1]
        mark = fingerprint(f"{first.event_seq} {first.at!r} {last.event_seq} {last.at!r}")
        return Checkpoints(self._folder, fingerprint=f"stage-{mark}")
