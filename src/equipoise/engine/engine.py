"""The two sentences of the system: `recommend` and `feedback`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from equipoise.catalog import Change, Item
from equipoise.core import (
    Decision,
    Encoder,
    Feedback,
    Receipt,
    Request,
    UnknownDecisionError,
    fresh_id,
)
from equipoise.engine.asking import (
    checked_id,
    item_ids_given,
    items_given,
    moment,
    plain_request,
    table_given,
    whole,
)
from equipoise.engine.candidates import checked_slots
from equipoise.engine.deliberation import Question, Verdict, deliberate
from equipoise.engine.loading import Imported
from equipoise.engine.maintenance import Replayed, import_file, read_file, replay, status_of
from equipoise.engine.parts import Parts, Progress, open_parts
from equipoise.engine.promotion import Keeper, serving
from equipoise.engine.questions import asked_of, searched
from equipoise.engine.settings import Settings
from equipoise.engine.shelf import Shelf
from equipoise.engine.toml import load_settings, settings_from
from equipoise.engine.why import Explanation, explain


class Engine:
    """A catalogue, an encoder, an index, a policy and a journal, working as one. Safe to share between threads.

    Open one with `Engine.open` (a TOML file) or `Engine.create` (arguments), and close it, or use `with`.
    """

    def __init__(self, parts: Parts, *, configured: Settings | None = None) -> None:
        """configured: the settings as written, where a promoted challenger serves in their place."""
        self.parts = parts
        self._keeper = Keeper(parts.settings if configured is None else configured)
        self._lock = threading.RLock()

    @classmethod
    def open(
        cls, path: str | Path = "equipoise.toml", *, progress: Progress | None = None, rebuild: bool = False
    ) -> Engine:
        """Read the configuration at `path`, load what it names and learn what has settled meanwhile.

        progress: called with (done, total) while the catalogue is encoded. rebuild: where encoder or pairing have
        changed, learn the whole journal again in the new feature space.
        Raises: ConfigurationError, CatalogError, EncoderError, JournalError, FeatureSpaceError.
        """
        return cls.of(load_settings(path), progress=progress, rebuild=rebuild)

    @classmethod
    def create(
        cls,
        *,
        catalog: str | Path | Iterable[Item | str],
        journal: str | Path = ":memory:",
        policy: str | Mapping[str, Any] = "thompson",
        encoder: str | Mapping[str, Any] | Encoder = "minilm",
        reward: Mapping[str, Any] | None = None,
        window_seconds: float = 1800.0,
        seed: int = 20,
        progress: Progress | None = None,
        **tables: Mapping[str, Any],
    ) -> Engine:
        """An engine without a TOML file.

        catalog: a file, or items, or plain names (each name is an item_id and its text). policy, encoder: a name,
        or a table as in the TOML; an encoder may also be an object of your own. tables: any further table of the
        TOML, such as `retrieval={"candidates": 100}`.
        """
        items = None
        table: dict[str, Any] = {"journal": {"path": journal, "window_seconds": window_seconds}, "seed": seed}
        if isinstance(journal, Path):
            table["journal"]["path"] = str(journal)
        table["policy"] = table_given("policy", policy)
        own = encoder if isinstance(encoder, Encoder) else None
        if own is None:
            table["encoder"] = table_given("encoder", encoder)
        if isinstance(catalog, (str, Path)):
            table["catalog"] = {"path": str(catalog)}
        else:
            items = items_given(catalog)
        if reward is not None:
            table["reward"] = reward
        return cls.of(settings_from({**table, **tables}), items=items, encoder=own, progress=progress)

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        items: Iterable[Item] | None = None,
        encoder: Encoder | None = None,
        progress: Progress | None = None,
        rebuild: bool = False,
    ) -> Engine:
        """An engine of ready-made settings; `items` stand in for a catalogue file, `encoder` for [encoder]."""
        parts = open_parts(
            settings, items=items, encoder=encoder, progress=progress, rebuild=rebuild, chosen=serving
        )
        engine = cls(parts, configured=settings)
        engine._keeper.resume(parts, at=time.time())
        engine.learn()
        return engine

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Every item that can be shown now."""
        return self.parts.stock.shelf.item_ids

    @property
    def policy_name(self) -> str:
        """The name of the policy that serves."""
        return self.parts.policy.name

    def text_of(self, item_id: str) -> str:
        """An item's text, empty if it has left the catalogue."""
        snapshot = self.parts.store.snapshot
        return snapshot.item(item_id).text if item_id in snapshot else ""

    def recommend(
        self, request: Request, *, slots: int = 10, decision_id: str | None = None, at: float | None = None
    ) -> Decision:
        """Answer a request with a slate, and remember the dice.

        slots: m, how many items to show. decision_id: the caller's own, so that a repeated call gives the first
        answer again; made up if None. at: when it is asked, in seconds; now if None.
        Raises: InputError, UnknownItemError, NoCandidatesError: nothing was decided. JournalError.
        """
        if decision_id is not None and (earlier := self._earlier(decision_id)) is not None:
            return earlier
        decision_id = fresh_id() if decision_id is None else decision_id
        request, slots, at = plain_request(request), whole("slots", slots), _now("at", at)
        self._settle_due(at)
        turn = self._keeper.turn(decision_id)
        parts = self.parts if turn is None else turn.parts
        shelf = parts.stock.shelf
        asked = asked_of(request, parts, shelf, at=at)
        with self._lock:
            question = searched(decision_id, request, parts, shelf, asked=asked)
            checked_slots(slots, request, len(question.candidates))
            verdict = deliberate(parts.knowledge, question, parts.recall(shelf), slots=slots)
            decision = _record(parts, question, verdict, shelf)
            trial = None if turn is None else turn.trial(decision)
        stored = parts.journal.decided(decision, trial=trial)
        parts.seen.shown(stored)
        return stored

    def feedback(
        self,
        decision_id: str,
        *,
        slot: int,
        kind: str,
        value: float = 1.0,
        at: float | None = None,
        feedback_id: str | None = None,
    ) -> Receipt:
        """Tell what the user did with a slot. The receipt says whether it counts.

        kind: a name of the reward specification. value: its amount, 1 for a plain event. feedback_id: the
        caller's own, so that a repeated call counts once.
        Raises: InputError: an unknown kind, a slot that was not shown, a value that is no number.
        """
        at = _now("at", at)
        self._settle_due(at)
        return self.parts.journal.fed_back(
            Feedback(
                decision_id,
                slot=slot,
                kind=checked_id("kind", kind),
                value=value,
                at=at,
                feedback_id=feedback_id,
            )
        )

    def settle(self, decision_id: str, *, at: float | None = None) -> int:
        """No more feedback will come: learn from this decision now. Returns: its position in the journal.

        Raises: UnknownDecisionError.
        """
        at = _now("at", at)
        position = self.parts.journal.closed(decision_id, now=at)
        self._catch_up(at=at)
        return position

    def learn(self, *, now: float | None = None) -> int:
        """Close the windows that are due and learn from what has settled; returns how many decisions."""
        now = _now("now", now)
        return self._catch_up(at=now, due=now)

    def why(self, decision_id: str) -> Explanation:
        """Make a past decision again, and say in words and numbers why it came out so.

        Raises: UnknownDecisionError.
        """
        with self._keeper.maker(self.parts, self.parts.journal.decision(decision_id)) as parts:
            return explain(parts, decision_id)

    def replay(self, *, keep: bool = False) -> Replayed:
        """Learn the whole journal again from nothing and compare with what is in use, bit for bit.

        keep: go on with the replayed state and save it.
        """
        with self._lock:
            self._catch_up(at=time.time())
            done = replay(self.parts, keep=keep)
            return replace(done, identical=done.identical and self._keeper.replayed(self.parts))

    def status(self) -> dict[str, Any]:
        """What is served, decided and learned, as plain values."""
        with self._lock:
            return {**status_of(self.parts), **self._keeper.status(self.parts)}

    def promote(
        self, challenger: Settings | str | Path, *, at: float | None = None, progress: Progress | None = None
    ) -> None:
        """Let a challenger try for the incumbent's place: in the shadow, in shares of the traffic, then in all.

        Every step is taken while feedback settles, by the rules of [promotion], and is an event in the journal.
        challenger: a TOML with the tables in which it differs, or settings. progress: while another encoder encodes.
        Raises: InputError: a promotion is running. ConfigurationError, EncoderError: it cannot be built.
        """
        at = _now("at", at)
        side = self._keeper.prepared(self.parts, challenger, progress=progress)
        with self._lock:
            self._keeper.start(self.parts, side, at=at)
            self._catch_up(at=at)

    def cancel_promotion(self, *, at: float | None = None) -> None:
        """End the running promotion, or take a promoted challenger back. Raises: InputError: there is neither."""
        at = _now("at", at)
        with self._lock:
            self.parts = self._keeper.stop(self.parts, at=at)
            self._catch_up(at=at)

    def import_file(self, path: str | Path, *, replace: bool = False) -> Imported:
        """Add or update items from a file with the columns of [catalog].

        replace: remove what the file does not have. Raises: CatalogError.
        """
        loaded = read_file(self.parts, Path(path))
        with self._lock:
            return import_file(self.parts, Path(path), loaded, replace=replace)

    def put(self, items: Iterable[Item]) -> Change:
        """Add or replace items while serving. Raises: InputError: no items, or one that the encoder refuses."""
        given = items_given(items)
        self.parts.stock.vectors(given)  # the long part, while requests are still answered
        return self._changed(lambda: self.parts.store.upsert(given, now=time.time()))

    def remove(self, item_ids: Iterable[str]) -> Change:
        """Take items out of the catalogue; old decisions can still be explained. Unknown ids are ignored."""
        gone = item_ids_given(item_ids)
        return self._changed(lambda: self.parts.store.remove(gone, now=time.time()))

    def forget(self, user_id: str) -> int:
        """Erase who a user was from the journal and from what was learned; returns the decisions made anonymous."""
        checked_id("user_id", user_id)
        with self._lock:
            self.parts.drop_checkpoints()  # first, so that a process killed meanwhile starts from the journal alone
            count = self.parts.journal.forget(user_id)
            self._keeper.relearn()
            self.parts.relearn()
            return count

    def close(self) -> None:
        """Save a checkpoint and let go of the journal."""
        with self._lock:
            if self.parts.learner.position != self.parts.saved:
                self.parts.checkpoint()
            self._keeper.close(self.parts)
            self.parts.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _earlier(self, decision_id: str) -> Decision | None:
        """What was decided under this id before."""
        try:
            return self.parts.journal.decision(checked_id("decision_id", decision_id))
        except UnknownDecisionError:
            return None

    def _settle_due(self, now: float) -> None:
        """Close windows that have run out, at most once a second."""
        if self.parts.clock.due(now):
            self._catch_up(at=now, due=now)

    def _catch_up(self, *, at: float, due: float | None = None) -> int:
        """Learn from what has settled, and let the gate look at it. at: the time now; due: close windows up to then."""
        with self._lock:
            count = self.parts.teach(self.parts.learner, now=due)
            if self.parts.learner.position - self.parts.saved >= self.parts.settings.journal.checkpoint_every:
                self.parts.checkpoint()
            self.parts = self._keeper.followed(self.parts, at=at)
            return count

    def _changed(self, change: Callable[[], Change]) -> Change:
        with self._lock:
            done = change()
            self.parts.changed(done)
            return done


def _now(name: str, at: float | None) -> float:
    """The caller's time, checked, or the clock's."""
    return time.time() if at is None else moment(name, at)


def _record(parts: Parts, question: Question, verdict: Verdict, shelf: Shelf) -> Decision:
    """What the journal keeps of a decision."""
    return Decision(
        decision_id=question.decision_id,
        at=question.asked.at,
        request=question.request,
        versions=replace(parts.current_versions, catalog=shelf.snapshot.version),
        candidates=question.candidates,
        sources=question.sources,
        probabilities=verdict.probabilities,
        slots=verdict.slots,
        features=verdict.features,
        window_closes_at=question.asked.at + parts.settings.journal.window_seconds,
    )
