"""Makes a regression of the face points: how far a face is turned, as the nose's place between the outer eye corners.

    python benchmarks/studies/faces_values.py SOURCE.npz TARGET.npz

turn = 10 ((nose − eye 1)·(eye 2 − eye 1) / |eye 2 − eye 1|² − ½): 0 ahead, in tenths of the distance of the outer eye
corners, whatever the size of the face and however it is tilted; a mirrored picture has minus the number.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EYE_1, NOSE, EYE_2 = 36, 30, 45
"""Numbers of the points among the 68."""


def turns(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, 68, 2) → (n,)."""
    eye_1, nose, eye_2 = (points[:, number].astype(np.float64) for number in (EYE_1, NOSE, EYE_2))
    apart = eye_2 - eye_1
    return 10 * (((nose - eye_1) * apart).sum(1) / (apart * apart).sum(1) - 0.5)


def main(source: Path, target: Path) -> None:
    """Write pictures, their split and their numbers."""
    with np.load(source) as given:
        found = turns(given["keypoints"])
        target.parent.mkdir(parents=True, exist_ok=True)
        np.savez(target, images=given["images"], split=given["split"], turn=found)
    print(
        f"{target}: {len(found)} pictures, turned {found.min():.2f} to {found.max():.2f}, deviation {found.std():.3f}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
