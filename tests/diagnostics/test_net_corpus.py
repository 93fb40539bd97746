"""Nets with known answers: never wrong, nearly always decided, every proof checked by other code."""

from __future__ import annotations

import numpy as np
import pytest

from lvmc.diagnostics.answers import Check
from lvmc.diagnostics.check import check_model
from lvmc.diagnostics.explicit import diagonal, explicit
from lvmc.diagnostics.net import net_of
from lvmc.diagnostics.proofs import proofs
from lvmc.verdicts.verify import verify
from tests.diagnostics.net_corpus import CORPUS, Known


def answers(check: Check) -> dict[str, bool | None]:
    verdict = check.verdict
    return {"strict": verdict.strict, "copositive": verdict.copositive, "psd": verdict.psd, "bounded": check.bounded}


@pytest.mark.parametrize("known", CORPUS, ids=lambda known: known.name)
def test_known_nets(known: Known) -> None:
    check = check_model(known.model())
    for name, said in answers(check).items():
        answer = getattr(known, name)
        assert answer is None or said == answer, f"{name} of {known.name} ({known.source})"
    for name, subject, proof in proofs(check):
        assert verify(subject, proof).holds, name


def test_channel_formula_would_be_wrong() -> None:
    """A strided net past its threshold whose channel formula K/s is below 1, and one where phases are alike."""
    past = [known.facts["channel_formula"] for known in CORPUS if known.facts and not known.strict]
    assert min(past) < 0.95
    assert max(past) > 1.0


@pytest.mark.parametrize("known", [k for k in CORPUS if k.psd is not None], ids=lambda known: known.name)
def test_psd_as_numpy_says(known: Known) -> None:
    """A second, independent method for the corpus itself."""
    form = net_of(known.model()).form
    roots = np.sqrt(diagonal(form))
    least = float(np.linalg.eigvalsh(explicit(form) / np.outer(roots, roots))[0])
    assert (least > 0) == known.psd
