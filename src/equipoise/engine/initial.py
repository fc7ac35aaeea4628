"""A first configuration for a catalogue: what was guessed, and every setting with its default and its meaning."""

from __future__ import annotations

import json
import os
from itertools import islice
from pathlib import Path

from equipoise.catalog import Columns, Guess, Item, guess, read
from equipoise.core import ConfigurationError

SAMPLE = 200

TEMPLATE = """\
# Equipoise. Every setting that is commented out stands at its default.
# A variable such as EQUIPOISE_JOURNAL__PATH wins over this file.

seed = 20                        # all dice derive from it and the decision_id
# blas_threads = 1               # of numpy, for the whole process; 0 leaves them as they are

[catalog]                        # guessed from the file: change what is wrong
path = {path}
item_id = {item_id}
text = {text}
attributes = {attributes}
{published}
[catalog.lists]                  # attributes with several values, and what separates them
{lists}
[encoder]
name = {encoder}                 # minilm, hashing, numeric, multilingual, a folder, or a Hugging Face name
{columns}# layers = []                    # 0 to 6: middle layers of minilm, beside each other
# threads = 2

[policy]
name = "thompson"                # uniform greedy epsilon_greedy softmax ucb thompson squarecb fastcb regcb top_two
# posterior = "mixed"            # mixed linear beta logistic arms averaged kernel
# floor = 0.0002                 # the least probability any candidate gets

[policy.settings]                # the policy's own, see docs/policies

[retrieval]
# candidates = 200               # how many items a policy weighs
# near = 0.4                     # shares: near the request,
# mean = 0.3                     #   high by the posterior mean,
# draw = 0.2                     #   high by one posterior draw,
# fresh = 0.1                    #   newest
# hide_seen = false              # true: never show an item twice to one user

[journal]
path = "equipoise.db"
# window_seconds = 1800.0        # how long feedback is waited for
# durability = "normal"          # "full" survives a power cut too

[statistics]
# expected_reward = 0.1          # what a slot is worth before anything is known

[promotion]                      # see 'equipoise promote'
# margin = 0.0                   # what a challenger must be better by, in reward per slot
# level = 0.95                   # how sure each step is
# shares = [0.1, 0.5]            # of the traffic, after the shadow

[reward]                         # what each kind of feedback is worth; a slot's reward is their sum, 0 to 1
impression = 0.0
click = 0.3
dwell_seconds = {{ weight = 0.2, full = 60 }}
like = 1.0
cart = 0.6
share = 0.6
purchase = 1.0
dislike = -1.0
"""


def write_config(catalog: Path, config: Path, *, force: bool = False) -> Guess:
    """Guess a catalogue's columns and write a configuration beside what the user already has.

    Raises: CatalogError: the catalogue cannot be read. ConfigurationError: `config` exists, or cannot be written.
    """
    if config.exists() and not force:
        raise ConfigurationError(f"'{config}' exists: name another with --config, or replace it with --force")
    found = guess(catalog)
    numbers = () if found.columns.text else _numeric(catalog, found.columns)
    text = _filled(os.path.relpath(catalog.resolve(), config.resolve().parent), found.columns, numbers)
    try:
        part = config.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(config)
    except OSError as error:
        raise ConfigurationError(
            f"'{config}' cannot be written ({error.strerror}): choose another with --config"
        ) from error
    return found


def _filled(path: str, columns: Columns, numbers: tuple[str, ...]) -> str:
    """numbers: the numeric columns, where the catalogue has no text for a language model."""
    encoder = "minilm" if columns.text else "numeric" if numbers else "hashing"
    published = "" if columns.published_at is None else f"published_at = {_quoted(columns.published_at)}\n"
    return TEMPLATE.format(
        path=_quoted(path),
        item_id=_quoted(columns.item_id),
        text=json.dumps(list(columns.text)),
        attributes=json.dumps(list(columns.attributes or ())),
        published=published,
        lists="".join(f"{_quoted(name)} = {_quoted(mark)}\n" for name, mark in columns.lists.items()),
        encoder=_quoted(encoder),
        columns=f"columns = {json.dumps(list(numbers))}\n" if encoder == "numeric" else "",
    )


def _numeric(catalog: Path, columns: Columns) -> tuple[str, ...]:
    """The columns that hold numbers, by the first 200 items."""
    items = [row for row in islice(read(catalog, columns), SAMPLE) if isinstance(row, Item)]
    values = {
        name: [item.attributes[name] for item in items if name in item.attributes]
        for name in columns.attributes or ()
    }
    return tuple(
        name for name, found in values.items() if found and all(type(value) is float for value in found)
    )


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)
