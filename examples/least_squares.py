"""Non-negative least squares as an energy: min ½‖y − A x‖² over x ≥ 0, against SciPy's solver."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import nnls

import lvmc


def main() -> None:
    """Print both solutions and how the score approaches its maximum."""
    random = np.random.default_rng(0)
    a, y = random.normal(size=(24, 8)), random.normal(size=24)
    wanted, rest = nnls(a, y)

    model = lvmc.compile("nnls", passes=200).double()
    gram = torch.as_tensor(a.T @ a)
    coupling = (gram.diag().diag() - gram)[:, :, None, None]  # L: −AᵀA without its diagonal
    state = {
        "x.weight": torch.as_tensor(a.T.copy())[:, :, None, None],
        "x.diagonal": gram.diag(),
        "x.lateral": coupling,
    }
    model.load_state_dict(state)
    image = torch.as_tensor(y)[None, :, None, None]
    with torch.no_grad():
        found = model.latents(image)["x"].ravel().numpy()
    trace = lvmc.trace(model, image)

    print("SciPy", wanted.round(4))
    print("lvmc ", found.round(4))
    print(f"largest difference {np.abs(found - wanted).max():.1e}")
    for number in (1, 10, 50, 200):
        print(f"after {number:3} passes: score {trace.score[number, 0]:.9f}, residual {trace.residual[number, 0]:.1e}")
    print(f"maximum:          score {(y @ y - rest**2) / 2:.9f}")


if __name__ == "__main__":
    main()
