"""Builds every part from the settings, in the order in which they need each other, and holds them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from equipoise.catalog import CatalogStore, Change, Item
from equipoise.core import ConfigurationError, Encoder, JournalError, Logged, Request, Vectors, Versions
from equipoise.encoders import CachedEncoder, NumericEncoder, cache_folder, open_encoder
from equipoise.engine.deliberation import Knowledge, Recall
from equipoise.engine.fitting import Pairings, check_rewards, learner_of
from equipoise.engine.loading import loaded_of
from equipoise.engine.memory import Clock, Seen, Standing
from equipoise.engine.past import repaired
from equipoise.engine.settings import Settings
from equipoise.engine.shelf import RowNumbers, Shelf
from equipoise.engine.source import follow
from equipoise.engine.stock import Stock
from equipoise.engine.toml import nearest
from equipoise.journal import RewardSpec, SqliteJournal
from equipoise.learning import Checkpoints, Learner
from equipoise.policies import BanditPolicy

Progress = Callable[[int, int], None]

Chosen = Callable[[Settings, SqliteJournal], Settings]
"""The configured settings, and the journal with what happened since, to those that serve."""


@dataclass(slots=True, eq=False)
class Parts:
    """Everything an engine works with. Only the engine changes it.

    bad_rows: of the catalogue file, set aside. beside: a challenger's own stock, kept in step. saved: position of the
    last checkpoint; unsaved: why it was not written.
    """

    settings: Settings
    store: CatalogStore
    stock: Stock
    journal: SqliteJournal
    learner: Learner[BanditPolicy]
    checkpoints: Checkpoints | None
    fingerprint: str
    seen: Seen
    standing: Standing = field(default_factory=Standing)
    clock: Clock = field(default_factory=Clock)
    bad_rows: int = 0
    beside: Stock | None = None
    saved: int = 0
    unsaved: str | None = None

    @property
    def policy(self) -> BanditPolicy:
        """The policy that serves."""
        return self.learner.policy

    @property
    def knowledge(self) -> Knowledge:
        """What a decision made now may draw on."""
        return Knowledge(self.policy, self.learner.statistics, self.stock.pairing, self.settings.seed)

    @property
    def current_versions(self) -> Versions:
        """What a decision made now would record."""
        return Versions(
            encoder=self.stock.encoder.space,
            pairing=self.stock.pairing.space,
            catalog=self.stock.shelf.snapshot.version,
            policy=f"{self.policy.name}#{self.fingerprint}",
            learned=self.learner.position,
            seed=self.settings.seed,
        )

    def recall(self, shelf: Shelf) -> Recall:
        """Item_ids to those on the shelf, and what they are."""

        def look(item_ids: Sequence[str]) -> tuple[tuple[str, ...], Vectors]:
            known, rows = shelf.known(item_ids)
            return known, shelf.cards[rows]

        return look

    def request_vector(self, request: Request) -> Vectors | None:
        """(e,) of the request's text, or of its numbers for a numeric encoder; None where it has neither."""
        encoder = self.stock.encoder
        if isinstance(encoder.inner, NumericEncoder):
            known = {name for name in encoder.inner.columns if name in request.attributes}
            text = encoder.inner.text(request.attributes) if known else None
        else:
            text = request.text
        if text is None or not text.strip():
            return None
        return np.asarray(encoder.encode([text], store=self.settings.encoder.store_requests)[0])

    def liked(self, user_id: str | None, shelf: Shelf) -> RowNumbers:
        """Rows of what the user liked, oldest first, as far as the catalogue still has it."""
        return shelf.view.items.known(self.learner.statistics.liked(user_id))

    def learner_anew(self) -> Learner[BanditPolicy]:
        """A learner that knows nothing yet, of the same settings."""
        return learner_of(self.settings, self.stock.pairing)[0]

    def begin_anew(self) -> None:
        """Learn the journal again from the beginning, the prior being another now."""
        learner, self.fingerprint = learner_of(self.settings, self.stock.pairing)
        if self.checkpoints is not None:
            self.checkpoints = Checkpoints(self.checkpoints.folder, fingerprint=self.fingerprint)
        self.teach(learner)
        self.use(learner)

    def teach(self, learner: Learner[BanditPolicy], *, now: float | None = None) -> int:
        """Let a learner follow the journal; decisions of another feature space are paired anew on the way.

        Returns: how many decisions it has learned from. now: close the windows due first.
        """
        return self.learn_from(learner, self.journal.settled(learner.position, now))

    def learn_from(self, learner: Learner[BanditPolicy], settled: Iterable[tuple[int, Logged]]) -> int:
        """The same for settled decisions that the caller has picked."""
        return learner.learn(settled, translate=self._translated)

    def use(self, learner: Learner[BanditPolicy]) -> None:
        """Go on with another learner's knowledge, and let no older checkpoint come back."""
        self.learner = learner
        self.standing = Standing()
        self.seen = Seen(self.journal)
        self.drop_checkpoints()
        self.checkpoint()

    def drop_checkpoints(self) -> None:
        """Remove them all. Raises: JournalError: one cannot be removed."""
        try:
            if self.checkpoints is not None:
                self.checkpoints.clear()
        except OSError as error:
            raise JournalError(
                f"an old checkpoint stays ({error}): make its folder writable, and do this again"
            ) from error

    def checkpoint(self) -> None:
        """Save what was learned. It is only a shortcut: where it cannot be written, `trouble` says so and no more."""
        self.saved, self.unsaved = self.learner.position, None
        if self.checkpoints is None:
            return
        try:
            self.checkpoints.save(self.learner.state(), position=self.learner.position)
        except OSError as error:
            self.unsaved = (
                f"no checkpoint could be written in '{self.checkpoints.folder}' ({error.strerror}): the next start "
                f"learns from the journal instead, which takes longer; make room, or change its permissions"
            )

    @property
    def trouble(self) -> tuple[str, ...]:
        """What does not work although requests are answered, in sentences."""
        return tuple(told for told in (self.unsaved, self.stock.encoder.trouble) if told is not None)

    def relearn(self) -> None:
        """Rebuild what was learned from the journal as it now is."""
        learner = self.learner_anew()
        self.teach(learner)
        self.use(learner)

    def _translated(self, logged: Logged, learner: Learner[BanditPolicy]) -> Logged:
        """A decision with its features in the current pairing, as they would have been at that place."""
        if logged.decision.versions.pairing != self.stock.pairing.space:
            vector = self.request_vector(logged.decision.request)
            return repaired(logged, learner.statistics, self.stock, vector)
        return logged

    def changed(self, change: Change) -> None:
        """Follow a change of the catalogue."""
        self.stock.changed(change)
        if self.beside is not None:
            self.beside.changed(change)

    def close(self) -> None:
        """Let go of every file."""
        with ExitStack() as all_of_them:
            for part in (self.stock.encoder, self.store, self.journal):
                all_of_them.callback(part.close)


