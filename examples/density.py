"""Densities of y given x (Gustafsson et al. 2019, Fig. 2, App. A), in short; `density.py full 0` as published."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch.distributions import LogNormal, Normal

import lvmc
from lvmc.results.figures import save, sheet


def truth(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """p(y | x): peaks at sin x and −sin x, .8 and .2 of it, for x < 0, else log-normal. (n, 1), (m,) → (n, m)."""
    peaks = [Normal(sign * x.sin(), 0.075).log_prob(y).exp() for sign in (1, -1)]
    skew = LogNormal(0.0, 0.25).log_prob((y + 1).clamp_min(1e-6)).exp()
    return torch.where(x < 0, 0.8 * peaks[0] + 0.2 * peaks[1], skew)


def pairs(seed: int, count: int = 2000) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers x, uniform from −3 to 3, as pixels (count, 1, 1, 1), and for each a y of the truth (count, 1)."""
    random = np.random.default_rng(seed)
    x, noise = random.uniform(-3, 3, count), random.normal(size=count)
    sign = np.where(random.random(count) < 0.2, -1, 1)
    y = np.where(x < 0, sign * np.sin(x) + 0.075 * noise, np.exp(0.25 * noise) - 1)
    return torch.as_tensor(x).float().view(-1, 1, 1, 1), torch.as_tensor(y).float()[:, None]


def main(samples: int = 128, epochs: int = 12, seed: int = 0) -> None:
    """Train by importance sampling; print how far the density is from the truth, and draw both."""
    torch.manual_seed(seed)
    model = lvmc.compile(lvmc.load("density_1d", changes=[f"heads.y.samples={samples}"]), seed=seed)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    steps = epochs * 63
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    x, y = pairs(seed)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            model.losses(model(x[rows]), {"y": y[rows]})["y"].backward()
            optimizer.step()
            schedule.step()
    places = torch.linspace(-3, 3, 512)
    (axis,), found = model.densities(model(places.view(-1, 1, 1, 1)))["y"].grid(-3, 3, 1025)
    wanted = truth(places[:, None], axis)
    share = wanted / wanted.sum(1, keepdim=True)
    divergence = (share * ((share + 1e-30) / (found / found.sum(1, keepdim=True))).log()).sum(1).mean()
    figure = sheet(9, 3.5)
    for axes, density, title in zip(figure.subplots(1, 2), (wanted, found), ("truth", "model"), strict=True):
        axes.imshow(density.T.clamp_max(4), origin="lower", extent=(-3, 3, -3, 3), aspect="auto", cmap="Blues")
        axes.set(title=title, xlabel="x", ylabel="y", ylim=(-1.5, 1.5))
    print(f"mean KL to the truth: {divergence:.3f}, drawn: {save(figure, Path('density.png'))}")


if __name__ == "__main__":
    main(*((1024, 75) if "full" in sys.argv else ()), seed=int((sys.argv[2:] or ["0"])[0]))
