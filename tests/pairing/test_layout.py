"""Every column has one meaning, and there are at most 128 of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.core import ConfigurationError
from equipoise.encoders.pairing import Layout, PairingSettings

SIZES = st.builds(PairingSettings, *[st.integers(0, 20)] * 5)
FIXED = Layout(PairingSettings(0, 0, 0, 0, 0)).dim


@given(settings=SIZES)
def test_every_column_belongs_to_exactly_one_block(settings: PairingSettings) -> None:
    layout = Layout(settings)
    owners = np.zeros(layout.dim, dtype=int)
    for cut in layout.slices.values():
        owners[cut] += 1
    assert (owners == 1).all()
    assert list(layout.slices) == [block.name for block in layout.blocks]
    assert len({column for block in layout.blocks for column in block.columns}) == layout.dim


@given(settings=SIZES)
def test_the_learned_blocks_have_the_sizes_that_were_set(settings: PairingSettings) -> None:
    layout = Layout(settings)
    found = {name: cut.stop - cut.start for name, cut in layout.slices.items()}
    assert found["item text"] == settings.item
    assert found["request x item text"] == settings.product
    assert found["item attributes"] == settings.attributes
    assert found["request x item attributes"] == settings.crosses
    assert found["request attributes"] == settings.request
    wide = settings.item + settings.product + settings.attributes + settings.crosses + settings.request
    assert layout.dim == FIXED + wide


def test_the_default_fits() -> None:
    assert Layout(PairingSettings()).dim <= 128


def test_every_weight_has_a_firm_prior() -> None:
    precision = Layout(PairingSettings()).prior_precision
    assert precision.shape == (Layout(PairingSettings()).dim,)
    assert (precision > 0.0).all()
    assert np.isfinite(precision).all()


def test_128_columns_are_the_most() -> None:
    room = 128 - FIXED
    assert Layout(PairingSettings(room, 0, 0, 0, 0)).dim == 128
    with pytest.raises(ConfigurationError, match=r"has 129 columns, at most 128 .* smaller in \[pairing\]"):
        Layout(PairingSettings(room + 1, 0, 0, 0, 0))


@pytest.mark.parametrize("name", ["item", "product", "attributes", "crosses", "request"])
def test_a_negative_size_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="got -1 columns: 0 or more"):
        Layout(PairingSettings(**{name: -1}))
