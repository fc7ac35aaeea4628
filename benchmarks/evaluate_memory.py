"""What it takes to evaluate a long log: peak memory and seconds, from a file on disk to the table of values.

    python benchmarks/evaluate_memory.py --rows 10000000 --format parquet
    python benchmarks/evaluate_memory.py --rows 1000000 --format csv
    python benchmarks/evaluate_memory.py --rows 10000000 --cores 2

A log of uniform random choices among 80 items is written first, by a process of its own, and evaluated in another, whose
peak is measured. One thread in each process; with --cores the largest peak of a process that shares the work is told too,
in which what it shares with the first is counted again.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

from equipoise.evaluation import Evaluation, Options
from equipoise.evaluation.logs import columns_from, read_log

ITEMS, CHUNK = 80, 200_000
COLUMNS = columns_from(
    {
        "decision_id": "id",
        "at": "at",
        "item_id": "item",
        "propensity": "p",
        "reward": "r",
        "attributes": ["country"],
        "target_probability": ["new"],
    }
)


def write(path: Path, rows: int) -> None:
    """Rows of 80 items, 32 letters of id, a country and a target that prefers half of the items."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    rng = np.random.default_rng(0)
    writer = None
    for start in range(0, rows, CHUNK):
        n = min(CHUNK, rows - start)
        items = rng.integers(0, ITEMS, n)
        table = pa.table(
            {
                "id": [f"{number:032x}" for number in range(start, start + n)],
                "at": 1.7e9 + np.arange(start, start + n) * 0.1,
                "item": pa.array([f"item-{item}" for item in items]),
                "p": np.full(n, 1.0 / ITEMS),
                "r": (rng.random(n) < 0.02 + 0.0005 * items).astype(np.float64),
                "country": pa.array(np.array(["DE", "FR", "PT"])[rng.integers(0, 3, n)]),
                "new": np.where(items < ITEMS // 2, 0.5, 1.5) / ITEMS,
            }
        )
        kind = parquet.ParquetWriter if path.suffix == ".parquet" else csv.CSVWriter
        writer = writer or kind(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def evaluate(path: Path, cores: int) -> None:
    """Read, then values, differences and groups; says the peak of this process."""
    started = time.perf_counter()
    log = read_log(path, COLUMNS)
    read = time.perf_counter() - started
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    found = Evaluation(log, options=Options(by=("country",), cores=cores)).compare(["new", "uniform"])
    total = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"{len(log):,} rows of {path.suffix}: read in {read:.1f} s, evaluated after {total:.1f} s")
    print(f"peak {before:.0f} MiB after reading, {peak:.0f} MiB in all")
    if cores != 1:
        beside = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
        print(f"peak {beside:.0f} MiB of a process beside it")
    for row in found.values.rows:
        print(f"{row.policy} {row.estimator} {row.estimate.value:.6f} +- {row.estimate.stderr:.6f}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--file", type=Path, help="evaluate this file, of these columns, instead")
    parser.add_argument("--write", type=Path, help="only write this file")
    arguments = parser.parse_args()
    if arguments.write is not None:
        write(arguments.write, arguments.rows)
    elif arguments.file is not None:
        evaluate(arguments.file, arguments.cores)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"log.{arguments.format}"
            own = [sys.executable, __file__]
            subprocess.run([*own, "--write", str(path), "--rows", str(arguments.rows)], check=True)
            subprocess.run([*own, "--file", str(path), "--cores", str(arguments.cores)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
