"""From what heads put out to what they say: points with a confidence, classes with their probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.spec.train import Evaluate


def points_of_heatmaps(logits: Tensor, loss: Literal["logistic", "l2"], rule: Evaluate) -> tuple[Tensor, Tensor]:
    """The point of each map and how sure it is.

    The peak is the pixel of the largest value; the centroid is Σ p(u) u / Σ p(u) over the pixels u within
    `rule.window` of it, where p is the probability, or the positive part of a map trained by `l2`.

    Args:
        logits: (batch, points, H, W).
        loss: What the head is trained by; says whether its values are logits.
        rule: `train.evaluate`.

    Returns:
        Points (batch, points, 2) as x, y in pixels, and the largest probability of each map (batch, points).
    """
    import torch

    logits = logits.float()
    mass = (logits.sigmoid() if loss == "logistic" else logits.clamp_min(0)).flatten(2)
    highest = logits.flatten(2).argmax(2, keepdim=True)
    confidence = mass.gather(2, highest)[..., 0].clamp(0, 1)
    y, x = highest // logits.shape[3], highest % logits.shape[3]
    peak = torch.cat([x, y], 2).float()
    if rule.decode == "peak":
        return peak, confidence
    return _centroid(mass, peak, logits.shape[2:], rule.window), confidence


def _centroid(mass: Tensor, peak: Tensor, size: tuple[int, ...], window: int) -> Tensor:
    """Centre of mass (batch, points, H · W) within a window of the peaks; the peak where there is none."""
    import torch

    height, width = size
    steps = torch.arange(-window, window + 1, device=mass.device)
    x, y = (each.long()[..., None] + steps for each in peak.unbind(2))
    inside = ((y >= 0) & (y < height))[..., :, None] & ((x >= 0) & (x < width))[..., None, :]
    index = y.clamp(0, height - 1)[..., :, None] * width + x.clamp(0, width - 1)[..., None, :]
    near = mass.gather(2, index.flatten(2)).view(index.shape) * inside
    total = near.sum((2, 3))
    centre = torch.stack([(near.sum(2) * x).sum(2), (near.sum(3) * y).sum(2)], 2) / total.clamp_min(1e-30)[..., None]
    return torch.where((total > 0)[..., None], centre, peak)


def classes_of_maps(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest class of each pixel (batch, H, W), and the probabilities of all (batch, classes, H, W)."""
    return logits.argmax(1), logits.float().softmax(1)


def labels_of_logits(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest class of each sample (batch,), and its probability."""
    probability, label = logits.float().softmax(1).max(1)
    return label, probability
