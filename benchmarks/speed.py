"""Speed as ratios, measured side by side in one run: processor time of one thread.

    python benchmarks/speed.py                                     # a table
    python benchmarks/speed.py --json                              # rows: name, ours_ms, peer, peer_ms, ratio
    python benchmarks/speed.py --only decide learn                 # some of the groups
    python benchmarks/speed.py --check benchmarks/baseline.json    # fails where a ratio has risen by more than 10 %
    python benchmarks/speed.py --write benchmarks/baseline.json    # new ratios to hold to

Ours and the peer take turns call by call, and each row gives the medians. A ratio is ours / peer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"
# Some machines set these for older libraries; they slow numpy down.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

from rows import baseline, decide, encode, journal, learn, recommend, search
from rows.measure import Row

GROUPS = {
    "recommend": recommend.rows,
    "decide": decide.rows,
    "learn": learn.rows,
    "journal": journal.rows,
    "encode": encode.rows,
    "search": search.rows,
}


RETRIES = 2
"""How often a row that seems worse is measured again: a busy machine is no slower program."""


def measured(group: str) -> Iterator[Row]:
    """The rows of a group, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield from GROUPS[group](Path(folder))


def held(group: str, rows: list[Row], committed: dict[str, float]) -> list[Row]:
    """The rows of a group; where one seems worse than committed, the better of several runs."""
    for _ in range(RETRIES):
        if not baseline.worse(rows, committed):
            break
        rows = baseline.better(rows, measured(group))
    return rows


def line(row: Row) -> str:
    """A row for a reader: what it took, what the peer took, and how many times faster that is."""
    return (
        f"{row.name:44} {row.ours_ms:9.4f} ms   {row.peer:28} {row.peer_ms:9.4f} ms"
        f"   ratio {row.ratio:8.4f}   {1.0 / row.ratio:7.1f} x"
    )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), default=list(GROUPS), metavar="GROUP")
    parser.add_argument(
        "--check", type=Path, metavar="FILE", help="fail where a ratio is worse than in this file"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the ratios in this file")
    return parser.parse_args()


def main() -> int:
    arguments = options()
    committed = baseline.load(arguments.check) if arguments.check else {}
    rows: list[Row] = []
    for group in arguments.only:
        found = held(group, list(measured(group)), committed)
        if not arguments.json:
            print(*map(line, found), sep="\n", flush=True)
        rows += found
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    if arguments.write:
        baseline.write(arguments.write, rows)
    failed = baseline.worse(rows, committed)
    for row in failed:
        print(f"worse than the committed {committed[baseline.key(row)]}: {line(row)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
