"""How fast compiled specs are, side by side with what one would use instead.

    python benchmarks/speed.py [--quick] [--json FILE] [--only NAME…] [--list]

Competitors get the same weights and the same input, and are first found to compute the same; then they run in turn,
one thread, and medians, quartiles and ratios are printed beside the wanted ones. Without --quick it takes about ten
minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")  # before numpy and torch make their pools

import torch

import constraint
import convergence
import inference
import throughput
import training
from agreement import UnequalError
from harness import Pace, Section
from report import environment_line, summary, table, write_json

CASES: Mapping[str, Callable[[Pace], Section]] = {
    **inference.CASES,
    **training.CASES,
    **throughput.CASES,
    **constraint.CASES,
    **convergence.CASES,
}
QUICK = (*inference.QUICK, *training.QUICK, *throughput.QUICK, *constraint.QUICK, *convergence.QUICK)


def chosen(only: Sequence[str], quick: bool) -> list[str]:
    """Names of the cases to run; a name also stands for every case that starts with it.

    Raises:
        ValueError: A name stands for no case.
    """
    if not only:
        return list(QUICK if quick else CASES)
    unknown = [name for name in only if not any(case.startswith(name) for case in CASES)]
    if unknown:
        raise ValueError(f"no case is called {', '.join(unknown)}; there are {', '.join(CASES)}")
    return [case for case in CASES if any(case.startswith(name) for name in only)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen cases; 0 done, 1 competitors disagree, 2 wrong usage. A missed target is no error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds of the small cases, in about a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything to a file")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these cases, or all that start so")
    parser.add_argument("--list", action="store_true", help="names of the cases")
    given = parser.parse_args(arguments)
    if given.list:
        print("\n".join(CASES))
        return 0
    try:
        names = chosen(given.only, given.quick)
    except ValueError as error:
        parser.error(str(error))
    torch.set_num_threads(1)
    print(environment_line())
    sections: list[Section] = []
    for name in names:
        try:
            sections.append(CASES[name](Pace(given.quick)))
        except UnequalError as error:
            print(f"error: {name}: {error}", file=sys.stderr)
            return 1
        print(table(sections[-1]), flush=True)
    print(summary(sections))
    if given.json:
        write_json(given.json, sections)
    return 0


if __name__ == "__main__":
    sys.exit(main())
