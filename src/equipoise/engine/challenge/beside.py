"""The parts of a challenger: what it shares with the incumbent is shared, what differs is built beside it."""

from __future__ import annotations

from dataclasses import replace

from equipoise.engine.fitting import Pairings, check_rewards, learner_of
from equipoise.engine.memory import Clock, Standing
from equipoise.engine.parts import Parts, Progress, cached, encoder_of
from equipoise.engine.settings import Settings
from equipoise.engine.stock import Stock
from equipoise.learning import Checkpoints


def beside(
    parts: Parts, settings: Settings, *, keep: bool = False, progress: Progress | None = None
) -> Parts:
    """The parts of a challenger that has learned nothing yet, on the incumbent's journal and catalogue.

    keep: save what is fitted, and checkpoints later, beside the journal, so that its decisions can be explained.
    progress: called with (done, total) while the catalogue is encoded, where the challenger has its own encoder.
    Raises: ConfigurationError, EncoderError, FeatureSpaceError: its settings cannot be built.
    """
    stock = _stock(parts, settings, keep=keep, progress=progress)
    learner, name = learner_of(settings, stock.pairing)
    check_rewards(learner.policy, parts.journal.rewards)
    folder = settings.state_folder
    return replace(
        parts,
        settings=settings,
        stock=stock,
        learner=learner,
        checkpoints=Checkpoints(folder / "checkpoints", fingerprint=name) if keep and folder else None,
        fingerprint=name,
        standing=Standing(),
        clock=Clock(),
        beside=None,
        saved=0,
        unsaved=None,
    )


def _stock(parts: Parts, settings: Settings, *, keep: bool, progress: Progress | None) -> Stock:
    """The incumbent's own where encoder, pairing and index are the same; a replay of it in another space where not."""
    theirs = parts.settings
    same_encoder = settings.encoder == theirs.encoder
    same_index = settings.retrieval.index == theirs.retrieval.index
    if same_encoder and settings.pairing == theirs.pairing and same_index:
        return parts.stock
    encoder = parts.stock.encoder if same_encoder else cached(settings, parts.store, encoder_of(settings))
    folder = settings.state_folder
    pairings = Pairings(None if folder is None else folder / "pairings", settings)
    fitted = parts.stock.pairing if same_encoder and settings.pairing == theirs.pairing else None
    pairing = fitted or pairings.load(encoder.space)
    stock = Stock(
        parts.store,
        encoder,
        pairing=pairing or settings.pairing,
        index=settings.retrieval.index,
        progress=progress,
    )
    if pairing is None and keep:
        pairings.save(stock.pairing)
    return stock
