"""The laws of a Retriever: a query vector to k candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from equipoise.core import EquipoiseError, Retriever, Vectors
from equipoise.lab.contracts.law import Law, check_all, law, refuses, require

_REFUSED = (EquipoiseError,)


@dataclass(frozen=True, slots=True)
class RetrieverCase:
    """make: an empty retriever. items: how many the laws put into it. k: how many they ask for.

    recall: least share of the true best that must be found, over some 20 queries; 1 for an exact retriever.
    """

    make: Callable[[], Retriever]
    items: int = 300
    k: int = 20
    recall: float = 1.0
    seed: int = 0

    def vectors(self, n: int, *, salt: int = 0) -> Vectors:
        """(n, d) unit vectors."""
        rows = np.random.default_rng([self.seed, salt]).standard_normal((n, self.make().space.dim))
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    @property
    def item_ids(self) -> list[str]:
        return [f"i{row}" for row in range(self.items)]

    def filled(self) -> Retriever:
        retriever = self.make()
        retriever.put(self.item_ids, self.vectors(self.items))
        return retriever

    def query(self) -> Vectors:
        return self.vectors(1, salt=1).reshape(-1)


@law
def an_empty_retriever_finds_nothing(case: RetrieverCase) -> None:
    """Before any put, and after all are dropped, a search gives no candidates."""
    retriever = case.make()
    before = retriever.search(case.query(), case.k)
    retriever.put(case.item_ids, case.vectors(case.items))
    retriever.drop(case.item_ids)
    after = retriever.search(case.query(), case.k)
    require(
        not len(before) and not len(after),
        given="a search before the first put and one after the last drop",
        seen=f"{len(before)} and {len(after)} candidates",
        remedy="answer an empty index with item_ids () and features (0, 1)",
    )


@law
def at_most_k(case: RetrieverCase) -> None:
    """A search for k gives k candidates, or all if there are fewer."""
    retriever = case.filled()
    for k in (1, case.k, case.items, case.items + 5):
        found = len(retriever.search(case.query(), k))
        require(
            found == min(k, case.items),
            given=f"k={k} over {case.items} items",
            seen=f"{found} candidates",
            remedy="cut to k after everything is merged; search more lists if they give too few",
        )


@law
def no_duplicates(case: RetrieverCase) -> None:
    """A search names each item once, also one that was put twice."""
    retriever = case.filled()
    retriever.put(case.item_ids[: case.k], case.vectors(case.k, salt=2))
    found = retriever.search(case.query(), case.items).item_ids
    twice = sorted({item_id for item_id in found if found.count(item_id) > 1})
    require(
        not twice,
        given=f"{case.items} items, {case.k} of them put again",
        seen=f"more than once: {twice[:5]}",
        remedy="a put of a known item_id replaces its vector",
    )


@law
def candidates_are_scored_best_first(case: RetrieverCase) -> None:
    """Features are (k, 1) float32 inner products with the query, descending, in the retriever's space."""
    retriever = case.filled()
    found = retriever.search(case.query(), case.k)
    known = dict(zip(case.item_ids, case.vectors(case.items), strict=True))
    true = np.array([known[i] @ case.query() for i in found.item_ids], np.float32).reshape(-1, 1)
    features = found.features
    require(
        features.dtype == np.float32
        and features.shape == true.shape
        and found.space == retriever.space
        and np.allclose(features, true, atol=1e-5)
        and bool(np.all(np.diff(features[:, 0]) <= 0)),
        given=f"k={case.k}, unit vectors in {retriever.space}",
        seen=f"{features.dtype} {features.shape} in {found.space}, from {features[:3, 0]} (true: {true[:3, 0]})",
        remedy="score by exact inner product, sort, and return the scores as one float32 column",
    )


@law
def a_put_replaces(case: RetrieverCase) -> None:
    """A known item that is put again is found by its new vector alone."""
    retriever = case.filled()
    item_id = case.item_ids[0]
    query = case.query()
    for sign in (1.0, -1.0):
        retriever.put([item_id], np.float32(sign) * 2 * query[None])
        found = retriever.search(query, case.k).item_ids
        # its inner product is +2 or -2, all others lie between -1 and 1
        require(
            (item_id in found[:1]) if sign > 0 else (item_id not in found),
            given=f"{item_id!r} put again as {sign * 2:+.0f} x the query",
            seen=f"first {found[:3]}, and it {'is' if item_id in found else 'is not'} in the top {case.k}",
            remedy="forget the old vector when a new one comes",
        )


