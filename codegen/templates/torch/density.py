"""Densities over targets that emitted files carry with them: what heads say of y, and what can be asked of it."""

from collections.abc import Callable
from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor


class Integrals(NamedTuple):
    """log Z with Z = ∫ exp f(x, y) dy (batch,), mean and variance of y (batch, dims), and how far each may be off."""

    log_normaliser: Tensor
    mean: Tensor
    variance: Tensor
    log_normaliser_error: Tensor
    mean_error: Tensor
    variance_error: Tensor


class Density:
    """p(y | x) ∝ exp f(x, y) for every sample of a batch, as a head gives it; candidates y are (batch, n, dims).

    The other arguments are the head's: of `proposals` and `refine`, and the mean (batch, dims) where it is known.
    """

    def __init__(
        self,
        function: Callable[[Tensor, Tensor], Tensor],
        given: Tensor,
        dims: int,
        samples: int = 128,
        sigmas: list[list[float]] | None = None,
        steps: int = 10,
        step: list[float] | float = 0.1,
        decay: float = 0.5,
        mean: Tensor | None = None,
    ) -> None:
        self.function, self.given, self.dims, self.mean = function, given, dims, mean
        self.samples, self.sigmas = samples, sigmas
        self.steps, self.step, self.decay = steps, step, decay

    def value(self, y: Tensor) -> Tensor:
        """f(x, y), (batch, n); of a head with a known mean it is log p(y | x)."""
        return self.function(self.given, y)

    def slope(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """f(x, y) and its gradient in y, (batch, n) and (batch, n, dims), for any surrounding gradient mode."""
        with torch.inference_mode(False), torch.enable_grad():
            y = y.detach().clone().requires_grad_()
            value = self.function(self.given.detach().clone(), y)
            (slope,) = torch.autograd.grad(value.sum(), y)
        return value.detach(), slope

    def refine(
        self,
        y: Tensor,
        steps: int | None = None,
        step: list[float] | float | None = None,
        decay: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Algorithm 1 on every candidate at once: y and f(x, y) after so many steps.

            y ← y + λ ∇f  where f rises strictly by it,  λ ← η λ  elsewhere

        `step` is λ, one for all coordinates or one each; `decay` is η; each candidate has a λ of its own.
        """
        lengths = y.new_tensor(self.step if step is None else step)
        scale = torch.ones_like(y[..., :1])
        decay = self.decay if decay is None else decay
        value, slope = self.slope(y)
        for _ in range(self.steps if steps is None else steps):
            moved = y + scale * lengths * slope
            found, found_slope = self.slope(moved)
            rises = found > value
            value, rises = torch.where(rises, found, value), rises.unsqueeze(-1)
            y, slope = torch.where(rises, moved, y), torch.where(rises, found_slope, slope)
            scale = torch.where(rises, scale, decay * scale)
        return y, value

    def best(
        self,
        seeds: Tensor,
        top: int = 1,
        steps: int | None = None,
        step: list[float] | float | None = None,
        decay: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The `top` best of the seeds (n, dims) or (batch, n, dims), refined: the best y (batch, dims), and its f."""
        seeds = seeds.expand(self.given.shape[0], -1, -1)
        with torch.no_grad():
            places = self.value(seeds).topk(min(top, seeds.shape[1]), 1).indices
        chosen = seeds.gather(1, places.unsqueeze(-1).expand(-1, -1, self.dims))
        y, value = self.refine(chosen, steps, step, decay)
        value, place = value.max(1)
        return y[torch.arange(len(y), device=y.device), place], value

    def integrals(self, low: list[float] | float, high: list[float] | float, points: int = 201) -> Integrals:
        """By the trapezoid rule on a box, an odd number of `points` along each axis.

        Errors are differences from the rule on every other point: beyond the box nothing is counted.
        """
        y, steps = self._box(low, high, points)
        with torch.no_grad():
            value = self.value(y).unflatten(1, (points,) * self.dims)
        y, every = (
            y.unflatten(1, (points,) * self.dims),
            (slice(None), *(slice(None, None, 2) for _ in range(self.dims))),
        )
        fine = self._moments(self._weighted(value, steps), y)
        coarse = self._moments(self._weighted(value[every], 2 * steps), y[every])
        return Integrals(*fine, *((one - other).abs() for one, other in zip(fine, coarse, strict=True)))

    def grid(
        self, low: list[float] | float, high: list[float] | float, points: int = 201
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """The points along each axis of a box, and p(y | x) at all of them, (batch, points, …), normalised over it."""
        y, steps = self._box(low, high, points)
        with torch.no_grad():
            value = self.value(y).unflatten(1, (points,) * self.dims)
        log_normaliser = self._weighted(value, steps).flatten(1).logsumexp(1)
        axes = y[0].unflatten(0, (points,) * self.dims)
        places = tuple(axes.movedim(axis, 0).flatten(1)[:, axis] for axis in range(self.dims))
        return places, (value - log_normaliser[(...,) + (None,) * self.dims]).exp()

    def heatmap(self, height: int, width: int) -> tuple[Integrals, Tensor]:
        """Of a point in a picture, x and y from −1 to 1 between the centres of its outermost pixels: sums over pixels.

        Besides the integrals the probability of every pixel, (batch, height, width), all together 1: beyond the picture
        nothing is counted. Errors are the largest differences from the sums over every other row and column.
        """
        if self.dims != 2 or min(height, width) < 2:
            raise ValueError(
                f"heatmap: is of one point and 2 × 2 pixels or more, not {self.dims} numbers, {height} × {width}"
            )
        ends = {"dtype": self.given.dtype, "device": self.given.device}
        across, down = torch.linspace(-1, 1, width, **ends), torch.linspace(-1, 1, height, **ends)
        y = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1).expand(self.given.shape[0], -1, -1, -1)
        with torch.no_grad():
            logs = self.value(y.flatten(1, 2)).unflatten(1, (height, width)) + log(4 / ((height - 1) * (width - 1)))
        fine = self._moments(logs, y)
        starts = ((0, 0), (0, 1), (1, 0), (1, 1))
        parts = [self._moments(logs[:, i::2, j::2] + log(4), y[:, i::2, j::2]) for i, j in starts]
        errors = [(one - torch.stack(others)).abs().amax(0) for one, *others in zip(fine, *parts, strict=True)]
        return Integrals(*fine, *errors), (logs - fine[0][:, None, None]).exp()

    def sampled_integrals(
        self,
        centre: Tensor,
        samples: int | None = None,
        sigmas: list[list[float]] | None = None,
        generator: torch.Generator | None = None,
    ) -> Integrals:
        """By importance sampling from proposals around `centre` (batch, dims); errors are standard deviations."""
        sigmas = self.sigmas if sigmas is None else sigmas
        if sigmas is None:
            raise ValueError("sigmas: this head proposes nothing of its own; give the deviations, for example [[1.0]]")
        y = proposals(centre, self.samples if samples is None else samples, sigmas, generator)
        with torch.no_grad():
            logs = self.value(y) - log_proposal(y, centre[:, None], sigmas)
        log_normaliser = logs.logsumexp(1) - log(y.shape[1])
        share = (logs - logs.logsumexp(1, keepdim=True)).exp().unsqueeze(-1)
        mean = (share * y).sum(1)
        offset = (y - mean[:, None]).square()
        variance = (share * offset).sum(1)
        errors = (share - 1 / y.shape[1], share * (y - mean[:, None]), share * (offset - variance[:, None]))
        first, second, third = (error.square().sum(1).sqrt() for error in errors)
        return Integrals(log_normaliser, mean, variance, first.squeeze(1), second, third)

    def _box(self, low: list[float] | float, high: list[float] | float, points: int) -> tuple[Tensor, Tensor]:
        """All points of a box, (batch, points^dims, dims), and how far apart they are along each axis."""
        if points < 3 or points % 2 == 0:
            raise ValueError(
                f"points: an odd number of at least 3, so that every other one is a grid too, not {points}"
            )
        low, high = (self.given.new_tensor(end).expand(self.dims) for end in (low, high))
        share = torch.linspace(0, 1, points, dtype=low.dtype, device=low.device)
        axes = [start + share * (end - start) for start, end in zip(low, high, strict=True)]
        y = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).flatten(0, -2)
        return y.expand(self.given.shape[0], -1, -1), (high - low) / (points - 1)

    def _weighted(self, value: Tensor, steps: Tensor) -> Tensor:
        """f (batch, points, …) and the log of the weights that the trapezoid rule gives it."""
        logs = value + steps.log().sum()
        for axis in range(1, value.dim()):
            ends = torch.zeros(value.shape[axis], dtype=value.dtype, device=value.device)
            ends[0], ends[-1] = -log(2), -log(2)
            logs = logs + ends[(...,) + (None,) * (value.dim() - 1 - axis)]
        return logs

    def _moments(self, logs: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """log Z, mean and variance, from f plus log weights (batch, points, …) at y (batch, points, …, dims)."""
        logs, y = logs.flatten(1), y.flatten(1, -2)
        log_normaliser = logs.logsumexp(1)
        share = (logs - log_normaliser[:, None]).exp().unsqueeze(-1)
        mean = (share * y).sum(1)
        return log_normaliser, mean, (share * (y - mean[:, None]).square()).sum(1)


def proposals(
    centre: Tensor, samples: int, sigmas: list[list[float]], generator: torch.Generator | None = None
) -> Tensor:
    """Samples (batch, samples, dims) of q = (1/L) Σ_l N(centre, diag σ_l²), L and σ those of the list: equation (5)."""
    shape = (centre.shape[0], samples)
    place = {"device": centre.device, "generator": generator}
    chosen = torch.randint(len(sigmas), shape, **place)
    noise = torch.randn(*shape, centre.shape[1], dtype=centre.dtype, **place)
    return centre[:, None] + centre.new_tensor(sigmas)[chosen] * noise


def log_proposal(y: Tensor, centre: Tensor, sigmas: list[list[float]]) -> Tensor:
    """log q(y), (batch, n): y (batch, n, dims), centre (batch, 1, dims)."""
    parts = [normal_log(y - centre, y.new_tensor(sigma).log()) for sigma in sigmas]
    return torch.stack(parts, -1).logsumexp(-1) - log(len(parts))


def normal_log(offset: Tensor, log_sigma: Tensor) -> Tensor:
    """Σ over coordinates of log N(offset; 0, σ²)."""
    return (-0.5 * (offset * (-log_sigma).exp()).square() - log_sigma - 0.5 * log(2 * pi)).sum(-1)


def importance_loss(value: Tensor, y: Tensor, sigmas: list[list[float]]) -> Tensor:
    """Mean of log (1/M) Σ_m exp f(y_m) / q(y_m) − f(y_0): equation (4); the first candidate is the target y_0."""
    log_q = log_proposal(y[:, 1:], y[:, :1], sigmas)
    log_z = (value[..., 1:] - log_q).logsumexp(-1) - log(log_q.shape[1])
    return -minus_mean(log_z - value[..., 0])


def gaussian_log(given: Tensor, y: Tensor) -> Tensor:
    """log p(y | x) of independent Gaussians: `given` (batch, 2 · dims) holds means, then log σ²."""
    centre, log_spread = given.unsqueeze(-2).chunk(2, -1)
    return normal_log(y - centre, 0.5 * log_spread)


def laplace_log(given: Tensor, y: Tensor) -> Tensor:
    """log p(y | x) of independent Laplace densities: `given` (batch, 2 · dims) holds centres, then log β."""
    centre, log_spread = given.unsqueeze(-2).chunk(2, -1)
    return (-(y - centre).abs() * (-log_spread).exp() - log_spread - log(2)).sum(-1)


def bins_log(logits: Tensor, y: Tensor, bins: int, low: float, high: float) -> Tensor:
    """log p(y | x), constant over each bin of a coordinate; beyond the range as in the outermost bin."""
    logs = logits.unflatten(-1, (-1, bins)).log_softmax(-1) - log((high - low) / bins)
    place = ((y - low) / (high - low) * bins).floor().clamp(0, bins - 1).long().movedim(-2, -1)
    return logs.gather(-1, place.expand(*logs.shape[:-1], -1)).sum(-2)


def bins_mean(logits: Tensor, bins: int, low: float, high: float) -> Tensor:
    """The expected value over the middles of bins, (batch, dims)."""
    return logits.unflatten(-1, (-1, bins)).softmax(-1) @ bin_middles(logits, bins, low, high)


def bins_penalty(
    logits: Tensor, targets: Tensor, bins: int, low: float, high: float, l2: float, variance: float
) -> Tensor:
    """Mean of l2 · (expected value − target)² + variance · (variance over the bins)."""
    share, middle = logits.unflatten(-1, (-1, bins)).softmax(-1), bin_middles(logits, bins, low, high)
    expected = share @ middle
    around = (share * (middle - expected.unsqueeze(-1)).square()).sum(-1)
    return -minus_mean(l2 * (expected - targets).square() + variance * around)


def bin_middles(logits: Tensor, bins: int, low: float, high: float) -> Tensor:
    """The middle of every bin, (bins,)."""
    return low + (high - low) / bins * (torch.arange(bins, dtype=logits.dtype, device=logits.device) + 0.5)


def minus_mean(values: Tensor) -> Tensor:
    """Minus the mean of all values; 0 where there are none."""
    return -values.sum() / max(1, values.numel())
