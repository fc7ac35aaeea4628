"""Lines of a UTF-8 text file, plain or gzipped, with clear words for every file that is not one."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from equipoise.core import CatalogError

HEAD_BYTES = 4096

BINARY = {
    b"\x1f\x8b": "gzipped: end its name in .gz",
    b"PAR1": "a Parquet file: end its name in .parquet",
    b"PK\x03\x04": "a zip archive or a spreadsheet: export it as CSV, encoded in UTF-8",
    b"SQLite format 3\x00": "an SQLite database: export the table as CSV, encoded in UTF-8",
}
"""How a file starts that is no text, and what to do about it."""

UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def require_text(path: Path) -> None:
    """Look at a file's first 4 KB. Raises: CatalogError: it is empty, binary, or in another encoding."""
    head = _head(path)
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise CatalogError(f"'{path}' is empty: expected a header and at least one row of items")
    if head.startswith(UTF_16_OR_32):
        raise CatalogError(f"'{path}' is encoded in UTF-16 or UTF-32, expected UTF-8: save it as UTF-8")
    for magic, remedy in BINARY.items():
        if head.startswith(magic):
            raise CatalogError(f"'{path}' is not a text file but {remedy}")
    if 4 * head.count(0) > len(head):
        raise CatalogError(
            f"'{path}' is full of zero bytes: it is binary or in UTF-16; save it as UTF-8 text"
        )


def _head(path: Path) -> bytes:
    try:
        with _open_bytes(path) as file:
            return file.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from error


def _open_bytes(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def lines(path: Path) -> Iterator[str]:
    """Lines with their ends, without a byte order mark.

    Bytes that are not UTF-8 come as lone surrogates (see `is_utf8`), so that one bad line stops nothing.
    Raises: CatalogError: the file cannot be read to its end.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from cast(Iterator[str], file)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from error


def is_utf8(text: str) -> bool:
    """False where `lines` met bytes that are not UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unreadable(path: Path, error: BaseException) -> CatalogError:
    """What to say of a file that exists but cannot be read."""
    if isinstance(error, PermissionError):
        return CatalogError(f"'{path}' may not be read by this user: change its permissions")
    damage = getattr(error, "strerror", None) or error
    return CatalogError(f"'{path}' cannot be read to its end ({damage}): fetch or export it again")