@law
def dropped_items_never_return(case: RetrieverCase) -> None:
    """What was dropped is in no answer, until it is put again."""
    retriever = case.filled()
    gone = retriever.search(case.query(), case.k).item_ids
    retriever.drop(gone)
    back = set(gone) & set(retriever.search(case.query(), case.items).item_ids)
    require(
        not back,
        given=f"the {len(gone)} best of {case.items} items dropped",
        seen=f"found again: {sorted(back)[:5]}",
        remedy="mask dropped rows in every search until the index is built anew",
    )
    retriever.put(gone[:1], 2 * case.query()[None])
    first = retriever.search(case.query(), 1).item_ids
    require(
        first == gone[:1],
        given=f"{gone[0]!r} dropped and put again, as 2 x the query",
        seen=f"found first: {first}",
        remedy="a put must lift the mark that a drop left",
    )


@law
def unknown_drops_are_ignored(case: RetrieverCase) -> None:
    """Dropping an unknown item_id changes nothing and raises nothing."""
    retriever = case.filled()
    before = retriever.search(case.query(), case.k).item_ids
    retriever.drop(["never-put"])
    after = retriever.search(case.query(), case.k).item_ids
    require(
        before == after,
        given="drop(['never-put'])",
        seen=f"{before[:3]} became {after[:3]}",
        remedy="pass unknown ids over",
    )


@law
def a_search_changes_nothing(case: RetrieverCase) -> None:
    """The same query gets the same answer, whatever was asked in between."""
    retriever = case.filled()
    first = retriever.search(case.query(), case.k)
    retriever.search(-case.query(), case.k)
    again = retriever.search(case.query(), case.k)
    require(
        first.item_ids == again.item_ids and np.array_equal(first.features, again.features),
        given="one query, asked before and after another",
        seen=f"{first.item_ids[:3]} and then {again.item_ids[:3]}",
        remedy="keep nothing between searches, and break ties by a fixed order",
    )


@law
def finds_the_true_best(case: RetrieverCase) -> None:
    """The share of the true k best that is found is at least the recall that is claimed."""
    retriever, vectors = case.filled(), case.vectors(case.items)
    hits = 0
    queries = case.vectors(20, salt=3)
    for query in queries:
        best = np.argsort(-(vectors @ query), kind="stable")[: case.k]
        hits += len({f"i{row}" for row in best} & set(retriever.search(query, case.k).item_ids))
    found = hits / (len(queries) * min(case.k, case.items))
    require(
        found >= case.recall,
        given=f"{len(queries)} queries, k={case.k}, {case.items} items",
        seen=f"recall {found:.3f}, claimed {case.recall:.3f}",
        remedy="look into more lists, or claim less",
    )


@law
def refuses_what_is_no_vector_of_its_space(case: RetrieverCase) -> None:
    """Another d, NaN and infinity, lengths that differ and k below 1 are errors, and change nothing."""
    retriever = case.filled()
    query, good = case.query(), case.vectors(1)
    before = retriever.search(query, case.k).item_ids
    wrong: dict[str, Callable[[], object]] = {
        "put of d + 1 numbers": lambda: retriever.put(["x"], np.ones((1, len(query) + 1), np.float32)),
        "put of NaN": lambda: retriever.put(["x"], good * np.float32(np.nan)),
        "put of infinity": lambda: retriever.put(["x"], np.full_like(good, np.inf)),
        "put of 2 ids and 1 vector": lambda: retriever.put(["x", "y"], good),
        "search with d + 1 numbers": lambda: retriever.search(np.ones(len(query) + 1, np.float32), case.k),
        "search with NaN": lambda: retriever.search(query * np.float32(np.nan), case.k),
        "search with k = 0": lambda: retriever.search(query, 0),
    }
    for given, call in wrong.items():
        refuses(
            call,
            _REFUSED,
            given=given,
            remedy="raise InputError or FeatureSpaceError before anything changes",
        )
    after = retriever.search(query, case.k).item_ids
    require(
        before == after,
        given="puts that were refused",
        seen=f"{before[:3]} became {after[:3]}",
        remedy="check everything first, change afterwards",
    )


RETRIEVER_LAWS: tuple[Law[RetrieverCase], ...] = (
    an_empty_retriever_finds_nothing,
    at_most_k,
    no_duplicates,
    candidates_are_scored_best_first,
    a_put_replaces,
    dropped_items_never_return,
    unknown_drops_are_ignored,
    a_search_changes_nothing,
    finds_the_true_best,
    refuses_what_is_no_vector_of_its_space,
)


def check_retriever(
    make: Callable[[], Retriever], *, items: int = 300, k: int = 20, recall: float = 1.0, seed: int = 0
) -> None:
    """Every law of a retriever. make: an empty one. Raises: ContractError."""
    check_all(RETRIEVER_LAWS, RetrieverCase(make, items, k, recall, seed))
