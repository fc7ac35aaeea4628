"""Attributes as columns, by hand."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.encoders.pairing import AttributeCode
from equipoise.encoders.pairing.attributes import HASHED, bucket, cross_matrix, request_columns

FILMS = [
    {"genre": ["drama", "war"], "year": 1990},
    {"genre": ["drama"], "year": 1992},
    {"genre": "comedy", "year": 1994.0, "seen": True},
]


def test_columns_are_numbers_first_then_values_by_frequency_then_by_name() -> None:
    code = AttributeCode.fit(FILMS, 8)
    assert code.names == (
        "year",
        "genre=drama",
        "genre=comedy",
        "genre=war",
        "seen=True",
        "other 0",
        "other 1",
        "other 2",
    )


def test_numbers_are_scaled_and_clipped() -> None:
    # Mean 1992, deviation sqrt((4 + 0 + 4) / 3) = 1.6329932: 1994 is 2 / 1.6329932 = 1.2247449 above.
    code = AttributeCode.fit(FILMS, 8)
    years = [1990, 1992, 1994, 2100, -5, None, "1994", True, float("nan"), float("inf"), 10**400]
    column = code.encode([{"year": year} for year in years])[:, 0]
    expected = [-1.2247449, 0.0, 1.2247449, 3.0, -3.0] + [0.0] * 6
    np.testing.assert_allclose(column, expected, atol=1e-6)


def test_a_number_that_is_missing_spoils_no_other() -> None:
    holed = [
        {"year": float("nan")},
        {"year": float("inf")},
        {"year": 10**400},
        {"year": 1990},
        {"year": 1994},
    ]
    # Mean 1992, deviation 2: 1994 is 1 above.
    assert AttributeCode.fit(holed, 4).encode([{"year": 1994}])[0, 0] == 1.0


def test_a_constant_column_says_nothing() -> None:
    # Three times 0.1 has mean 0.10000000000000002 and a deviation of 1.4e-17 by rounding; it counts as none.
    code = AttributeCode.fit([{"price": 0.1}] * 3, 4)
    rows = code.encode([{"price": 0.1}, {"price": 0.2}])
    np.testing.assert_allclose(rows[:, 0], [0.0, 0.1], atol=1e-7)


def test_an_items_values_together_have_length_one() -> None:
    # Two genres weigh 1 / sqrt(2) each, one weighs 1.
    code = AttributeCode.fit(FILMS, 8)
    rows = code.encode([{"genre": ["drama", "war"]}, {"genre": "comedy"}, {"genre": ["war", "war"]}, {}])
    half = 2**-0.5
    expected = np.zeros((4, 8))
    expected[0, [1, 3]] = half
    expected[1, 2] = 1.0
    expected[2, 3] = 1.0  # told twice, counted once
    np.testing.assert_allclose(rows, expected, atol=1e-7)


def test_at_most_half_the_columns_go_to_numbers() -> None:
    # Of equally frequent ones the first by name stay.
    code = AttributeCode.fit([{"d": 1, "c": 2, "b": 3, "a": 4, "e": 5, "g": "x"}], 4)
    assert code.names == ("a", "b", "g=x", "other 0")


def test_what_does_not_fit_is_hashed_into_the_last_columns() -> None:
    # 20 values for 12 columns: the 4 most frequent have their own, the others share the last 8 with a sign.
    items = [{"tag": [f"t{number}" for number in range(20 - row)]} for row in range(20)]
    code = AttributeCode.fit(items, 12)
    assert code.names[:4] == ("tag=t0", "tag=t1", "tag=t2", "tag=t3")
    assert code.names[4:] == tuple(f"other {number}" for number in range(HASHED))
    for value in ("t4", "t19", "never seen"):
        row = code.encode([{"tag": value}])[0]
        column, sign = bucket(f"tag={value}", HASHED)
        assert row[4 + column] == sign
        assert np.count_nonzero(row) == 1


def test_no_columns_no_code() -> None:
    code = AttributeCode.fit(FILMS, 0)
    assert code.encode(FILMS).shape == (3, 0)
    assert code.names == ()


def test_the_hash_is_the_same_on_every_machine() -> None:
    # CRC-32 of "123456789" is the published check value CBF43926. Its half is 65FA1C93, which ends in 3 = 0b011:
    # column 3 of 8; and it is even: sign -1.
    assert zlib.crc32(b"123456789") == 0xCBF43926
    assert bucket("123456789", 8) == (3, -1.0)
    assert bucket("genre=drama", 8) == (0, -1.0)
    assert bucket("device=phone", 8) == (5, 1.0)
    assert bucket("device=phone", 5) == (3, 1.0)
    assert bucket("naïve=ü", 16) == (3, 1.0)


@given(token=st.text(), size=st.integers(1, 128))
def test_a_bucket_is_a_column_and_a_sign(token: str, size: int) -> None:
    column, sign = bucket(token, size)
    assert 0 <= column < size
    assert sign in (-1.0, 1.0)


def test_buckets_are_even() -> None:
    # 8,000 tokens in 8 columns: each gets 1,000 with deviation sqrt(8,000 / 8 * 7 / 8) = 29.6; 5 of them are 148,
    # crossed once in 200,000 sets of columns. Signs: sum 0 with deviation 89.4; 5 of them are 447.
    found = [bucket(f"tag=t{number}", 8) for number in range(8_000)]
    counts = np.bincount([column for column, _ in found], minlength=8)
    assert np.abs(counts - 1_000).max() < 148
    assert abs(sum(sign for _, sign in found)) < 447


# A request's own attributes


def test_a_requests_attributes_by_hand() -> None:
    # A value adds its sign; a number adds sign x log(1 + |x|), with the sign of x.
    value_column, value_sign = bucket("request device=phone", 16)
    number_column, number_sign = bucket("request hour", 16)
    assert value_column != number_column
    out = request_columns({"device": "phone", "hour": -3}, 16)
    assert out[value_column] == value_sign
    assert out[number_column] == pytest.approx(-number_sign * np.log(4.0))
    assert np.count_nonzero(out) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400, None])
def test_a_request_that_tells_no_number_tells_nothing(value: object) -> None:
    assert not request_columns({"hour": value}, 8).any()
    assert not cross_matrix({"hour": value}, 3, 8).any()


def test_a_cross_by_hand() -> None:
    # One attribute: every item column goes to one bucket, with weight 1 or -1; two: 1 / sqrt(2) each.
    for asked, weight in (({"hour": 21}, 1.0), ({"hour": 21, "device": "phone"}, 2**-0.5)):
        expected = np.zeros((3, 64))
        for token in [f"{name}={value}" for name, value in asked.items()]:
            for row in range(3):
                column, sign = bucket(f"{token} x {row}", 64)
                expected[row, column] += sign * weight
        np.testing.assert_allclose(cross_matrix(asked, 3, 64), expected, atol=1e-7)


def test_another_hour_is_another_cross() -> None:
    assert (cross_matrix({"hour": 21}, 6, 32) != cross_matrix({"hour": 22}, 6, 32)).any()
    np.testing.assert_array_equal(cross_matrix({"hour": 21}, 6, 32), cross_matrix({"hour": 21.0}, 6, 32))


def test_nothing_asked_or_no_room_crosses_nothing() -> None:
    assert cross_matrix({}, 4, 8).tolist() == [[0.0] * 8] * 4
    assert cross_matrix({"hour": 21}, 4, 0).shape == (4, 0)
    assert request_columns({"hour": 21}, 0).shape == (0,)
