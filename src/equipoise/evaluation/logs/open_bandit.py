"""The Open Bandit dataset: one folder a logging policy, one file a campaign, three places side by side.

Each row stands for itself: its place, 1 to 3, is its slot, whichever places a file has rows of, so that the files of two
policies stand side by side; and it shares its decision with no other row.
Reference: Saito, Aihara, Matsutani, Narita 2021, Open Bandit Dataset and Pipeline (arXiv 2008.07146).
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from equipoise.core import InputError
from equipoise.evaluation.evidence import one_name
from equipoise.evaluation.logs.columns import LogColumns, near
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.logs.parameters import published
from equipoise.evaluation.logs.placed import NOTES, placed_target
from equipoise.evaluation.logs.reading import Reading, read_log

COLUMNS = LogColumns(
    reward="click", propensity="propensity_score", slot="position", at="timestamp", item_id="item_id"
)

CAMPAIGNS = ("all", "men", "women")
ENDINGS = (".csv", ".csv.gz", ".parquet")


def read_open_bandit(
    folder: Path | str,
    target: Path | str | None = None,
    *,
    campaign: str = "all",
    way: str | None = None,
    parameters: Path | None = None,
    how: Reading | None = None,
) -> Log:
    """The log of one policy, with the policy of another folder as its target, called as that folder is.

    folder, target: hold CAMPAIGN.csv or CAMPAIGN.csv.gz, or a folder CAMPAIGN that does.
    way: how the target's distribution is found, see `placed`; None takes the first that fits. parameters: the file
    with those of Bernoulli Thompson sampling, see `parameters`.
    Raises: InputError: a file is not there, see `read_log`, or the way does not fit the target's log.
    """
    how = how or Reading()
    log = read_folder(folder, campaign, how=how)
    if target is None:
        return log
    other = read_folder(target, campaign, how=replace(how, rejects=None))
    told = [_catalogue(_file(Path(place), campaign)) for place in (folder, target)]
    placed = placed_target(
        other, log, published=published(campaign, parameters), way=way, catalogue=frozenset().union(*told)
    )
    name = other.name if other.name != log.name else f"{other.name} (target)"
    return replace(
        log,
        targets={name: placed.of(log)},
        placed={name: placed.by_item(log)},
        on_policy={name: other.rewards},
        notes=(*log.notes, f"{name}: {NOTES[placed.way]}"),
    )


def read_folder(folder: Path | str, campaign: str, *, how: Reading | None = None) -> Log:
    """One policy's log, called as its folder is. Raises: InputError: no such file, see `read_log`."""
    folder = Path(folder)
    log = read_log(_file(folder, campaign), COLUMNS, how=replace(how or Reading(), format=None, first_slot=1))
    full = folder.resolve()
    name = full.parent.name if full.name == campaign else full.name
    return replace(log, name=name, loggers=one_name(name, len(log)))


def _catalogue(file: Path) -> frozenset[str]:
    """The items that `item_context.csv` beside a log lists; none where there is no such file, or none that lists them."""
    path = file.parent / "item_context.csv"
    if not path.is_file():
        return frozenset()
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return frozenset(row["item_id"] for row in rows if row.get("item_id"))


def _file(folder: Path, campaign: str) -> Path:
    places = (folder, folder / campaign)
    for path in (place / f"{campaign}{ending}" for place in places for ending in ENDINGS):
        if path.is_file():
            return path
    there = ", ".join(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else "nothing"
    hint = near(campaign, CAMPAIGNS) if campaign not in CAMPAIGNS else ""
    raise InputError(
        f"'{folder}' has no file {campaign}.csv or {campaign}.csv.gz for the campaign {campaign!r}: it has {there}{hint}"
    )
