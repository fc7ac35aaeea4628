"""What is known of items beside a log: which there are, and which of them are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from equipoise.core import InputError, Vectors
from equipoise.evaluation.estimators import clustered
from equipoise.evaluation.logs.columns import near
from equipoise.evaluation.logs.log import Log


def read_items(path: Path) -> frozenset[str]:
    """One item_id a line. Raises: InputError: no such file, not UTF-8, or empty."""
    try:
        found = frozenset(filter(None, map(str.strip, path.read_text(encoding="utf-8").splitlines())))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' is no list of items ({error}): expected one id a line") from error
    if not found:
        raise InputError(f"'{path}' has no item in it: expected one id a line")
    return found


def read_vectors(path: Path, items: Path | None = None) -> tuple[tuple[str, ...], Vectors]:
    """item_ids (k,) and their vectors (k, e), from an .npz with both, or an .npy whose rows stand as `items` does.

    items: one item_id a line. Raises: InputError: no such file, something else in it, or not as many items as vectors.
    """
    wanted = "expected an .npz with the arrays 'item_ids' and 'vectors', or an .npy of vectors and the ids in --items"
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            names, vectors = () if items is None else _lines(items), found
        else:
            names, vectors = tuple(map(str, found["item_ids"].tolist())), found["vectors"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"'{path}' has no vectors of items ({error}): {wanted}") from error
    if vectors.ndim != 2 or len(names) != len(vectors) or not np.isfinite(vectors).all():
        raise InputError(
            f"'{path}' has vectors of shape {vectors.shape} for {len(names)} items: {wanted}, one finite row an item"
        )
    return names, vectors


def with_clusters(log: Log, item_ids: Sequence[str], vectors: Vectors, *, count: int | None = None) -> Log:
    """The log with the cluster of each shown item, by k-means on the items' vectors (k, e).

    count: of clusters; None takes the root of the number of items. Raises: InputError: an item without a vector.
    """
    place = {name: row for row, name in enumerate(item_ids)}
    missing = [name for name in log.items.names if name not in place]
    if missing:
        raise InputError(
            f"the item {missing[0]!r} of the log has no vector{near(missing[0], place)}, and {len(missing) - 1} more: "
            "give one for each item that the log shows"
        )
    count = max(1, round(len(item_ids) ** 0.5)) if count is None else count
    groups = clustered(vectors, count)[[place[name] for name in log.items.names]]
    note = f"mips: {len(item_ids):,} items in {count:,} clusters by their vectors"
    return replace(log, clusters=groups[log.items.codes], notes=(*log.notes, note))


def _lines(path: Path) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, path.read_text(encoding="utf-8").splitlines())))
