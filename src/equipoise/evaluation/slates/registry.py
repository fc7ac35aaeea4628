"""Every slate estimator by its name, with what it assumes."""

from __future__ import annotations

from equipoise.core import Floats
from equipoise.evaluation.slates.doubly_robust import cascade_terms
from equipoise.evaluation.slates.estimator import SlateEstimator
from equipoise.evaluation.slates.importance import Weights, self_normalised, weighted
from equipoise.evaluation.slates.log import SlateLog
from equipoise.evaluation.slates.pseudo_inverse import additive_weights, pseudo_inverse_terms
from equipoise.evaluation.slates.weights import running_ratios, slate_ratios, slot_ratios, worth

_ANY = "nothing about how slots act on each other"
_ALONE = "a slot's reward depends on its own item alone, and slots are drawn independently of those above"
_ABOVE = "a slot's reward depends on its own item and those above it, never on those below"
_SUM = (
    "the slate's reward is a sum over its slots, and both policies draw each slot independently of the others"
)


def _family(stem: str, weights: Weights, assumes: str) -> tuple[SlateEstimator, SlateEstimator]:
    """The plain and the self-normalised estimator of one kind of weight."""

    def plain(log: SlateLog) -> Floats:
        return weighted(log, weights(log))

    def normalised(log: SlateLog) -> Floats:
        return self_normalised(log, weights(log))

    def weigh(log: SlateLog) -> float:
        return worth(weights(log), log)

    return (
        SlateEstimator(f"{stem}_ips", assumes, plain, weigh),
        SlateEstimator(f"{stem}_snips", f"{assumes}; right only as rows grow many", normalised, weigh),
    )


SLATE_ESTIMATORS: dict[str, SlateEstimator] = {
    estimator.name: estimator
    for estimator in (
        *_family("slate", slate_ratios, _ANY),
        *_family("independent", slot_ratios, _ALONE),
        *_family("reward_interaction", running_ratios, _ABOVE),
        SlateEstimator("cascade_dr", _ABOVE, cascade_terms, lambda log: worth(running_ratios(log), log)),
        SlateEstimator(
            "pseudo_inverse", _SUM, pseudo_inverse_terms, lambda log: worth(additive_weights(log), log)
        ),
    )
}
"""Name to estimator; each says in `assumes` when it is right."""