def as_configured(settings: Settings, journal: SqliteJournal) -> Settings:
    """The configured settings themselves."""
    return settings


def open_parts(
    settings: Settings,
    *,
    items: Iterable[Item] | None = None,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
    rebuild: bool = False,
    chosen: Chosen = as_configured,
) -> Parts:
    """The parts of these settings, with everything learned so far.

    chosen: from the configured settings and the journal, those that serve.
    Raises: ConfigurationError, CatalogError, EncoderError, JournalError, FeatureSpaceError.
    """
    if settings.blas_threads:
        threadpool_limits(limits=settings.blas_threads, user_api="blas")
    folder = settings.state_folder
    journal = SqliteJournal.open(
        ":memory:" if settings.in_memory else settings.at(settings.journal.path),
        rewards=RewardSpec.of(settings.reward),
        durability=settings.journal.durability,
    )
    with ExitStack() as opened:
        opened.callback(journal.close)
        configured, settings = settings, chosen(settings, journal)
        if settings.encoder != configured.encoder:
            encoder = None  # what was chosen brought its own
        store = CatalogStore.open(None if folder is None else folder / "catalog.db")
        opened.callback(store.close)
        found = loaded_of(settings, items)
        if found is not None:
            follow(store, found.items, None if folder is None else folder / "source.json")
        if not len(store.snapshot):
            raise ConfigurationError(
                "the catalogue is empty: name its file as path under [catalog]; later files come by 'equipoise import'"
            )
        parts = _assembled(settings, store, journal, progress, rebuild, encoder or encoder_of(settings))
        parts.bad_rows = 0 if found is None else found.bad_count
        opened.pop_all()
    return parts


def _assembled(
    settings: Settings,
    store: CatalogStore,
    journal: SqliteJournal,
    progress: Progress | None,
    rebuild: bool,
    inner: Encoder,
) -> Parts:
    folder = settings.state_folder
    encoder = cached(settings, store, inner)
    pairings = Pairings(None if folder is None else folder / "pairings", settings)
    pairing = pairings.load(encoder.space)
    if pairing is None and not rebuild:
        pairings.require_fresh(encoder.space, policy=settings.policy.name, settled=journal.last_position)
    stock = Stock(
        store, encoder, pairing=pairing or settings.pairing, index=settings.retrieval.index, progress=progress
    )
    if pairing is None:
        pairings.save(stock.pairing)
    learner, name = learner_of(settings, stock.pairing)
    check_rewards(learner.policy, journal.rewards)
    checkpoints = None if folder is None else Checkpoints(folder / "checkpoints", fingerprint=name)
    resume(learner, checkpoints, journal)
    seen = Seen(journal)
    return Parts(settings, store, stock, journal, learner, checkpoints, name, seen, saved=learner.position)


def encoder_of(settings: Settings) -> Encoder:
    """The encoder that [encoder] names. Raises: EncoderError, InputError, MissingExtraError."""
    table = settings.encoder
    return open_encoder(table.name, layers=table.layers, columns=table.columns, threads=table.threads)


def cached(settings: Settings, store: CatalogStore, inner: Encoder) -> CachedEncoder:
    """An encoder with its cache. Raises: ConfigurationError: it reads a column that no item has."""
    _check_columns(inner, store)
    return CachedEncoder(inner, _vectors(settings))


def _check_columns(encoder: Encoder, store: CatalogStore) -> None:
    """A column that no item has would be 0 for all of them, and nobody would notice."""
    if not isinstance(encoder, NumericEncoder):
        return
    known = {name for item in store.snapshot for name in item.attributes}
    for column in encoder.columns:
        if column not in known:
            raise ConfigurationError(
                f"no item has the attribute '{column}' of [encoder] columns{nearest(column, sorted(known))}"
            )


def _vectors(settings: Settings) -> Path:
    """Where encoded texts are kept: beside the journal, or in the user's cache for a journal in memory."""
    return (settings.state_folder or cache_folder(None)) / "vectors"


def resume(learner: Learner[BanditPolicy], checkpoints: Checkpoints | None, journal: SqliteJournal) -> None:
    """Start from the newest checkpoint that this journal can have led to."""
    found = None if checkpoints is None else checkpoints.latest(at_most=journal.last_position)
    if found is not None:
        learner.restore(found[1], position=found[0])
