"""What can go wrong, as one tree; every message gives the value, what was expected and what to do.

::

    EquipoiseError
    ├── ConfigurationError     a setting is missing, misspelt or out of range
    ├── InputError             a caller's argument cannot be used (also a ValueError)
    │   ├── UnknownItemError       an item_id that the catalogue does not have
    │   └── UnknownDecisionError   a decision_id that the journal does not have
    ├── NoCandidatesError      the filters of a request leave nothing to show
    ├── CatalogError           a catalogue file cannot be read at all
    ├── EncoderError           a model or tokenizer is missing, damaged or refuses to load
    ├── FeatureSpaceError      vectors of one feature space met a part of another
    ├── PropensityError        a probability or propensity that cannot be one
    ├── JournalError           the journal cannot be opened, read or written
    │   └── JournalBusyError       another process is writing to it
    └── MissingExtraError      an optional dependency is not installed
"""

from __future__ import annotations


class EquipoiseError(Exception):
    """The root: catch this to catch everything that Equipoise raises on purpose."""


class ConfigurationError(EquipoiseError):
    """A setting is missing, misspelt or out of range."""


class InputError(EquipoiseError, ValueError):
    """A caller's argument cannot be used."""


class UnknownItemError(InputError):
    """An item_id that the catalogue does not have."""


class UnknownDecisionError(InputError):
    """A decision_id that the journal does not have."""


class NoCandidatesError(EquipoiseError):
    """The filters of a request leave nothing to show."""


class CatalogError(EquipoiseError):
    """A catalogue file cannot be read at all."""


class EncoderError(EquipoiseError):
    """A model or tokenizer is missing, damaged or refuses to load."""


class FeatureSpaceError(EquipoiseError):
    """Vectors of one feature space met a part of another."""


class PropensityError(EquipoiseError, ValueError):
    """A probability or propensity that cannot be one."""


class JournalError(EquipoiseError):
    """The journal cannot be opened, read or written."""


class JournalBusyError(JournalError):
    """Another process is writing to the journal."""


class MissingExtraError(EquipoiseError):
    """An optional dependency is not installed."""
