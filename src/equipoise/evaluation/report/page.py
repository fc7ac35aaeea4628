"""A comparison as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from equipoise.core import InputError, MissingExtraError
from equipoise.evaluation.report import pictures
from equipoise.evaluation.report.rows import HEAD, Comparison, cells, number
from equipoise.evaluation.support import Verdict
from equipoise.evaluation.support.report import REFUSAL


def write_page(found: Comparison, path: Path) -> Path:
    """Write the page, making its folder. Raises: MissingExtraError, InputError: the place cannot be written."""
    text = page(found)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"the report cannot be written to '{path}' ({error}): name another file") from error
    return path


def page(found: Comparison) -> str:
    """The page's text. Raises: MissingExtraError: jinja2 or matplotlib is not installed."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ModuleNotFoundError as missing:
        raise MissingExtraError("a report needs jinja2: pip install 'equipoise[report]'") from missing
    template = resources.files("equipoise.evaluation.report").joinpath("page.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cells"] = cells
    return environment.from_string(template).render(**_parts(found))


def _parts(found: Comparison) -> dict[str, Any]:
    """What the template shows."""
    return {
        "found": found,
        "head": HEAD,
        "answer": _answer(found),
        "hopeless": [support.policy for support in found.supports if support.hopeless],
        "refusal": REFUSAL,
        "warnings": found.warnings,
        "marks": {Verdict.FINE: "ok", Verdict.WARNING: "warn", Verdict.HOPELESS: "no", Verdict.OPEN: "open"},
        "estimates": pictures.estimates(found),
        "differences": pictures.differences(found) if found.differences.rows else "",
        "weights": pictures.weights(found.weights, found) if _has_weights(found) else "",
        "exposures": [(shown, pictures.exposure(shown, found)) for shown in found.exposures],
        "groups": [(section, pictures.groups(section, found)) for section in found.groups],
        "series": [(section, pictures.over_time(section, found)) for section in found.series],
    }


def _has_weights(found: Comparison) -> bool:
    return any(shown.counts for shown in found.weights)


def _answer(found: Comparison) -> list[str]:
    """One sentence a policy: would it have earned more than what was logged, by its first estimator?"""
    logged = found.values.rows[0].policy
    told = []
    for support in found.supports:
        name = support.policy
        row = next((row for row in found.differences.rows if row.policy == f"{name} - {logged}"), None)
        if support.hopeless or row is None:
            told.append(f"Of {name}, {REFUSAL}.")
            continue
        value, low, high = row.estimate.value, row.estimate.low, row.estimate.high
        span = f"({row.estimator}: {number(low)} to {number(high)})"
        if low > 0.0 or high < 0.0:
            more = "more" if low > 0.0 else "less"
            told.append(f"{name} would have earned {number(abs(value))} {more} than {logged} {span}.")
        else:
            told.append(f"Whether {name} would have earned more than {logged} cannot be told {span}.")
    return told
