"""`equipoise demo`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from equipoise.cli import recommend, simulate, why
from equipoise.cli.shared import Json, play_bar, print_json, progress_bar
from equipoise.core import Request
from equipoise.engine import Engine
from equipoise.lab.demo import Demo

QUESTION = "a clever science fiction film about memory and dreams"


def run(
    *,
    folder: Annotated[Path, Parameter(help="Where the demo keeps its files.")] = Path("demo-out"),
    text: Annotated[
        str | None, Parameter(help="The request to answer at the end, instead of asking for one.")
    ] = None,
    visits: Annotated[int | None, Parameter(help="Play only the first so many visits.")] = None,
    json: Json = False,
) -> None:
    """Load 9,066 films, play real visits against the baselines, draw what was learned, and answer a request.

    Example: equipoise demo --text "a western with a sad ending"
    """
    start = time.perf_counter()
    demo = Demo.prepare(folder, visits=visits)
    if not json:
        print(
            f"{len(demo.world.items):,} films, {len(demo.world.visits):,} visits of {demo.users:,} real users"
        )
    with progress_bar("encoding the films") as bar:
        engine = demo.open(progress=bar)
    with engine:
        with play_bar() as progress:
            scores = demo.play(engine, progress=progress)
        rows, picture = demo.rows(scores), demo.draw(scores)
        if json:
            decision = engine.recommend(Request(text=text or QUESTION), slots=5)
            told = {"rows": rows, "picture": str(picture), "config": str(demo.config)}
            print_json(
                {**told, "decision": recommend.as_json(decision), "why": engine.why(decision.decision_id)}
            )
            return
        simulate.show(demo.outcome(scores))
        print(f"picture: {picture}")
        _answer(engine, text if text is not None else _typed())
    print(
        f'took {time.perf_counter() - start:.0f} s; try: equipoise recommend --config {demo.config} --text "..."'
    )


def _typed() -> str:
    """What the user types, or a default where nobody can."""
    if not sys.stdin.isatty():
        return QUESTION
    try:
        return input(f"What would you like to see? [{QUESTION}] ").strip() or QUESTION
    except EOFError:
        return QUESTION


def _answer(engine: Engine, text: str) -> None:
    print(f"\nrequest: {text}")
    decision = engine.recommend(Request(text=text), slots=5)
    recommend.show(engine, decision)
    why.show(engine, engine.why(decision.decision_id))
