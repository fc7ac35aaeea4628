"""A request and k items to the (k, d) features that a policy learns on; the formula stands in docs/pairing.md."""

from equipoise.encoders.pairing.attributes import AttributeCode
from equipoise.encoders.pairing.layout import Layout, PairingSettings
from equipoise.encoders.pairing.pairing import Asked, Pairing, Shown

__all__ = ["Asked", "AttributeCode", "Layout", "Pairing", "PairingSettings", "Shown"]
