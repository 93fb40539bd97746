"""Studies: variants of a spec, trained from several seeds, compared in one table."""

from lvmc.study.study import Outcome, run_study

__all__ = ["Outcome", "run_study"]
