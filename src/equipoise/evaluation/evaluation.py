"""Some policies on one log: support first, then values, differences, groups and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core import Estimate, InputError
from equipoise.evaluation.bounds import bounded, caveats
from equipoise.evaluation.evidence import Evidence
from equipoise.evaluation.labels import by_policy, moments, unit_of
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.options import Options
from equipoise.evaluation.ranges import Limits, limits_of, with_rewards
from equipoise.evaluation.report.measures import exposure, histogram
from equipoise.evaluation.report.rows import Comparison, Exposure, Histogram, Row, Section
from equipoise.evaluation.support import Facts, Support, support_of
from equipoise.evaluation.targets import Chances, target_from
from equipoise.evaluation.targets.target import Policylike
from equipoise.evaluation.terms import (
    ON_POLICY,
    RATIOS,
    Terms,
    default_estimators,
    on_policy,
    terms_of,
)
from equipoise.evaluation.working import each

MOST_GROUPS = 20
"""Of an attribute, those with the most rows; the rest are one group."""

TIMES = 12
"""Parts of the log over time, equal in decisions."""

FEW = 30.0
"""Effective rows below which a single number carries a warning, whatever the log as a whole can say."""

OTHERS = "(all others)"
TIME = "from"


class _Judged(NamedTuple):
    """One target on the log, and what is seen of it without any estimate."""

    evidence: Evidence
    note: str
    seen: _Seen

    @property
    def support(self) -> Support:
        return self.seen.support

    @property
    def limits(self) -> Limits:
        return self.seen.limits

    @property
    def name(self) -> str:
        return self.support.policy


class _Seen(NamedTuple):
    """exposure: None where the target shows nothing of what the log does."""

    support: Support
    limits: Limits
    weights: Histogram
    exposure: Exposure | None


class _Found(NamedTuple):
    """A policy by an estimator, with what its differences are made from."""

    row: Row
    terms: Terms | None


class Evaluation:
    """One log, of which any number of policies may be asked.

    Example: `Evaluation(read_log("log.csv", columns)).compare(["p_new", "uniform"])`.
    """

    def __init__(self, log: Log, *, options: Options | None = None) -> None:
        self._log = log
        self._options = options or Options()

    def support(self, policy: Policylike) -> Support:
        """The report on one policy, without any number."""
        return self._every([policy])[0].support

    def compare(self, policies: Sequence[Policylike] = ()) -> Comparison:
        """Every policy by every estimator; without any, those whose probabilities the log holds.

        Raises: NoSupportError: the log cannot answer for one of them, and nobody forced it. InputError: no policy, or
            an unknown policy, estimator or attribute.
        """
        judged = self._every(policies)
        for one in judged:
            if not self._options.force:
                one.support.require()
        values, differences = self._values(judged)
        return Comparison(
            values=Section("", (*self._logged(judged), *values)),
            differences=Section("differences", tuple(differences)),
            groups=tuple(self._group(judged, attribute) for attribute in self._options.by),
            series=self._series(judged),
            supports=tuple(one.support for one in judged),
            weights=tuple(one.seen.weights for one in judged),
            exposures=tuple(one.seen.exposure for one in judged if one.seen.exposure is not None),
            notes=(*self._log.notes, *(one.note for one in judged if one.note)),
            log_name=self._log.name,
            n=len(self._log),
            decisions=int(self._log.decisions[-1]) + 1,
            level=self._options.level,
            interval=self._options.interval,
            unit=unit_of(judged[0].evidence),
        )

    def _every(self, policies: Sequence[Policylike]) -> list[_Judged]:
        asked = list(policies) or list(self._log.targets)
        if not asked:
            raise InputError(
                "no policy to evaluate: the log has no column of target probabilities, so name a policy (such as "
                "'uniform'), or that column under 'target_probability'"
            )
        chances = [
            target_from(policy, log=self._log, position=position).chances(self._log)
            for position, policy in enumerate(asked)
        ]
        names = [one.name for one in chances]
        if len(set(names)) < len(names):
            raise InputError(f"the policies are called {', '.join(names)}: give each a name of its own")
        evidence = [self._evidence(one) for one in chances]

        def seen(number: int) -> _Seen:
            return self._seen(chances[number], evidence[number])

        found = each(len(asked), seen, cores=self._options.cores)
        return [
            _Judged(here, f"{one.name}: {one.note}" if one.note else "", what)
            for one, here, what in zip(chances, evidence, found, strict=True)
        ]

    def _evidence(self, chances: Chances) -> Evidence:
        beyond = chances.beyond
        if "mrdr" in self._options.estimators and chances.robust is not None:
            beyond = replace(beyond, robust=chances.robust())
        return self._log.evidence(chances.target, baseline=chances.baseline, beyond=beyond)

    def _seen(self, chances: Chances, evidence: Evidence) -> _Seen:
        name = chances.name
        return _Seen(
            support_of(evidence, policy=name, facts=self._facts(chances)),
            self._limits(evidence),
            histogram(name, evidence),
            exposure(name, evidence) if evidence.weights.any() else None,
        )

    def _limits(self, evidence: Evidence) -> Limits:
        options = self._options
        return limits_of(evidence, rewards=options.reward_range, weight=options.largest_weight)

    def _facts(self, chances: Chances) -> Facts:
        options = self._options
        return Facts(
            unsupported=chances.unsupported,
            known_items=options.known_items or chances.known_items,
            window_seconds=options.window_seconds,
            unsettled=options.unsettled,
            duplicates=self._log.duplicates,
        )

    def _estimators(self, evidence: Evidence) -> tuple[str, ...]:
        return self._options.estimators or default_estimators(evidence)

    def _values(self, judged: Sequence[_Judged]) -> tuple[list[Row], list[Row]]:
        """Values by policy, and differences. An estimator is one piece of work: only its terms are held, and differ."""
        wanted = {one.name: self._estimators(one.evidence) for one in judged}
        names = tuple(dict.fromkeys(name for one in judged for name in wanted[one.name]))

        def found_by(number: int) -> tuple[list[Row], list[Row]]:
            name = names[number]
            found = [self._found(one, name) for one in judged if name in wanted[one.name]]
            return [entry.row for entry in found], list(self._differences(found, judged[0].limits))

        values, differences = list[Row](), list[Row]()
        for done, (rows, between) in enumerate(each(len(names), found_by, cores=self._options.cores)):
            values.extend(rows)
            differences.extend(between)
            if self._options.progress is not None:
                self._options.progress(done + 1, len(names))
        return by_policy(values), by_policy(differences)

    def _found(self, one: _Judged, estimator: str) -> _Found:
        if not one.evidence.weights.any() and estimator in RATIOS:
            return _Found(Row(one.name, estimator, _unknown(one.evidence), one.support.warnings), None)
        terms = terms_of(one.evidence, estimator, one.limits)
        return _Found(self._row(one.name, estimator, terms, one.support.warnings), terms)

    def _row(self, policy: str, estimator: str, terms: Terms, warnings: Sequence[str] = ()) -> Row:
        told = (*warnings, *_few(terms, estimator), *self._caveats(estimator, terms))
        return Row(policy, estimator, self._estimate(terms), told)

    def _estimate(self, terms: Terms) -> Estimate:
        options = self._options
        return bounded(terms, interval=options.interval, level=options.level, seed=options.seed)

    def _logged(self, judged: Sequence[_Judged]) -> Iterator[Row]:
        """What the logging policies earned themselves, and those that have a log of their own."""
        log, limits = self._log, judged[0].limits
        yield self._earned(on_policy(log.rewards, log.decisions, limits=limits))
        for one in judged:
            if one.name in log.on_policy:
                rewards = log.on_policy[one.name]
                yield self._row(one.name, ON_POLICY, on_policy(rewards, limits=with_rewards(limits, rewards)))

    def _earned(self, terms: Terms) -> Row:
        """What the log itself earned, however few its rows are."""
        return Row(self._logger, ON_POLICY, self._estimate(terms), self._caveats(ON_POLICY, terms))

    def _caveats(self, estimator: str, terms: Terms) -> tuple[str, ...]:
        """What its interval rests on; which estimator's, since several stand in a table."""
        return tuple(f"{estimator}: {line}" for line in caveats(terms, self._options.interval))

    @property
    def _logger(self) -> str:
        names = self._log.loggers.names
        return names[0] if len(names) == 1 else "logged"

    def _differences(self, found: Sequence[_Found], limits: Limits) -> Iterator[Row]:
        """Each policy minus the logging one, and each pair, by terms of the same decisions; where both are known."""
        found = [entry for entry in found if entry.terms is not None]
        logged = on_policy(self._log.rewards, self._log.decisions, limits=limits)
        itself = _Found(self._earned(logged), logged)
        for entry in found:
            yield self._difference(entry, itself)
        for position, first in enumerate(found):
            for second in found[position + 1 :]:
                yield self._difference(first, second)

    def _difference(self, first: _Found, second: _Found) -> Row:
        assert first.terms is not None
        assert second.terms is not None  # the unknown are left out before
        terms = first.terms.minus(second.terms)
        carried = dict.fromkeys(
            line
            for found in (first, second)
            for line in found.row.warnings
            if line not in self._caveats(found.row.estimator, found.terms)  # type: ignore[arg-type]
        )
        told = (*carried, *self._caveats(first.row.estimator, terms))
        name = f"{first.row.policy} - {second.row.policy}"
        return Row(name, first.row.estimator, self._estimate(terms), told)

    def _group(self, judged: Sequence[_Judged], attribute: str) -> Section:
        """Each group estimated from its own rows."""
        column = judged[0].evidence.group(attribute)
        counts = np.bincount(column.codes, minlength=len(column.names))
        largest = np.argsort(-counts, kind="stable")[:MOST_GROUPS]
        picked = [
            (column.names[code] or "(missing)", column.codes == code) for code in largest if counts[code]
        ]
        rest = ~np.isin(column.codes, largest)
        if rest.any():
            picked.append((OTHERS, rest))
        return self._section(attribute, judged, picked)

    def _series(self, judged: Sequence[_Judged]) -> tuple[Section, ...]:
        if not self._options.over_time:
            return ()
        decisions = self._log.decisions
        bounds = np.unique(np.linspace(0, int(decisions[-1]) + 1, TIMES + 1).astype(np.int64))
        rows = np.searchsorted(decisions, bounds).tolist()
        marks = []
        for label, (start, stop) in zip(moments(self._log.at, rows[:-1]), pairwise(rows), strict=True):
            kept = np.zeros(len(self._log), dtype=np.bool_)
            kept[start:stop] = True
            marks.append((label, kept))
        return (self._section(TIME, judged, marks),)

    def _section(
        self, title: str, judged: Sequence[_Judged], picked: Sequence[tuple[str, NDArray[np.bool_]]]
    ) -> Section:
        def rows_of(number: int) -> list[Row]:
            parts = [one.evidence.where(picked[number][1]) for one in judged]
            first = parts[0]
            logged = on_policy(first.rewards, first.decisions, limits=judged[0].limits)
            estimated = (
                self._part(one, part, self._estimators(one.evidence)[0])
                for one, part in zip(judged, parts, strict=True)
            )
            return [self._earned(logged), *estimated]

        rows = [row for part in each(len(picked), rows_of, cores=self._options.cores) for row in part]
        labels = [label for label, _ in picked for _ in range(len(judged) + 1)]
        return Section(title, tuple(rows), tuple(labels))

    def _part(self, one: _Judged, part: Evidence, estimator: str) -> Row:
        """A part of the log; where it has no weight at all, the value is unknown."""
        if not part.weights.any():
            warning = "the target shows nothing of what this part shows"
            return Row(one.name, estimator, _unknown(part), (warning,))
        try:
            terms = terms_of(part, estimator, one.limits)
        except InputError as error:  # what the whole log allows may need more rows than this part has
            return Row(one.name, estimator, _unknown(part), (str(error),))
        return self._row(one.name, estimator, terms, one.support.warnings)


def _unknown(evidence: Evidence) -> Estimate:
    """No number at all."""
    return Estimate(np.nan, np.inf, -np.inf, np.inf, int(evidence.decisions[-1]) + 1, 0.0)


def _few(terms: Terms, estimator: str) -> tuple[str, ...]:
    """A warning for a single number that rests on little."""
    if terms.n_effective >= FEW:
        return ()
    rows = f"{terms.n_effective:,.0f}"
    return (f"{estimator} rests on {rows} effective {'row' if rows == '1' else 'rows'} only",)
