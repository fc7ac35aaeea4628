"""Small catalogues, and requests of every kind, that the tests of the pairing share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.core import Experience, FeatureSpace, Floats, Vectors
from equipoise.encoders.pairing import Asked, Outlook, Pairing, PairingSettings, Shown

NOW = 1_700_000_000.0
WIDTH = 12
ENCODER = FeatureSpace("toy", "1", WIDTH)
SMALL = PairingSettings(item=6, product=4, attributes=10, crosses=7, request=3)
KINDS = ("nothing", "text", "history", "attributes", "past", "all")
ATTRIBUTES = {"device": "phone", "hour": 21, "tags": ["sale", "new"], "member": True}


@dataclass(frozen=True)
class Catalogue:
    """n items. vectors: (n, WIDTH) unit. born: (n,) seconds, the last one unknown."""

    vectors: Vectors
    attributes: Sequence[Mapping[str, Any]]
    born: Floats

    def fit(self, settings: PairingSettings = SMALL) -> Pairing:
        return Pairing.fit(
            settings, encoder=ENCODER, vectors=self.vectors, attributes=self.attributes, born=self.born
        )

    def cards(self, pairing: Pairing) -> Vectors:
        return pairing.cards(self.vectors, self.attributes, self.born)


def unit(rows: np.ndarray) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def catalogue(n: int, *, seed: int = 0) -> Catalogue:
    rng = np.random.default_rng(seed)
    attributes = [
        {
            "genre": [f"g{number}" for number in rng.choice(6, 2, replace=False)],
            "price": float(rng.random()),
            "new": bool(rng.random() < 0.5),
        }
        for _ in range(n)
    ]
    born = NOW - rng.random(n) * 1e8
    born[-1] = np.nan
    return Catalogue(unit(rng.normal(size=(n, WIDTH))), attributes, born)


def experience_of(k: int, recent: Sequence[str] = (), *, seed: int = 1) -> Experience:
    rng = np.random.default_rng(seed)
    return Experience(
        overall=0.2,
        item_means=rng.normal(size=k) * 0.1,
        item_counts=rng.integers(0, 30, k).astype(np.float64),
        item_asked=rng.integers(0, 90, k).astype(np.float64),
        item_asked_lately=rng.random(k) * 20.0,
        item_company=rng.normal(size=k) * 0.02,
        user_mean=0.05 if recent else 0.0,
        user_count=float(len(recent)),
        recent=tuple(recent),
        residuals=rng.normal(size=len(recent)) * 0.3,
        recent_asked=rng.integers(0, 90, len(recent)).astype(np.float64),
    )


@dataclass(frozen=True)
class Case:
    """Everything that `pair` needs for n items; `features` pairs any rows of them, in any order."""

    pairing: Pairing
    shown: Shown
    asked: Asked
    experience: Experience
    remembered: Vectors
    similarity: Floats | None

    @property
    def outlook(self) -> Outlook:
        return self.pairing.outlook(self.asked, self.remembered[self.experience.residuals > 0])

    def features(self, rows: Sequence[int] | None = None) -> Vectors:
        keep = np.arange(len(self.shown)) if rows is None else np.array(rows, dtype=np.int64)
        told = self.experience
        experience = Experience(
            told.overall,
            told.item_means[keep],
            told.item_counts[keep],
            told.item_asked[keep],
            told.item_asked_lately[keep],
            told.item_company[keep],
            told.user_mean,
            told.user_count,
            told.recent,
            told.residuals,
            told.recent_asked,
        )
        return self.pairing.pair(
            self.asked,
            self.outlook,
            Shown(self.shown.cards[keep].copy(), self.shown.born[keep]),
            experience,
            self.remembered,
            similarity=None if self.similarity is None else self.similarity[keep],
        )


def case(kind: str, pairing: Pairing, items: Catalogue) -> Case:
    """A request of one of KINDS: text, a history told, attributes, a past in the journal, all of these, or nothing."""
    cards = items.cards(pairing)
    n = len(cards)
    vector = unit(np.random.default_rng(2).normal(size=(1, WIDTH)))[0] if kind in ("text", "all") else None
    asked = Asked(
        at=NOW,
        vector=vector,
        history=cards[np.arange(3) % n] if kind in ("history", "all") else None,
        attributes=ATTRIBUTES if kind in ("attributes", "all") else {},
    )
    past = [row % n for row in (1, 4, 1, 5, 9, 2, 6)] if kind in ("past", "all") else []
    return Case(
        pairing,
        Shown(cards, items.born),
        asked,
        experience_of(n, [f"i{row}" for row in past]),
        cards[past],
        None if vector is None else items.vectors.astype(np.float64) @ vector,
    )
