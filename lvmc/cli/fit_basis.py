"""`lvmc fit-basis`: the basis of a lifting head, learned from 3D poses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.options import AsJson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Poses = Annotated[
    Path,
    typer.Argument(
        metavar="POSES.npz",
        help="An array `poses` (or the only one): (poses, 3, points), or (poses, points, 3); third coordinate upright.",
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="BASIS.npz", help="File to write.")]


def fit_basis(
    poses: Poses,
    out: Out = Path("basis.npz"),
    components: Annotated[int, typer.Option(help="Linear models of the mixture.", min=1)] = 3,
    dimensions: Annotated[int, typer.Option(help="Of each model.", min=1)] = 25,
    rotations: Annotated[int, typer.Option(help="Views, all around the upright axis.", min=1)] = 100,
    tilt: Annotated[float, typer.Option(metavar="DEGREES", help="How far the camera looks down.")] = 0.0,
    align: Annotated[
        bool, typer.Option("--align/--as-given", help="Turn poses about the upright axis to meet their mean first.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of the first shares of the models.")] = 0,
    force: Annotated[bool, typer.Option("--force", metavar="", help="Write over an existing file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn a mixture of probabilistic principal components from 3D poses, as the basis of heads of kind lift."""
    from lvmc.cli.output import print_json
    from lvmc.lifting import fit_basis as fit
    from lvmc.lifting import save_basis
    from lvmc.lifting.rotations import tilted

    if out.exists() and not force:
        raise FileExistsError(f"{out} exists; write --force to replace it, or name another file")
    given = read_poses(poses)
    found = fit(given, components, dimensions, rotations, tilted(tilt), align, seed)
    save_basis(found.basis, out)
    left = [float(1 / noise) for noise in found.basis.noise]
    if as_json:
        print_json(
            {
                "file": str(out),
                "poses": len(given),
                "points": given.shape[2],
                "shares": [float(share) for share in found.shares],
                "noise": left,
                "likelihood": list(found.likelihood),
            }
        )
        return
    shares = ", ".join(f"{share:.0%}" for share in found.shares)
    typer.echo(f"{len(given):,} poses of {given.shape[2]} points; {len(found.likelihood)} steps")
    typer.echo(f"shares of the models: {shares}")
    typer.echo(f"left over a coordinate: {', '.join(f'{each:.4g}' for each in left)} (units of the poses)")
    typer.echo(f"{out}: mu, e, sigma, R_set")


def read_poses(file: Path) -> NDArray[np.float64]:
    """(poses, 3, points).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds no poses.
    """
    from zipfile import BadZipFile

    import numpy as np

    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    try:
        with np.load(file, allow_pickle=False) as arrays:
            names = list(arrays)
            name = "poses" if "poses" in names else names[0] if len(names) == 1 else ""
            if not name:
                raise ValueError(f"{file} has {', '.join(names) or 'nothing'}, and none is called poses")
            values = np.asarray(arrays[name], np.float64)
    except (BadZipFile, AttributeError, EOFError, TypeError) as error:
        raise ValueError(f"{file} is no .npz file of arrays of numbers") from error
    if values.ndim == 3 and values.shape[1] != 3 and values.shape[2] == 3:
        return values.transpose(0, 2, 1)
    if values.ndim != 3 or values.shape[1] != 3:
        raise ValueError(f"{file}: poses are (poses, 3, points) or (poses, points, 3), not {values.shape}")
    return values
