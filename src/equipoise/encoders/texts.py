"""What every encoder of text does to its input first: refuse what is no text, bound what is too long."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.core import InputError

READ_CHARACTERS = 20_000
"""Only so much of a text is read: far more than 256 tokens hold, and a text of 1 MB costs no second."""


def checked(texts: Sequence[str]) -> list[str]:
    """The texts, as a list.

    Raises: InputError: `texts` is a single string, or an entry is no string.
    """
    if isinstance(texts, str):
        raise InputError(f"got the single text {texts[:40]!r}, expected a list of texts: write [text]")
    entries: Sequence[object] = texts
    for position, text in enumerate(entries):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise InputError(
                f"text {position} is {text!r} ({kind}), expected a string: convert it with str()"
            )
    return list(texts)


def readable(texts: Sequence[str]) -> list[str]:
    """The texts, each cut to `READ_CHARACTERS`, with lone surrogates (which no tokenizer takes) as `?`.

    Raises: InputError: as `checked`.
    """
    return [_readable(text[:READ_CHARACTERS]) for text in checked(texts)]


def _readable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
