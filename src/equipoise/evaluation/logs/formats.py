"""Which reader a file needs: by its suffix, or as told."""

from __future__ import annotations

from pathlib import Path

from equipoise.core import InputError
from equipoise.evaluation.logs.blocks import Source
from equipoise.evaluation.logs.columns import near
from equipoise.evaluation.logs.decision_service import unpacked
from equipoise.evaluation.logs.delimited import DelimitedFile
from equipoise.evaluation.logs.jsonlines import JsonLinesFile
from equipoise.evaluation.logs.parquet import ParquetFile

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".dsjson": "dsjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}

FORMATS = ("csv", "tsv", "jsonl", "parquet", "dsjson", "open-bandit")


def format_of(path: Path, told: str | None = None) -> str:
    """The name of the format. Raises: InputError: an unknown name or suffix."""
    if told is not None:
        if told not in FORMATS:
            raise InputError(
                f"there is no format {told!r}: expected one of {', '.join(FORMATS)}{near(told, FORMATS)}"
            )
        return told
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    found = SUFFIXES.get(suffix.lower())
    if found is None or (found == "parquet" and path.suffix == ".gz"):
        raise InputError(
            f"'{path}' ends in {path.suffix!r}: expected one of {', '.join(SUFFIXES)}, a text file of them with "
            f".gz, or --format with one of {', '.join(FORMATS)}"
        )
    return found


def open_source(path: Path, form: str) -> Source:
    """The file, ready to be read. Raises: InputError: not there, empty, or not of that format."""
    if form == "parquet":
        return ParquetFile(path)
    if form == "jsonl":
        return JsonLinesFile(path)
    if form == "dsjson":
        return JsonLinesFile(path, unpack=unpacked)
    return DelimitedFile(path, separator="\t" if form == "tsv" else ",")
