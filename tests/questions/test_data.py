"""Reading a folder of questions, and what is said when it cannot be one."""

from __future__ import annotations

import pytest

from equipoise.core import InputError
from equipoise.lab.questions.data import questions_from_folder

from .tiny import ANSWERS, folder_of, write


def test_answers_are_the_categories_by_name_unless_they_are_listed(tmp_path):
    data = questions_from_folder(folder_of(tmp_path))
    assert data.answers == ("age_limit", "card_lost", "top_up")
    listed = questions_from_folder(folder_of(tmp_path, answers=[*ANSWERS, "never_asked"]))
    assert listed.answers == (*ANSWERS, "never_asked")
    assert listed.answer_texts == ["card lost", "age limit", "top up", "never asked"]
    assert listed.train.right[:6].tolist() == [0, 1, 2, 0, 1, 2]
    assert (len(listed.train), len(listed.test)) == (12, 3)


def test_other_columns_a_mark_of_byte_order_and_quotes_are_no_trouble(tmp_path):
    folder_of(tmp_path)
    (tmp_path / "test.csv").write_bytes('\ufeffnr,category,text\r\n1,top_up,"So, how?"\r\n'.encode())
    data = questions_from_folder(tmp_path)
    assert data.test.texts == ("So, how?",)
    assert data.test.right.tolist() == [2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda at: (at / "train.csv").unlink(), "train.csv' cannot be read"),
        (lambda at: write(at, "test.csv", []), "test.csv' has no questions"),
        (
            lambda at: write(at, "test.csv", [("a", "b")], header=("text", "label")),
            "has no column 'category'",
        ),
        (
            lambda at: write(at, "test.csv", [("a", "weather")]),
            "has the category 'weather', which is no answer",
        ),
        (lambda at: write(at, "test.csv", [("a", "top_up"), ("  ", "top_up")]), "question 2 of"),
        (lambda at: write(at, "train.csv", [("a", "top_up")]), "has 1 category but choosing needs 2"),
        (lambda at: (at / "categories.json").write_text("{"), "must be a JSON list"),
        (lambda at: (at / "categories.json").write_text("[1, 2]"), "must be a JSON list of names"),
        (lambda at: (at / "categories.json").write_text('["a", "a"]'), "names a category twice"),
        (lambda at: (at / "train.csv").write_bytes(b"\xff\xfe\x00"), "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named(change, words, tmp_path):
    folder_of(tmp_path)
    change(tmp_path)
    with pytest.raises(InputError, match=words):
        questions_from_folder(tmp_path)
