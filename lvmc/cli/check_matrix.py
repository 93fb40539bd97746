"""`lvmc check-matrix`: whether a symmetric matrix is copositive, with its certificate or witness as a file."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.options import AsJson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lvmc.cli.output import Json
    from lvmc.verdicts import Answer, Verdict
    from lvmc.verdicts.subjects import Matrix


class Claim(StrEnum):
    """What can be required."""

    COPOSITIVE = "copositive"
    STRICT = "strict"
    PSD = "psd"


File = Annotated[
    Path, typer.Argument(metavar="A.npy", help="A symmetric matrix: .npy, .npz, .csv or .txt.", show_default=False)
]
Groups = Annotated[
    Path | None,
    typer.Option(metavar="G.json", help="Lists of indices, at most one of each nonzero: [[0, 1], [4, 5]]."),
]
Limit = Annotated[float, typer.Option(metavar="SECONDS", help="What does not fit stays undecided.", min=0.0)]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER|FILE.npz", help="Write certificate and witness, for `lvmc verify`."),
]
Require = Annotated[list[Claim] | None, typer.Option(help="Exit with 1 unless this is proved; may be repeated.")]

UNDECIDED = "undecided"


def check_matrix(
    matrix: File,
    groups: Groups = None,
    time_limit: Limit = 10.0,
    require: Require = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a symmetric matrix is copositive, strictly, or positive semidefinite, with the proof."""
    from lvmc.cli.matrices import read_groups, read_matrix
    from lvmc.cli.output import print_json, remark
    from lvmc.matrices import copositivity
    from lvmc.verdicts.subjects import matrix_of

    values = read_matrix(matrix)
    found_groups = [] if groups is None else read_groups(groups, len(values))
    verdict = copositivity(values, found_groups, time_limit=time_limit)
    files = _save(verdict, matrix_of(values, found_groups), matrix, out) if out else {}
    required = {claim: _answer(verdict, claim) for claim in require or ()}
    if as_json:
        print_json(_document(matrix, verdict, files, required))
    else:
        _show(matrix, verdict, len(values), len(found_groups), files)
    for claim in (claim for claim, answer in required.items() if answer is not True):
        remark(f"lvmc: required, {claim}: {UNDECIDED if required[claim] is None else 'refuted'}")
    if not all(required.values()):
        raise typer.Exit(1)


def sentence(name: str, verdict: Verdict) -> str:
    """The verdict as one sentence."""
    lower, upper = verdict.bounds
    beyond = {
        True: "positive semidefinite",
        False: "not positive semidefinite",
        None: f"semidefinite or not is {UNDECIDED}",
    }
    space = beyond[verdict.psd]
    match verdict.copositive, verdict.strict:
        case True, True:
            return f"{name} is strictly copositive: zᵀAz ≥ {lower:.6g} zᵀDz over the cone; {space}."
        case True, False:
            return f"{name} is copositive, but not strictly: zᵀAz = 0 at some z ≠ 0 of the cone; {space}."
        case True, None:
            return f"{name} is copositive; whether strictly is {UNDECIDED}; {space}."
        case False, _:
            return f"{name} is not copositive: zᵀAz/zᵀDz = {upper:.6g} at the witness; {space}."
        case _:
            return f"{name} is {UNDECIDED}: the least zᵀAz/zᵀDz over the cone is {lower:.6g} to {upper:.6g}; {space}."


def _answer(verdict: Verdict, claim: Claim) -> Answer:
    match claim:
        case Claim.COPOSITIVE:
            return verdict.copositive
        case Claim.STRICT:
            return verdict.strict
        case Claim.PSD:
            return verdict.psd


def _save(verdict: Verdict, subject: Matrix, matrix: Path, out: Path) -> dict[str, Path]:
    """Write the certificate and the witness, as far as there are any."""
    from lvmc.verdicts.files import save

    proofs = {"certificate": verdict.certificate, "witness": verdict.witness}
    made = {kind: proof for kind, proof in proofs.items() if proof is not None}
    a_file = out.suffix == ".npz"
    folder, stem = (out.parent, out.stem) if a_file else (out, matrix.stem)
    folder.mkdir(parents=True, exist_ok=True)
    files = {kind: folder / f"{stem}.{kind}.npz" for kind in made}
    if a_file and made:
        files[next(iter(made))] = out
    for kind, proof in made.items():
        save(files[kind], subject, proof)
    return files


def _document(matrix: Path, verdict: Verdict, files: dict[str, Path], required: dict[Claim, Answer]) -> dict[str, Json]:
    proof, witness = verdict.certificate, verdict.witness
    return {
        "matrix": str(matrix),
        "copositive": verdict.copositive,
        "strict": verdict.strict,
        "psd": verdict.psd,
        "bounds": [each if isfinite(each) else None for each in verdict.bounds],
        "method": verdict.method,
        "seconds": verdict.seconds,
        "remarks": list(verdict.remarks),
        "certificate": None if proof is None else {"claim": proof.claim, "kind": proof.kind, "margin": proof.margin},
        "witness": None
        if witness is None
        else {"refutes": witness.refutes, "value": witness.value, "z": _z(witness.arrays["z"])},
        "files": {kind: str(file) for kind, file in files.items()},
        "required": {str(claim): answer for claim, answer in required.items()},
    }


def _z(values: NDArray[np.float64]) -> list[float]:
    return [float(each) for each in values]


def _show(matrix: Path, verdict: Verdict, size: int, groups: int, files: dict[str, Path]) -> None:
    from lvmc.cli.output import console

    out = console()
    out.print(sentence(matrix.name, verdict), soft_wrap=True)
    lower, upper = verdict.bounds
    cone = f"z ≥ 0 with at most one nonzero entry in each of {groups} groups" if groups else "z ≥ 0"
    out.print(f"{size} × {size}, over {cone}: least zᵀAz/zᵀDz from {lower:.6g} to {upper:.6g}.", soft_wrap=True)
    out.print(f"by {verdict.method or 'no stage'}, in {verdict.seconds:.3g} s.", soft_wrap=True)
    for text in verdict.remarks:
        out.print(f"{text}.", soft_wrap=True)
    if files:
        out.print(f"written: {', '.join(map(str, files.values()))}", soft_wrap=True)
