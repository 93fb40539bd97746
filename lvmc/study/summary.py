"""What a study found: means over seeds by variant and figure, and differences of variants paired by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from lvmc.records import nearest
from lvmc.study.kept import Result
from lvmc.study.plan import Plan
from lvmc.study.statistics import Moments, Paired, moments, paired


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of a variant over its seeds."""

    variant: str
    figure: str
    moments: Moments


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of one variant less that of another, seed by seed."""

    variant: str
    less: str
    figure: str
    paired: Paired


@dataclass(frozen=True, slots=True)
class Summary:
    """Cells and differences in the order of the study; titles by figure; what had to be left out."""

    titles: Mapping[str, str]
    cells: tuple[Cell, ...]
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...]

    def cell(self, variant: str, figure: str) -> Cell:
        """The cell of a variant and a figure."""
        return next(each for each in self.cells if (each.variant, each.figure) == (variant, figure))


def summary_of(plan: Plan, results: Sequence[Result]) -> Summary:
    """Means and differences of the runs that are done."""
    found = list(dict.fromkeys(name for each in results for name in each.figures))
    titles = plan.study.report.figures or {name: name for name in found}
    cells = [
        Cell(variant, figure, moments([*values_of(results, variant, figure).values()]))
        for variant in plan.variants
        for figure in titles
    ]
    differences: list[Difference] = []
    remarks = [*_states(results), *_unknown(titles, found), *_odd(results, titles)]
    for variant, less in plan.study.report.compare:
        several = [Difference(variant, less, figure, _paired(results, variant, less, figure)) for figure in titles]
        differences += [each for each in several if each.paired.n]
        if not any(each.paired.n for each in several):
            remarks.append(f"{variant} and {less} are not compared: no seed is done for both")
    return Summary(titles, tuple(cells), tuple(differences), tuple(remarks))


def values_of(results: Sequence[Result], variant: str, figure: str) -> dict[int, float]:
    """A figure of a variant by seed, where it is known and finite."""
    known = [
        each for each in results if each.run.variant == variant and isfinite(each.figures.get(figure, float("nan")))
    ]
    return {each.run.seed: each.figures[figure] for each in known}


def _paired(results: Sequence[Result], variant: str, less: str, figure: str) -> Paired:
    these, those = values_of(results, variant, figure), values_of(results, less, figure)
    return paired([these[seed] - those[seed] for seed in these if seed in those])


def _states(results: Sequence[Result]) -> list[str]:
    """`2 runs failed: QP1, seed 0 (…)`."""
    said: list[str] = []
    for each in results:
        if each.state == "failed":
            said.append(f"{each.run.name} failed: {each.message.splitlines()[0]}; more in {each.folder}/failed.json")
    for state, words in (("under way", "under way in another process"), ("missing", "not made yet")):
        names = [each.run.name for each in results if each.state == state]
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            said.append(f"{len(names)} of {len(results)} runs {words}: {'; '.join(names[:5])}{more}")
    return said


def _unknown(titles: Mapping[str, str], found: Sequence[str]) -> list[str]:
    return [f"no run has a figure {name}: {nearest(name, found)}" for name in titles if found and name not in found]


def _odd(results: Sequence[Result], titles: Mapping[str, str]) -> list[str]:
    return [
        f"{each.run.name} is left out of {titles[figure]}: it is not a finite number there"
        for each in results
        for figure in titles
        if figure in each.figures and not isfinite(each.figures[figure])
    ]
