"""The digits table in a terminal, or as JSON.

python -m equipoise.lab.digits [--seeds 20] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from equipoise.core import EquipoiseError
from equipoise.lab.digits.contest import contest


def main() -> int:
    """Returns: 0, or 1 with a message if the run is impossible here."""
    parser = argparse.ArgumentParser(prog="python -m equipoise.lab.digits", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many logs")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    arguments = parser.parse_args()
    try:
        scores = contest(seeds=arguments.seeds)
    except EquipoiseError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps([asdict(score) for score in scores], indent=2))
        return 0
    print(f"{'estimator':12} relative error")
    for score in scores:
        print(f"{score.estimator:12} {score.relative_error:.4f} +- {score.stderr:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
