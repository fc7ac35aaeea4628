"""Every error is on the one tree, and the drawing of it in the docstring is the tree."""

from __future__ import annotations

import pytest

from equipoise import core
from equipoise.core import EquipoiseError, errors

EXPORTED = {
    name: thing
    for name, thing in vars(core).items()
    if isinstance(thing, type) and issubclass(thing, BaseException)
}


def drawn() -> dict[str, str]:
    """Error name to the name of its parent, read from the drawing in the docstring."""
    parents, path = {}, []
    for line in (errors.__doc__ or "").splitlines():
        trunk, found, rest = line.partition("── ")
        if found:
            depth = len(trunk) // 4  # `    ├` is one deep, `    │   ├` two
            name = rest.split()[0]
            path[depth - 1 :] = [name]
            parents[name] = path[depth - 2] if depth > 1 else "EquipoiseError"
    return parents


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_every_exported_error_derives_from_the_root(name: str) -> None:
    assert issubclass(EXPORTED[name], EquipoiseError)
    assert EXPORTED[name].__doc__


def test_no_error_is_kept_back() -> None:
    defined = {name for name, thing in vars(errors).items() if isinstance(thing, type)}
    assert defined == set(EXPORTED)
    assert defined <= set(core.__all__)


def test_the_drawing_is_the_tree() -> None:
    parents = {
        name: thing.__bases__[0].__name__ for name, thing in EXPORTED.items() if name != "EquipoiseError"
    }
    assert drawn() == parents


def test_a_callers_mistake_is_also_a_value_error() -> None:
    for error in (core.InputError, core.UnknownItemError, core.UnknownDecisionError, core.PropensityError):
        assert issubclass(error, ValueError)
    for error in (core.JournalError, core.FeatureSpaceError, core.ConfigurationError):
        assert not issubclass(error, ValueError)
