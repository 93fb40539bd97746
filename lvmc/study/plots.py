"""The plots that a study asks for, as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lvmc.results.figures import save
from lvmc.study.kept import Result
from lvmc.study.plan import Plan
from lvmc.study.plot_curves import draw_curves
from lvmc.study.plot_variants import draw_variants
from lvmc.study.record import Curve
from lvmc.study.summary import Summary


def draw_plots(plan: Plan, results: Sequence[Result], summary: Summary, out: Path) -> list[Path]:
    """Write each plot: `curve.png`, `by_variant.png`, `by_variant_2.png`; none before a run is done."""
    done = [each for each in results if each.state == "done"]
    if not done:
        return []
    files: list[Path] = []
    seen: Counter[str] = Counter()
    for plot in plan.study.report.plot:
        seen[plot.kind] += 1
        number = f"_{seen[plot.kind]}" if seen[plot.kind] > 1 else ""
        if isinstance(plot, Curve):
            figure = draw_curves(plot, plot.variants or plan.variants, done)
        else:
            figure = draw_variants(plot, plot.variants or plan.variants, done, summary)
        files.append(save(figure, out / f"{plot.kind}{number}.png"))
    return files
