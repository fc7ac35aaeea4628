"""The contracts: every law can fail, is broken by just the part that breaks it, and holds for our own parts."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from equipoise.core import Choice, FeatureSpace, InputError
from equipoise.encoders import CachedEncoder, open_minilm
from equipoise.journal import SqliteJournal
from equipoise.lab.contracts import (
    ContractError,
    EncoderCase,
    EstimatorCase,
    JournalCase,
    PolicyCase,
    RetrieverCase,
    check_encoder,
    check_estimator,
    check_journal,
    check_policy,
    check_retriever,
    laws,
)
from equipoise.policies import build, draw
from equipoise.policies.registry import EXPLORERS, POSTERIORS
from equipoise.retrieval import AnnSettings, ExactIndex, FaissIndex

from . import contract_parts as parts


def broken(protocol: str, case: object) -> set[str]:
    """The names of the laws that this case breaks."""
    found = set()
    for law in laws(protocol):
        try:
            law(case)
        except ContractError as error:
            assert str(error).startswith(f"{law.name}: {law.says}")
            assert "seen:" in str(error) and "to do:" in str(error)
            found.add(law.name)
    return found


ENCODERS = [
    (parts.DoubleNumbers, "an_encoder_gives_one_row_a_text"),
    (parts.NothingForNothing, "no_texts_give_no_rows"),
    (parts.NoNumber, "rows_are_finite"),
    (parts.AnyLength, "rows_have_unit_length"),
    (parts.PaddedPooling, "same_text_same_row"),
]
RETRIEVERS = [
    (parts.Ghost, "an_empty_retriever_finds_nothing"),
    (parts.OneShort, "at_most_k"),
    (parts.Twice, "no_duplicates"),
    (parts.OtherScores, "candidates_are_scored_best_first"),
    (parts.FirstVectorStays, "a_put_replaces"),
    (parts.Undead, "dropped_items_never_return"),
    (parts.StrictDrop, "unknown_drops_are_ignored"),
    (parts.Remembers, "a_search_changes_nothing"),
    (parts.MissesTheBest, "finds_the_true_best"),
    (parts.AnyQuery, "refuses_what_is_no_vector_of_its_space"),
]
POLICIES = [
    (parts.AColumn, "a_distribution_is_k_probabilities"),
    (parts.NearlyOne, "sums_to_one"),
    (parts.NoFloor, "keeps_the_floor"),
    (parts.NeedsRows, "works_before_any_update"),
    (parts.LooksBack, "the_dice_alone_are_random"),
    (parts.FirstIsBest, "permuting_rows_permutes_entries"),
    (parts.CountsWhatItShows, "leaves_the_state_unchanged"),
    (parts.ForgetsByBatch, "one_batch_equals_its_rows"),
    (parts.ForgetsWeights, "a_weight_is_so_many_rows"),
    (parts.HiddenCount, "state_round_trips"),
    (parts.LiveState, "state_is_a_copy"),
    (parts.BorrowsState, "state_is_a_copy"),
    (parts.AnySpace, "refuses_another_space"),
    (parts.OtherFirstSlot, "a_slate_starts_with_the_distribution"),
    (parts.LeaksUpwards, "a_slate_is_sound_given_those_above"),
]
JOURNALS = [
    (parts.ShortDecimals, "a_decision_comes_back_as_it_was"),
    (parts.LastDecisionWins, "deciding_twice_keeps_the_first"),
    (parts.OneSlotOff, "feedback_becomes_the_slots_reward"),
    (parts.CountsDoubles, "feedback_told_twice_counts_once"),
    (parts.LastToArriveWins, "of_contradictions_the_later_counts"),
    (parts.LosesTheUnknown, "feedback_before_its_decision_waits"),
    (parts.SilentAboutLate, "late_feedback_is_counted_and_not_rewarded"),
    (parts.NewPositionEachTime, "closing_settles_once"),
    (parts.ClosesEarly, "a_window_closes_when_it_is_due"),
    (parts.SkipsTheFirst, "positions_count_up"),
    (parts.RewritesHistory, "replay_gives_the_same_sequence"),
    (parts.ForgetsTheRewards, "forgets_who_and_keeps_what_happened"),
    (parts.ClosesAnything, "an_unknown_decision_cannot_close"),
]
ESTIMATORS = [
    (parts.CountsWrongly, "the_logging_policy_earns_the_plain_mean"),
    (parts.Clips, "unbiased_in_a_known_world"),
    (parts.Upside, "reports_what_it_is_worth"),
    (parts.AnyPropensity, "refuses_what_is_no_propensity"),
    (parts.SaysTooSure, "its_standard_error_is_the_spread"),
    (parts.GoesWithout, "says_when_it_needs_a_model"),
]


def flatter(distribution, m, rng) -> Choice:
    """Dice that prefer the unlikely a little, and report what they should have thrown."""
    odds = distribution.given(())
    root = np.sqrt(odds) / np.sqrt(odds).sum()
    first = int(rng.choice(len(odds), p=root))
    further = draw(distribution, m - 1, rng, taken=(first,))
    return Choice(
        np.concatenate([[first], further.positions]), np.concatenate([[odds[first]], further.propensities])
    )


def wishful(distribution, m, rng) -> Choice:
    """Fair dice, and propensities that forget the slots above."""
    choice = draw(distribution, m, rng)
    return Choice(choice.positions, np.full(m, choice.propensities[0]))


def policy_case(make, **settings) -> PolicyCase:
    return PolicyCase(make, parts.SPACE, floor=parts.FLOOR, seeds=60, throws=400, **settings)


@pytest.mark.parametrize(("part", "law"), ENCODERS)
def test_a_broken_encoder_breaks_its_law_alone(part, law):
    assert broken("encoder", EncoderCase(part())) == {law}


@pytest.mark.parametrize(("part", "law"), RETRIEVERS)
def test_a_broken_retriever_breaks_its_law_alone(part, law):
    assert broken("retriever", RetrieverCase(part)) == {law}


@pytest.mark.parametrize(("part", "law"), POLICIES)
def test_a_broken_policy_breaks_its_law_alone(part, law):
    assert broken("policy", policy_case(part)) == {law}


@pytest.mark.parametrize("dice", [flatter, wishful])
def test_loaded_dice_break_the_frequencies_alone(dice):
    assert broken("policy", policy_case(parts.Toy, draw=dice)) == {"frequencies_match"}


@pytest.mark.parametrize(("part", "law"), JOURNALS)
def test_a_broken_journal_breaks_its_law_alone(part, law):
    assert broken("journal", JournalCase(part)) == {law}


@pytest.mark.parametrize(("part", "law"), ESTIMATORS)
def test_a_broken_estimator_breaks_its_law_alone(part, law):
    case = EstimatorCase(part(), leans=getattr(part, "leans", "none"))
    assert broken("estimator", case) == {law}


@pytest.mark.parametrize(
    ("protocol", "shown"),
    [
        ("encoder", ENCODERS),
        ("retriever", RETRIEVERS),
        ("policy", [*POLICIES, (None, "frequencies_match")]),
        ("journal", JOURNALS),
        ("estimator", ESTIMATORS),
    ],
)
def test_every_law_was_shown_to_fail(protocol, shown):
    assert {law.name for law in laws(protocol)} == {law for _, law in shown}


def test_parts_that_keep_every_law_pass():
    check_encoder(parts.Letters())
    check_retriever(parts.Shelf)
    check_policy(parts.Toy, parts.SPACE, floor=parts.FLOOR)
    check_journal(parts.Memory)
    check_estimator(parts.Ips())


def test_what_a_broken_law_says():
    with pytest.raises(ContractError) as caught:
        check_policy(parts.NoFloor, parts.SPACE, floor=parts.FLOOR)
    message = str(caught.value)
    assert message.startswith("keeps_the_floor: Every candidate gets at least the floor")
    assert "12 candidates" in message and "expected 0.005 or more" in message and "to do: mix" in message


def test_a_part_that_raises_breaks_the_law_with_its_cause():
    with pytest.raises(ContractError, match="unknown_drops_are_ignored") as caught:
        check_retriever(parts.StrictDrop)
    assert isinstance(caught.value.__cause__, KeyError)


def test_unknown_protocols_are_refused():
    with pytest.raises(InputError, match="encoder, retriever, policy, journal, estimator"):
        laws("explorer")


# -------------------------------------------------------------------------------- the parts of this package

WIDE = FeatureSpace("wide", "1", 16)

# Trained from 200 of the law's 300 items, every one of its lists looked into.
TRAINED = AnnSettings(nprobe=100, train_from=200, narrow_rows=0, fresh_rows=10)


@pytest.mark.parametrize("law", laws("retriever"), ids=str)
@pytest.mark.parametrize(
    "make",
    [partial(ExactIndex, WIDE), partial(FaissIndex, WIDE), partial(FaissIndex, WIDE, settings=TRAINED)],
    ids=["exact", "faiss-untrained", "faiss-trained"],
)
def test_retrievers(make, law):
    law(RetrieverCase(make))


POLICY_SETTINGS = {
    **{name: {} for name in EXPLORERS},
    **{f"thompson-{kind}": {"name": "thompson", "posterior": kind} for kind in POSTERIORS},
    "discounted": {"name": "thompson", "discount": 0.99},
    "with-slopes": {"name": "ucb", "item_columns": (1, 3)},
    "mmr": {"name": "thompson", "diversity": "mmr"},
    "dpp": {"name": "greedy", "diversity": "dpp"},
}
"""Every explorer over the mixed posterior, every posterior under Thompson, and the settings beside them."""


@pytest.mark.parametrize("law", laws("policy"), ids=str)
@pytest.mark.parametrize("name", POLICY_SETTINGS)
def test_policies(name, law):
    settings = {"name": name, "similarity": 0, "floor": parts.FLOOR, **POLICY_SETTINGS[name]}
    make = partial(build, settings.pop("name"), parts.SPACE, **settings)
    law(policy_case(make, forgets=settings.get("discount", 1.0) < 1.0))


@pytest.fixture(scope="module")
def minilm():
    return open_minilm()


@pytest.mark.parametrize("law", laws("encoder"), ids=str)
def test_the_embedded_encoder(law, minilm):
    law(EncoderCase(minilm))


@pytest.mark.parametrize("law", laws("encoder"), ids=str)
def test_the_cache_of_an_encoder(law, tmp_path):
    cached = CachedEncoder(parts.Letters(), tmp_path)
    law(EncoderCase(cached, tolerance=0.0))
    cached.close()


@pytest.fixture
def make_journal(tmp_path):
    """Makes empty journals in files, and closes them in the end."""
    opened = []

    def make() -> SqliteJournal:
        opened.append(SqliteJournal.open(tmp_path / f"{len(opened)}.db"))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


@pytest.mark.parametrize("law", laws("journal"), ids=str)
def test_journals(law, make_journal):
    law(JournalCase(make_journal))
