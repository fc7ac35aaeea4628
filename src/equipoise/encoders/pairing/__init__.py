"""A request and k items to the (k, d) features that a policy learns on; the formula stands in docs/pairing.md."""

from equipoise.encoders.pairing.attributes import AttributeCode
from equipoise.encoders.pairing.layout import Layout, PairingSettings
from equipoise.encoders.pairing.pairing import Asked, Direction, Outlook, Pairing, Shown, history_vector

__all__ = [
    "Asked",
    "AttributeCode",
    "Direction",
    "Layout",
    "Outlook",
    "Pairing",
    "PairingSettings",
    "Shown",
    "history_vector",
]
