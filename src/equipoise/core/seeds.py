"""Randomness that can be thrown again: a decision's dice depend on (configured seed, decision_id) alone."""

from __future__ import annotations

import hashlib
import secrets
import time

import numpy as np


def generator(seed: int, decision_id: str) -> np.random.Generator:
    """The dice of one decision: the order of arrival changes nothing, and they can be thrown again."""
    return np.random.Generator(np.random.PCG64(number(seed, decision_id)))


def number(seed: int, decision_id: str) -> int:
    """128 bits that depend on (configured seed, decision_id) alone."""
    digest = hashlib.blake2b(f"{seed}\x00{decision_id}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


def fresh_id() -> str:
    """A new decision_id: 32 hex digits that sort by time (48 bits of milliseconds, then 80 random bits)."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def fingerprint(*parts: str) -> str:
    """Twelve hex digits that change when any of the parts does."""
    return hashlib.blake2b("\x00".join(parts).encode(), digest_size=6).hexdigest()
