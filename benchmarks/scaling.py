"""How cost grows: items, features, slots, candidates and journal length, each on its own, with memory beside it.

    python benchmarks/scaling.py                                        # a table of slopes
    python benchmarks/scaling.py --picture docs/images/scaling.png      # and a log-log picture
    python benchmarks/scaling.py --json                                 # rows: what, against, size, ms, mb

Processor milliseconds of one thread: of several calls the shortest, since noise only ever adds. A slope is that of
log time against log size over the larger half of the sizes, where the fixed part no longer hides it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

from rows import growth
from rows.growth import Point, slope

FAMILIES: dict[str, Callable[[], Iterator[Point]]] = {
    "items": growth.items,
    "features": growth.features,
    "candidates": growth.candidates,
    "slots": growth.slots,
    "journal": growth.journal,
}


def table(points: list[Point]) -> Iterator[str]:
    """One line a curve: its slope, and time and memory at its ends."""
    for (against, what), curve in curves(points).items():
        first, last = curve[0], curve[-1]
        yield (
            f"{what:34} by {against:10} slope {slope(curve):5.2f}   {first.size:>9,}: {first.ms:9.4f} ms"
            f"   {last.size:>9,}: {last.ms:9.3f} ms {last.mb:8.1f} MB"
        )


def curves(points: list[Point]) -> dict[tuple[str, str], list[Point]]:
    """Points by what they are measured against and what was measured, in order of size."""
    found: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        found.setdefault((point.against, point.what), []).append(point)
    return found


def picture(points: list[Point], path: Path) -> None:
    """A panel for each family, log-log, with the slope in the legend."""
    from equipoise.evaluation.charts import COLOURS, figure, plain, save

    families = list(dict.fromkeys(point.against for point in points))
    drawn = figure(width=13.0, height=7.2)
    panels = drawn.subplots(2, 3).ravel()
    for axes, against in zip(panels, families, strict=False):
        here = [(what, curve) for (of, what), curve in curves(points).items() if of == against]
        for colour, (what, curve) in zip(COLOURS, here, strict=False):
            sizes, times = [point.size for point in curve], [point.ms for point in curve]
            axes.loglog(sizes, times, "o-", color=colour, label=f"{what} ({slope(curve):.2f})", markersize=4)
            axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
            axes.minorticks_off()
        plain(axes, title=f"by {against}", xlabel=against, ylabel="processor milliseconds")
        axes.legend(fontsize=8, frameon=False)
    for axes in panels[len(families) :]:
        axes.set_visible(False)
    save(drawn, path)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print points as JSON")
    parser.add_argument("--picture", type=Path, metavar="PNG", help="draw them")
    parser.add_argument("--only", nargs="+", choices=list(FAMILIES), default=list(FAMILIES), metavar="FAMILY")
    arguments = parser.parse_args()
    points = [point for family in arguments.only for point in FAMILIES[family]()]
    if arguments.json:
        print(json.dumps([asdict(point) for point in points], indent=2))
    else:
        print(*table(points), sep="\n")
    if arguments.picture:
        picture(points, arguments.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
