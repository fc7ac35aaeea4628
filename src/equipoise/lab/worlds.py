"""Every world by name; each lives in a package of its own and is imported when it is played."""

from __future__ import annotations

from importlib import import_module

from equipoise.lab.play import Outcome, Play

WORLDS = {
    "films": "real users in time order, real films, real ratings",
    "headlines": "randomised tests of real headlines, recorded clicks, few visitors",
    "wheel": "contexts in a disk whose rare rim pays (Riquelme et al. 2018)",
    "bakeoff": "any table with a class column, one pass, beside other libraries",
    "linear": "known linear rewards, 10 to 100,000 items, with text that helps and without",
    "questions": "banking questions and their 77 answers, one shown at a time",
}
"""Name to what it is; `equipoise.lab.<name>.run.run` plays it."""


def play_world(name: str, play: Play) -> Outcome:
    """Play one world. Raises: InputError, ConfigurationError: what was asked cannot be played."""
    outcome: Outcome = import_module(f"equipoise.lab.{name}.run").run(play)
    return outcome
